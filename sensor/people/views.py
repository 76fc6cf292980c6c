"""What an account keeps for itself: views of lists by name, and when it last looked at the overview.

A view is the name of a route and the filters of its address bar, never an address: where it leads to is made from the
route. What it shows is of whoever opens it, at that moment.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from sensor.audit.entry import AuditEntry
from sensor.audit.trail import AuditTrail
from sensor.model.time import MINUTE_NS
from sensor.people.account import AccountError
from sensor.people.accounts import ActingPerson
from sensor.people.schema import VIEWS, VISITS
from sensor.people.store import PeopleStore

#: Views of an account; characters of a name, and of the filters.
MOST_VIEWS, MOST_NAME, MOST_QUERY = 32, 60, 1_000
#: Who comes back after so long begins another visit; within one the time of the overview is written so often.
VISIT_NS, NOTE_NS = 30 * MINUTE_NS, MINUTE_NS


class SavedView(NamedTuple):
    """A view by its name."""

    name: str
    route: str
    query: str  # as it stands in the address bar


class PersonalViews:
    """The views and visits of all accounts. Raises PeopleError, and AuditError for what is changed."""

    def __init__(self, store: PeopleStore, trail: AuditTrail) -> None:
        self._store, self._trail = store, trail

    def views(self, login: str) -> list[SavedView]:
        """Those of an account, by name."""
        query = select(VIEWS.c.name, VIEWS.c.route, VIEWS.c.query).where(VIEWS.c.login == login)
        with self._store.reading() as connection:
            return [SavedView(*row) for row in connection.execute(query.order_by(VIEWS.c.name))]

    def save(self, by: ActingPerson, login: str, view: SavedView, now_ns: int) -> None:
        """Keep a view; one of the same name is replaced. Raises AccountError for a name that is none, and where there
        are too many."""
        name = view.name.strip()
        if not 1 <= len(name) <= MOST_NAME or not name.isprintable():
            raise AccountError(f"a view has a name of 1 to {MOST_NAME} characters")
        if len(view.query) > MOST_QUERY:
            raise AccountError(f"a view has filters of at most {MOST_QUERY} characters")
        query = {"name": name, "route": view.route, "filters": view.query}
        entry = AuditEntry(by.actor, "change", "view.save", now_ns, query, [f"account:{login}"])
        with self._trail.change(entry), self._store.writing() as connection:
            _remove(connection, login, name)
            count = connection.scalar(select(func.count()).select_from(VIEWS).where(VIEWS.c.login == login)) or 0
            if count >= MOST_VIEWS:
                raise AccountError(f"there are {MOST_VIEWS} views: remove one first")
            row = {"login": login, "name": name, "route": view.route, "query": view.query, "created_ns": now_ns}
            connection.execute(insert(VIEWS).values(row))

    def remove(self, by: ActingPerson, login: str, name: str, now_ns: int) -> None:
        """Forget a view; one that is not there is gone already."""
        entry = AuditEntry(by.actor, "change", "view.remove", now_ns, {"name": name}, [f"account:{login}"])
        with self._trail.change(entry), self._store.writing() as connection:
            _remove(connection, login, name)

    def last_visit_ns(self, login: str, now_ns: int) -> int | None:
        """When an account last looked at the overview before this visit; None: never. Looking again within half an hour
        is the same visit."""
        with self._store.reading() as connection:
            row = connection.execute(select(VISITS).where(VISITS.c.login == login)).one_or_none()
        if row is not None and now_ns - row.seen_ns < NOTE_NS:
            return None if row.since_ns == 0 else int(row.since_ns)
        with self._store.writing() as connection:
            row = connection.execute(select(VISITS).where(VISITS.c.login == login)).one_or_none()
            if row is None:
                connection.execute(insert(VISITS).values(login=login, since_ns=0, seen_ns=now_ns))
                return None
            since_ns = int(row.since_ns) if now_ns - row.seen_ns < VISIT_NS else int(row.seen_ns)
            values = {"since_ns": since_ns, "seen_ns": max(now_ns, row.seen_ns)}
            connection.execute(update(VISITS).where(VISITS.c.login == login).values(values))
        return None if since_ns == 0 else since_ns


def _remove(connection: Connection, login: str, name: str) -> None:
    connection.execute(delete(VIEWS).where(VIEWS.c.login == login, VIEWS.c.name == name))
