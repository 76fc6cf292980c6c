"""Addresses, prefixes and ranges of books as numbers, and back. Knows nothing of who holds them.

IPv4 addresses that are written inside IPv6 (`::ffff:192.0.2.1`) are IPv4: packets show them so.
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple

from sensor.model.address import MAPPED_BITS, number
from sensor.sheets.text import plain, without_note

__all__ = ["AddressRange", "address_text", "between", "number", "parse_ranges", "prefix", "range_text"]

BITS = {4: 32, 6: 128}
_SPLIT = re.compile(r"\s*(?:-|至|到|\bto\b)\s*")


class AddressRange(NamedTuple):
    """All addresses from `first` to `last`."""

    version: int
    first: int
    last: int


def address_text(version: int, value: int) -> str:
    """An address as text, IPv6 in the form of RFC 5952."""
    return (
        inet_ntop(AF_INET, value.to_bytes(4, "big")) if version == 4 else inet_ntop(AF_INET6, value.to_bytes(16, "big"))
    )


def range_text(version: int, first: int, last: int) -> str:
    """A prefix where it is one, else `first-last`."""
    size = last - first + 1
    if size & (size - 1) == 0 and first & (size - 1) == 0:
        return f"{address_text(version, first)}/{BITS[version] + 1 - size.bit_length()}"
    return f"{address_text(version, first)}-{address_text(version, last)}"


def between(first: str, last: str) -> AddressRange:
    """The range from one address to another; ValueError with the reason."""
    low_version, low = number(first)
    if not last:
        return AddressRange(low_version, low, low)
    high_version, high = number(last)
    if low_version != high_version:
        raise ValueError("begins with one version of IP and ends with the other")
    if low > high:
        raise ValueError("the range is reversed")
    return AddressRange(low_version, low, high)


def prefix(text: str) -> AddressRange:
    """`192.0.2.0/24`, also with a mask of dots.

    Host bits that are set are a mistake: which network is meant cannot be known.
    """
    base, slash, length = text.partition("/")
    version, value = number(base.strip())
    if not slash:
        return AddressRange(version, value, value)
    bits = BITS[version]
    size = length.strip()
    count = int(size) if size.isascii() and size.isdigit() else _mask_bits(size) if version == 4 else -1
    if version == 4 and ":" in base and size.isdigit():
        count -= MAPPED_BITS  # a prefix of IPv4 that is written inside IPv6
    if not 0 <= count <= bits:
        raise ValueError("the prefix length is wrong")
    rest = (1 << (bits - count)) - 1
    if value & rest:
        raise ValueError("has bits behind its prefix length")
    return AddressRange(version, value, value | rest)


def _mask_bits(text: str) -> int:
    """The prefix length of a mask in dots, or -1."""
    try:
        _, mask = number(text)
    except ValueError:
        return -1
    hosts = mask ^ 0xFFFFFFFF
    return 32 - hosts.bit_length() if hosts & (hosts + 1) == 0 else -1


def parse_ranges(text: str, last: str = "") -> tuple[list[AddressRange], str]:
    """What a cell, or two cells, of a book mean, and the remark that was left out.

    ValueError with the reason if they mean nothing.

    A cell may hold an address, a prefix, a range (`192.0.2.1-192.0.2.9`, `192.0.2.1-9`), or several of them apart by
    commas or spaces.
    """
    if last and last != text:
        try:
            return [between(text, last)], ""
        except ValueError:
            low, note_low = without_note(plain(text))
            high, note_high = without_note(plain(last))
            return [between(low, high)], " ".join(filter(None, (note_low, note_high)))
    tidy, note = without_note(plain(text))
    found = [
        _parse_piece(piece)
        for piece in re.split(r"[,;\n]+", re.sub(r"(?<=[0-9a-fA-F])\s+(?=[0-9a-fA-F:])", ",", tidy))
        if piece.strip()
    ]
    if not found:
        raise ValueError("no address")
    return found, note


def _parse_piece(text: str) -> AddressRange:
    text = text.strip()
    if "/" in text:
        return prefix(text)
    parts = _SPLIT.split(text)
    if len(parts) == 2:
        low, high = parts
        if high.isdigit() and "." in low:
            high = f"{low.rpartition('.')[0]}.{high}"
        return between(low, high)
    return between(text, "")
