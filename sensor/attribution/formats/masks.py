"""Masks of IPv4 networks as people write them: in dots, inverse (wildcard) in dots, or as the length of the prefix."""

from __future__ import annotations

import re

from sensor.model.address import number
from sensor.sheets.text import plain, short

_LENGTH = re.compile(r"/?\s*(\d{1,3})(?:\.0+)?\s*(?:位|bits?)?", re.IGNORECASE)


def mask_length(text: str) -> int:
    """The prefix length of `255.255.255.240`, `0.0.0.15`, `28`, `/28` or `28位`; ValueError if it is none."""
    tidy = plain(text).strip("()[] ")
    found = _LENGTH.fullmatch(tidy)
    if found is not None:
        return int(found[1])
    dotted = dotted_mask(tidy.removeprefix("/").strip())
    if dotted is None:
        raise ValueError(f"the mask {short(text)} is none")
    return dotted


def dotted_mask(text: str) -> int | None:
    """The prefix length of a mask, or of a wildcard (inverse) mask, in dots; None if it is none."""
    try:
        version, value = number(text)
    except ValueError:
        return None
    if version != 4 or ":" in text:
        return None
    hosts = value ^ 0xFFFFFFFF
    if value >> 31 and hosts & (hosts + 1) == 0:
        return 32 - hosts.bit_length()
    if value and value & (value + 1) == 0 and value < 1 << 24:
        return 32 - value.bit_length()
    return None


def is_mask(text: str) -> bool:
    """Whether a text in dots is a mask, and so no host's address."""
    return ":" not in text and text.startswith(("255.", "0.")) and dotted_mask(text) is not None
