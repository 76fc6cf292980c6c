"""Who asks by a token: RFC 6750, in the header Authorization alone. A cookie is not looked at, and a token in the
address is a parameter that there is not."""

from __future__ import annotations

import math
from collections.abc import Callable

from starlette.requests import Request

from sensor.console.interface.rate import RequestRate
from sensor.console.web.problem import ProgramRefusalError
from sensor.model.scope import Viewer
from sensor.people.tokens import TokenDesk

NO_TOKEN = "A token is needed: Authorization: Bearer mwt_..."
BAD_TOKEN = "This token is none, was revoked, is over, or its account may not read any more."
NOT_FOR_THIS = "This token is not for {scope}."
TOO_OFTEN = "This token asked too often: wait."
REALM = 'Bearer realm="minewatch"'


class TokenGate:
    """Lets programs in by their tokens (`sensor/console/web/signin.py`)."""

    def __init__(
        self, tokens: TokenDesk, clock: Callable[[], int], address_of: Callable[[Request], str], rate: RequestRate
    ) -> None:
        """`clock` gives the wall clock in nanoseconds, `address_of` the client of a request."""
        self._tokens, self._clock, self._address_of, self._rate = tokens, clock, address_of, rate

    def admit(self, request: Request, scope: str) -> Viewer:
        """Who asks, for something of a scope. Raises RefusalError, StoreError."""
        given = request.headers.getlist("authorization")
        if not given:
            raise ProgramRefusalError(401, NO_TOKEN, {"WWW-Authenticate": REALM})
        scheme, _, secret = given[0].partition(" ")
        found = None
        if len(given) == 1 and scheme.lower() == "bearer":
            found = self._tokens.bearer(secret.strip(" "), self._clock())
        if found is None:
            raise ProgramRefusalError(401, BAD_TOKEN, {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})
        wait_s = self._rate.wait_s(found.token_id)
        if wait_s > 0.0:
            raise ProgramRefusalError(429, TOO_OFTEN, {"Retry-After": str(math.ceil(wait_s))})
        if scope not in found.scopes:
            challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
            raise ProgramRefusalError(403, NOT_FOR_THIS.format(scope=scope), {"WWW-Authenticate": challenge})
        request.state.token_id, request.state.address = found.token_id, self._address_of(request)
        return found.viewer
