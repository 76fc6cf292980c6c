"""What stands around every request: headers on every answer, the name of the host, bounds of what is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from sensor.console.desk import Desk
from sensor.console.web import app as console
from sensor.console.web.furniture import HEADERS, MAX_BODY_BYTES, MAX_HEADER_BYTES
from sensor.ledger import Ledger
from sensor.ledger.store.errors import LedgerError
from sensor.model.scope import Viewer
from tests.console.province import client, desk_of, paths, viewer

POLICY = {
    "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'", "base-uri 'none'",
    "frame-ancestors 'none'",
}  # fmt: skip


@pytest.fixture
def browser(desk: Desk) -> TestClient:
    return client(desk, viewer("lead"))


def dressed(headers: object) -> None:
    found = dict(headers)  # type: ignore[call-overload]
    for name, value in HEADERS.items():
        assert found[name.lower()] == value
    assert set(found["content-security-policy"].split("; ")) == POLICY
    assert found["cache-control"] == "no-store"
    assert "set-cookie" not in found
    assert "server" not in found


def test_every_answer_has_the_headers(browser: TestClient, province: Ledger) -> None:
    exports = [f"/{name}?format={form}" for name in ("cases", "findings") for form in ("csv", "xlsx", "json")]
    for path in [*paths(province), *exports, "/", "/health", "/nothing", "/cases/9999", "/cases?foo=1"]:
        dressed(browser.get(path).headers)
    for refused in (
        browser.get("/overview", headers={"Host": "evil.example"}),
        browser.request("DELETE", "/cases/1"),
        browser.post("/cases/1"),
        browser.post("/cases/1", content=b"x" * (MAX_BODY_BYTES + 1)),
        browser.get("/overview", headers={"X-Long": "x" * MAX_HEADER_BYTES}),
        browser.get("/overview?name=" + "x" * 5_000),
    ):
        assert refused.status_code >= 400
        dressed(refused.headers)


def test_a_mistake_of_ours_is_dressed_and_says_nothing_of_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_visit: object) -> None:
        raise RuntimeError("secret detail")

    pages = tuple(
        (route, path, broken if route == "pools" else maker, asked) for route, path, maker, asked in console.PAGES
    )
    monkeypatch.setattr(console, "PAGES", pages)
    app = console.make_app(desk, console_viewer(viewer("lead")), hosts=("testserver",))
    answer = TestClient(app, raise_server_exceptions=False).get("/pools")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    dressed(answer.headers)


def console_viewer(who: Viewer) -> object:
    from sensor.console.web.signin import EverybodyAs

    return EverybodyAs(who)


def test_under_tls_the_browser_is_told_to_stay_there(desk: Desk) -> None:
    assert "strict-transport-security" not in client(desk, viewer("lead")).get("/overview").headers
    secure = client(desk, viewer("lead"), secure=True)
    for path in ("/overview", "/nothing"):
        assert secure.get(path).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "", "testserver@evil", "127.0.0.1"])
def test_another_host_is_refused(browser: TestClient, host: str) -> None:
    answer = browser.get("/overview", headers={"Host": host})
    assert (answer.status_code, "10.0." in answer.text) == (421, False)


@pytest.mark.parametrize("host", ["testserver", "TestServer:9480", "testserver:443"])
def test_its_own_names_are_taken_with_any_port(browser: TestClient, host: str) -> None:
    assert browser.get("/overview", headers={"Host": host}).status_code == 200


def test_forwarded_headers_change_nothing(browser: TestClient) -> None:
    plain = browser.get("/overview").text
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "127.0.0.1", "Forwarded": "host=evil.example"}
    assert browser.get("/overview", headers=lies).text == plain


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(browser: TestClient, method: str) -> None:
    assert browser.request(method, "/overview").status_code == 405


def test_nothing_is_written_by_posting(browser: TestClient, province: Ledger) -> None:
    for path in paths(province):
        assert browser.post(path).status_code in (400, 404, 405), path


def test_a_body_without_a_length_is_bounded(desk: Desk) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    assert client(desk, viewer("lead")).post("/overview", content=pieces()).status_code in (405, 413)


def test_a_ledger_that_cannot_be_read_is_said_without_its_place(
    province: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sensor.ledger.read.lists.desk import DeskReader

    def locked(*_: object) -> None:
        raise LedgerError("ledger /var/lib/minewatch/ledger.db: it is locked", "locked")

    monkeypatch.setattr(DeskReader, "cases", locked)
    answer = client(desk_of(province), viewer("lead", language="en")).get("/cases")
    assert answer.status_code == 503
    assert "/var/lib" not in answer.text
    assert "/var/lib" in capsys.readouterr().err


def test_heads_of_pages_are_without_a_body(browser: TestClient) -> None:
    answer = browser.head("/overview")
    assert (answer.status_code, answer.content) == (200, b"")
