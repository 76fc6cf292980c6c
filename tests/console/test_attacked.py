"""What tools that attack the console found (docs/console-attacks.md), each as a test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sensor.console.desk import Desk
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import DoorSignIn
from sensor.console.web.app import make_app
from tests.console.attack.__main__ import console_routes
from tests.console.attack.description import FORMS, description
from tests.console.province import client, viewer
from tests.people.desk import NOW, opened


def test_an_answer_405_names_the_methods_that_there_are(desk: Desk) -> None:
    browser = client(desk, viewer("lead"))
    answer = browser.post("/overview")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert "allow" in browser.put("/overview").headers


def test_whoever_goes_away_in_the_middle_of_a_form_leaves_no_trace_in_the_journal(
    desk: Desk, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sent: list[dict[str, Any]] = []
    pieces = iter([{"type": "http.request", "body": b"login=li", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(pieces)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with opened(f"sqlite:///{tmp_path}/ledger.db") as door:
        sign_in = DoorSignIn(door, secure=False, clock=lambda: NOW)
        app: Any = make_app(desk, sign_in, hosts=("testserver",), routers=[entrance_router(desk, sign_in)])
        headers = [(b"host", b"testserver"), (b"content-type", b"application/x-www-form-urlencoded")]
        scope = {"type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
                 "headers": headers, "client": ("192.0.2.7", 50_000), "server": ("testserver", 80), "scheme": "http",
                 "http_version": "1.1", "root_path": ""}  # fmt: skip
        asyncio.run(app(scope, receive, send))
    assert [message.get("status") for message in sent if message["type"] == "http.response.start"] == [400]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_the_description_that_tools_attack_has_every_route_that_is_read_and_the_forms() -> None:
    routes = console_routes()
    document = description(routes, "0" * 64, {"number": ["7"]})
    described = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {f"GET-{route.name}" for route in routes if "GET" in route.methods} <= described
    assert {f"POST-{name}" for name in FORMS} <= described
