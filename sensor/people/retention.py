"""What is kept of people for how long: accounts that were closed, tokens and sessions that ended, places of sign-in and
failures. SQL within a transaction; the audit keeps what its own time says.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from sensor.model.time import DAY_NS, MINUTE_NS
from sensor.people.lockout import FORGET_NS
from sensor.people.schema import ACCOUNTS, ATTEMPTS, FLOWS, METADATA, PLACES, SESSIONS, TOKENS
from sensor.settings.desk import PeopleSettings

#: A sign-in at a provider that was begun and came to nothing.
FLOW_NS = 10 * MINUTE_NS


class KeepingTimes(NamedTuple):
    """After how long each goes."""

    closed_ns: int  # disabled accounts
    tokens_ns: int  # after their end
    sessions_ns: int  # after their end, or the last page
    places_ns: int

    @classmethod
    def of(cls, settings: PeopleSettings) -> KeepingTimes:
        """Those of a configuration."""
        days = (settings.closed_days, settings.tokens_days, settings.sessions_days, settings.places_days)
        return cls(*(each * DAY_NS for each in days))


class GonePeople(NamedTuple):
    """How many records went."""

    accounts: int = 0
    tokens: int = 0
    sessions: int = 0
    places: int = 0
    failures: int = 0

    def __bool__(self) -> bool:
        return any(self)


def remove_old(connection: Connection, times: KeepingTimes, now_ns: int) -> GonePeople:
    """Remove what is too old. An account goes with all that is of it; its login may be given again, and the audit tells
    both apart by time."""
    unknown = (ACCOUNTS.c.disabled == 1, ACCOUNTS.c.disabled_ns.is_(None))
    connection.execute(update(ACCOUNTS).where(*unknown).values(disabled_ns=now_ns))
    closed = (ACCOUNTS.c.disabled == 1, ACCOUNTS.c.disabled_ns < now_ns - times.closed_ns)
    logins = list(connection.scalars(select(ACCOUNTS.c.login).where(*closed)))

    def gone(table: Table, *old: ColumnElement[bool]) -> int:
        """Rows that are old, or of a closed account."""
        mine = [table.c.login.in_(logins)] if "login" in table.c else []
        return connection.execute(delete(table).where(or_(*old, *mine))).rowcount

    counted = (ACCOUNTS, TOKENS, SESSIONS, PLACES)
    for table in METADATA.sorted_tables if logins else ():
        if "login" in table.c and table not in counted:
            connection.execute(delete(table).where(table.c.login.in_(logins)))

    ended = now_ns - times.tokens_ns
    used = now_ns - times.sessions_ns
    found = GonePeople(
        tokens=gone(TOKENS, TOKENS.c.expires_ns < ended, TOKENS.c.revoked_ns < ended),
        sessions=gone(SESSIONS, SESSIONS.c.seen_ns < used, SESSIONS.c.revoked_ns < used),
        places=gone(PLACES, PLACES.c.last_ns < now_ns - times.places_ns),
        failures=gone(ATTEMPTS, ATTEMPTS.c.last_ns < now_ns - FORGET_NS),
        accounts=connection.execute(delete(ACCOUNTS).where(*closed)).rowcount,
    )
    connection.execute(delete(FLOWS).where(FLOWS.c.created_ns < now_ns - FLOW_NS))
    return found
