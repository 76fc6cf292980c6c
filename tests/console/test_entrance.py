"""The entrance of the console: sessions by cookie, forms of our own pages alone, and what each role comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from exporters.forms.documents.translations import HTML_LANGUAGES
from sensor.audit.store import AuditError, AuditReader, audit_place
from sensor.console.desk import Desk
from sensor.console.people.accounts import people_router
from sensor.console.people.audit import audit_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, SECURE_COOKIE, DoorSignIn
from sensor.console.people.view_rows import ViewRows
from sensor.console.web.app import make_app
from sensor.people.account import UserAccount
from sensor.people.door import PeopleDoor
from tests.console.province import LANGUAGES, PLACES
from tests.people.desk import MACHINE, NOW, OTHER, PASSWORD, SUZHOU, WUXI, add, audited, opened

OWN = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}


class Browser(TestClient):
    """A browser that follows nothing, and sends forms as browsers do."""

    def send_form(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
        return self.post(path, data=fields, headers=OWN if headers is None else headers)

    def enter(self, login: str, password: str = PASSWORD) -> Any:
        return self.send_form("/sign-in", login=login, password=password)

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([0-9a-f]{64})"', self.get("/account").text)
        assert found
        return found[1]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def door(url: str) -> Iterator[PeopleDoor]:
    with opened(url) as opened_door:
        add(opened_door, "root", "admin")
        add(opened_door, "li", "officer", SUZHOU)
        add(opened_door, "wang", "officer", WUXI)
        add(opened_door, "chen", "lead", SUZHOU)
        add(opened_door, "zhao", "auditor")
        yield opened_door


@pytest.fixture
def times() -> list[int]:
    return [NOW]


@pytest.fixture
def browse(desk: Desk, door: PeopleDoor, url: str, times: list[int]) -> Any:
    def browser(*, secure: bool = False, has_proxy: bool = False, peer: str = "testclient") -> Browser:
        sign_in = DoorSignIn(door, secure=secure, has_proxy=has_proxy, clock=lambda: times[0])
        routers = (
            entrance_router(desk, sign_in),
            people_router(desk, sign_in),
            audit_router(desk, lambda: AuditReader(audit_place(url))),
        )
        app = make_app(
            desk,
            sign_in,
            hosts=("testserver",),
            secure=secure,
            routers=routers,
            witness=ViewRows(door.trail, sign_in.clock),
        )
        base = "https://testserver" if secure else "http://testserver"
        return Browser(app, base_url=base, follow_redirects=False, client=(peer, 50_000))

    return browser


def test_whoever_is_not_signed_in_comes_to_the_entrance_and_sees_nothing(browse):
    browser = browse()
    for path in ("/overview", "/people", "/audit", "/account", "/", "/findings"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert browser.send_form("/people", login="x").status_code in (401, 403)
    for language in LANGUAGES:
        page = browser.get(f"/sign-in?lang={language}")
        assert page.status_code == 200
        assert "<script" not in page.text


def test_a_session_begins_with_a_cookie_that_only_this_host_has_and_ends_with_sign_out(browse):
    for secure, name in ((False, COOKIE), (True, SECURE_COOKIE)):
        browser = browse(secure=secure)
        own = {**OWN, "origin": "https://testserver" if secure else "http://testserver"}
        entered = browser.send_form("/sign-in", headers=own, login="li", password=PASSWORD)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith(f"{name}=")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert ("Secure" in cookie, "Domain" in cookie, "Max-Age" in cookie) == (secure, False, False)
        assert browser.get("/overview").status_code == 200
        kept = browser.cookies[name]
        assert browser.send_form("/sign-out", headers=own, token=browser.token).headers["location"] == "/sign-in"
        browser.cookies.set(name, kept)
        assert browser.get("/overview").status_code == 303


def test_a_wrong_password_and_a_name_that_is_none_get_the_same_page(browse):
    answers = [browse().enter(login, OTHER) for login in ("li", "nobody", "no such name")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_an_account_that_is_tried_too_often_is_told_to_wait(browse):
    browser = browse()
    statuses = [browser.enter("li", OTHER).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    assert int(browser.enter("li").headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "http://testserver"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_that_another_site_sends_changes_nothing(browse, headers):
    browser = browse()
    assert browser.send_form("/sign-in", headers=headers, login="li", password=PASSWORD).status_code == 403
    browser.enter("root")
    token = browser.token
    sent = {"token": token, "login": "new", "role": "reader", "divisions": "all", "new": PASSWORD, "language": "zh"}
    assert browser.send_form("/people", headers=headers, **sent).status_code == 403
    assert browser.send_form("/sign-out", headers=headers, token=token).status_code == 403
    assert browser.get("/people").status_code == 200


def test_a_form_needs_the_token_of_its_own_session_and_no_other_fields(browse):
    mine, other = browse(), browse()
    mine.enter("root")
    other.enter("li")
    for fields in ({}, {"token": ""}, {"token": other.token}, {"token": "0" * 64}):
        assert mine.send_form("/people/li/state", disabled="yes", **fields).status_code == 403
    extra = {"token": mine.token, "disabled": "yes", "role": "admin"}
    assert mine.send_form("/people/li/state", **extra).status_code == 400
    assert other.get("/overview").status_code == 200


def test_who_got_a_password_chooses_another_one_before_anything_is_shown(browse, door):
    door.accounts.add(MACHINE, UserAccount("neu", "Neu", "officer", frozenset({SUZHOU})), PASSWORD, NOW)
    browser = browse()
    assert browser.enter("neu").headers["location"] == "/account"
    assert browser.get("/overview").headers["location"] == "/sign-in"
    assert browser.get("/sign-in").headers["location"] == "/account"
    page = browser.get("/account")
    assert page.status_code == 200
    assert "/account/sessions" not in page.text
    token = browser.token
    wrong = browser.send_form("/account/password", token=token, present=OTHER, new=OTHER, again=OTHER)
    apart = browser.send_form("/account/password", token=token, present=PASSWORD, new=OTHER, again=PASSWORD)
    short = browser.send_form("/account/password", token=token, present=PASSWORD, new="short", again="short")
    assert (wrong.status_code, apart.status_code, short.status_code) == (400, 400, 400)
    done = browser.send_form("/account/password", token=token, present=PASSWORD, new=OTHER, again=OTHER)
    assert done.status_code == 200
    assert browser.get("/overview").status_code == 200


def test_sessions_end_by_time_by_others_and_with_the_account(browse, times):
    first, second = browse(), browse()
    first.enter("li")
    second.enter("li")
    assert first.send_form("/account/sessions", token=first.token).status_code == 200
    assert (first.get("/overview").status_code, second.get("/overview").status_code) == (200, 303)
    admin = browse()
    admin.enter("root")
    assert admin.send_form("/people/li/state", token=admin.token, disabled="yes").status_code == 303
    assert first.get("/overview").status_code == 303
    times[0] += 13 * 3_600 * 10**9
    assert admin.get("/people").status_code == 303


def test_an_admin_manages_accounts_and_sees_no_case(browse, door):
    browser = browse()
    browser.enter("root")
    assert browser.get("/").headers["location"] == "/sensors"
    for path in ("/overview", "/cases", "/findings", "/search", "/audit"):
        assert browser.get(path).status_code == 403
    new = {"login": "Neu", "name": "新人", "role": "officer", "divisions": "苏州市 320200", "language": "zh"}
    added = browser.send_form("/people", token=browser.token, new=PASSWORD, **new)
    assert (added.status_code, added.headers["location"]) == (303, "/people/neu")
    account = door.accounts.get("neu")
    assert (account.divisions, account.must_change) == (frozenset({"320500", "320200"}), True)
    for field, value in (("role", "king"), ("divisions", "999999"), ("login", "-"), ("divisions", "")):
        refused = browser.send_form(
            "/people", token=browser.token, new=PASSWORD, **{**new, "login": "x2", field: value}
        )
        assert refused.status_code == 400
    own = browser.send_form("/people/root/rights", token=browser.token, role="officer", divisions="all")
    assert (own.status_code, door.accounts.get("root").role) == (400, "admin")
    assert browser.get("/people/nobody").status_code == 404


def test_a_lead_changes_readers_and_officers_of_his_own_divisions_alone(browse, door):
    browser = browse()
    browser.enter("chen")
    page = browser.get("/people")
    assert ">li<" in page.text
    for login in ("wang", "root", "zhao", "chen"):
        assert f">{login}</a>" not in page.text
        assert browser.get(f"/people/{login}").status_code == 404
        assert browser.send_form(f"/people/{login}/state", token=browser.token, disabled="yes").status_code == 404
    assert browser.send_form("/people", token=browser.token, login="neu", role="reader").status_code == 403
    wider = browser.send_form("/people/li/rights", token=browser.token, role="officer", divisions="all")
    higher = browser.send_form("/people/li/rights", token=browser.token, role="lead", divisions=SUZHOU)
    assert (wider.status_code, higher.status_code) == (400, 400)
    assert browser.send_form("/people/li/password", token=browser.token, new=OTHER).status_code == 400
    assert (
        browser.send_form("/people/li/rights", token=browser.token, role="reader", divisions=SUZHOU).status_code == 303
    )
    assert door.accounts.get("li").role == "reader"


def test_an_auditor_sees_the_audit_and_changes_nothing(browse, url):
    browser = browse()
    browse().enter("li", OTHER)
    browser.enter("zhao")
    assert browser.get("/").headers["location"] == "/audit"
    page = browser.get("/audit?check=all")
    assert page.status_code == 200
    assert "account.sign-in-failed" in page.text
    narrowed = browser.get("/audit?actor=account:zhao&action=sign-in")
    assert narrowed.status_code == 200
    assert "account.sign-in-failed" not in narrowed.text
    assert browser.get("/audit?before=2").status_code == 200
    for wrong in ("before=x", "check=some", "who=me"):
        assert browser.get(f"/audit?{wrong}").status_code == 400
    for path in ("/overview", "/people", "/cases", "/sensors"):
        assert browser.get(path).status_code == 403
    assert browser.send_form("/people/li/state", token=browser.token, disabled="yes").status_code == 403
    assert any(row["action"] == "account.sign-in" for row in audited(url))


def test_nothing_that_was_typed_as_a_password_is_in_the_audit(browse, url):
    browser = browse()
    browser.enter("li", "a secret that nobody may read")
    browser.enter("li")
    browser.send_form("/account/password", token=browser.token, present=PASSWORD, new=OTHER, again=OTHER)
    text = repr(audited(url))
    assert not any(secret in text for secret in ("a secret that", PASSWORD, OTHER, browser.cookies[COOKIE]))


@pytest.mark.parametrize("path", ["/sign-in", "/account/password", "/people"])
def test_forms_of_other_types_and_sizes_are_refused(browse, path):
    browser = browse()
    browser.enter("root")
    for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain", ""):
        answer = browser.post(path, content=b"login=x", headers={**OWN, "content-type": kind})
        assert answer.status_code == 400
    body = "&".join(f"f{number}=1" for number in range(2_000))
    form = {**OWN, "content-type": "application/x-www-form-urlencoded"}
    assert browser.post(path, content=body, headers=form).status_code == 400
    assert browser.post(path, content=b"x=" + b"y" * 70_000, headers=form).status_code == 413
    assert browser.post(path, content=b"\xff=\xff", headers=form).status_code == 400


def test_every_page_of_people_is_whole_in_both_languages_without_a_script(browse):
    for login, pages in (("root", ("/people", "/people/li", "/account", "/sensors")), ("zhao", ("/audit", "/account"))):
        browser = browse()
        browser.enter(login)
        for language in LANGUAGES:
            browser.send_form("/account/language", token=browser.token, language=language)
            for path in pages:
                page = browser.get(path)
                assert page.status_code == 200
                assert f'<html lang="{HTML_LANGUAGES[language]}">' in page.text
                assert "<script" not in page.text
                assert "http://" not in page.text.replace("http://www.w3.org", "")


def test_a_page_of_data_leaves_a_row_with_what_it_showed_and_is_not_sent_without_one(browse, url, door, monkeypatch):
    browser = browse()
    browser.enter("li")
    assert browser.get("/addresses?lang=en").status_code == 200
    assert browser.get("/addresses?format=csv").status_code == 200
    assert browser.get("/sensors").status_code == 200
    views = [row for row in audited(url) if row["kind"] in ("view", "export")]
    assert [row["action"] for row in views] == ["addresses.show", "addresses.export"]
    assert all(row["who"] == "account:li" and "address:10.0.0.1" in row["objects"] for row in views)
    assert (views[0]["query"]["path"], views[0]["query"]["lang"]) == ("/addresses", "en")

    def full(_entry):
        raise AuditError("audit: the disk is full")

    monkeypatch.setattr(door.trail, "record", full)
    refused = browser.get("/addresses")
    assert refused.status_code == 503
    assert "10.0.0.1" not in refused.text


def test_a_page_of_one_thing_names_it_in_the_audit_as_moves_of_it_do(browse, url, province):
    browser = browse()
    browser.enter("li")
    case = next(case for case in province.reader.cases() if case.site and case.site.division == PLACES[0])
    finding = next(held.finding for held in province.reader.findings() if held.finding.miner_ip == "10.0.0.1")
    expected = {
        f"/cases/{case.case_id}": f"case:{case.case_id}",
        f"/sites/{case.site_id}": f"site:{case.site_id}",
        "/addresses/10.0.0.1": "address:10.0.0.1",
        f"/findings/{finding.finding_id}": f"finding:{finding.finding_id}",
    }
    for path in expected:
        assert browser.get(path).status_code == 200
    views = [row["objects"] for row in audited(url) if row["kind"] == "view"]
    assert views == [[name] for name in expected.values()]
    for path, kind in (("/enterprises", "enterprise:"), ("/cases", "case:"), ("/findings", "finding:")):
        assert browser.get(path).status_code == 200
        objects = audited(url)[-1]["objects"]
        assert objects
        assert all(name.startswith(kind) for name in objects)
    assert f"case:{case.case_id}" in next(row["objects"] for row in audited(url) if row["action"] == "cases.show")


def test_behind_a_proxy_of_this_host_clients_are_told_apart_by_what_it_says_last(browse, url):
    for peer, forwarded, expected in (
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "198.51.100.1, 192.0.2.8", "192.0.2.8"),
        ("127.0.0.1", "192.0.2.7, nobody", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("203.0.113.9", "192.0.2.7", "203.0.113.9"),
    ):
        headers = OWN if forwarded is None else {**OWN, "x-forwarded-for": forwarded}
        browse(has_proxy=True, peer=peer).send_form("/sign-in", headers=headers, login="li", password=OTHER)
        assert audited(url)[-1]["actor"]["address"] == expected
    browse(peer="127.0.0.1").send_form(
        "/sign-in", headers={**OWN, "x-forwarded-for": "192.0.2.7"}, login="wang", password=OTHER
    )
    assert audited(url)[-1]["actor"]["address"] == "127.0.0.1"
