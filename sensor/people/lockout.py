"""How often somebody may try a password: by network, by account, and by an account from where it has signed in before.
SQL within a transaction.

A stranger who fails locks an account for at most a quarter of an hour, and only for networks from which its owner never
signed in: those have a count of their own, so an officer at the own desk is not locked out by anybody elsewhere. A
network that fails is bounded whatever names it tries. Each attempt is counted before its password is looked at, so that
many at once are not more than many one after another. Sessions that stand go on.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from sensor.model.time import DAY_NS, MINUTE_NS
from sensor.people.schema import ATTEMPTS, PLACES

#: Failures that cost nothing but a count, and how long the next one locks: doubled by each one after it, up to a bound.
FREE, FIRST_NS, LONGEST_NS = 5, MINUTE_NS, 15 * MINUTE_NS
#: Of a network: an office behind one address mistypes more often.
NETWORK_FREE = 20
#: Failures are forgotten after so long without another one, and so are places of sign-in.
FORGET_NS, PLACE_NS = DAY_NS, 90 * DAY_NS
#: Rows at most, and those that go at once: whoever tries names that never were cannot fill the disk.
MOST_ROWS, GOING, MOST_PLACES = 20_000, 1_000, 20


class Attempt(NamedTuple):
    """A sign-in that was counted; what is to be taken back if it succeeds."""

    subjects: tuple[str, ...]
    network: str


class LockedError(Exception):
    """Not now."""

    def __init__(self, retry_ns: int) -> None:
        super().__init__("too many failed attempts")
        self.retry_ns = retry_ns


def network_of(address: str) -> str:
    """What counts as one place: an address of IPv4, 64 bits of one of IPv6 (RFC 6177), where it stands in any form."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(given, ipaddress.IPv6Address):
        if given.ipv4_mapped is not None:
            return str(given.ipv4_mapped)
        return str(ipaddress.ip_network((int(given) >> 64 << 64, 64)))
    return str(given)


def begin_attempt(connection: Connection, login: str, address: str, now_ns: int) -> Attempt:
    """Count an attempt before it is looked at, whether there is such an account or not. Raises LockedError, and counts
    nothing then."""
    network = network_of(address)
    name = hashlib.sha256(login.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    if _is_place(connection, login, network, now_ns):
        subjects = {f"own:{name}:{network}": FREE}
    else:
        subjects = {f"network:{network}": NETWORK_FREE, f"account:{name}": FREE}
    rows = {subject: _row(connection, subject, now_ns) for subject in subjects}
    until_ns = max(until_ns for _, until_ns in rows.values())
    if until_ns > now_ns:
        raise LockedError(until_ns - now_ns)
    for subject, free in subjects.items():
        failures = rows[subject][0] + 1
        _write(connection, subject, failures, now_ns, now_ns + lock_ns(failures, free))
    _bound(connection, now_ns)
    return Attempt(tuple(subjects), network)


def lock_ns(failures: int, free: int) -> int:
    """For how long so many failures lock."""
    over = failures - free
    return 0 if over < 0 else min(FIRST_NS << min(over, 8), LONGEST_NS)


def succeeded(connection: Connection, attempt: Attempt, login: str, now_ns: int) -> None:
    """The password was right: the account's failures are over; of its network, which may have tried others too, this
    one is taken back. The network is a place of the account from now on."""
    for subject in attempt.subjects:
        failures, _ = _row(connection, subject, now_ns)
        left = max(0, failures - 1) if subject.startswith("network:") else 0
        _write(connection, subject, left, now_ns, 0)
    here = (PLACES.c.login == login, PLACES.c.network == attempt.network)
    if not connection.execute(update(PLACES).where(*here).values(last_ns=now_ns)).rowcount:
        connection.execute(insert(PLACES).values(login=login, network=attempt.network, last_ns=now_ns))
    oldest = select(PLACES.c.network).where(PLACES.c.login == login).order_by(PLACES.c.last_ns.desc())
    for network in connection.scalars(oldest.offset(MOST_PLACES)).all():
        connection.execute(delete(PLACES).where(PLACES.c.login == login, PLACES.c.network == network))


def forget_places(connection: Connection, login: str) -> None:
    """Every network counts as strange from now on: after a password was taken away from somebody."""
    connection.execute(delete(PLACES).where(PLACES.c.login == login))


def _is_place(connection: Connection, login: str, network: str, now_ns: int) -> bool:
    here = (PLACES.c.login == login, PLACES.c.network == network, PLACES.c.last_ns > now_ns - PLACE_NS)
    return network != "unknown" and connection.scalar(select(func.count()).where(*here)) == 1


def _row(connection: Connection, subject: str, now_ns: int) -> tuple[int, int]:
    """Failures of a subject, and until when it is locked."""
    row = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.subject == subject)).one_or_none()
    if row is None or row.last_ns < now_ns - FORGET_NS:
        return 0, 0
    return row.failures, row.until_ns


def _write(connection: Connection, subject: str, failures: int, now_ns: int, until_ns: int) -> None:
    values = {"failures": failures, "last_ns": now_ns, "until_ns": until_ns if until_ns > now_ns else 0}
    if not connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.subject == subject).values(values)).rowcount:
        connection.execute(insert(ATTEMPTS).values(subject=subject, **values))


def _bound(connection: Connection, now_ns: int) -> None:
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_ns < now_ns - FORGET_NS))
    if (connection.scalar(select(func.count()).select_from(ATTEMPTS)) or 0) > MOST_ROWS:
        oldest = select(ATTEMPTS.c.subject).order_by(ATTEMPTS.c.last_ns).limit(GOING)
        connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject.in_(oldest.scalar_subquery())))
