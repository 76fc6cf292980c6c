"""How many machines stand behind one address, as far as connections distinguish them.

The count is the same whichever order flows end in. Each connection has an extranonce1 of its own, so connections
distinguish what extranonces would. Knows names and times; knows no messages.
"""

from __future__ import annotations

from collections.abc import Iterable

from sensor.line.tcp_clocks import Life, life, lives
from sensor.model.flow import FlowSummary

#: Names on one connection from which it is an aggregator whatever its agent says; a fee session and a bridge's second
#: login stay below.
CROWD = 4
#: Roles of agents that speak for other machines.
CARRIERS = frozenset({"proxy", "aggregator", "gateway", "rental"})
UNNAMED = "unnamed"


def machines(flows: Iterable[FlowSummary], names: int) -> int:
    """At least this many: of one rig name and agent, as far as they are known, those there at the same time are
    different machines, later ones are the same.

    One that is there is a connection, or all connections of one TCP timestamp clock. Clocks that cannot be trusted
    only lower the count.
    """
    connections = list(flows)
    by_clock, trusted = lives(connections)
    count = _tell_apart(by_clock)
    return max(names, count if trusted else min(count, _tell_apart(map(life, connections))))


Name = tuple[str | None, str | None]


def _tell_apart(all_lives: Iterable[Life]) -> int:
    """Names that differ are different machines. What is not known of a name differs from nothing: a connection that was
    joined after its agent was sent may be any machine of its rig name, and counts only where more are there at once.
    """
    groups: dict[Name, list[Life]] = {}
    for life_ in all_lives:
        groups.setdefault(life_.name, []).append(life_)
    counts: dict[Name, int] = {}
    for name in sorted(groups, key=lambda name: (name.count(None), tuple(part or "" for part in name))):
        alike = [other for other in counts if _may_be_same(name, other)]
        together = _at_once([*groups[name], *(life_ for other in alike for life_ in groups[other])])
        counts[name] = max(0, together - sum(counts[other] for other in alike))
    return sum(counts.values())


def _may_be_same(left: Name, right: Name) -> bool:
    return all(None in pair or pair[0] == pair[1] for pair in zip(left, right, strict=True))


def _at_once(group: list[Life]) -> int:
    """The largest number of lives at one instant; one that ends as the next begins is over."""
    edges = sorted(
        edge for member in group for edge in ((member.first_ns, 1), (max(member.last_ns, member.first_ns + 1), -1))
    )
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def carrier(role: str | None, software: str | None, crowd: int) -> str | None:
    """What forwards for many, by its agent or the names on one of its connections; None for a single machine."""
    if role in CARRIERS:
        return software or UNNAMED
    return UNNAMED if crowd >= CROWD else None
