"""Signing in and out, and who a session is. Knows no web server: a cookie is a text, time and address are handed in.

A sign-in costs a sixth of a second of a processor; `submit_sign_in` does it in threads of its own, so that pages do not
wait behind it.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, update

from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.trail import AuditTrail
from sensor.model.time import SECOND_NS
from sensor.people import lockout, sessions
from sensor.people.account import UserAccount, normal_login
from sensor.people.accounts import AccountDesk
from sensor.people.passwords import AT_ONCE, HashingBusyError, PasswordHashes
from sensor.people.rows import account_of, actor_of, find_row, write_sign_in
from sensor.people.schema import ACCOUNTS
from sensor.people.sessions import SessionRow, SessionRules
from sensor.people.store import PeopleError, PeopleStore
from sensor.people.tokens import TokenDesk


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session began: what the browser gets, and whose it is."""

    cookie: str
    account: UserAccount


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """No session. `wrong` is said of a wrong password, of a name that is none and of a disabled account alike;
    `locked` and `busy` have nothing to do with whether there is such an account."""

    reason: Literal["wrong", "locked", "busy"]
    retry_s: int = 0


SignInAnswer = SignedIn | SignInRefused


class PeopleDoor:
    """Everything the console asks of accounts; used from any thread. Raises PeopleError, and AuditError where nothing
    can be written into the audit: then nobody signs in."""

    def __init__(
        self, store: PeopleStore, trail: AuditTrail, session_rules: SessionRules, hashes: PasswordHashes | None = None
    ) -> None:
        self.store, self.trail, self._rules = store, trail, session_rules
        self._hashes = hashes or PasswordHashes()
        self.accounts = AccountDesk(store, trail, self._hashes)
        self.tokens = TokenDesk(store, trail)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sign-in")

    def sign_in(
        self, login: str, password: str, address: str, now_ns: int, former_cookie: str | None = None
    ) -> SignInAnswer:
        """Begin a session. It always has a new secret; the session that the browser had before ends, whose ever it
        was."""
        found = self._prove(login, password, address, now_ns)
        if isinstance(found, SignInRefused):
            return found
        account, stored, attempt = found
        self._note(actor_of(account, address), "account.sign-in", account.login, now_ns)
        newer = self._renewed(stored, password)
        with self.store.writing() as connection:
            if not _succeeded(connection, account.login, (stored, newer), attempt, now_ns):
                return SignInRefused("wrong")
            if former_cookie is not None:
                sessions.end_session(connection, former_cookie, now_ns)
            cookie = sessions.begin_session(connection, account.login, address, now_ns)
            write_sign_in(connection, account.login, now_ns)
        return SignedIn(cookie, account)

    def _prove(
        self, login: str, password: str, address: str, now_ns: int
    ) -> tuple[UserAccount, str, lockout.Attempt] | SignInRefused:
        """Whose password it is, with its hash as it was then. Counted before it is looked at."""
        name = normal_login(login)
        try:
            with self.store.writing() as connection:
                attempt = lockout.begin_attempt(connection, name or login[:200], address, now_ns)
                row = find_row(connection, name or "")
        except lockout.LockedError as locked:
            return SignInRefused("locked", max(1, -(-locked.retry_ns // SECOND_NS)))
        stored = row.password if row is not None and not row.disabled else None
        try:
            right = self._hashes.verify(stored, password)
        except HashingBusyError:
            return SignInRefused("busy", 5)
        if not right:
            self._note_failure(None if row is None else account_of(row), address, now_ns)
            return SignInRefused("wrong")
        return account_of(row), row.password, attempt

    def _renewed(self, stored: str, password: str) -> str:
        """The hash with the parameters of now, made before the store is locked; the old one where too many wait."""
        if self._hashes.is_outdated(stored):
            with contextlib.suppress(HashingBusyError):
                return self._hashes.hash(password)
        return stored

    def submit_sign_in(
        self, login: str, password: str, address: str, now_ns: int, former_cookie: str | None = None
    ) -> Future[SignInAnswer]:
        """The same in a thread of its own; an event loop waits for it with `asyncio.wrap_future`."""
        return self._threads.submit(self.sign_in, login, password, address, now_ns, former_cookie)

    def viewer_of(self, cookie: str | None, now_ns: int) -> UserAccount | None:
        """Whose session it is, with the rights that the account has now; None: nobody is signed in."""
        found = self.session_of(cookie, now_ns)
        return None if found is None else found[1]

    def session_of(self, cookie: str | None, now_ns: int) -> tuple[SessionRow, UserAccount] | None:
        """The same with the session. That it is used is written once a minute; a page does not fail where that cannot
        be written."""
        if cookie is None:
            return None
        with self.store.reading() as connection:
            session = sessions.find_session(connection, cookie, self._rules, now_ns)
            row = None if session is None else find_row(connection, session.login)
        if session is None or row is None or row.disabled:
            return None
        account = account_of(row)
        if account.disabled:
            return None
        if sessions.needs_touch(session, now_ns):
            with contextlib.suppress(PeopleError), self.store.writing() as connection:
                sessions.touch(connection, session.digest, now_ns)
        return session, account

    def sign_out(self, cookie: str | None, address: str, now_ns: int) -> bool:
        """End a session; whether there was one. It ends whether or not the audit can be written."""
        if cookie is None:
            return False
        with self.store.writing() as connection:
            login = sessions.end_session(connection, cookie, now_ns)
            row = None if login is None else find_row(connection, login)
        if login is None or row is None:
            return False
        self._note(actor_of(account_of(row), address), "account.sign-out", login, now_ns)
        return True

    def confirm(self, account: UserAccount, password: str, address: str, now_ns: int) -> bool:
        """Whether it is the account's password, asked before it is changed; counted as a sign-in is."""
        found = self._prove(account.login, password, address, now_ns)
        if isinstance(found, SignInRefused):
            return False
        hashes = (found[1], self._renewed(found[1], password))
        with self.store.writing() as connection:
            return _succeeded(connection, account.login, hashes, found[2], now_ns)

    def sessions(self, account: UserAccount, now_ns: int) -> list[SessionRow]:
        """The sessions of an account that are not over."""
        with self.store.reading() as connection:
            return sessions.live_sessions(connection, account.login, self._rules, now_ns)

    def close(self) -> None:
        """Wait for sign-ins, and give the store back. The trail stays open: it is not of this."""
        self._threads.shutdown()
        self.store.close()

    def _note_failure(self, account: UserAccount | None, address: str, now_ns: int) -> None:
        """Of names that are none nothing is written but that there was one: people type passwords there."""
        name = "(no such account)" if account is None else account.login
        self._note(AuditActor(address=address, system_user="console"), "account.sign-in-failed", name, now_ns)

    def _note(self, actor: AuditActor, action: str, login: str, now_ns: int) -> None:
        self.trail.record(AuditEntry(actor, "account", action, now_ns, objects=[f"account:{login}"]))


def _succeeded(
    connection: Connection, login: str, hashes: tuple[str, str], attempt: lockout.Attempt, now_ns: int
) -> bool:
    """Take the count of an attempt back, and store the newer hash; whether the account is still the one whose password
    was looked at."""
    stored, newer = hashes
    row = find_row(connection, login)
    if row is None or row.disabled or row.password != stored:
        return False
    lockout.succeeded(connection, attempt, login, now_ns)
    if newer != stored:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.login == login).values(password=newer))
    return True
