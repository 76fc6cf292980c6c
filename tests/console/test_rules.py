"""Every route has a rule; a route without one is refused, whoever added it; nobody is let in without signing in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.routing import Route

from sensor.console.desk import Desk
from sensor.console.interface.router import interface_router
from sensor.console.people.accounts import people_router
from sensor.console.people.audit import audit_router
from sensor.console.people.bulletins import bulletins_router
from sensor.console.people.casework import casework_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.names import names_router
from sensor.console.people.provider import provider_router
from sensor.console.people.tokens import tokens_router
from sensor.console.people.views import views_router
from sensor.console.web.app import router_of
from sensor.console.web.problem import BASE
from sensor.console.web.rules import RULES
from sensor.console.web.signin import EverybodyAs
from sensor.model.scope import DATA_ROLES, ROLES, WORK_ROLES, Viewer
from sensor.people.tokens import SCOPES
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
        tokens_router(desk, sign_in),
        names_router(desk, sign_in),
        views_router(sign_in, stub),
        audit_router(desk, stub),
        bulletins_router(desk, sign_in, stub),
        casework_router(desk, sign_in, stub, stub),
        provider_router(sign_in, stub),
    )
    found = [route for router in routers for route in router.routes]
    assert all(type(route) is APIRoute for route in found)
    return [route for route in found if isinstance(route, APIRoute)]


def routes_of_programs() -> list[APIRoute]:
    """Those of the interface."""
    stub: Any = SimpleNamespace()
    found = interface_router(stub).routes
    assert all(type(route) is APIRoute for route in found)
    return [route for route in found if isinstance(route, APIRoute)]


def test_every_route_has_a_rule_and_every_rule_a_route(desk: Desk) -> None:
    names = [route.name for route in [*routes(desk), *routes_of_people(desk), *routes_of_programs()]]
    assert len(names) == len(set(names))
    assert set(names) == set(RULES)


def test_a_route_of_data_only_reads_unless_its_rule_says_that_it_works(desk: Desk) -> None:
    reading = [*routes(desk), *routes_of_programs()]
    assert {method for route in reading for method in route.methods} == {"GET", "HEAD"}
    for route in [*reading, *routes_of_people(desk)]:
        rule = RULES[route.name]
        if rule.data:
            assert (route.methods == {"POST"}) == rule.works, route.name
            assert rule.works or route.methods == {"GET", "HEAD"}, route.name


def test_three_powers_are_apart() -> None:
    for name, rule in RULES.items():
        if rule.works:
            assert rule.data, name
            assert rule.roles <= WORK_ROLES, name
        elif rule.data:
            assert rule.roles == (WORK_ROLES if name == "attachment" else DATA_ROLES), name
        assert rule.roles <= set(ROLES)
        assert not (rule.data and rule.public)


def test_programs_and_people_have_no_route_in_common() -> None:
    programs = {route.name: route for route in routes_of_programs()}
    for name, rule in RULES.items():
        assert bool(rule.scope) == (name in programs and rule.data), name
        assert not (rule.scope and rule.public)
    assert all(route.path.startswith(f"{BASE}/") for route in programs.values())
    assert {rule.scope for rule in RULES.values()} == {"", *SCOPES}


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
