"""The version. It is written here and nowhere else: the package, the command and the documents take it from here."""

VERSION = "0.2.0"
