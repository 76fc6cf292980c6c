"""Accounts in their table. SQL within a transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select, update

from sensor.audit.entry import AuditActor, Plain
from sensor.model.scope import ROLES
from sensor.people.account import (
    NO_DIVISIONS,
    AccountError,
    UserAccount,
    normal_login,
    read_divisions,
    stored_divisions,
)
from sensor.people.schema import ACCOUNTS


def account_of(row: Any) -> UserAccount:
    """The account of a row. What is not of this release's making may nothing: denied by default."""
    known_role = row.role in ROLES
    return UserAccount(
        login=row.login,
        name=row.name,
        role=row.role if known_role else "reader",
        divisions=read_divisions(row.divisions) if known_role else NO_DIVISIONS,
        language="en" if row.language == "en" else "zh",
        disabled=bool(row.disabled) or not known_role,
        must_change=bool(row.must_change),
        has_password=row.password is not None,
        created_ns=row.created_ns,
        signed_in_ns=row.signed_in_ns,
    )


def find_row(connection: Connection, login: str) -> Any:
    """The row of an account; None if there is none."""
    return connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.login == login)).one_or_none()


def find_account(connection: Connection, login: str) -> UserAccount:
    """An account by what was written as its login. Raises AccountError if there is none."""
    row = find_row(connection, normal_login(login) or "")
    if row is None:
        raise AccountError(f"there is no account {login[:70]!r}")
    return account_of(row)


def other_admins(connection: Connection, login: str) -> int:
    """Active admins beside one account."""
    active = (ACCOUNTS.c.role == "admin", ACCOUNTS.c.disabled == 0, ACCOUNTS.c.login != login)
    return connection.scalar(select(func.count()).where(*active)) or 0


def columns_of(account: UserAccount) -> dict[str, object]:
    """What can be changed of an account, as its columns hold it."""
    return {
        "name": account.name,
        "role": account.role,
        "divisions": stored_divisions(account.divisions),
        "language": account.language,
        "disabled": int(account.disabled),
        "must_change": int(account.must_change),
    }


def audited_values(account: UserAccount) -> dict[str, Plain]:
    """An account as the audit has it before and after a change."""
    divisions = account.divisions if isinstance(account.divisions, str) else sorted(account.divisions)
    return {
        "name": account.name,
        "role": account.role,
        "divisions": divisions,
        "language": account.language,
        "disabled": account.disabled,
    }


def actor_of(account: UserAccount, address: str) -> AuditActor:
    """An account at an address, for the audit."""
    return AuditActor(account=account.login, role=account.role, address=address)


def write_sign_in(connection: Connection, login: str, now_ns: int) -> None:
    """An account signed in."""
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.login == login).values(signed_in_ns=now_ns))
