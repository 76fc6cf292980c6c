"""What tools that attack the console found (docs/console-attacks.md), each as a test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from sensor.console.desk import Desk
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import DoorSignIn
from sensor.console.people.uploads import read_upload
from sensor.console.refusal import RefusalError
from sensor.console.web.app import make_app
from sensor.console.web.rules import RULES
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.store.errors import LedgerError
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


def test_whoever_goes_away_in_the_middle_of_an_upload_is_refused() -> None:
    begun = b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc'
    pieces = iter([{"type": "http.request", "body": begun, "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(pieces)

    request = Request({"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}, receive)
    with pytest.raises(RefusalError):
        asyncio.run(read_upload(request, ("file",), lambda _token: None))


def test_the_description_that_tools_attack_has_every_route_that_is_read_and_the_forms() -> None:
    routes = console_routes()
    others = {name for name in RULES if name.startswith("interface-")} | {"to-provider", "from-provider"}
    assert {route.name for route in routes} == set(RULES) - others
    document = description(routes, "0" * 64, {"number": ["7"]})
    described = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {f"GET-{route.name}" for route in routes if "GET" in route.methods} <= described
    assert {f"POST-{name}" for name in FORMS} <= described


ASKED = (
    *("/findings?grade=accepted", "/cases?state=new", "/addresses?address=10.0.0.1", "/findings?columns=miner"),
    *("/overview?week=2023-W47", "/findings?since=2023-11-20", "/sites?division=320505", "/cases?lang=en"),
)


@pytest.mark.parametrize("end", ["%0A", "%0D%0A", "%00", "%E2%80%A8"])
def test_a_value_with_a_line_behind_it_is_not_that_value(desk: Desk, end: str) -> None:
    browser = client(desk, viewer("lead"))
    for path in ASKED:
        assert browser.get(path).status_code == 200, path
        assert browser.get(path + end).status_code == 400, path
    for path in ("/sites/1", "/addresses/10.0.0.1", "/cases/1"):
        assert browser.get(path + end).status_code == 404, path


def test_a_ledger_whose_service_begins_to_write_is_read_again_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    read, faults = DeskReader.sites, [LedgerError("its service began to write", "locked")]

    def moved(self: DeskReader, *given: Any) -> Any:
        if faults:
            raise faults.pop()
        return read(self, *given)

    monkeypatch.setattr(DeskReader, "sites", moved)
    browser = client(desk, viewer("lead"))
    assert browser.get("/sites").status_code == 200
    faults += [LedgerError("its service began to write", "locked")] * 2
    assert browser.get("/sites").status_code == 503
    faults[:] = [LedgerError("it is damaged", "damaged")]
    assert browser.get("/sites").status_code == 503, "what will not mend is not tried again"
    assert capfd.readouterr().err.count("minewatch: console:") == 2
