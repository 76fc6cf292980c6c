"""The `gate` block: literals and openings for the prefilter, in the form its tables want. Knows the bounds of those
tables, no traffic.
"""

from __future__ import annotations

import re
from itertools import product
from math import prod

from sensor.model.gate_opening import BytePattern, GateOpening
from sensor.signatures.located import YamlEntry
from sensor.signatures.model import SignatureGate

#: `Tables` in sensor/_core.pyi: literals of 4 to 16 bytes, openings of 1 to 16, and for TCP within the first 16 bytes.
LITERAL_BYTES = (4, 16)
OPENING_BYTES = 16
TCP, UDP = 6, 17
#: Sequences that bytes with alternatives may stand for, answers of an opening, and bytes of a text that it refuses.
MAX_ALTERNATIVES, MAX_ANSWERS, UNLESS_BYTES = 32, 16, (4, 255)
#: A first flight longer than this is no handshake.
MAX_FLIGHT_BYTES = 65_535


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
            openings.extend(_openings(item))
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


def _openings(entry: YamlEntry) -> list[GateOpening]:
    """An opening, once for each of its alternatives."""
    entry.only(("bytes", "text", "at", "proto", "budget_bytes", "most_bytes", "answer", "unless"))
    proto = UDP if entry.choice("proto", ("tcp", "udp"), "tcp") == "udp" else TCP
    at = entry.number("at", 0, 0, 1_400)
    budget = entry.number("budget_bytes", 4_096, 1, 1 << 20)
    most = entry.number("most_bytes", 0, 0, MAX_FLIGHT_BYTES)
    patterns: list[BytePattern]
    if "text" in entry.keys:
        text = entry.keys["text"].scalar  # with its blanks
        patterns = [tuple((byte, byte) for byte in (text if isinstance(text, str) else "").encode())]
    else:
        patterns = _patterns(entry.keys.get("bytes", entry), entry.text("bytes"))
    if not patterns:
        return []
    length = len(patterns[0])
    if not 1 <= length <= OPENING_BYTES or (proto == TCP and at + length > OPENING_BYTES):
        entry.fail(
            f"must lie within the first {OPENING_BYTES} bytes of a stream (UDP: {OPENING_BYTES} bytes from `at` on)"
        )
    if 0 < most < at + length:
        entry.keys["most_bytes"].fail(f"must be at least {at + length}, which the opening itself has")
    answers, unless = _answers(entry), entry.text("unless").encode() if "unless" in entry.keys else b""
    if unless and not UNLESS_BYTES[0] <= len(unless) <= UNLESS_BYTES[1]:
        entry.keys["unless"].fail(f"must be {UNLESS_BYTES[0]} to {UNLESS_BYTES[1]} bytes, is {len(unless)}")
    if (answers or unless) and proto != TCP:
        entry.fail("only an opening of TCP waits for its answer")
    return [GateOpening(proto, at, pattern, budget, most, answers, unless) for pattern in patterns]


def _answers(entry: YamlEntry) -> tuple[BytePattern, ...]:
    """How the other side may answer an opening; none: it opens whatever is answered."""
    if "answer" not in entry.keys:
        return ()
    answers = []
    for item in entry.keys["answer"].each():
        if not isinstance(item.scalar, str):
            item.fail("must be bytes in quotes")
            continue
        found = _patterns(item, item.scalar)
        if found and not 1 <= len(found[0]) <= OPENING_BYTES:
            item.fail(f"must be 1 to {OPENING_BYTES} bytes, is {len(found[0])}")
        answers.extend(found)
    if len(answers) > MAX_ANSWERS:
        entry.keys["answer"].fail(f"must be at most {MAX_ANSWERS}, with their alternatives, is {len(answers)}")
    return tuple(answers)


def _patterns(entry: YamlEntry, text: str) -> list[BytePattern]:
    """Bytes, ranges, and alternatives of them; once for each combination."""
    places: list[list[tuple[int, int]]] = []
    for item in text.split():
        pairs = [_pair(entry, item, alternative) for alternative in item.split(",")]
        places.append([pair for pair in pairs if pair is not None])
    count = prod(map(len, places))
    if count > MAX_ALTERNATIVES:
        entry.fail(f"stands for {count} sequences of bytes, allowed are {MAX_ALTERNATIVES}")
        return []
    return list(product(*places))


def _pair(entry: YamlEntry, item: str, alternative: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(?:(\?\?)|([0-9a-fA-F]{2})(?:-([0-9a-fA-F]{2}))?)", alternative)
    if match is None:
        entry.fail(f"{item!r} is not a byte (01), a range (01-06), any byte (??) or several of these (01,04-06)")
        return None
    low, high = (0, 255) if match[1] else (int(match[2], 16), int(match[3] or match[2], 16))
    if low > high:
        entry.fail(f"{item!r} goes downwards")
    return low, high
