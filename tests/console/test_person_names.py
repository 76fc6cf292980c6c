"""A private person's name is shown to who may ask for it, with a reason, on one page, after a row of the audit; it is
in no other page, list, export, address or log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sensor.audit.store import AuditError
from sensor.console.desk import Desk
from sensor.console.people.accounts import people_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.people.names import LEAST_REASON, MOST_REASON, names_router
from sensor.console.people.view_rows import ViewRows
from sensor.console.web.app import make_app
from sensor.ledger import Ledger
from sensor.people.door import PeopleDoor
from tests.console.province import PERSON, PERSONS_NAME
from tests.console.test_entrance import Browser
from tests.console.test_persons import STREET, persons_pages
from tests.people.desk import NOW, SUZHOU, add, audited, cookie_of, opened

XUZHOU = "320300"  # where the person is
REASON = "送达责令改正通知书，案件7"


class Office(NamedTuple):
    url: str
    door: PeopleDoor
    app: Any
    page: str  # of the person's site
    case: str
    cookies: dict[str, str]

    def of(self, login: str) -> Browser:
        browser = Browser(self.app, base_url="http://testserver", follow_redirects=False)
        browser.cookies.set(COOKIE, self.cookies[login])
        return browser

    def ask(self, login: str, **fields: str) -> Any:
        browser = self.of(login)
        return browser.send_form(f"{self.page}/person", **{"token": browser.token, "reason": REASON, **fields})


@pytest.fixture(scope="module")
def office(province: Ledger, desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path_factory.mktemp('office')}/ledger.db"
    with opened(url, wait_s=1.0) as door:
        for login, role, codes in (
            ("li", "officer", XUZHOU),
            ("chen", "lead", XUZHOU),
            ("sun", "reader", XUZHOU),
            ("wang", "officer", SUZHOU),
            ("root", "admin", ""),
            ("zhao", "auditor", ""),
        ):
            add(door, login, role, codes)
        sign_in = DoorSignIn(door, secure=False, clock=lambda: NOW)
        routers = (entrance_router(desk, sign_in), people_router(desk, sign_in), names_router(desk, sign_in))
        witness = ViewRows(door.trail, sign_in.clock)
        app = make_app(desk, sign_in, hosts=("testserver",), routers=routers, witness=witness)
        *_, case, page = persons_pages(province)
        cookies = {login: cookie_of(door, login) for login in ("li", "chen", "sun", "wang", "root", "zhao")}
        yield Office(url, door, app, page, case, cookies)


@pytest.mark.parametrize("login", ["li", "chen"])
def test_who_may_gets_the_name_of_that_person_after_a_row_with_the_reason(office: Office, login: str) -> None:
    assert 'name="reason"' in office.of(login).get(office.page).text
    before = len(audited(office.url))
    answer = office.ask(login)
    assert answer.status_code == 200
    assert PERSONS_NAME in answer.text
    assert STREET in answer.text
    assert answer.headers["cache-control"] == "no-store"
    row = next(row for row in audited(office.url)[before:] if row["action"] == "person.name")
    assert (row["actor"]["account"], row["kind"], row["why"]) == (login, "view", REASON)
    assert row["query"] == {"path": f"{office.page}/person"}
    assert row["objects"] == [f"site:{office.page.rpartition('/')[2]}", f"enterprise:name:{PERSON}"]
    assert PERSONS_NAME not in str(row)


def test_the_name_is_on_no_page_after_it_was_shown(office: Office) -> None:
    office.ask("li")
    browser = office.of("li")
    for path in (office.page, office.case, "/sites", "/sites?format=csv", f"/search?text={PERSONS_NAME}", "/overview"):
        text = browser.get(path).text.replace(f'value="{PERSONS_NAME}"', "")  # what was typed into the box
        assert PERSONS_NAME not in text, path
        assert STREET not in text, path


@pytest.mark.parametrize(
    ("login", "status"),
    [("sun", 403), ("root", 403), ("zhao", 403), ("wang", 404)],
    ids=["reader", "admin", "auditor", "another division"],
)
def test_who_may_not_gets_no_name_and_no_form(office: Office, login: str, status: int) -> None:
    answer = office.ask(login)
    assert answer.status_code == status
    assert PERSONS_NAME not in answer.text
    assert 'name="reason"' not in office.of(login).get(office.page).text


@pytest.mark.parametrize(
    "reason", ["", "   ", "x" * (LEAST_REASON - 1), "x" * (MOST_REASON + 1), "a\x00reason", "a\nreason"]
)
def test_without_a_reason_there_is_no_name(office: Office, reason: str) -> None:
    answer = office.ask("li", reason=reason)
    assert answer.status_code == 400
    assert PERSONS_NAME not in answer.text


def test_a_form_of_another_site_or_session_gets_no_name(office: Office) -> None:
    browser = office.of("li")
    foreign = {"sec-fetch-site": "cross-site", "origin": "http://elsewhere.example"}
    token = browser.token
    assert browser.send_form(f"{office.page}/person", foreign, token=token, reason=REASON).status_code == 403
    assert browser.send_form(f"{office.page}/person", token=office.of("chen").token, reason=REASON).status_code == 403
    assert browser.get(f"{office.page}/person").status_code == 405


def test_organisations_are_not_asked_for_that_way(office: Office, province: Ledger) -> None:
    number = next(
        case.site_id
        for case in province.reader.cases()
        if case.enterprise
        and not case.enterprise.individual
        and case.site
        and (case.site.division or "").startswith("3203")
    )
    browser = office.of("li")
    answer = browser.send_form(f"/sites/{number}/person", token=browser.token, reason=REASON)
    assert answer.status_code == 404
    assert 'name="reason"' not in browser.get(f"/sites/{number}").text


def test_without_a_row_there_is_no_name(
    office: Office, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = office.of("li")
    token = browser.token

    def full(_entry: object) -> int:
        raise AuditError("audit: the disk is full", "full")

    monkeypatch.setattr(office.door.trail, "record", full)
    answer = browser.send_form(f"{office.page}/person", token=token, reason=REASON)
    assert answer.status_code == 503
    assert PERSONS_NAME not in answer.text + "".join(capfd.readouterr())
