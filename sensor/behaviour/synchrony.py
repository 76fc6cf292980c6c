"""Whether flows of one server get unasked records at the same moments, more than flows of other servers do.

A pool pushes a new job to all its miners at once. So do others: what counts is that the flows of this server do it more
than flows of different servers at the same time. It boosts and never accuses. Knows times only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sensor.behaviour.chances import binomial_tail
from sensor.model.text import N_
from sensor.model.time import SECOND_NS

#: Records this near are one moment: a server's loop over its miners, and the spread of their paths.
TOGETHER_NS = SECOND_NS // 5
#: Pairs of flows of different servers below which nothing can be compared.
LEAST_CONTROLS = 19
#: Pairs that are looked at; more say no more.
MAX_PAIRS = 400
#: Records of a flow below which it is in no pair.
LEAST_RECORDS = 5


@dataclass(frozen=True, slots=True)
class Synchrony:
    """Of the flows of one server."""

    pairs: int
    controls: int
    shared: float  # share of records that have another of the server's flows at the same moment, median of pairs
    p: float
    untestable: str | None = None


def synchrony_of(server: str, flows: Mapping[str, Sequence[Sequence[int]]]) -> Synchrony:
    """The flows' times in ns by server, each in order. The chance is the rank of this server's median pair among pairs
    of flows of different servers, and no less than that pair's own chance of so many shared moments.
    """
    usable = {name: [own for own in some if len(own) >= LEAST_RECORDS] for name, some in flows.items()}
    pairs = list(combinations(usable.get(server, []), 2))[:MAX_PAIRS]
    controls = _controls(usable)
    if not pairs:
        return Synchrony(0, len(controls), 0.0, 1.0, N_("one flow of this server"))
    if len(controls) < LEAST_CONTROLS:
        return Synchrony(len(pairs), len(controls), 0.0, 1.0, N_("too few flows of other servers"))
    own = sorted(_pair(a, b) for a, b in pairs)
    chance, _ = own[len(own) // 2]
    shared = sorted(share for _, share in own)[len(own) // 2]
    rank = (1 + sum(_pair(a, b)[0] <= chance for a, b in controls)) / (1 + len(controls))
    return Synchrony(len(pairs), len(controls), shared, max(chance, rank))


def _controls(flows: Mapping[str, Sequence[Sequence[int]]]) -> list[tuple[Sequence[int], Sequence[int]]]:
    found: list[tuple[Sequence[int], Sequence[int]]] = []
    for (_, some), (_, others) in combinations(sorted(flows.items()), 2):
        for a in some:
            for b in others:
                if len(found) >= MAX_PAIRS:
                    return found
                found.append((a, b))
    return found


def _pair(a: Sequence[int], b: Sequence[int]) -> tuple[float, float]:
    """The chance that so many records of the first are at the moments of the second, if they fall anywhere in the time
    that both have; and their share.
    """
    first, last = max(a[0], b[0]), min(a[-1], b[-1])
    inside = [at for at in a if first <= at <= last]
    marks = [at for at in b if first <= at <= last]
    if not inside or not marks or last <= first:
        return 1.0, 0.0
    covered, edge = 0, first
    for mark in marks:
        low, high = max(edge, mark - TOGETHER_NS), min(last, mark + TOGETHER_NS)
        covered, edge = covered + max(0, high - low), max(edge, high)
    hits = sum(_near(at, marks) for at in inside)
    return binomial_tail(len(inside), hits, covered / (last - first)), hits / len(inside)


def _near(at: int, marks: Sequence[int]) -> bool:
    place = bisect_left(marks, at - TOGETHER_NS)
    return place < len(marks) and marks[place] <= at + TOGETHER_NS
