"""Signatures as data become objects here: `load` reads and checks the YAML files, a `SignatureSet` is what the line
works with.

Knows files and the small language of predicates in them; knows no packets and no sessions.
"""

from sensor.signatures.loader import load, load_sites
from sensor.signatures.located import SignatureError
from sensor.signatures.model import Dialect, Example, Framing, MessageRule, NodeSignature, ReplyRule, SignatureSet

__all__ = [
    "Dialect",
    "Example",
    "Framing",
    "MessageRule",
    "NodeSignature",
    "ReplyRule",
    "SignatureError",
    "SignatureSet",
    "load",
    "load_sites",
]
