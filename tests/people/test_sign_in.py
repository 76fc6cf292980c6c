"""Signing in: refusals look and cost alike, guesses are bounded, and no stranger locks an officer out for ever."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from sensor.audit.store import AuditError
from sensor.model.time import DAY_NS, MINUTE_NS, SECOND_NS
from sensor.people.account import AccountError, check_password
from sensor.people.accounts import AccountPatch, ActingPerson
from sensor.people.door import PeopleDoor, SignedIn, SignInRefused
from sensor.people.lockout import FREE, LONGEST_NS, MOST_ROWS, NETWORK_FREE, lock_ns, network_of
from sensor.people.passwords import AT_ONCE, MOST_WAITING, HashingBusyError, PasswordHashes
from tests.people.desk import ELSEWHERE, HERE, MACHINE, NOW, PASSWORD, add, audited, cheap, cookie_of, opened

WRONG = SignInRefused("wrong")


def checks(door: PeopleDoor) -> int:
    """Argon2 runs of sign-ins until now."""
    return door._hashes.checks


def test_every_refusal_is_the_same_answer_and_the_same_work(door: PeopleDoor) -> None:
    """An unknown name, a wrong password, a disabled account, one without a password, and texts that are no name."""
    add(door, "li")
    add(door, "gone")
    door.accounts.change(MACHINE, "gone", AccountPatch(disabled=True), NOW)
    from sensor.people.account import UserAccount

    door.accounts.add(MACHINE, UserAccount("oidc", "O", "reader", frozenset({"320500"})), None, NOW)
    for number, (login, password) in enumerate(
        (
            ("li", "wrong horse battery"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("oidc", ""),
            ("oidc", PASSWORD),
            ("", ""),
            ("li", "\ud800"),
            ("\x00'; --", PASSWORD),
            ("li", "x" * 2_000_000),
            ("l" * 100_000, PASSWORD),
        )
    ):
        before = checks(door)
        assert door.sign_in(login, password, f"198.51.100.{number}", NOW) == WRONG
        assert checks(door) == before + 1, login[:40]
    before = checks(door)
    assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)
    assert checks(door) == before + 1


def test_who_is_locked_out_costs_no_hash_whether_there_is_such_an_account_or_not(door: PeopleDoor) -> None:
    add(door, "li")
    for login in ("li", "nobody"):
        for _ in range(FREE):
            assert door.sign_in(login, "wrong horse battery", ELSEWHERE, NOW) == WRONG
        before = checks(door)
        answers = {door.sign_in(login, password, ELSEWHERE, NOW) for password in (PASSWORD, "x")}
        assert answers == {SignInRefused("locked", 60)}
        assert checks(door) == before


def test_a_stranger_locks_no_officer_out_at_the_own_desk(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li", address=HERE)
    at_ns = NOW
    for number in range(300):  # from ever other networks, all day
        at_ns += 4 * MINUTE_NS
        door.sign_in("li", "wrong horse battery", f"203.0.113.{number % 250}", at_ns)
    assert isinstance(door.sign_in("li", PASSWORD, HERE, at_ns), SignedIn)
    assert door.viewer_of(cookie, NOW + MINUTE_NS) is not None  # a session that stands goes on


def test_a_stranger_locks_nobody_out_for_longer_than_a_quarter_of_an_hour(door: PeopleDoor) -> None:
    """An officer at a new place: the wait is bounded, and tries while it is locked do not make it longer."""
    add(door, "li")
    at_ns = NOW
    for number in range(60):
        door.sign_in("li", "wrong horse battery", f"203.0.113.{number}", at_ns)
        at_ns += 30 * SECOND_NS
    answer = door.sign_in("li", PASSWORD, "198.51.100.1", at_ns)
    assert isinstance(answer, SignInRefused)
    assert answer.reason == "locked"
    assert answer.retry_s <= LONGEST_NS // SECOND_NS
    again = door.sign_in("li", PASSWORD, "198.51.100.1", at_ns + answer.retry_s * SECOND_NS)
    assert isinstance(again, SignedIn)


def test_a_network_is_bounded_whatever_names_it_tries(door: PeopleDoor) -> None:
    answers = [door.sign_in(f"user{number}", "x", ELSEWHERE, NOW) for number in range(NETWORK_FREE + 30)]
    assert answers[:NETWORK_FREE] == [WRONG] * NETWORK_FREE
    assert {answer.reason for answer in answers[NETWORK_FREE:]} == {"locked"}  # type: ignore[union-attr]


def test_an_own_account_does_not_clear_the_count_of_a_network(door: PeopleDoor) -> None:
    """A stranger who has an account signs in between his guesses."""
    add(door, "mole")
    add(door, "li")
    guesses = 0
    for number in range(200):
        if door.sign_in(f"victim{number}", "x", ELSEWHERE, NOW) == WRONG:
            guesses += 1
        door.sign_in("mole", PASSWORD, ELSEWHERE, NOW)
    assert guesses <= NETWORK_FREE


def test_many_guesses_at_once_are_no_more_than_many_one_after_another(door: PeopleDoor) -> None:
    add(door, "li")
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: door.sign_in("li", "wrong horse battery", ELSEWHERE, NOW), range(40)))
    assert answers.count(WRONG) == FREE
    assert checks(door) == FREE


def test_an_account_is_guessed_some_hundred_times_a_day_at_most(door: PeopleDoor) -> None:
    add(door, "li")
    looked_at, at_ns = 0, NOW
    while at_ns < NOW + DAY_NS:
        looked_at += door.sign_in("li", "wrong horse battery", f"203.0.113.{looked_at % 250}", at_ns) == WRONG
        at_ns += 30 * SECOND_NS
    assert looked_at <= 110


def test_a_right_password_takes_the_failures_back(door: PeopleDoor) -> None:
    add(door, "li")
    for _ in range(20):
        for _ in range(FREE - 1):
            assert door.sign_in("li", "wrong horse battery", HERE, NOW) == WRONG
        assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)


def test_the_table_of_attempts_is_bounded(door: PeopleDoor, tmp_path: Path) -> None:
    door.sign_in("nobody", "x", HERE, NOW)
    rows = [(f"account:{number:032x}", 1, NOW - 1, 0) for number in range(MOST_ROWS + 50)]
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?)", rows)
    door.sign_in("somebody", "x", ELSEWHERE, NOW)
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone()[0] <= MOST_ROWS
    door.sign_in("somebody", "x", ELSEWHERE, NOW + 2 * DAY_NS)
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone()[0] == 2


@given(st.integers(0, 10**6), st.integers(1, 100))
def test_a_lock_is_bounded_and_never_gets_shorter_by_failing(failures: int, free: int) -> None:
    assert 0 <= lock_ns(failures, free) <= LONGEST_NS
    assert lock_ns(failures, free) <= lock_ns(failures + 1, free)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("999.1.1.1", "unknown"),
        ("192.0.2.7, 10.0.0.1", "unknown"),
    ],
)
def test_a_network_is_an_address_or_64_bits(address: str, network: str) -> None:
    assert network_of(address) == network


def test_hashes_run_four_at_once_and_a_queue_is_bounded() -> None:
    running, most, go = 0, 0, threading.Event()
    lock = threading.Lock()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: ARG002
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            go.wait(20)
            with lock:
                running -= 1
            return True

    hashes = PasswordHashes(Slow(time_cost=1, memory_cost=8, parallelism=1))
    with ThreadPoolExecutor(60) as threads:
        futures = [threads.submit(hashes.verify, "x", PASSWORD) for _ in range(60)]
        time.sleep(0.5)
        refused = [future for future in futures if future.done() and isinstance(future.exception(), HashingBusyError)]
        go.set()
        right = [future for future in futures if future not in refused]
        assert all(future.result(20) for future in right)
    assert most == AT_ONCE
    assert len(refused) == 60 - AT_ONCE - MOST_WAITING


def test_a_flood_of_sign_ins_is_told_that_it_is_too_busy(door: PeopleDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bool:
        raise HashingBusyError

    monkeypatch.setattr(door._hashes, "verify", busy)
    assert door.submit_sign_in("li", PASSWORD, HERE, NOW).result(10) == SignInRefused("busy", 5)


def test_a_password_is_not_set_while_too_many_wait(door: PeopleDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    add(door, "li")

    def busy(*_: object) -> str:
        raise HashingBusyError("too many wait")

    monkeypatch.setattr(door._hashes, "hash", busy)
    with pytest.raises(AccountError, match="try again"):
        door.accounts.set_password(MACHINE, "li", PASSWORD, NOW)
    monkeypatch.setattr(door._hashes, "is_outdated", lambda _: True)
    assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)  # with the old hash


def test_nobody_signs_in_where_it_cannot_be_audited(url: str, tmp_path: Path) -> None:
    with opened(url, wait_s=0.3) as door:
        add(door, "li")
        holder = sqlite3.connect(tmp_path / "ledger.db.audit", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        for password in (PASSWORD, "x"):
            with pytest.raises(AuditError):
                door.sign_in("li", password, HERE, NOW)
        holder.execute("ROLLBACK")
        holder.close()
        assert door.sessions(door.accounts.get("li"), NOW) == []


def test_sign_ins_stand_in_the_audit_and_what_was_typed_as_a_name_does_not(door: PeopleDoor, url: str) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    door.sign_in("li", "wrong horse battery", ELSEWHERE, NOW)
    door.sign_in(PASSWORD, "", ELSEWHERE, NOW)  # typed into the wrong field
    door.sign_out(cookie, HERE, NOW)
    rows = audited(url)
    assert [(row["action"], row["objects"], row["actor"]["address"]) for row in rows[-4:]] == [
        ("account.sign-in", ["account:li"], HERE),
        ("account.sign-in-failed", ["account:li"], ELSEWHERE),
        ("account.sign-in-failed", ["account:(no such account)"], ELSEWHERE),
        ("account.sign-out", ["account:li"], HERE),
    ]
    assert PASSWORD not in repr(rows)
    assert cookie not in repr(rows)


def test_a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(url: str, tmp_path: Path) -> None:
    with opened(url) as door:
        add(door, "li")
        door._hashes._hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
        assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)
        assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        assert "m=16,t=2,p=1" in connection.execute("SELECT password FROM accounts").fetchone()[0]


def test_a_password_is_the_same_however_the_keyboard_composed_it(door: PeopleDoor) -> None:
    li = add(door, "li")
    door.accounts.set_password(ActingPerson.signed_in(li, HERE), "li", "cafe\u0301 am Markt 7", NOW)
    assert isinstance(door.sign_in("li", "caf\u00e9 am Markt 7", HERE, NOW), SignedIn)


def test_a_confirmed_password_begins_no_session(door: PeopleDoor) -> None:
    li = add(door, "li")
    assert door.confirm(li, PASSWORD, HERE, NOW)
    assert not door.confirm(li, "wrong horse battery", HERE, NOW)
    assert door.sessions(li, NOW) == []


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "less than 12"),
        ("x" * 2_000, "longer"),
        ("my name is LI, really", "login"),
        ("aaaaaaaaaaaaaaaa", "different"),
        ("\ud800" * 20, "longer"),
    ],
)
def test_a_password_that_will_not_do_is_refused_and_not_repeated(password: str, why: str) -> None:
    with pytest.raises(AccountError, match=why) as error:
        check_password(password, "li")
    assert password not in str(error.value)


def test_the_shipped_parameters_are_those_of_the_library() -> None:
    stored = PasswordHashes().hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert cheap().is_outdated(stored)
