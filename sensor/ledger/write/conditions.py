"""What sensors say of themselves, in one step. SQL within the step's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from sensor.ledger.store.records import dumps
from sensor.ledger.store.schema import CONDITIONS
from sensor.ledger.write.rows import rows_of
from sensor.ledger.write.upsert import put
from sensor.model.condition import Condition


class ConditionWriter:
    """A condition is an event when it begins and when it is over; told in between, it is only stored."""

    def __init__(self, connection: Connection, identities: Sequence[str], now_ns: int) -> None:
        self._connection, self._now_ns = connection, now_ns
        self._states = {row["condition_id"]: row["state"] for row in rows_of(connection, CONDITIONS, identities)}
        self._changed: dict[str, Condition] = {}

    def add(self, condition: Condition) -> tuple[Condition, bool]:
        """The condition, and whether it is an event."""
        before = self._states.get(condition.condition_id)
        if before == "over":
            return condition, False
        self._states[condition.condition_id] = condition.state
        self._changed[condition.condition_id] = condition
        return condition, before != condition.state

    def write(self) -> None:
        """Put what changed into the table."""
        rows = [
            {
                "condition_id": condition.condition_id,
                "sensor_id": condition.sensor_id,
                "name": condition.name,
                "state": condition.state,
                "first_ns": condition.first_ns,
                "last_ns": condition.last_ns,
                "recorded_ns": self._now_ns,
                "record": dumps(condition),
            }
            for condition in self._changed.values()
        ]
        put(self._connection, CONDITIONS, rows)
