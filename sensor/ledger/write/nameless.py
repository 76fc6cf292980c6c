"""Connections that were told without their login, or without the pool that a proxy was asked for, of which another
record knows it: whose they are, and how they come to that finding. The order in which records come makes no difference.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import NamedTuple

from sensor.ledger.write.connections import ConnectionKey, ConnectionWriter
from sensor.ledger.write.parts import EARLIER, PartBook, PartKey
from sensor.ledger.write.pieces import can_be_cut, emptied, piece_of
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary, flow_order


class MovedConnections(NamedTuple):
    """What went from one finding to another."""

    flows: list[FlowSummary]
    into: dict[str, DoubleCount]  # by how much the overlaps of the new finding change, by algorithm
    out_of: dict[str, DoubleCount]  # and those of the former one


def says_more(held: Finding, record: Finding) -> bool:
    """Whether a finding is of the same miner's address, pool and dialect, and knows a login or pool that a record
    lacks, and nothing else."""
    same = all(getattr(held, name) == getattr(record, name) for name in ("miner_ip", "pool_ip", "pool_port", "dialect"))
    pairs = [(getattr(held, name), getattr(record, name)) for name in ("login", "pool_host")]
    return same and all(mine in (None, its) for its, mine in pairs) and any(mine != its for its, mine in pairs)


def as_of(named: Finding, record: Finding) -> Finding:
    """A record as one of the finding that knows its login."""
    return dataclasses.replace(
        record,
        finding_id=named.finding_id,
        login=record.login or named.login,
        pool_host=record.pool_host or named.pool_host,
        merged_into=None,
    )


def move_connections(
    named: Finding, source: str, parts: PartBook, connections: ConnectionWriter
) -> MovedConnections | None:
    """Move the connections that a finding knows out of one that does not know their login; None if there are none.

    A part of which some connections are not known, and which does not list them all, stays whole.
    """
    rows = connections.of_finding(source)
    moved: list[FlowSummary] = []
    out_of: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
    into: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
    for key, part in parts.entries(source):
        its = _rows_of(key, rows, parts, source)
        matched = {row: flow for row, flow in its.items() if connections.is_of(named.finding_id, flow)}
        if part.finding is None or not matched:
            continue
        pieces = _cut(part.finding, its, matched, named.finding_id)
        if pieces is None:
            continue
        there = parts.move(source, key, as_of(named, pieces[0]), pieces[1])
        _add(out_of, connections.take_out(matched))
        for row, flow in matched.items():
            run_id = there.run_id if row.run_id == key.run_id else row.run_id + there.run_id.removeprefix(key.run_id)
            _add(into, connections.add(named.finding_id, row.sensor_id, run_id, [flow], ()))
        moved += matched.values()
    return MovedConnections(moved, dict(into), dict(out_of)) if moved else None


def _rows_of(
    key: PartKey, rows: dict[ConnectionKey, FlowSummary], parts: PartBook, finding_id: str
) -> dict[ConnectionKey, FlowSummary]:
    """The connections of a part; those of runs that have none of their own are in the sensor's earlier part."""
    others = {other.run_id for other, _ in parts.entries(finding_id) if other.sensor_id == key.sensor_id}
    its = {
        row: flow
        for row, flow in rows.items()
        if row.sensor_id == key.sensor_id
        and (row.run_id == key.run_id or (key.run_id == EARLIER and row.run_id not in others))
    }
    return dict(sorted(its.items(), key=lambda item: flow_order(item[1])))


def _cut(
    whole: Finding,
    its: dict[ConnectionKey, FlowSummary],
    matched: dict[ConnectionKey, FlowSummary],
    heir: str,
) -> tuple[Finding, Finding] | None:
    """The pieces of a part that go and that stay; None if it cannot be cut there."""
    if len(matched) == len(its) and len(its) >= whole.flow_count:
        return whole, emptied(whole, heir, next(iter(matched.values())))
    listed = dataclasses.replace(whole, flows=list(its.values()))
    rest = [flow for row, flow in its.items() if row not in matched]
    if not rest or not can_be_cut(listed):
        return None
    return piece_of(listed, list(matched.values())), piece_of(listed, rest)


def _add(total: dict[str, DoubleCount], more: dict[str, DoubleCount]) -> None:
    for algorithm, overlap in more.items():
        total[algorithm] = total[algorithm].plus(overlap)
