"""Accounts of tests: a store with an admin, cheap hashes, and a time that tests move."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argon2 import PasswordHasher

from sensor.audit.store import AuditReader, AuditStore, audit_place
from sensor.audit.trail import AuditTrail
from sensor.model.time import HOUR_NS, MINUTE_NS
from sensor.people.account import UserAccount, divisions_of_codes, role_of
from sensor.people.accounts import ActingPerson
from sensor.people.door import PeopleDoor, SignedIn
from sensor.people.passwords import PasswordHashes
from sensor.people.sessions import SessionRules
from sensor.people.store import PeopleStore, people_place

NOW = 1_790_000_000_000_000_000
RULES = SessionRules(30 * MINUTE_NS, 12 * HOUR_NS)
PASSWORD, OTHER = "correct horse battery", "staple of another horse"
MACHINE = ActingPerson.on_the_machine("a test")
HERE, ELSEWHERE = "192.0.2.7", "203.0.113.99"
SUZHOU, WUXI = "320500", "320200"


def cheap() -> PasswordHashes:
    """Argon2 with the least that it takes."""
    return PasswordHashes(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@contextmanager
def opened(url: str, wait_s: float = 5.0) -> Iterator[PeopleDoor]:
    """The accounts beside a ledger of this URL."""
    trail = AuditTrail(AuditStore.open(audit_place(url)), wait_s)
    door = PeopleDoor(PeopleStore(people_place(url)), trail, RULES, cheap())
    try:
        yield door
    finally:
        door.close()
        trail.close()


def add(
    door: PeopleDoor, login: str, role: str = "officer", divisions: str = SUZHOU, password: str = PASSWORD
) -> UserAccount:
    """An account that has chosen its password itself."""
    codes = [] if role in ("admin", "auditor") else divisions.split()
    fresh = UserAccount(login, login.title(), role_of(role), divisions_of_codes(codes))
    door.accounts.add(MACHINE, fresh, password, NOW)
    account = door.accounts.get(login)
    door.accounts.set_password(ActingPerson.signed_in(account, HERE), login, password, NOW)
    return door.accounts.get(login)


def cookie_of(door: PeopleDoor, login: str, now_ns: int = NOW, address: str = HERE, former: str | None = None) -> str:
    """The cookie of a sign-in that succeeds."""
    answer = door.sign_in(login, PASSWORD, address, now_ns, former)
    assert isinstance(answer, SignedIn), answer
    return answer.cookie


def audited(url: str) -> list[dict[str, Any]]:
    """What the audit's rows say, without the first."""
    reader = AuditReader(audit_place(url))
    try:
        return [json.loads(row.record) for row in reader.rows()][1:]  # type: ignore[arg-type]
    finally:
        reader.close()
