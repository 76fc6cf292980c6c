"""The outbox: events in the order they were recorded, and for each exporter of each sensor the number up to which they
were delivered.

It knows positions and nothing of destinations. Over the bound the oldest events go, and are counted for each exporter
that had not had them; what all exporters are done with is deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from sensor.ledger.store.database import reading, writing
from sensor.ledger.store.records import dumps, loads
from sensor.ledger.store.schema import CURSORS, OUTBOX
from sensor.ledger.write import retention
from sensor.model.record import Record, event_id


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """One event that waits for delivery."""

    sequence: int
    event_id: str
    created_ns: int
    record: Record


@dataclass(frozen=True, slots=True)
class Backlog:
    """The queue of one exporter."""

    position: int
    depth: int  # events that wait
    oldest_ns: int | None  # when the oldest of them was recorded
    dropped: int
    refused: int


class EventOutbox:
    """Used by the line's thread (append) and by each exporter's thread (the rest); writers take turns by the lock they
    share."""

    def __init__(self, engine: Engine, sensor_id: str, most_rows: int, most_bytes: int, lock: threading.Lock) -> None:
        self._engine, self.sensor_id = engine, sensor_id  # whose exporters are served
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._lock = lock

    def subscribe(self, exporters: Iterable[str]) -> None:
        """These exporters of the sensor and no others of it are served; a new one gets what is recorded from now on.
        Raises LedgerError."""
        names = set(exporters)
        with self._lock, writing(self._engine) as connection:
            its = CURSORS.c.sensor_id == self.sensor_id
            served = set(connection.scalars(select(CURSORS.c.exporter).where(its)))
            end = connection.scalar(select(func.max(OUTBOX.c.sequence)))
            if end is None:  # all was delivered
                end = connection.scalar(select(func.max(CURSORS.c.position))) or 0
            connection.execute(delete(CURSORS).where(its, CURSORS.c.exporter.in_(served - names)))
            for name in sorted(names - served):
                row = {"sensor_id": self.sensor_id, "exporter": name, "position": end, "dropped": 0, "refused": 0}
                connection.execute(insert(CURSORS).values(row))
            _trim(connection)

    def append(self, connection: Connection, records: Sequence[Record], now_ns: int) -> None:
        """Add events within the transaction that records them; nothing if nobody is served."""
        if not records or not connection.scalar(select(func.count()).select_from(CURSORS)):
            return
        texts = [dumps(record) for record in records]
        newest = select(OUTBOX.c.begin_bytes + func.length(OUTBOX.c.record)).order_by(OUTBOX.c.sequence.desc()).limit(1)
        *begins, end = accumulate(map(len, texts), initial=connection.scalar(newest) or 0)
        rows = [
            {"event_id": event_id(record), "created_ns": now_ns, "begin_bytes": begin, "record": text}
            for record, text, begin in zip(records, texts, begins, strict=True)
        ]
        connection.execute(insert(OUTBOX), rows)
        first, last = connection.execute(select(func.min(OUTBOX.c.sequence), func.max(OUTBOX.c.sequence))).one()
        oversized = OUTBOX.c.begin_bytes < end - self._most_bytes
        over = connection.scalar(select(func.max(OUTBOX.c.sequence)).where(oversized))
        floor = max(last - self._most_rows, over or 0)
        if floor >= first:
            _drop(connection, first, floor)

    def drop_old(self, connection: Connection, before_ns: int) -> int:
        """Give up what was recorded before a moment and is still waiting; how many. Each exporter counts what it
        lost."""
        old = retention.old_events(connection, before_ns)
        if old is None:
            return 0
        _drop(connection, *old)
        return old[1] - old[0] + 1

    def read(self, position: int, most: int, most_bytes: int | None = None) -> list[QueuedEvent]:
        """The events after a position, oldest first: at most so many, and none that begins so many bytes after the
        first. Raises LedgerError."""
        waiting = OUTBOX.c.sequence > position
        query = select(OUTBOX).where(waiting).order_by(OUTBOX.c.sequence).limit(most)
        if most_bytes is not None:
            first = select(OUTBOX.c.begin_bytes).where(waiting).order_by(OUTBOX.c.sequence).limit(1)
            query = query.where(OUTBOX.c.begin_bytes < first.scalar_subquery() + most_bytes)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [QueuedEvent(row.sequence, row.event_id, row.created_ns, loads(row.record)) for row in rows]

    def commit(self, exporter: str, position: int, refused: int = 0) -> None:
        """An exporter of the sensor is done with everything up to a position, of which its destination refused so many.
        Raises LedgerError."""
        cursor = (CURSORS.c.sensor_id == self.sensor_id, CURSORS.c.exporter == exporter)
        with self._lock, writing(self._engine) as connection:
            connection.execute(update(CURSORS).where(*cursor).values(refused=CURSORS.c.refused + refused))
            behind = CURSORS.c.position < position
            connection.execute(update(CURSORS).where(*cursor, behind).values(position=position))
            _trim(connection)

    def backlog(self, exporter: str) -> Backlog:
        """The queue of an exporter of the sensor; one that is not served has nothing waiting. Raises LedgerError."""
        cursor = (CURSORS.c.sensor_id == self.sensor_id, CURSORS.c.exporter == exporter)
        with reading(self._engine) as connection:
            row = connection.execute(select(CURSORS).where(*cursor)).one_or_none()
            if row is None:
                return Backlog(0, 0, None, 0, 0)
            waiting = OUTBOX.c.sequence > row.position
            first, last = connection.execute(
                select(func.min(OUTBOX.c.sequence), func.max(OUTBOX.c.sequence)).where(waiting)
            ).one()
            oldest = (
                None
                if first is None
                else connection.scalar(select(OUTBOX.c.created_ns).where(OUTBOX.c.sequence == first))
            )
        return Backlog(row.position, 0 if first is None else last - first + 1, oldest, row.dropped, row.refused)


def _drop(connection: Connection, first: int, floor: int) -> None:
    """Delete up to a number; whoever had not come so far has lost what lies between."""
    for row in connection.execute(select(CURSORS).where(CURSORS.c.position < floor)).all():
        lost = floor - max(row.position, first - 1)
        values = {"position": floor, "dropped": row.dropped + lost}
        its = (CURSORS.c.sensor_id == row.sensor_id, CURSORS.c.exporter == row.exporter)
        connection.execute(update(CURSORS).where(*its).values(values))
    connection.execute(delete(OUTBOX).where(OUTBOX.c.sequence <= floor))


def _trim(connection: Connection) -> None:
    """Delete what everybody is done with."""
    done = connection.scalar(select(func.min(CURSORS.c.position)))
    connection.execute(delete(OUTBOX) if done is None else delete(OUTBOX).where(OUTBOX.c.sequence <= done))
