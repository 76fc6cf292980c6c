"""How wide a text is on a terminal: Chinese characters take two places (Unicode Standard Annex 11)."""

from __future__ import annotations

import unicodedata


def width(text: str) -> int:
    """The places that a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def padded(text: str, places: int) -> str:
    """The text with blanks up to this many places; longer ones stay."""
    return text + " " * max(0, places - width(text))
