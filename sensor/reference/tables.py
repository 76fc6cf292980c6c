"""What the prefilter looks for: literals, openings and the sizes of first flights.

Values only, checked once. What a literal or an opening means to a dialect is not known here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sensor.reference.listed import ListedNames

#: Bytes kept of what came before a segment: one less than the longest literal, so a literal cut anywhere is still found
#: whole.
CARRY_BYTES = 15
#: Bytes at a direction's start that openings and answers are told by.
START_BYTES = 16
#: Answers that an opening may list, and bytes of what it refuses.
MAX_ANSWERS, MAX_UNLESS_BYTES = 16, 255
TCP = 6
UDP = 17


Pattern = tuple[tuple[int, int], ...]


def _fits(pattern: Pattern, data: bytes) -> bool:
    """Whether there are as many bytes, each within its pair."""
    return len(data) >= len(pattern) and all(
        low <= byte <= high for byte, (low, high) in zip(data, pattern, strict=False)
    )


class Opening(NamedTuple):
    """The first payload of a direction, from byte `at` on, within the (low, high) pairs of `pattern`."""

    proto: int
    at: int
    pattern: Pattern
    budget_bytes: int
    most_bytes: int = 0  # that may have come by then; 0: any
    answers: tuple[Pattern, ...] = ()  # it opens only if the other side begins with one of these
    unless: bytes = b""  # it opens only if the other side's first bytes in order do not hold this

    def matches(self, proto: int, start: bytes, length: int) -> bool:
        """Whether a direction of `length` bytes by now, which begins with `start`, opens so."""
        fits = proto == self.proto and _fits(self.pattern, start[self.at :])
        return fits and (not self.most_bytes or length <= self.most_bytes)

    def waits(self) -> bool:
        """Whether it takes the other side's words for a gate to open."""
        return bool(self.answers or self.unless)

    def is_answered_by(self, start: bytes) -> bool:
        """Whether the other side's first bytes are one of its answers."""
        return any(_fits(answer, start) for answer in self.answers)

    def is_refused_by(self, data: bytes) -> bool:
        """Whether bytes hold what it refuses."""
        return bool(self.unless) and self.unless in data


#: An opening as it comes: the first four, or all of an `Opening`.
OpeningValues = tuple[Any, ...]


class Tables:
    """What the prefilter looks for.

    Literals anywhere in TCP payload, openings at the start of a direction, sizes of first flights.
    """

    def __init__(
        self,
        literals: list[bytes],
        openings: list[OpeningValues],
        flights: list[tuple[int, int]] | None = None,
        names: list[bytes] | None = None,
    ) -> None:
        for literal in literals:
            if not 4 <= len(literal) <= CARRY_BYTES + 1:
                raise ValueError(f"a literal has 4 to {CARRY_BYTES + 1} bytes, not {len(literal)}: {literal!r}")
        self.literals = tuple(bytes(literal) for literal in literals)
        self.openings = tuple(_opening(*values) for values in openings)
        for opening in self.openings:
            _check(opening)
        self.names = ListedNames(names)
        self.flights = tuple((first, answer) for first, answer in flights or ())
        for first, answer in self.flights:
            if first < 1 or answer < 1:
                raise ValueError(f"flights of {first} and {answer} bytes: both must hold something")

    def opening(self, proto: int, start: bytes, length: int) -> Opening | None:
        """The first in table order that a direction of `length` bytes opens so, which begins with `start`."""
        return next((opening for opening in self.openings if opening.matches(proto, start, length)), None)


def _opening(
    proto: int,
    at: int,
    pattern: list[tuple[int, int]],
    budget: int,
    most: int = 0,
    answers: list[list[tuple[int, int]]] | None = None,
    unless: bytes = b"",
) -> Opening:
    return Opening(proto, at, tuple(pattern), budget, most, tuple(map(tuple, answers or ())), bytes(unless))


def _check(opening: Opening) -> None:
    if opening.proto not in (TCP, UDP):
        raise ValueError(f"an opening is of protocol {TCP} or {UDP}, not {opening.proto}")
    if not 1 <= len(opening.pattern) <= 16:
        raise ValueError(f"an opening's pattern has 1 to 16 pairs, not {len(opening.pattern)}")
    # A TCP opening must fit into carry + 1 byte, or it could never match when it comes byte by byte.
    if opening.at < 0 or (opening.proto == TCP and opening.at + len(opening.pattern) > CARRY_BYTES + 1):
        raise ValueError(f"a TCP opening ends within the first {CARRY_BYTES + 1} bytes: at {opening.at}")
    if 0 < opening.most_bytes < opening.at + len(opening.pattern):
        raise ValueError(f"an opening has no room in {opening.most_bytes} bytes")
    if opening.waits() and opening.proto != TCP:
        raise ValueError("an opening that waits for its answer is of TCP")
    if len(opening.answers) > MAX_ANSWERS or not all(1 <= len(answer) <= START_BYTES for answer in opening.answers):
        raise ValueError(f"an opening has at most {MAX_ANSWERS} answers of 1 to {START_BYTES} pairs")
    if len(opening.unless) > MAX_UNLESS_BYTES:
        raise ValueError(f"what an opening refuses has at most {MAX_UNLESS_BYTES} bytes")
