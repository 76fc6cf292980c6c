"""The version, for everything that tells it. Nothing else is known here."""

VERSION = "0.1.0"
