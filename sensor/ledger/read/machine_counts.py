"""At least so many machines of each place, and of each address, in a period. SQL in, counts out.

Findings of one place and pool may be one machine under two logins in turn, or a connection of a named machine whose
sign-in was not seen. So only what mined at the same time is added, and what has no login counts only where there is
more of it than of what has one. Machines at several pools may be the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from sensor.ledger.read.finding_times import TimesMemory
from sensor.ledger.store.schema import FINDINGS
from sensor.ledger.write.rows import PAGE
from sensor.model.summary import Place

Pool = tuple[str | None, int | None]
Span = tuple[int, int]


class MachineCounts(NamedTuple):
    """At least so many machines, by place, and by address and algorithm whoever holds it."""

    places: dict[Place, int]
    addresses: dict[tuple[str, str], int]


class Presence(NamedTuple):
    """The machines of one finding, and from when to when they may have mined."""

    finding_id: str
    machines: int
    has_login: bool
    first_ns: int
    last_ns: int


def machine_counts(
    connection: Connection, within: Sequence[ColumnElement[bool]], period: Span, memory: TimesMemory | None = None
) -> MachineCounts:
    """Of the findings for which `within` holds, as they were there within a period."""
    columns = (
        *(FINDINGS.c.miner_ip, FINDINGS.c.site_id, FINDINGS.c.algorithm, FINDINGS.c.pool_ip, FINDINGS.c.pool_port),
        *(FINDINGS.c.finding_id, FINDINGS.c.machines, FINDINGS.c.wallet, FINDINGS.c.first_ns, FINDINGS.c.last_ns),
    )
    groups: dict[tuple[Place, Pool], list[Presence]] = defaultdict(list)
    for address, site_id, algorithm, pool_ip, pool_port, *its in connection.execute(select(*columns).where(*within)):
        finding_id, machines, wallet, first_ns, last_ns = its
        presence = Presence(finding_id, machines or 0, wallet is not None, first_ns, last_ns)
        groups[Place(address, site_id or 0, algorithm or ""), (pool_ip, pool_port)].append(presence)
    anyones: dict[tuple[str, str, Pool], list[Presence]] = defaultdict(list)
    for (place, pool), group in groups.items():
        anyones[place.address, place.algorithm, pool] += group
    several = [member for group in anyones.values() if len(group) > 1 for member in group]
    spans = _spans(connection, [member.finding_id for member in several], period, memory or TimesMemory())
    counts = MachineCounts({}, {})
    for (place, _), group in groups.items():
        counts.places[place] = max(counts.places.get(place, 0), at_least(group, spans))
    for (address, algorithm, _), group in anyones.items():
        both = (address, algorithm)
        counts.addresses[both] = max(counts.addresses.get(both, 0), at_least(group, spans))
    return counts


def at_least(group: Sequence[Presence], spans: dict[str, list[Span]]) -> int:
    """The machines of one place and pool; `spans` says by finding when each was really there."""
    by_login = (
        _at_once((member for member in group if member.has_login is has_login), spans) for has_login in (True, False)
    )
    return max(by_login)


def _at_once(members: Iterable[Presence], spans: dict[str, list[Span]]) -> int:
    """The most machines at one instant; of two findings that meet, the earlier is over when the later begins."""
    edges = []
    for member in members:
        for start_ns, end_ns in spans.get(member.finding_id, [(member.first_ns, member.last_ns)]):
            edges += [(start_ns, member.machines), (max(end_ns, start_ns + 1), -member.machines)]
    now = most = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return most


def _spans(
    connection: Connection, finding_ids: Sequence[str], period: Span, memory: TimesMemory
) -> dict[str, list[Span]]:
    """When the connections of findings were there within a period: who is away in it is none of its machines. One
    whose record does not say is not in it."""
    found: dict[str, list[Span]] = {}
    for start in range(0, len(finding_ids), PAGE):
        wanted = FINDINGS.c.finding_id.in_(finding_ids[start : start + PAGE])
        for finding_id, record in connection.execute(select(FINDINGS.c.finding_id, FINDINGS.c.record).where(wanted)):
            spans = memory.times(finding_id, record).spans
            cut = [(max(start_ns, period[0]), min(end_ns, period[1])) for start_ns, end_ns in spans]
            if cut:
                found[finding_id] = [span for span in cut if span[0] < span[1]]
    return found
