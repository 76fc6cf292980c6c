"""What became of parcels at a sensor, as its rows of a table. SQL within a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import SENSOR_POLICIES
from sensor.model.policy import PolicyState


def note(connection: Connection, sensor_id: str, states: Sequence[PolicyState]) -> bool:
    """A sensor says how all of its parcels stand: what it said before is replaced. Whether it had said anything."""
    had = connection.execute(delete(SENSOR_POLICIES).where(SENSOR_POLICIES.c.sensor_id == sensor_id)).rowcount > 0
    newest = {(state.kind, state.state): state for state in states}
    rows = [
        {
            "sensor_id": sensor_id,
            "kind": state.kind,
            "state": state.state,
            "version": state.version,
            "sha256": state.sha256,
            "reason": None if state.reason is None else column_text(state.reason),
            "at_ns": state.at_ns,
        }
        for state in newest.values()
    ]
    if rows:
        connection.execute(insert(SENSOR_POLICIES), rows)
    return had
