"""The sensors in their table: seen, renamed, retired; and what was recorded before they were told apart goes on as the
first live one's. SQL within a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, insert, select, update

from sensor.ledger.store.schema import (
    CONDITIONS,
    CONNECTIONS,
    COVERAGE,
    CURSORS,
    LEASES,
    PARTS,
    REPORT_CURSORS,
    SENSOR_POLICIES,
    SENSORS,
)
from sensor.ledger.write.parts import Reporter

#: Tables with a row for each sensor, or some of each.
OF_SENSORS: tuple[Table, ...] = (
    *(PARTS, CONNECTIONS, CONDITIONS, CURSORS, REPORT_CURSORS, COVERAGE, LEASES),
    *(SENSOR_POLICIES, SENSORS),
)


class SensorError(Exception):
    """A sensor cannot be renamed or retired; one sentence."""


def note_report(connection: Connection, reporter: Reporter, now_ns: int) -> None:
    """A sensor tells the ledger something, at this wall clock."""
    its = SENSORS.c.sensor_id == reporter.sensor_id
    values = {"last_ns": now_ns, "clock_offset_ns": reporter.clock_offset_ns}
    if connection.execute(update(SENSORS).where(its).values(values)).rowcount:
        return
    row = {"sensor_id": reporter.sensor_id, "kind": reporter.kind, "first_ns": now_ns, **values}
    connection.execute(insert(SENSORS).values(row))


def begin(connection: Connection, reporter: Reporter, now_ns: int) -> bool:
    """A live sensor begins: it goes on with what was recorded before sensors were told apart, unless another does; one
    that was retired is no longer. Whether it was."""
    retired = begin_again(connection, reporter, now_ns)
    for table in (PARTS, COVERAGE):
        connection.execute(update(table).where(table.c.sensor_id == "").values(sensor_id=reporter.sensor_id))
    served = select(CURSORS.c.exporter).where(CURSORS.c.sensor_id == reporter.sensor_id)
    unowned = (CURSORS.c.sensor_id == "", CURSORS.c.exporter.not_in(served))
    connection.execute(update(CURSORS).where(*unowned).values(sensor_id=reporter.sensor_id))
    connection.execute(delete(CURSORS).where(CURSORS.c.sensor_id == ""))
    return retired


def begin_again(connection: Connection, reporter: Reporter, now_ns: int) -> bool:
    """A sensor's process begins: whatever was said of its clock is asked anew, and one that was retired is no longer.
    Whether it was."""
    note_report(connection, reporter, now_ns)
    its = SENSORS.c.sensor_id == reporter.sensor_id
    retired = connection.scalar(select(SENSORS.c.retired_ns).where(its)) is not None
    values = {"kind": reporter.kind, "retired_ns": None, "clock_note": None}
    connection.execute(update(SENSORS).where(its).values(values))
    return retired


def rename(connection: Connection, before: str, after: str) -> None:
    """Give a sensor another id. Raises SensorError."""
    _check_known(connection, before)
    if connection.scalar(select(SENSORS.c.sensor_id).where(SENSORS.c.sensor_id == after)) is not None:
        raise SensorError(f"there is a sensor {after} already")
    for table in OF_SENSORS:
        connection.execute(update(table).where(table.c.sensor_id == before).values(sensor_id=after))


def retire(connection: Connection, sensor_id: str, now_ns: int) -> None:
    """A sensor will not come back: its silence closes no case and keeps none open, and nothing is kept for its
    exporters. What it counted stays. Raises SensorError."""
    _check_known(connection, sensor_id)
    its = SENSORS.c.sensor_id == sensor_id
    if connection.scalar(select(SENSORS.c.retired_ns).where(its)) is not None:
        raise SensorError(f"sensor {sensor_id} is retired already")
    connection.execute(update(SENSORS).where(its).values(retired_ns=now_ns))
    for table in (CURSORS, REPORT_CURSORS):
        connection.execute(delete(table).where(table.c.sensor_id == sensor_id))


def _check_known(connection: Connection, sensor_id: str) -> None:
    if connection.scalar(select(SENSORS.c.sensor_id).where(SENSORS.c.sensor_id == sensor_id)) is None:
        raise SensorError(f"there is no sensor {sensor_id}")
