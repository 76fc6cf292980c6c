"""Signing in at a provider of OpenID Connect: the way there, and the call-back. A call-back that is not its own is a
page that says so, never an error.
"""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from exporters.forms.documents.labels import N_
from sensor.console.address_bar import read_address_bar
from sensor.console.people.forms import MOST_FIELDS
from sensor.console.people.gate import ACCOUNT, DoorSignIn
from sensor.console.refusal import RefusalError
from sensor.people.door import SignedIn
from sensor.people.oidc import FLOW_NS, OidcDoor, OidcRefused, OidcStart

CALL_BACK = "/sign-in/back"
FLOW_COOKIE, SECURE_FLOW_COOKIE = "minewatch-provider", "__Host-minewatch-provider"
NOT_ANSWERED = N_("The provider does not answer as one: try again in a moment, or sign in by a password.")
NOT_TAKEN = N_("This sign-in is not taken: it is another browser's, too old, or of nobody who has an account here.")


def provider_router(sign_in: DoorSignIn, provider: OidcDoor) -> APIRouter:
    """The routes of a provider."""
    router = APIRouter()
    name = SECURE_FLOW_COOKIE if sign_in.secure else FLOW_COOKIE

    # A link and no form: browsers hold the policy for forms (form-action) against where a form is sent on to.
    @router.get("/sign-in/provider", name="to-provider")
    def begin(request: Request) -> Response:
        read_address_bar(request.scope["query_string"], ())
        found = provider.begin(sign_in.clock())
        if not isinstance(found, OidcStart):
            raise _refusal(found)
        response = RedirectResponse(found.url, 303)
        seconds = FLOW_NS // 10**9
        response.set_cookie(name, found.cookie, seconds, path="/", httponly=True, samesite="lax", secure=sign_in.secure)
        return response

    @router.get(CALL_BACK, name="from-provider")
    async def finish(request: Request) -> Response:
        former = request.cookies.get(sign_in.cookie_name)
        given = request.cookies.get(name)
        future = provider.submit_finish(
            given, _parameters(request), sign_in.address_of(request), sign_in.clock(), former
        )
        found = await asyncio.wrap_future(future)
        if not isinstance(found, SignedIn):
            raise _refusal(found)
        response = RedirectResponse(ACCOUNT if found.account.must_change else "/", 303)
        sign_in.give(response, found.cookie)
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=sign_in.secure)
        return response

    return router


def _refusal(refused: OidcRefused) -> RefusalError:
    print(f"minewatch: console: sign-in at the provider: {refused.reason}", file=sys.stderr, flush=True)
    return RefusalError(503, NOT_ANSWERED) if refused.provider_failed else RefusalError(400, NOT_TAKEN)


def _parameters(request: Request) -> dict[str, str]:
    """What the provider sends back: it may add names of its own, but none twice. Raises RefusalError."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise RefusalError(400, NOT_TAKEN) from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RefusalError(400, NOT_TAKEN)
    return found
