"""Sessions as rows: what the browser has is random, only its SHA-256 is stored, and a row can be ended at any time. SQL
within a transaction; time is handed in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

from sensor.model.time import DAY_NS, MINUTE_NS
from sensor.people.schema import SESSIONS

#: Bytes of a session's secret: 256 bits, twice what OWASP's cheat sheet on session management asks for.
SECRET_BYTES = 32
FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
#: When a page was last asked for is written at most so often: a page is no writer.
TOUCH_NS = MINUTE_NS
#: Sessions of one account; more, and the one that was used least lately ends. Ended ones stay for so long.
MOST_SESSIONS, GONE_NS = 10, 30 * DAY_NS


class SessionRules(NamedTuple):
    """After how long a session ends: without a page, and in any case."""

    idle_ns: int
    absolute_ns: int


class SessionRow(NamedTuple):
    """A session as its owner may see it: `digest` names it, and opens nothing."""

    digest: str
    login: str
    address: str
    created_ns: int
    seen_ns: int


def digest_of(secret: str) -> str:
    """What of a secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def begin_session(connection: Connection, login: str, address: str, now_ns: int) -> str:
    """A new session; what the browser gets. Never one that was there before."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = {"digest": digest_of(secret), "login": login, "address": address[:64], "created_ns": now_ns}
    connection.execute(insert(SESSIONS).values(**row, seen_ns=now_ns, revoked_ns=None))
    mine = (SESSIONS.c.login == login, SESSIONS.c.revoked_ns.is_(None))
    newest = select(SESSIONS.c.digest).where(*mine).order_by(SESSIONS.c.seen_ns.desc(), SESSIONS.c.created_ns.desc())
    for digest in connection.scalars(newest.offset(MOST_SESSIONS)).all():
        connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(revoked_ns=now_ns))
    ended = or_(SESSIONS.c.seen_ns < now_ns - GONE_NS, SESSIONS.c.revoked_ns < now_ns - GONE_NS)
    connection.execute(delete(SESSIONS).where(ended))
    return secret


def find_session(connection: Connection, secret: str, rules: SessionRules, now_ns: int) -> SessionRow | None:
    """The session of a secret; None if there is none, or it is over."""
    if not FORM.fullmatch(secret):
        return None
    query = select(SESSIONS).where(SESSIONS.c.digest == digest_of(secret), SESSIONS.c.revoked_ns.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    found = SessionRow(row.digest, row.login, row.address, row.created_ns, row.seen_ns)
    return found if is_live(found, rules, now_ns) else None


def is_live(session: SessionRow, rules: SessionRules, now_ns: int) -> bool:
    """Whether a session that was not ended is still one. A clock that went back ends none."""
    return now_ns - session.seen_ns < rules.idle_ns and now_ns - session.created_ns < rules.absolute_ns


def needs_touch(session: SessionRow, now_ns: int) -> bool:
    """Whether it is to be written that it is used."""
    return now_ns - session.seen_ns >= TOUCH_NS


def touch(connection: Connection, digest: str, now_ns: int) -> None:
    """It is used."""
    connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(seen_ns=now_ns))


def live_sessions(connection: Connection, login: str, rules: SessionRules, now_ns: int) -> list[SessionRow]:
    """The sessions of an account that are not over, newest first."""
    query = select(SESSIONS).where(SESSIONS.c.login == login, SESSIONS.c.revoked_ns.is_(None))
    rows = connection.execute(query.order_by(SESSIONS.c.created_ns.desc())).all()
    found = [SessionRow(row.digest, row.login, row.address, row.created_ns, row.seen_ns) for row in rows]
    return [session for session in found if is_live(session, rules, now_ns)]


def end_session(connection: Connection, secret: str, now_ns: int) -> str | None:
    """End the session of a secret; whose it was."""
    if not FORM.fullmatch(secret):
        return None
    its = (SESSIONS.c.digest == digest_of(secret), SESSIONS.c.revoked_ns.is_(None))
    login = connection.scalar(select(SESSIONS.c.login).where(*its))
    if login is not None:
        connection.execute(update(SESSIONS).where(*its).values(revoked_ns=now_ns))
    return login


def end_sessions(connection: Connection, login: str, now_ns: int, but: str | None = None) -> int:
    """End all sessions of an account, but that of a secret; how many."""
    its = [SESSIONS.c.login == login, SESSIONS.c.revoked_ns.is_(None)]
    if but is not None:
        its.append(SESSIONS.c.digest != digest_of(but))
    return connection.execute(update(SESSIONS).where(*its).values(revoked_ns=now_ns)).rowcount
