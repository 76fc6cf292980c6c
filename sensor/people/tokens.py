"""Tokens of the interface for programs: of one account, limited in what they are for, in divisions and in time.

A token never may more than its account may at that moment: what the account has lost, the token has lost, too.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from sensor.audit.entry import AuditEntry, Plain
from sensor.audit.trail import AuditTrail
from sensor.model.scope import Viewer
from sensor.model.text import N_
from sensor.model.time import DAY_NS
from sensor.people import rules
from sensor.people.account import (
    AccountError,
    Divisions,
    common,
    name_of,
    read_divisions,
    stored_divisions,
    within,
)
from sensor.people.accounts import ActingPerson, rights_of
from sensor.people.rows import account_of, find_account, find_row
from sensor.people.schema import TOKENS
from sensor.people.sessions import digest_of
from sensor.people.store import PeopleStore

#: How a token looks: scanners of secrets know it by its beginning.
FORM = re.compile(r"mwt_[A-Za-z0-9_-]{43}", re.ASCII)
#: What a token can be for, and nothing else.
SCOPES = ("read:findings", "read:cases", "read:owners", "read:figures", "read:sensors")
#: Longer is not even looked at (Authlib CVE-2025-61920); days that one is good for, tokens of one account.
MOST_BYTES, MOST_DAYS, MOST_TOKENS = 8_192, 366, 20
#: Why there is no further one.
TOO_MANY = N_("{login} has {most} tokens: end one first")


class ApiToken(NamedTuple):
    """A token without its secret."""

    token_id: str
    login: str
    label: str
    scopes: frozenset[str]
    divisions: Divisions
    created_ns: int
    expires_ns: int
    revoked_ns: int | None

    def is_live(self, now_ns: int) -> bool:
        """Whether it is good for anything."""
        return self.revoked_ns is None and self.created_ns <= now_ns < self.expires_ns


class TokenViewer(NamedTuple):
    """Who asks by a token: the account as the rule of scope sees it, with the divisions that both have."""

    viewer: Viewer
    scopes: frozenset[str]
    token_id: str


class TokenDesk:
    """Makes and ends tokens. Raises AccountError where that may not be, PeopleError, AuditError."""

    def __init__(self, store: PeopleStore, trail: AuditTrail) -> None:
        self._store, self._trail = store, trail

    def add(
        self,
        by: ActingPerson,
        login: str,
        label: str,
        scopes: Collection[str],
        divisions: Divisions | None,
        days: int,
        now_ns: int,
    ) -> tuple[ApiToken, str]:
        """A new token, and its secret, which is shown once. Without divisions it has those of its account."""
        name = name_of(label)
        if not scopes or not set(scopes) <= set(SCOPES):
            raise AccountError(N_("a token is for one or more of {scopes}").format(scopes=", ".join(SCOPES)))
        if not 1 <= days <= MOST_DAYS:
            raise AccountError(N_("a token is good for 1 to {most} days").format(most=MOST_DAYS))
        token_id, secret = secrets.token_hex(6), f"mwt_{secrets.token_urlsafe(32)}"
        query: dict[str, Plain] = {"label": name, "scopes": sorted(set(scopes)), "days": days}
        entry = AuditEntry(by.actor, "change", "key.add", now_ns, query, [f"account:{login}", f"key:{token_id}"])
        with self._trail.change(entry) as change, self._store.writing() as connection:
            acting = rights_of(connection, by)
            account = find_account(connection, login)
            rules.check_token(acting, account)
            its = account.divisions if divisions is None else divisions
            if not its or not within(its, account.divisions):
                raise AccountError(N_("a token's divisions lie inside of its account's"))
            live = [token for token in _tokens(connection, account.login) if token.is_live(now_ns)]
            if len(live) >= MOST_TOKENS:
                raise AccountError(TOO_MANY.format(login=account.login, most=MOST_TOKENS))
            expires_ns = now_ns + days * DAY_NS
            token = ApiToken(token_id, account.login, name, frozenset(scopes), its, now_ns, expires_ns, None)
            row = {**token._asdict(), "scopes": json.dumps(sorted(set(scopes))), "divisions": stored_divisions(its)}
            connection.execute(insert(TOKENS).values(**row, digest=digest_of(secret), seen_ns=None))
            change.after = {**query, "divisions": its if isinstance(its, str) else sorted(its)}
        return token, secret

    def revoke(self, by: ActingPerson, token_id: str, now_ns: int) -> ApiToken:
        """End a token."""
        entry = AuditEntry(by.actor, "change", "key.revoke", now_ns, {}, [f"key:{token_id}"])
        with self._trail.change(entry) as change, self._store.writing() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.token_id == token_id)).one_or_none()
            if row is None or row.revoked_ns is not None:
                raise AccountError(N_("there is no such token, or it is ended"))
            token = _token(row)
            acting = rights_of(connection, by)
            rules.check_revoke(acting, find_account(connection, token.login))
            connection.execute(update(TOKENS).where(TOKENS.c.token_id == token_id).values(revoked_ns=now_ns))
            change.objects.append(f"account:{token.login}")
        return token._replace(revoked_ns=now_ns)

    def of(self, login: str | None = None) -> list[ApiToken]:
        """The tokens of an account, or all."""
        with self._store.reading() as connection:
            return _tokens(connection, login)

    def bearer(self, secret: str | None, now_ns: int) -> TokenViewer | None:
        """Who asks by a token; None: nobody may."""
        if secret is None or len(secret) > MOST_BYTES or not FORM.fullmatch(secret):
            return None
        with self._store.reading() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.digest == digest_of(secret))).one_or_none()
            owner = None if row is None else find_row(connection, row.login)
        if row is None or owner is None:
            return None
        token, account = _token(row), account_of(owner)
        if not token.is_live(now_ns) or not rules.may(account, "see-cases"):
            return None
        shared = common(token.divisions, account.divisions)
        return TokenViewer(Viewer(account.login, account.role, shared, account.language), token.scopes, token.token_id)


def _tokens(connection: Any, login: str | None) -> list[ApiToken]:
    query = select(TOKENS).order_by(TOKENS.c.login, TOKENS.c.created_ns, TOKENS.c.token_id)
    return [_token(row) for row in connection.execute(query if login is None else query.where(TOKENS.c.login == login))]


def _token(row: Any) -> ApiToken:
    try:
        scopes = frozenset(str(scope) for scope in json.loads(row.scopes))
    except (ValueError, TypeError):
        scopes = frozenset()
    times = (row.created_ns, row.expires_ns, row.revoked_ns)
    return ApiToken(row.token_id, row.login, row.label, scopes, read_divisions(row.divisions), *times)
