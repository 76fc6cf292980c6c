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
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select, update

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


class OutboxTables(NamedTuple):
    """Where an outbox is: its rows, and the cursors of those that it is delivered by."""

    rows: Table
    cursors: Table


EVENTS = OutboxTables(OUTBOX, CURSORS)


class Outbox:
    """Used by the line's thread (to put) and by each exporter's thread (the rest); writers take turns by the lock they
    share."""

    tables = EVENTS

    def __init__(self, engine: Engine, sensor_id: str, most_rows: int, most_bytes: int, lock: threading.Lock) -> None:
        self._engine, self.sensor_id = engine, sensor_id  # whose exporters are served
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._lock = lock

    def subscribe(self, exporters: Iterable[str]) -> None:
        """These exporters of the sensor and no others of it are served; a new one gets what is recorded from now on.
        Raises LedgerError."""
        names = set(exporters)
        rows, cursors = self.tables
        with self._lock, writing(self._engine) as connection:
            its = cursors.c.sensor_id == self.sensor_id
            served = set(connection.scalars(select(cursors.c.exporter).where(its)))
            end = connection.scalar(select(func.max(rows.c.sequence)))
            if end is None:  # all was delivered
                end = connection.scalar(select(func.max(cursors.c.position))) or 0
            connection.execute(delete(cursors).where(its, cursors.c.exporter.in_(served - names)))
            for name in sorted(names - served):
                row = {"sensor_id": self.sensor_id, "exporter": name, "position": end, "dropped": 0, "refused": 0}
                connection.execute(insert(cursors).values(row))
            _trim(connection, self.tables)

    def is_served(self, connection: Connection) -> bool:
        """Whether anything is to be put into it."""
        return bool(connection.scalar(select(func.count()).select_from(self.tables.cursors)))

    def put(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows, whose text is their `record`, within a transaction; the oldest go over the bounds."""
        if not rows:
            return
        table = self.tables.rows
        newest = select(table.c.begin_bytes + func.length(table.c.record)).order_by(table.c.sequence.desc()).limit(1)
        lengths = (len(row["record"]) for row in rows)
        *begins, end = accumulate(lengths, initial=connection.scalar(newest) or 0)
        numbered = [{**row, "begin_bytes": begin} for row, begin in zip(rows, begins, strict=True)]
        connection.execute(insert(table), numbered)
        first, last = connection.execute(select(func.min(table.c.sequence), func.max(table.c.sequence))).one()
        oversized = table.c.begin_bytes < end - self._most_bytes
        over = connection.scalar(select(func.max(table.c.sequence)).where(oversized))
        floor = max(last - self._most_rows, over or 0)
        if floor >= first:
            _drop(connection, self.tables, first, floor)

    def drop_old(self, connection: Connection, before_ns: int) -> int:
        """Give up what was recorded before a moment and is still waiting; how many. Each exporter counts what it
        lost."""
        old = retention.old_rows(connection, self.tables.rows, before_ns)
        if old is None:
            return 0
        _drop(connection, self.tables, *old)
        return old[1] - old[0] + 1

    def page(self, position: int, most: int, most_bytes: int | None) -> Sequence[Row[Any]]:
        """The rows after a position, oldest first: at most so many, and none that begins so many bytes after the
        first. Raises LedgerError."""
        table = self.tables.rows
        waiting = table.c.sequence > position
        query = select(table).where(waiting).order_by(table.c.sequence).limit(most)
        if most_bytes is not None:
            first = select(table.c.begin_bytes).where(waiting).order_by(table.c.sequence).limit(1)
            query = query.where(table.c.begin_bytes < first.scalar_subquery() + most_bytes)
        with reading(self._engine) as connection:
            return connection.execute(query).all()

    def commit(self, exporter: str, position: int, refused: int = 0) -> None:
        """An exporter of the sensor is done with everything up to a position, of which its destination refused so many.
        Raises LedgerError."""
        cursors = self.tables.cursors
        cursor = (cursors.c.sensor_id == self.sensor_id, cursors.c.exporter == exporter)
        with self._lock, writing(self._engine) as connection:
            connection.execute(update(cursors).where(*cursor).values(refused=cursors.c.refused + refused))
            behind = cursors.c.position < position
            connection.execute(update(cursors).where(*cursor, behind).values(position=position))
            _trim(connection, self.tables)

    def backlog(self, exporter: str) -> Backlog:
        """The queue of an exporter of the sensor; one that is not served has nothing waiting. Raises LedgerError."""
        rows, cursors = self.tables
        cursor = (cursors.c.sensor_id == self.sensor_id, cursors.c.exporter == exporter)
        with reading(self._engine) as connection:
            row = connection.execute(select(cursors).where(*cursor)).one_or_none()
            if row is None:
                return Backlog(0, 0, None, 0, 0)
            waiting = rows.c.sequence > row.position
            first, last = connection.execute(
                select(func.min(rows.c.sequence), func.max(rows.c.sequence)).where(waiting)
            ).one()
            oldest = (
                None if first is None else connection.scalar(select(rows.c.created_ns).where(rows.c.sequence == first))
            )
        return Backlog(row.position, 0 if first is None else last - first + 1, oldest, row.dropped, row.refused)


class EventOutbox(Outbox):
    """The events, as exporters make messages of them."""

    def append(self, connection: Connection, records: Sequence[Record], now_ns: int) -> None:
        """Add events within the transaction that records them; nothing if nobody is served."""
        if records and self.is_served(connection):
            rows = [{"event_id": event_id(event), "created_ns": now_ns, "record": dumps(event)} for event in records]
            self.put(connection, rows)

    def read(self, position: int, most: int, most_bytes: int | None = None) -> list[QueuedEvent]:
        """The events after a position, as `page`. Raises LedgerError."""
        rows = self.page(position, most, most_bytes)
        return [QueuedEvent(row.sequence, row.event_id, row.created_ns, loads(row.record)) for row in rows]


def _drop(connection: Connection, tables: OutboxTables, first: int, floor: int) -> None:
    """Delete up to a number; whoever had not come so far has lost what lies between."""
    rows, cursors = tables
    for row in connection.execute(select(cursors).where(cursors.c.position < floor)).all():
        lost = floor - max(row.position, first - 1)
        values = {"position": floor, "dropped": row.dropped + lost}
        its = (cursors.c.sensor_id == row.sensor_id, cursors.c.exporter == row.exporter)
        connection.execute(update(cursors).where(*its).values(values))
    connection.execute(delete(rows).where(rows.c.sequence <= floor))


def _trim(connection: Connection, tables: OutboxTables) -> None:
    """Delete what everybody is done with."""
    rows, cursors = tables
    done = connection.scalar(select(func.min(cursors.c.position)))
    connection.execute(delete(rows) if done is None else delete(rows).where(rows.c.sequence <= done))
