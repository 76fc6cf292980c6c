"""One way to read a session: which lengths are its shares, which their answers, and what is then asked of it.

A reading is chosen by the lengths that occur and by times and directions, never by their order; so the chances of what
the order shows are chances under a shuffle of each direction's lengths. Knows no dialects.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

from sensor.behaviour.chances import chance_of_order, hypergeometric_tail
from sensor.behaviour.trace import CLIENT, SERVER, Trace
from sensor.model.time import SECOND_NS

#: A pool answers a share within this; the longest round trip and a busy pool.
ANSWER_NS = 5 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Window:
    """Lengths from `low` to `high` that count as one kind of message: its id grows, a counter in it grows."""

    low: int
    high: int

    def __contains__(self, length: int) -> bool:
        return self.low <= length <= self.high

    def __bool__(self) -> bool:
        return self.low <= self.high


#: Of a session without shares.
NOTHING = Window(0, -1)


class Sides:
    """A trace taken apart by direction."""

    __slots__ = ("client", "client_counts", "client_ns", "server", "server_counts", "server_ns")

    def __init__(self, trace: Trace, skip: int = 0) -> None:
        rows = list(zip(trace.times_ns, trace.directions, trace.lengths, strict=True))[skip:]
        self.client = [length for _, side, length in rows if side == CLIENT]
        self.client_ns = [at for at, side, _ in rows if side == CLIENT]
        self.client_counts = Counter(self.client)
        self.server = [length for _, side, length in rows if side == SERVER]
        self.server_ns = [at for at, side, _ in rows if side == SERVER]
        self.server_counts = Counter(self.server)


@dataclass(frozen=True, slots=True)
class Answered:
    """Questions with the record that stands where their answer would."""

    asked: tuple[int, ...]  # which of the client's records
    places: tuple[int | None, ...]  # for each the server's record that comes first after it, if soon

    @property
    def drawn(self) -> list[int]:
        """The server's records that stand in an answer's place."""
        return [place for place in self.places if place is not None]


def answer_places(sides: Sides, questions: Window | None) -> Answered:
    """For each question (None: for each of the client's records) the place of its answer: the server's first record
    after it that is no other question's place. Times decide, not lengths of the server.
    """
    asked = [i for i, length in enumerate(sides.client) if questions is None or length in questions]
    places: list[int | None] = []
    free = 0
    for i in asked:
        at = sides.client_ns[i]
        free = max(free, bisect_right(sides.server_ns, at))
        if free < len(sides.server_ns) and sides.server_ns[free] - at <= ANSWER_NS:
            places.append(free)
            free += 1
        else:
            places.append(None)
    return Answered(tuple(asked), tuple(places))


@dataclass(frozen=True, slots=True)
class AnswersRelation:
    """Answers stand behind questions, and nowhere else."""

    places: int  # where an answer would stand
    replies: int  # records of an answer's length
    hits: int  # of these in such a place
    records: int  # of the server
    p: float


def answers_relation(sides: Sides, answered: Answered, replies: Window) -> AnswersRelation:
    """Exact: the server's lengths shuffled over its records."""
    drawn = answered.drawn
    hits = sum(sides.server[place] in replies for place in drawn)
    marked = sum(length in replies for length in sides.server)
    p = hypergeometric_tail(len(sides.server), marked, len(drawn), hits)
    return AnswersRelation(len(drawn), marked, hits, len(sides.server), p)


@dataclass(frozen=True, slots=True)
class RollOver:
    """Lengths of one kind of message that grow by a digit and never shrink."""

    before: int
    after: int
    at: int  # how many messages came before it grew
    of: int
    p: float
    least: float  # the chance of the one order in which none falls


def roll_over(lengths: list[int], window: Window) -> RollOver | None:
    """None where all have one length, so that there is nothing to see."""
    own = [length for length in lengths if length in window]
    levels = sorted(set(own))
    if len(levels) < 2 or levels[-1] - levels[0] != len(levels) - 1:
        return None
    least = chance_of_order(sorted(own))
    return RollOver(levels[0], levels[-1], own.count(levels[0]), len(own), chance_of_order(own), least)
