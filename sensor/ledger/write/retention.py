"""What is too old goes, each kind of record after a time of its own. SQL within a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, exists, func, select

from sensor.cases import states
from sensor.ledger.store.months import drop_old_connections, drop_old_rollups
from sensor.ledger.store.schema import (
    ADDRESSES,
    CASES,
    CONNECTIONS,
    ENTERPRISES,
    FINDINGS,
    MACHINES,
    SERIES,
    SITES,
)
from sensor.ledger.write.forget import FORGOTTEN_PREFIX, ForgetError, forget_enterprise

#: Persons that are forgotten in one transaction: the line waits for it.
PERSONS_AT_ONCE = 10
#: How the record of a person says that it is one's.
_INDIVIDUAL = '"category": "individual"'


def delete_old_connections(connection: Connection, before_ns: int) -> int:
    """Connections last seen before a moment; how many. Months go whole."""
    gone = drop_old_connections(connection, before_ns)
    return gone + connection.execute(delete(CONNECTIONS).where(CONNECTIONS.c.last_ns < before_ns)).rowcount


def delete_old_months(connection: Connection, before_hour: int) -> int:
    """Months of roll-ups that ended before an hour, as far as they lie apart; how many rows."""
    return drop_old_rollups(connection, before_hour)


def old_rows(connection: Connection, outbox: Table, before_ns: int) -> tuple[int, int] | None:
    """The first number of an outbox, and the last one that was recorded before a moment; None if there is none."""
    last = connection.scalar(select(func.max(outbox.c.sequence)).where(outbox.c.created_ns < before_ns))
    first = connection.scalar(select(func.min(outbox.c.sequence)))
    return None if last is None or first is None else (first, last)


def delete_old_owners(connection: Connection, before_ns: int) -> int:
    """Whose addresses were, last so before a moment, and the sites and enterprises of which nothing is left; how
    many."""
    gone = connection.execute(delete(ADDRESSES).where(ADDRESSES.c.last_ns < before_ns)).rowcount
    used = [
        exists().where(table.c.site_id == SITES.c.site_id) for table in (ADDRESSES, SERIES, FINDINGS, CASES, MACHINES)
    ]
    unused = delete(SITES).where(SITES.c.site_id != 0, *(~use for use in used))
    gone += connection.execute(unused).rowcount
    owned = exists().where(SITES.c.enterprise_id == ENTERPRISES.c.enterprise_id)
    return gone + connection.execute(delete(ENTERPRISES).where(~owned)).rowcount


def forget_old_persons(connection: Connection, before_ns: int, now_ns: int) -> int:
    """Persons of whom nothing was seen since a moment, no finding and no case is open; how many records went. A bounded
    number at once."""
    its_site = SITES.c.enterprise_id == ENTERPRISES.c.enterprise_id
    seen = (
        exists().where(its_site, SERIES.c.site_id == SITES.c.site_id, SERIES.c.last_ns >= before_ns),
        exists().where(its_site, ADDRESSES.c.site_id == SITES.c.site_id, ADDRESSES.c.last_ns >= before_ns),
        exists().where(its_site, FINDINGS.c.site_id == SITES.c.site_id, FINDINGS.c.state != "closed"),
        exists().where(its_site, CASES.c.site_id == SITES.c.site_id, CASES.c.state.in_(states.OPEN)),
    )
    persons = ENTERPRISES.c.record.contains(_INDIVIDUAL, autoescape=True)
    other = ~ENTERPRISES.c.enterprise_id.startswith(FORGOTTEN_PREFIX, autoescape=True)
    query = select(ENTERPRISES.c.enterprise_id).where(persons, other, *(~sign for sign in seen))
    gone = 0
    for enterprise_id in list(connection.scalars(query.limit(PERSONS_AT_ONCE))):
        try:
            done = forget_enterprise(connection, enterprise_id, now_ns)
        except ForgetError:
            continue  # a sensor follows it
        gone += done.findings + done.owners + done.sites + done.machines + done.nodes
    return gone
