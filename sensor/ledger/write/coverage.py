"""Coverage: the stretches in which a sensor listened. SQL within a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from sensor.ledger.store.schema import COVERAGE


def add_coverage(connection: Connection, sensor_id: str, from_ns: int, to_ns: int, apart_ns: int = 0) -> None:
    """A sensor listened from one moment to another. Told twice, it is so once: stretches that meet, or are no further
    apart than this, become one."""
    its = COVERAGE.c.sensor_id == sensor_id
    meet = (its, COVERAGE.c.from_ns <= to_ns + apart_ns, COVERAGE.c.to_ns >= from_ns - apart_ns)
    rows = connection.execute(select(COVERAGE.c.from_ns, COVERAGE.c.to_ns).where(*meet)).all()
    if any(row.from_ns <= from_ns and row.to_ns >= to_ns for row in rows):
        return
    if rows:
        connection.execute(delete(COVERAGE).where(*meet))
    values = {
        "sensor_id": sensor_id,
        "from_ns": min([from_ns, *(row.from_ns for row in rows)]),
        "to_ns": max([to_ns, *(row.to_ns for row in rows)]),
    }
    connection.execute(insert(COVERAGE).values(values))
