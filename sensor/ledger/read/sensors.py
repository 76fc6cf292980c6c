"""Reads the sensors of a ledger. SQL in, plain data out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from sensor.ledger.store.schema import COVERAGE, CURSORS, LEASES, PARTS, REPORT_CURSORS, SENSOR_POLICIES, SENSORS
from sensor.model.policy import PolicyState
from sensor.model.time import SECOND_NS


@dataclass(frozen=True, slots=True)
class SensorSummary:
    """What a ledger has of one sensor."""

    sensor_id: str
    kind: str  # "live", or "replay"
    first_ns: int  # wall clock of its first and its last report
    last_ns: int
    clock_offset_ns: int
    clock_note: str | None
    retired_ns: int | None
    running: str | None  # process and host, as its lease has it; None: no process holds it
    findings: int  # 0 where they were not counted
    watched_seconds: float
    exporters: tuple[str, ...]
    policies: tuple[PolicyState, ...] = ()  # what became of parcels there


def sensors(connection: Connection, *, counted: bool = True) -> list[SensorSummary]:
    """Every sensor, in the order of their ids; findings are counted only where that is asked, for there are many."""
    its = PARTS.c.sensor_id
    counts = select(its, func.count(PARTS.c.finding_id.distinct())).group_by(its)
    rows = connection.execute(counts).all() if counted else []
    findings: dict[str, int] = {name: count for name, count in rows}  # noqa: C416
    length = func.sum(COVERAGE.c.to_ns - COVERAGE.c.from_ns)
    lengths = select(COVERAGE.c.sensor_id, length).group_by(COVERAGE.c.sensor_id)
    watched: dict[str, int] = {name: length for name, length in connection.execute(lengths).all()}  # noqa: C416
    leases = {row.sensor_id: f"process {row.pid} on {row.host}" for row in connection.execute(select(LEASES))}
    exporters: dict[str, list[str]] = {}
    for table in (CURSORS, REPORT_CURSORS):
        for row in connection.execute(select(table).order_by(table.c.exporter)):
            exporters.setdefault(row.sensor_id, []).append(row.exporter)
    policies: dict[str, list[PolicyState]] = {}
    order = (SENSOR_POLICIES.c.kind, SENSOR_POLICIES.c.state)
    for row in connection.execute(select(SENSOR_POLICIES).order_by(*order)):
        state = PolicyState(row.kind, row.version, row.sha256, row.state, row.reason, row.at_ns)
        policies.setdefault(row.sensor_id, []).append(state)
    return [
        SensorSummary(
            row.sensor_id,
            row.kind,
            row.first_ns,
            row.last_ns,
            row.clock_offset_ns,
            row.clock_note,
            row.retired_ns,
            leases.get(row.sensor_id),
            findings.get(row.sensor_id, 0),
            float(watched.get(row.sensor_id) or 0) / SECOND_NS,
            tuple(sorted(exporters.get(row.sensor_id, ()))),
            tuple(policies.get(row.sensor_id, ())),
        )
        for row in connection.execute(select(SENSORS).order_by(SENSORS.c.sensor_id))
    ]
