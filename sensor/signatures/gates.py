"""The `gate` block: literals and openings for the prefilter, in the form its tables want. Knows the bounds of those
tables, no traffic.
"""

from __future__ import annotations

import re

from sensor.signatures.located import YamlEntry
from sensor.signatures.model import SignatureGate

#: `Tables` in sensor/_core.pyi: literals of 4 to 16 bytes, openings of 1 to 16, and for TCP within the first 16 bytes.
LITERAL_BYTES = (4, 16)
OPENING_BYTES = 16
TCP, UDP = 6, 17
#: A first flight longer than this is no handshake.
MAX_FLIGHT_BYTES = 65_535

OpeningKey = tuple[int, int, tuple[tuple[int, int], ...], int]


def compile_gate(entry: YamlEntry | None) -> SignatureGate:
    """The gate of a signature; empty if it relies on the gates of its framing."""
    if entry is None or not entry.is_map():
        return SignatureGate()
    entry.only(("literals", "openings", "flights"))
    literals = []
    for item in entry.keys["literals"].each() if "literals" in entry.keys else ():
        literals.append(_literal(item))
    openings = []
    for item in entry.keys["openings"].each() if "openings" in entry.keys else ():
        if item.is_map():
            openings.append(_opening(item))
    flights = []
    for item in entry.keys["flights"].each() if "flights" in entry.keys else ():
        if item.is_map():
            item.only(("first", "answer"))
            flights.append(
                (item.number("first", 0, 1, MAX_FLIGHT_BYTES), item.number("answer", 0, 1, MAX_FLIGHT_BYTES))
            )
    return SignatureGate(tuple(literals), tuple(openings), tuple(flights))


def _literal(entry: YamlEntry) -> bytes:
    data = b""
    if isinstance(entry.scalar, str):
        data = entry.scalar.encode()
    elif (
        entry.shape == "map"
        and list(entry.keys) == ["hex"]
        and re.fullmatch(r"([0-9a-fA-F]{2}\s*)+", entry.text("hex"))
    ):
        data = bytes.fromhex(entry.text("hex"))
    else:
        entry.fail("must be text in quotes, or a map {hex: ...}")
        return data
    if not LITERAL_BYTES[0] <= len(data) <= LITERAL_BYTES[1]:
        entry.fail(f"must be {LITERAL_BYTES[0]} to {LITERAL_BYTES[1]} bytes, is {len(data)}")
    return data


def _opening(entry: YamlEntry) -> OpeningKey:
    entry.only(("bytes", "text", "at", "proto", "budget_bytes"))
    proto = UDP if entry.choice("proto", ("tcp", "udp"), "tcp") == "udp" else TCP
    at = entry.number("at", 0, 0, 1_400)
    budget = entry.number("budget_bytes", 4_096, 1, 1 << 20)
    pattern = [(byte, byte) for byte in entry.text("text").encode()] if "text" in entry.keys else _pattern(entry)
    if not 1 <= len(pattern) <= OPENING_BYTES or (proto == TCP and at + len(pattern) > OPENING_BYTES):
        entry.fail(
            f"must lie within the first {OPENING_BYTES} bytes of a stream (UDP: {OPENING_BYTES} bytes from `at` on)"
        )
    return proto, at, tuple(pattern), budget


def _pattern(entry: YamlEntry) -> list[tuple[int, int]]:
    pattern = []
    for item in entry.text("bytes").split():
        match = re.fullmatch(r"(?:(\?\?)|([0-9a-fA-F]{2})(?:-([0-9a-fA-F]{2}))?)", item)
        if match is None:
            entry.keys["bytes"].fail(f"{item!r} is not a byte (01), a range (01-06) or any byte (??)")
        elif match[1]:
            pattern.append((0, 255))
        else:
            low, high = int(match[2], 16), int(match[3] or match[2], 16)
            if low > high:
                entry.keys["bytes"].fail(f"{item!r} goes downwards")
            pattern.append((low, high))
    return pattern
