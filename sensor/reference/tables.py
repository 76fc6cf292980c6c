"""What the prefilter looks for: literals, openings and the sizes of first flights.

Values only, checked once. What a literal or an opening means to a dialect is not known here.
"""

from __future__ import annotations

from typing import NamedTuple

#: Bytes kept of what came before a segment: one less than the longest literal, so a literal cut anywhere is still found
#: whole.
CARRY_BYTES = 15
TCP = 6
UDP = 17


class Opening(NamedTuple):
    """The first payload of a direction, from byte `at` on, within the (low, high) pairs of `pattern`."""

    proto: int
    at: int
    pattern: tuple[tuple[int, int], ...]
    budget_bytes: int

    def matches(self, proto: int, start: bytes) -> bool:
        """Whether `start`, the beginning of a direction, is long enough and has every byte within its pair."""
        if proto != self.proto or len(start) < self.at + len(self.pattern):
            return False
        return all(low <= byte <= high for byte, (low, high) in zip(start[self.at :], self.pattern, strict=False))


class Tables:
    """What the prefilter looks for.

    Literals anywhere in TCP payload, openings at the start of a direction, sizes of first flights.
    """

    def __init__(
        self,
        literals: list[bytes],
        openings: list[tuple[int, int, list[tuple[int, int]], int]],
        flights: list[tuple[int, int]] | None = None,
    ) -> None:
        for literal in literals:
            if not 4 <= len(literal) <= CARRY_BYTES + 1:
                raise ValueError(f"a literal has 4 to {CARRY_BYTES + 1} bytes, not {len(literal)}: {literal!r}")
        self.literals = tuple(bytes(literal) for literal in literals)
        self.openings = tuple(Opening(proto, at, tuple(pattern), budget) for proto, at, pattern, budget in openings)
        for opening in self.openings:
            _check(opening)
        self.flights = tuple((first, answer) for first, answer in flights or ())
        for first, answer in self.flights:
            if first < 1 or answer < 1:
                raise ValueError(f"flights of {first} and {answer} bytes: both must hold something")


def _check(opening: Opening) -> None:
    if opening.proto not in (TCP, UDP):
        raise ValueError(f"an opening is of protocol {TCP} or {UDP}, not {opening.proto}")
    if not 1 <= len(opening.pattern) <= 16:
        raise ValueError(f"an opening's pattern has 1 to 16 pairs, not {len(opening.pattern)}")
    # A TCP opening must fit into carry + 1 byte, or it could never match when it comes byte by byte.
    if opening.at < 0 or (opening.proto == TCP and opening.at + len(opening.pattern) > CARRY_BYTES + 1):
        raise ValueError(f"a TCP opening ends within the first {CARRY_BYTES + 1} bytes: at {opening.at}")
