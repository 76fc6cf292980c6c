"""Accounts are made and changed here, by whom the rules let, each change with its rows in the audit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from sensor.audit.entry import AuditActor, AuditEntry, Plain
from sensor.audit.system_user import system_actor
from sensor.audit.trail import AuditTrail, PendingChange
from sensor.model.scope import Role
from sensor.model.text import N_
from sensor.people import lockout, rules, sessions
from sensor.people.account import (
    AccountError,
    Divisions,
    Language,
    UserAccount,
    check_password,
    login_of,
    name_of,
)
from sensor.people.passwords import HashingBusyError, PasswordHashes
from sensor.people.rows import account_of, actor_of, audited_values, columns_of, find_account, find_row, other_admins
from sensor.people.schema import ACCOUNTS, TOKENS
from sensor.people.store import PeopleStore


class ActingPerson(NamedTuple):
    """Who does something to an account: made by one of the two below, for without a login nobody may anything."""

    actor: AuditActor
    login: str = ""
    has_machine: bool = False

    @classmethod
    def signed_in(cls, account: UserAccount, address: str) -> ActingPerson:
        """An account at an address."""
        return cls(actor_of(account, address), account.login)

    @classmethod
    def on_the_machine(cls, stated: str = "") -> ActingPerson:
        """Whoever runs a command here and may write the store."""
        return cls(system_actor(stated), has_machine=True)


class AccountPatch(NamedTuple):
    """What is to change of an account; None stays as it is."""

    role: Role | None = None
    divisions: Divisions | None = None
    name: str | None = None
    language: Language | None = None
    disabled: bool | None = None


class AccountDesk:
    """Makes and changes accounts. Raises AccountError where that may not be, PeopleError, AuditError."""

    def __init__(self, store: PeopleStore, trail: AuditTrail, hashes: PasswordHashes) -> None:
        self._store, self._trail, self._hashes = store, trail, hashes

    def all(self) -> list[UserAccount]:
        """All accounts, by login."""
        with self._store.reading() as connection:
            return [account_of(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.login))]

    def get(self, login: str) -> UserAccount:
        """One account."""
        with self._store.reading() as connection:
            return find_account(connection, login)

    def add(self, by: ActingPerson, account: UserAccount, password: str | None, now_ns: int) -> UserAccount:
        """A new account; without a password it cannot sign in by one. Somebody else's choice of a password must be
        changed at the first sign-in."""
        fresh = dataclasses.replace(
            account,
            login=login_of(account.login),
            name=name_of(account.name),
            must_change=password is not None,
            has_password=password is not None,
            created_ns=now_ns,
            signed_in_ns=None,
        )
        if password is not None:
            check_password(password, fresh.login)
        with self._changing(by, "account.add", fresh.login, now_ns) as change:
            rules.check_change(self._rights(by), None, fresh, 0)
            hashed = None if password is None else self._hash(password)
            with self._store.writing() as connection:
                if find_row(connection, fresh.login) is not None:
                    raise AccountError(N_("there is an account {login} already").format(login=fresh.login))
                rules.check_change(rights_of(connection, by), None, fresh, 0)
                when = {"created_ns": now_ns, "password_ns": None if password is None else now_ns}
                row = {"login": fresh.login, "password": hashed, "signed_in_ns": None, **when}
                connection.execute(insert(ACCOUNTS).values(**row, **columns_of(fresh)))
            change.after = audited_values(fresh)
        return fresh

    def change(self, by: ActingPerson, login: str, patch: AccountPatch, now_ns: int) -> UserAccount:
        """Change an account. Who is disabled, or is somebody else from now on, has to sign in again."""
        asked = _asked_for(patch)
        with self._changing(by, "account.change", login, now_ns, asked) as change, self._store.writing() as connection:
            before = find_account(connection, login)
            given = {name: value for name, value in patch._asdict().items() if value is not None}
            after = dataclasses.replace(before, **given)
            after = dataclasses.replace(after, name=name_of(after.name))
            rules.check_change(rights_of(connection, by), before, after, other_admins(connection, before.login))
            mine = ACCOUNTS.c.login == before.login
            since = {"disabled_ns": now_ns if after.disabled else None} if before.disabled != after.disabled else {}
            connection.execute(update(ACCOUNTS).where(mine).values(**columns_of(after), **since))
            if (before.role, before.disabled) != (after.role, after.disabled):
                sessions.end_sessions(connection, before.login, now_ns)
            change.before, change.after = audited_values(before), audited_values(after)
        return after

    def set_password(
        self, by: ActingPerson, login: str, password: str, now_ns: int, keep_session: str | None = None
    ) -> None:
        """Set a password; all other sessions and the places of the account end. Who changes the own one has to be asked
        for the present one before (`PeopleDoor.confirm`); somebody else's choice must be changed."""
        with self._changing(by, "account.password", login, now_ns) as change:
            account = self.get(login)
            rules.check_password_change(self._rights(by), account)
            check_password(password, account.login)
            hashed = self._hash(password)
            own = by.login == account.login
            with self._store.writing() as connection:
                rules.check_password_change(rights_of(connection, by), find_account(connection, login))
                values = {"password": hashed, "password_ns": now_ns, "must_change": int(not own)}
                connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.login == account.login).values(values))
                ended = sessions.end_sessions(connection, account.login, now_ns, keep_session if own else None)
                lockout.forget_places(connection, account.login)
            change.after = {"must_change": not own, "ended": ended}

    def revoke(
        self, by: ActingPerson, login: str, now_ns: int, *, keep_session: str | None = None, tokens: bool = False
    ) -> int:
        """End the sessions of an account, and its tokens if asked for; how many ended."""
        with self._changing(by, "account.revoke", login, now_ns) as change, self._store.writing() as connection:
            account = find_account(connection, login)
            rules.check_revoke(rights_of(connection, by), account)
            ended = sessions.end_sessions(connection, account.login, now_ns, keep_session)
            if tokens:
                live = (TOKENS.c.login == account.login, TOKENS.c.revoked_ns.is_(None))
                ended += connection.execute(update(TOKENS).where(*live).values(revoked_ns=now_ns)).rowcount
            change.after = {"ended": ended}
        return ended

    def _hash(self, password: str) -> str:
        try:
            return self._hashes.hash(password)
        except HashingBusyError:
            raise AccountError(N_("too many passwords wait to be looked at: try again")) from None

    def _rights(self, by: ActingPerson) -> UserAccount | None:
        with self._store.reading() as connection:
            return rights_of(connection, by)

    @contextmanager
    def _changing(
        self, by: ActingPerson, action: str, login: str, now_ns: int, query: dict[str, Plain] | None = None
    ) -> Iterator[PendingChange]:
        entry = AuditEntry(by.actor, "change", action, now_ns, query or {}, [f"account:{login}"])
        with self._trail.change(entry) as change:
            yield change


def _asked_for(patch: AccountPatch) -> dict[str, Plain]:
    given = {name: value for name, value in patch._asdict().items() if value is not None}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in given.items()}


def rights_of(connection: Connection, by: ActingPerson) -> UserAccount | None:
    """Who acts, with the rights that he has now, not those of when his page was made; None: whoever has the machine.
    Raises AccountError."""
    return None if by.has_machine else find_account(connection, by.login)
