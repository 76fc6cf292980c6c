"""Every route has a rule; a route without one is refused, whoever added it; nobody is let in without signing in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.routing import Route

from sensor.console.desk import Desk
from sensor.console.people.accounts import people_router
from sensor.console.people.audit import audit_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.names import names_router
from sensor.console.people.provider import provider_router
from sensor.console.people.views import views_router
from sensor.console.web.app import router_of
from sensor.console.web.rules import RULES
from sensor.console.web.signin import EverybodyAs
from sensor.model.scope import DATA_ROLES, ROLES, Viewer
from tests.console.province import client, viewer


def routes(desk: Desk) -> list[APIRoute]:
    """Those of the pages."""
    app = router_of(desk, EverybodyAs(viewer("lead")))
    assert all(type(route) is APIRoute for route in app.routes), "a mount or plain route would pass by the rules"
    return [route for route in app.routes if isinstance(route, APIRoute)]


def routes_of_people(desk: Desk) -> list[APIRoute]:
    """Those by which people sign in, and of their accounts and the audit."""
    sign_in: Any = SimpleNamespace(secure=False)
    stub: Any = SimpleNamespace()
    routers = (
        entrance_router(desk, sign_in),
        people_router(desk, sign_in),
        names_router(desk, sign_in),
        views_router(sign_in, stub),
        audit_router(desk, stub),
        provider_router(sign_in, stub),
    )
    found = [route for router in routers for route in router.routes]
    assert all(type(route) is APIRoute for route in found)
    return [route for route in found if isinstance(route, APIRoute)]


def test_every_route_has_a_rule_and_every_rule_a_route(desk: Desk) -> None:
    names = [route.name for route in [*routes(desk), *routes_of_people(desk)]]
    assert len(names) == len(set(names))
    assert set(names) == set(RULES)


def test_every_route_of_data_only_reads(desk: Desk) -> None:
    assert {method for route in routes(desk) for method in route.methods} == {"GET", "HEAD"}
    assert not any(RULES[route.name].data for route in routes_of_people(desk))


def test_three_powers_are_apart() -> None:
    for name, rule in RULES.items():
        if rule.data:
            assert rule.roles == DATA_ROLES, name
        assert rule.roles <= set(ROLES)
        assert not (rule.data and rule.public)


def test_a_route_without_a_rule_is_refused(desk: Desk) -> None:
    router = APIRouter()

    @router.get("/secret", name="forgotten")
    def forgotten() -> str:
        return "10.0.0.1"

    answer = client(desk, viewer("lead"), routers=[router]).get("/secret")
    assert answer.status_code == 404
    assert "10.0.0.1" not in answer.text


def test_a_router_of_others_is_behind_its_rule(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from sensor.console.web.rules import RouteRule

    router = APIRouter()

    @router.get("/people", name="people")
    def people(request: Request) -> str:
        return f"hello {request.state.viewer.login}"

    monkeypatch.setitem(RULES, "people", RouteRule(frozenset({"admin"})))
    assert client(desk, viewer("admin"), routers=[router]).get("/people").text == '"hello admin-1"'
    assert client(desk, viewer("lead"), routers=[router]).get("/people").status_code == 403


class Nobody:
    entrance: str | None = None

    def viewer(self, _request: Request) -> Viewer | None:
        return None


@pytest.mark.parametrize("entrance", [None, "/sign-in"])
def test_nobody_sees_nothing(desk: Desk, entrance: str | None) -> None:
    from fastapi.testclient import TestClient

    from sensor.console.web.app import make_app

    door = Nobody()
    door.entrance = entrance
    browser = TestClient(make_app(desk, door, hosts=("testserver",)), follow_redirects=False)
    for route in routes(desk):
        path = route.path.format(key="x", number=1, address="10.0.0.1", digest="x")
        answer = browser.get(path)
        if RULES[route.name].public:
            assert answer.status_code in (200, 404)
        elif entrance is None:
            assert answer.status_code == 401
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, entrance)
        assert "10.0.0.1" not in answer.text


def test_no_page_describes_the_interface_with_scripts_of_others(desk: Desk) -> None:
    browser = client(desk, viewer("lead"))
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert browser.get(path).status_code == 404
    assert not [route for route in router_of(desk, EverybodyAs(viewer())).routes if type(route) is Route]
