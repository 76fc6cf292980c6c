"""Signing in at a provider of OpenID Connect: the code flow with PKCE (RFC 7636) and a nonce.

The provider says who somebody is; whether he has an account here, and what he may, is said here alone: nobody gets an
account by signing in there. A call-back is good once, for ten minutes, in the browser that began; any other one is
refused, never an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import delete, func, insert, select

from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.trail import AuditTrail
from sensor.model.time import MINUTE_NS
from sensor.people import sessions
from sensor.people.account import normal_login
from sensor.people.door import SignedIn
from sensor.people.id_token import ExpectedToken, IdTokenError, id_claims
from sensor.people.provider import OidcProvider, ProviderError
from sensor.people.rows import account_of, actor_of, find_row, write_sign_in
from sensor.people.schema import FLOWS
from sensor.people.sessions import digest_of
from sensor.people.store import PeopleStore

#: How long a sign-in at the provider may take; sign-ins that are under way at most, and those that go at once.
FLOW_NS, MOST_FLOWS, GOING = 10 * MINUTE_NS, 5_000, 500
#: Of what a call-back carries, characters at most.
MOST_CHARACTERS = 4_096
FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
#: Sign-ins at once that ask the provider.
AT_ONCE = 2


class OidcClient(NamedTuple):
    """How this console is known to the provider, and which claim is the login here."""

    client_id: str
    secret: str
    redirect_url: str
    claim: str
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcStart:
    """Where the browser is to be sent, and the cookie by which the call-back is known to be its own: HttpOnly,
    SameSite=Lax, for ten minutes."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class OidcRefused:
    """No session: to be answered with status 400, or 503 if the provider does not answer. The reason is for the
    journal, not for the page."""

    reason: str
    provider_failed: bool = False


class OidcDoor:
    """Signing in at one provider; used from any thread. Raises PeopleError and AuditError."""

    def __init__(self, store: PeopleStore, trail: AuditTrail, provider: OidcProvider, client: OidcClient) -> None:
        self._store, self._trail, self._provider, self._client = store, trail, provider, client
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="oidc")

    def begin(self, now_ns: int) -> OidcStart | OidcRefused:
        """Begin a sign-in."""
        try:
            endpoint = self._provider.endpoints().authorization
        except ProviderError as error:
            return OidcRefused(f"the provider: {error}", provider_failed=True)
        cookie, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        row = {"digest": digest_of(cookie), "state": digest_of(state), "nonce": nonce, "verifier": verifier}
        with self._store.writing() as connection:
            connection.execute(delete(FLOWS).where(FLOWS.c.created_ns < now_ns - FLOW_NS))
            if (connection.scalar(select(func.count()).select_from(FLOWS)) or 0) >= MOST_FLOWS:
                oldest = select(FLOWS.c.digest).order_by(FLOWS.c.created_ns).limit(GOING)
                connection.execute(delete(FLOWS).where(FLOWS.c.digest.in_(oldest.scalar_subquery())))
            connection.execute(insert(FLOWS).values(**row, created_ns=now_ns))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_url,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return OidcStart(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", cookie)

    def finish(
        self,
        cookie: str | None,
        parameters: Mapping[str, str],
        address: str,
        now_ns: int,
        former_cookie: str | None = None,
    ) -> SignedIn | OidcRefused:
        """What a call-back comes to; `parameters` are those of its query, each once."""
        flow = self._take(cookie, parameters.get("state"), now_ns)
        if flow is None:
            return OidcRefused("a call-back that is another browser's, was there before, or is too late")
        if "error" in parameters:
            return OidcRefused("the provider refused")
        if parameters.get("iss", self._provider.issuer) != self._provider.issuer:  # RFC 9207
            return OidcRefused("a call-back of another issuer")
        code = parameters.get("code", "")
        if not code or len(code) > MOST_CHARACTERS:
            return OidcRefused("a call-back without a code")
        try:
            claims = self._claims(code, flow, now_ns)
        except ProviderError as error:
            return OidcRefused(f"the provider: {error}", provider_failed=True)
        except IdTokenError as error:
            return OidcRefused(f"the token: {error}")
        return self._enter(claims.get(self._client.claim), address, now_ns, former_cookie)

    def submit_finish(
        self,
        cookie: str | None,
        parameters: Mapping[str, str],
        address: str,
        now_ns: int,
        former_cookie: str | None = None,
    ) -> Future[SignedIn | OidcRefused]:
        """The same in a thread of its own: a provider may be slow."""
        return self._threads.submit(self.finish, cookie, parameters, address, now_ns, former_cookie)

    def close(self) -> None:
        """Wait for those who sign in; store and trail stay open."""
        self._threads.shutdown()

    def _take(self, cookie: str | None, state: str | None, now_ns: int) -> Any:
        """The sign-in that a call-back belongs to, which is over by this; None if there is none."""
        if cookie is None or state is None or not FORM.fullmatch(cookie) or not FORM.fullmatch(state):
            return None
        with self._store.writing() as connection:
            row = connection.execute(select(FLOWS).where(FLOWS.c.digest == digest_of(cookie))).one_or_none()
            if row is None or not hmac.compare_digest(row.state, digest_of(state)):
                return None  # a foreign call-back does not end the sign-in that is under way
            connection.execute(delete(FLOWS).where(FLOWS.c.digest == row.digest))
        return row if 0 <= now_ns - row.created_ns < FLOW_NS else None

    def _claims(self, code: str, flow: Any, now_ns: int) -> Mapping[str, Any]:
        client = self._client
        token = self._provider.token(code, flow.verifier, client.redirect_url, client.client_id, client.secret)
        expected = ExpectedToken(self._provider.issuer, client.client_id, flow.nonce, client.algorithms)
        return id_claims(token, self._provider.keys(_key_id(token)), expected, now_ns)

    def _enter(self, claim: object, address: str, now_ns: int, former: str | None) -> SignedIn | OidcRefused:
        """Begin the session of the account whose login it is."""
        login = normal_login(claim) if isinstance(claim, str) else None
        with self._store.reading() as connection:
            row = None if login is None else find_row(connection, login)
        if row is None or row.disabled:
            name = "(no such account)" if row is None else row.login
            actor = AuditActor(address=address, system_user="console")
            self._note(actor, "account.sign-in-failed", name, now_ns)
            return OidcRefused("nobody of this name has an account here, or it is disabled")
        self._note(actor_of(account_of(row), address), "account.sign-in", row.login, now_ns)
        with self._store.writing() as connection:
            fresh = find_row(connection, row.login)
            if fresh is None or fresh.disabled:
                return OidcRefused("the account was disabled")
            if former is not None:
                sessions.end_session(connection, former, now_ns)
            cookie = sessions.begin_session(connection, fresh.login, address, now_ns)
            write_sign_in(connection, fresh.login, now_ns)
        return SignedIn(cookie, account_of(fresh))

    def _note(self, actor: AuditActor, action: str, login: str, now_ns: int) -> None:
        entry = AuditEntry(actor, "account", action, now_ns, {"by": "provider"}, [f"account:{login}"])
        self._trail.record(entry)


def _key_id(token: object) -> str | None:
    """The name of the key in a token's header, as it says itself; nothing is believed for it."""
    if not isinstance(token, str) or len(token) > MOST_CHARACTERS * 4:
        return None
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    key_id = header.get("kid") if isinstance(header, dict) else None
    return key_id if isinstance(key_id, str) else None
