"""What sensors said of themselves. SQL within one connection."""

from __future__ import annotations

from sqlalchemy import Connection, select

from sensor.ledger.store.records import loads
from sensor.ledger.store.schema import CONDITIONS
from sensor.model.condition import Condition


def begun_condition(connection: Connection, sensor_id: str) -> Condition | None:
    """The condition of a sensor that is not over; the newest, should there be several."""
    its = (CONDITIONS.c.sensor_id == sensor_id, CONDITIONS.c.state == "begun")
    text = connection.scalar(select(CONDITIONS.c.record).where(*its).order_by(CONDITIONS.c.last_ns.desc()).limit(1))
    record = None if text is None else loads(text)
    return record if isinstance(record, Condition) else None
