"""Who asks, by the cookie of a session: the one place of the console that knows cookies.

The cookie is HttpOnly and SameSite=Lax (RFC 6265bis section 5.6); under TLS it is Secure and has the prefix `__Host-`,
so no other host and no path can set it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from sensor.ledger.store.beside import StoreError
from sensor.model.address import canonical
from sensor.model.scope import Viewer
from sensor.people.account import UserAccount
from sensor.people.csrf import csrf_token
from sensor.people.door import PeopleDoor
from sensor.people.sessions import SessionRow

ENTRANCE, ACCOUNT = "/sign-in", "/account"
#: From where a proxy of this host asks.
OWN_ADDRESSES = frozenset({"127.0.0.1", "::1"})
COOKIE, SECURE_COOKIE = "minewatch", "__Host-minewatch"


class OpenSession(NamedTuple):
    """A session that a request belongs to."""

    cookie: str
    row: SessionRow
    account: UserAccount


class DoorSignIn:
    """Signs people in by their accounts (`sensor/console/web/signin.py`)."""

    entrance: str | None = ENTRANCE

    def __init__(
        self,
        door: PeopleDoor,
        *,
        secure: bool,
        has_provider: bool = False,
        has_proxy: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`secure` says that browsers speak TLS, `has_provider` that people may sign in elsewhere, too, `has_proxy`
        that a server on this host stands before it; `clock` gives the wall clock in nanoseconds."""
        self.door, self.clock, self.secure = door, clock, secure
        self.has_provider, self.has_proxy = has_provider, has_proxy

    @property
    def cookie_name(self) -> str:
        """What the cookie is called."""
        return SECURE_COOKIE if self.secure else COOKIE

    def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None for nobody, and for whoever has to change the password first."""
        found = self.session(request)
        if found is None or found.account.must_change:
            return None
        return found.account.viewer

    def session(self, request: Request) -> OpenSession | None:
        """The session of a request; None: nobody is signed in, or that cannot be looked up now."""
        cookie = request.cookies.get(self.cookie_name)
        try:
            found = self.door.session_of(cookie, self.clock())
        except StoreError as error:
            print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
            return None
        if cookie is None or found is None:
            return None
        request.state.token = csrf_token(cookie)
        return OpenSession(cookie, *found)

    def give(self, response: Response, cookie: str) -> None:
        """Hand the browser its session. It ends with the browser, or when the store says so."""
        response.set_cookie(self.cookie_name, cookie, path="/", httponly=True, samesite="lax", secure=self.secure)

    def take_away(self, response: Response) -> None:
        """The browser forgets its session."""
        response.delete_cookie(self.cookie_name, path="/", httponly=True, samesite="lax", secure=self.secure)

    def address_of(self, request: Request) -> str:
        """The other end of the connection. Behind a proxy of this host it is the one that the proxy names: the last of
        X-Forwarded-For, for what stands before it may be anybody's. Nobody else's word for an address is taken."""
        peer = "" if request.client is None else request.client.host
        if not self.has_proxy or peer not in OWN_ADDRESSES:
            return peer
        named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        try:
            return canonical(named)
        except ValueError:
            return peer
