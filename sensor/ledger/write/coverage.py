"""Coverage: the time in which the sensor listened, by the hour. SQL within a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, select

from sensor.ledger.store.amounts import hours_between, overlap_ns
from sensor.ledger.store.schema import WATCHED
from sensor.ledger.write.upsert import upsert
from sensor.model.summary import SECONDS_PER_HOUR
from sensor.model.time import SECOND_NS


def add_coverage(connection: Connection, from_ns: int, to_ns: int, replayed: bool) -> None:
    """The sensor listened from one moment to another; an hour has at most all of its seconds.

    `replayed`: the same time may have been added before, so an hour has the longer of both.
    """
    hours = hours_between(from_ns, to_ns)
    query = select(WATCHED).where(WATCHED.c.hour.between(hours[0], hours[-1]))
    stored = {row.hour: row.seconds for row in connection.execute(query)}
    rows = []
    for hour in hours:
        seconds = overlap_ns(hour, from_ns, to_ns) / SECOND_NS
        before = stored.get(hour, 0.0)
        total = max(before, seconds) if replayed else min(SECONDS_PER_HOUR, before + seconds)
        rows.append({"hour": hour, "seconds": total})
    upsert(connection, WATCHED, rows, replace=("seconds",))
