"""Signing in at a provider of OpenID Connect: a call-back that is not one's own is a page, never an error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from sensor.console.desk import Desk
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.people.provider import FLOW_COOKIE, provider_router
from sensor.console.web.app import make_app
from sensor.people.account import UserAccount
from sensor.people.oidc import OidcClient, OidcDoor
from sensor.people.provider import OidcProvider, https_fetch
from tests.people.desk import MACHINE, NOW, SUZHOU, opened
from tests.people.oidc_server import CLIENT, REDIRECT, SECRET, OidcServer


@pytest.fixture
def server() -> Iterator[OidcServer]:
    running = OidcServer()
    yield running
    running.close()


@pytest.fixture
def browsers(desk: Desk, server: OidcServer, tmp_path: Path) -> Iterator[tuple[TestClient, TestClient]]:
    with opened(f"sqlite:///{tmp_path}/ledger.db") as door:
        door.accounts.add(MACHINE, UserAccount("li", "Li", "officer", frozenset({SUZHOU})), None, NOW)
        client = OidcClient(CLIENT, SECRET, REDIRECT, "preferred_username", ("RS256",))
        provider = OidcDoor(door.store, door.trail, OidcProvider(server.issuer, https_fetch()), client)
        sign_in = DoorSignIn(door, secure=False, has_provider=True, clock=time.time_ns)
        routers = (entrance_router(desk, sign_in), provider_router(sign_in, provider))
        app = make_app(desk, sign_in, hosts=("testserver",), routers=routers)
        yield TestClient(app, follow_redirects=False), TestClient(app, follow_redirects=False)
        provider.close()


def test_who_signs_in_at_the_provider_sees_his_divisions_and_a_call_back_is_good_once(browsers, server):
    browser, stranger = browsers
    assert "/sign-in/provider" in browser.get("/sign-in").text
    away = browser.get("/sign-in/provider")
    assert away.status_code == 303
    assert away.headers["location"].startswith(server.issuer)
    assert {"HttpOnly", "SameSite=lax"} <= {part.strip() for part in away.headers["set-cookie"].split(";")}
    back = "/sign-in/back?" + urlencode({**server.authorize(away.headers["location"]), "session_state": "x"})
    kept = browser.cookies[FLOW_COOKIE]
    assert stranger.get(back).status_code == 400
    entered = browser.get(back)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert browser.cookies[COOKIE]
    assert browser.get("/overview").status_code == 200
    browser.cookies.set(FLOW_COOKIE, kept)
    assert browser.get(back).status_code == 400


@pytest.mark.parametrize(
    "query", ["", "state=x&code=y", "state=a&state=b", "error=access_denied", "%FF=1", "a" * 3_000]
)
def test_a_call_back_that_is_none_is_a_page(browsers, query):
    answer = browsers[0].get(f"/sign-in/back?{query}")
    assert answer.status_code == 400
    assert "<h1>" in answer.text


def test_a_provider_that_is_away_is_said_to_be(browsers, server):
    server.answer = lambda _: (500, b"")
    assert browsers[0].get("/sign-in/provider").status_code == 503
