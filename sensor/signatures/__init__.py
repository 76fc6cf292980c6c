"""Signatures as data become objects here: `load` reads and checks the YAML files, a `SignatureSet` is what the line
works with.

Knows files and the small language of predicates in them; knows no packets and no sessions.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.signatures.loader import load, load_sites
    from sensor.signatures.model import Dialect, Example, Framing, MessageRule, NodeSignature, ReplyRule, SignatureSet
    from sensor.signatures.signature_error import SignatureError

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

#: Where those are that are not of `model`.
_PLACES = {"SignatureError": "signature_error", "load": "loader", "load_sites": "loader"}


def __getattr__(name: str) -> object:
    """All of these come with the parser, which a run that meets no packet of interest does not wait for."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_PLACES.get(name, 'model')}"), name)
