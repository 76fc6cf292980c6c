"""Reads what is known of connections between two ends. SQL in, plain data out."""

from __future__ import annotations

from sqlalchemy import Connection, select

from sensor.ledger.store.records import load_flow
from sensor.ledger.store.schema import CONNECTIONS
from sensor.line.same_connection import MAX_ALIKE, RESUMED_NS, TOLERANCE_NS
from sensor.model.flow import FlowSummary


def connections_between(connection: Connection, ends: str, at_ns: int) -> list[FlowSummary]:
    """The connections of a Community ID that may be there at a time, as all sensors saw them, newest last."""
    about = (CONNECTIONS.c.last_ns >= at_ns - RESUMED_NS, CONNECTIONS.c.first_ns <= at_ns + TOLERANCE_NS)
    query = select(CONNECTIONS.c.record).where(CONNECTIONS.c.ends == ends, *about)
    newest = query.order_by(CONNECTIONS.c.last_ns.desc(), CONNECTIONS.c.finding_id).limit(MAX_ALIKE)
    return [load_flow(record) for record in connection.scalars(newest)][::-1]
