"""Damage done to inputs, seeded: the same seed gives the same inputs in every process."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable

EDGE_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 262_144)
#: What parsers of text and of numbers have stumbled over.
TOKENS = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n\r\n", b"\xed\xa0\x80", b"\xc0\x80", b"\x85", b"\xe2\x80\xa8"),
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"9" * 400, b"9" * 5_000, b"0x", b"[" * 2_000, b'{"a":' * 500),
    *(b"\\ud800", b"\\u0000", b'"', b"\\", b"*&a", b"&a [*a]", b"!!python/object:os.system", b"<<: *a", b"%"),
    *(b"9999-99-99", b"0000-01-01", b"-1", b"::/0", b"0.0.0.0/0", b"255.255.255.255", b"1.2.3.4-1.2.3.3", b"\t"),
)


def _flip(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << rng.randrange(8)


def _number(rng: random.Random, data: bytearray, at: int) -> None:
    width = rng.choice("BHI")
    value = rng.choice(EDGE_NUMBERS) & {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF}[width]
    packed = struct.pack(rng.choice("<>") + width, value)
    data[at : at + len(packed)] = packed


def _cut(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.randrange(1, 200)]


def _repeat(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = data[at : at + rng.randrange(1, 400)] * rng.choice((1, 1, 1, 2, 20))


def _noise(rng: random.Random, data: bytearray, at: int) -> None:
    data[at : at + 16] = rng.randbytes(16)


def _token(rng: random.Random, data: bytearray, at: int) -> None:
    data[at : at + rng.randrange(4)] = rng.choice(TOKENS)


def _end(_rng: random.Random, data: bytearray, at: int) -> None:
    del data[at:]


WAYS: tuple[Callable[[random.Random, bytearray, int], None], ...] = (
    *(_flip, _flip, _number, _number, _cut, _repeat, _noise, _token, _token, _end),
)


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with a few kinds of damage done to it, sometimes with the end of another."""
    data = bytearray(rng.choice(seeds))
    if rng.random() < 0.2:
        other = rng.choice(seeds)
        data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
    for _ in range(rng.randrange(1, 8)):
        if not data:
            break
        rng.choice(WAYS)(rng, data, rng.randrange(len(data)))
    return bytes(data[:65_536])


#: Values that no well-meaning program sends in the place of another.
VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1 << 64, -(1 << 70), 10**400, 1e308, 0.5, -0.0, "", "x", " ", "0", "-1", "0x"),
    *(
        "f" * 64,
        "0" * 64,
        "ff" * 4_000,
        "g" * 64,
        "\0",
        "\ud800",
        "\u202e",
        "9" * 400,
        "1e999",
        "nan",
        "inf",
        "é" * 300,
    ),
    *([], {}, [[]], [None] * 40, {"id": {"id": {}}}, [[[[[[[[[[]]]]]]]]]], {"": ""}, [1, "x", None, {}]),
)


def altered(rng: random.Random, value: object, depth: int = 0) -> object:
    """A value of JSON with one of its parts replaced, taken away or doubled."""
    if depth > 4 or rng.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return rng.choice(VALUES)
    if isinstance(value, dict):
        name = rng.choice(list(value))
        changed = dict(value)
        how = rng.randrange(6)
        if how == 0:
            del changed[name]
        elif how == 1:
            changed[rng.choice(("id", "method", "params", "result", "error", "job_id", ""))] = rng.choice(VALUES)
        else:
            changed[name] = altered(rng, value[name], depth + 1)
        return changed
    place, how = rng.randrange(len(value)), rng.randrange(6)
    if how == 0:
        return value[:place] + value[place + 1 :]
    if how == 1:
        return value[:place] + [value[place]] * rng.choice((2, 300)) + value[place:]
    return [*value[:place], altered(rng, value[place], depth + 1), *value[place + 1 :]]


def altered_line(rng: random.Random, line: bytes) -> bytes:
    """A line of JSON with other values; any other line with damage."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return mutated(rng, [line])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        value = altered(rng, value)
    return json.dumps(value).encode() + b"\n"


#: What may stand in a cell of a table, or in a field of a log.
CELLS = (
    *("", " ", "0", "-1", "1", "1e9", "nan", "9" * 18, "9" * 30, "9" * 400, "9" * 5_000, "²", "٣", "0x10", "1.5", "+"),
    *(
        "0.0.0.0",
        "255.255.255.255",
        "0.0.0.0/0",
        "::/0",
        "::",
        "ffff::/129",
        "1.2.3.4-1.2.3.3",
        "1.2.3.4/33",
        "fe80::1%1",
    ),
    *("1.2.3.4-5-6", "1.2.3.300", "1.2.3.4,5.6.7.8", "9999-12-31", "0001-01-01", "2026-02-30", "45000", "99999999"),
    *("2026-03-02T00:00:00+99:00", "never", "epoch", "epoch ;", "epoch 99999999999999999999", "8 2026/03/02 25:61:00"),
    *(
        '"',
        "'",
        "\r",
        "\n",
        "\t",
        "\0",
        "\ufeff",
        "\u202e",
        "\udc80",
        "=1+1",
        "|",
        ";",
        "x" * 140_000,
        "甲" * 500,
        "\x85",
    ),
)
SEPARATORS = ",\t|;= "


def altered_cells(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A table or a log with other cells, or with rows left out, doubled or moved; now and then damage anywhere."""
    seed = rng.choice(seeds)
    if rng.random() < 0.3:
        return mutated(rng, seeds)
    rows = seed.decode("utf-8", "surrogateescape").split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        place, how = rng.randrange(len(rows)), rng.randrange(8)
        if how == 0:
            rows[place:place] = [rows[place]] * rng.choice((1, 30))
        elif how == 1 and len(rows) > 1:
            del rows[place]
        else:
            separator = rng.choice([mark for mark in SEPARATORS if mark in rows[place]] or [","])
            cells = rows[place].split(separator)
            cells[rng.randrange(len(cells))] = rng.choice(CELLS)
            rows[place] = separator.join(cells)
    return "\n".join(rows).encode("utf-8", "surrogateescape")
