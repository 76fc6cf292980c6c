"""What is kept of people goes after its time and is counted; nothing else goes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from sensor.audit.store import audit_place
from sensor.audit.system_user import system_actor
from sensor.model.time import DAY_NS
from sensor.people.accounts import AccountPatch
from sensor.people.door import PeopleDoor
from sensor.people.retention import GonePeople
from sensor.people.schema import ACCOUNTS, ATTEMPTS, PLACES, SESSIONS, TOKENS
from sensor.people.tidying import TidiedDesk, tidy
from sensor.settings.desk import AuditSettings, PeopleSettings
from tests.people.desk import HERE, MACHINE, NOW, OTHER, add, audited, cookie_of

SETTINGS = (PeopleSettings(closed_days=100, tokens_days=50, sessions_days=20, places_days=60), AuditSettings())


def after(door: PeopleDoor, url: str, days: int) -> TidiedDesk:
    return tidy(door, audit_place(url), SETTINGS, system_actor(), NOW + days * DAY_NS)


def test_each_kind_goes_after_its_own_time(door: PeopleDoor, url: str) -> None:
    for login in ("li", "wang"):
        add(door, login)
    add(door, "root", "admin")
    cookie_of(door, "li")
    door.sign_in("li", OTHER, HERE, NOW, None)
    token, _ = door.tokens.add(MACHINE, "li", "x", ["read:cases"], None, 200, NOW)
    door.tokens.revoke(MACHINE, token.token_id, NOW)
    door.tokens.add(MACHINE, "li", "x", ["read:cases"], None, 200, NOW)
    door.accounts.change(MACHINE, "wang", AccountPatch(disabled=True), NOW)
    assert after(door, url, 0).people == GonePeople()
    assert after(door, url, 2).people == GonePeople(failures=3)
    assert after(door, url, 21).people == GonePeople(sessions=1)
    assert after(door, url, 51).people == GonePeople(tokens=1)
    assert after(door, url, 61).people == GonePeople(places=1)
    assert after(door, url, 100).people == GonePeople()
    assert after(door, url, 101).people == GonePeople(accounts=1)
    assert [account.login for account in door.accounts.all()] == ["li", "root"]
    assert len(door.tokens.of("li")) == 1
    rows = [row for row in audited(url) if row["action"] == "people.tidy"]
    assert [row["after"]["accounts"] for row in rows] == [0, 0, 0, 0, 1]


def test_an_account_that_is_enabled_again_stays_and_the_days_begin_anew(door: PeopleDoor, url: str) -> None:
    add(door, "li")
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW)
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=False), NOW + 99 * DAY_NS)
    assert not after(door, url, 150).people.accounts
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW + 150 * DAY_NS)
    assert not after(door, url, 249).people.accounts
    assert after(door, url, 251).people.accounts == 1


def test_of_an_account_that_was_disabled_before_it_was_written_down_the_days_begin_now(
    door: PeopleDoor, url: str
) -> None:
    add(door, "li")
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW)
    with door.store.writing() as connection:
        connection.execute(ACCOUNTS.update().values(disabled_ns=None))
    assert not after(door, url, 500).people.accounts
    assert not after(door, url, 599).people.accounts
    assert after(door, url, 601).people.accounts == 1


def test_nothing_of_a_closed_account_is_left_in_any_table(door: PeopleDoor, url: str, tmp_path: Path) -> None:
    add(door, "li")
    cookie_of(door, "li", NOW + 90 * DAY_NS)
    door.tokens.add(MACHINE, "li", "x", ["read:cases"], None, 300, NOW + 90 * DAY_NS)
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW)
    assert after(door, url, 101).people.accounts == 1
    with door.store.reading() as connection:
        for table in (ACCOUNTS, SESSIONS, PLACES, TOKENS):
            assert connection.execute(select(table)).all() == [], table.name
        assert connection.execute(select(ATTEMPTS.c.subject)).all() == []
    add(door, "li")  # the login may be given again
    assert (tmp_path / "ledger.db.people").exists()
