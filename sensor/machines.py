"""How many: distinct rig names in bounded memory, and machines behind one address as far as connections tell them apart.

Both counts are the same whichever order flows end in. Each connection has an extranonce1 of its own, so connections tell apart what
extranonces would. Knows names and times; knows no messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sensor.clocks import Life, life, lives
from sensor.records import FlowSummary

#: Marks kept: exact up to here, beyond it an estimate with a standard error of 1/sqrt(512), 4.4 % (k minimum values).
MAX_MARKS = 512
MARK_BITS = 64
#: Names on one connection from which it is an aggregator whatever its agent says; a fee session and a bridge's second login stay below.
CROWD = 4
#: Roles of agents that speak for other machines.
CARRIERS = frozenset({"proxy", "aggregator", "gateway", "rental"})
UNNAMED = "unnamed"


class Distinct:
    """Counts different names: of their hashes the smallest are kept."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: tuple[int, ...] = ()  # in order

    def add(self, name: str) -> None:
        """Count a name, once."""
        digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=MARK_BITS // 8).digest()
        self._keep((int.from_bytes(digest, "big"),))

    def merge(self, other: Distinct) -> None:
        """Count what another has counted."""
        self._keep(other._marks)

    def _keep(self, marks: Iterable[int]) -> None:
        self._marks = tuple(sorted({*self._marks, *marks})[:MAX_MARKS])

    def copy(self) -> Distinct:
        """The same count, to merge more into."""
        same = Distinct()
        same._marks = self._marks
        return same

    @property
    def count(self) -> int:
        """How many different names there were."""
        marks = self._marks
        if len(marks) < MAX_MARKS:
            return len(marks)
        return max(MAX_MARKS, (MAX_MARKS - 1 << MARK_BITS) // marks[-1])


def machines(flows: Iterable[FlowSummary], names: int) -> int:
    """At least this many: of one rig name and agent, those there at the same time are different machines, later ones are the same.

    One that is there is a connection, or all connections of one TCP timestamp clock. Clocks that cannot be trusted only lower the count.
    """
    known = list(flows)
    by_clock, trusted = lives(known)
    count = _tell_apart(by_clock)
    return max(names, count if trusted else min(count, _tell_apart(map(life, known))))


def _tell_apart(all_lives: Iterable[Life]) -> int:
    groups: dict[tuple[str | None, str | None], list[Life]] = {}
    for one in all_lives:
        groups.setdefault(one.name, []).append(one)
    return sum(_at_once(group) for group in groups.values())


def _at_once(group: list[Life]) -> int:
    """The largest number of lives at one instant; one that ends as the next begins is over."""
    edges = sorted(edge for one in group for edge in ((one.first_ns, 1), (max(one.last_ns, one.first_ns + 1), -1)))
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def carrier(role: str | None, software: str | None, crowd: int) -> str | None:
    """What forwards for many, by its agent, or by the names on one of its connections; None for a machine of its own."""
    if role in CARRIERS:
        return software or UNNAMED
    return UNNAMED if crowd >= CROWD else None
