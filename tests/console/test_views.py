"""An account keeps lists with their filters under names, of its own alone, and is shown what changed since its last
visit; both are of its divisions, and lead nowhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete

from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.people.views import views_router
from sensor.console.web.app import make_app
from sensor.ledger import Ledger
from sensor.model.time import MINUTE_NS
from sensor.people.door import PeopleDoor
from sensor.people.schema import VIEWS, VISITS
from sensor.people.views import MOST_NAME, MOST_VIEWS, NOTE_NS, VISIT_NS, PersonalViews
from tests.console.province import FOREIGN, desk_of, fill, miner
from tests.console.test_entrance import Browser
from tests.ledger.mining import DAY, HOUR, MONDAY
from tests.people.desk import SUZHOU, add, audited, cookie_of, opened

XUZHOU = "320300"
BEGAN = MONDAY + 7 * DAY
LOGINS = {"li": ("officer", SUZHOU), "wang": ("reader", XUZHOU), "chen": ("lead", "320000"), "root": ("admin", "")}


class Office(NamedTuple):
    url: str
    ledger: Ledger
    door: PeopleDoor
    app: Any
    times: list[int]
    cookies: dict[str, str]

    def of(self, login: str) -> Browser:
        browser = Browser(self.app, base_url="http://testserver", follow_redirects=False)
        browser.cookies.set(COOKIE, self.cookies[login])
        return browser


@pytest.fixture(scope="module")
def whole_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path_factory.mktemp('views')}/ledger.db"
    ledger, times = Ledger.open(url), [BEGAN]
    fill(ledger, (0, 1, 2))
    with opened(url) as door:
        for login, (role, codes) in LOGINS.items():
            add(door, login, role, codes)
        cookies = {login: cookie_of(door, login, BEGAN) for login in LOGINS}
        sign_in = DoorSignIn(door, secure=False, clock=lambda: times[0])
        personal = PersonalViews(door.store, door.trail)
        desk = desk_of(ledger, clock=lambda: times[0])
        routers = (entrance_router(desk, sign_in), views_router(sign_in, personal))
        app = make_app(desk, sign_in, hosts=("testserver",), routers=routers, personal=personal)
        yield Office(url, ledger, door, app, times, cookies)
    ledger.close()


@pytest.fixture
def office(whole_office: Office) -> Office:
    """The same for all tests, without views and visits."""
    whole_office.times[0] = BEGAN
    with whole_office.door.store.writing() as connection:
        for table in (VIEWS, VISITS):
            connection.execute(delete(table))
    return whole_office


def kept(browser: Browser, **fields: str) -> Any:
    return browser.send_form(
        "/views", **{"token": browser.token, "name": "mine", "route": "cases", "query": "", **fields}
    )


def test_a_list_is_kept_with_its_filters_and_leads_back_to_them(office: Office) -> None:
    browser = office.of("li")
    page = browser.get("/findings?activity=mining&address=10.0.0.0%2F8&columns=miner,pool&lang=en").text
    fields = dict(re.findall(r'<input type="hidden" name="(route|query)" value="([^"]*)">', page))
    answer = kept(browser, name="夜间", **{name: html.unescape(value) for name, value in fields.items()})
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    asked = {"activity": ["mining"], "address": ["10.0.0.0/8"], "columns": ["miner,pool"]}
    assert (parts.netloc, parts.path, parse_qs(parts.query)) == ("", "/findings", asked)
    overview = browser.get("/overview").text
    found = re.search(r'<a href="(/findings[^"]*)"><bdi>夜间</bdi>', overview)
    assert found
    assert browser.get(html.unescape(found[1])).status_code == 200
    assert kept(browser, name="夜间", route="cases", query="open=yes").headers["location"] == "/cases?open=yes"
    assert overview.count("夜间") > 0
    assert browser.get("/overview").text.count(">夜间<") == overview.count(">夜间<"), "one of the same name is replaced"
    browser.send_form("/views/remove", token=browser.token, name="夜间")
    assert "夜间" not in browser.get("/overview").text
    rows = (row for row in audited(office.url) if row["phase"] == "done")
    actions = [row["action"] for row in rows if row["action"].startswith("view.")]
    assert actions == ["view.save", "view.save", "view.remove"]


@pytest.mark.parametrize(
    "fields",
    [
        {"route": "overview"},
        {"route": "case"},
        {"route": "people"},
        {"route": "https://elsewhere.example/"},
        {"route": "//elsewhere.example"},
        {"query": "next=https://elsewhere.example/"},
        {"query": "state=nothing"},
        {"query": "open=yes&open=no"},
        {"query": "\r\nLocation: https://elsewhere.example/"},
        {"query": "name=" + "x" * 201},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * (MOST_NAME + 1)},
        {"name": "a\nb"},
        {"next": "https://elsewhere.example/"},
    ],
    ids=str,
)
def test_what_is_no_list_or_not_its_filter_is_refused_and_leads_nowhere(office: Office, fields: dict[str, str]) -> None:
    browser = office.of("li")
    answer = kept(browser, **fields)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert not PersonalViews(office.door.store, office.door.trail).views("li")


def test_a_view_is_one_accounts_own_and_shows_what_its_reader_may_see(office: Office) -> None:
    kept(office.of("chen"), name="everything", route="addresses", query="address=10.0.0.0/8")
    other = office.of("wang")
    assert "everything" not in other.get("/overview").text
    other.send_form("/views/remove", token=other.token, name="everything")
    assert "everything" in office.of("chen").get("/overview").text
    kept(office.of("li"), name="theirs", route="addresses", query="address=10.0.2.1")
    text = office.of("li").get("/addresses?address=10.0.2.1").text.replace('value="10.0.2.1"', "")
    assert "10.0.2.1</" not in text
    admin = office.of("root")
    assert admin.send_form("/views", token=admin.token, name="x", route="cases", query="").status_code == 403


def test_views_are_bounded_and_a_foreign_form_keeps_none(office: Office) -> None:
    browser = office.of("li")
    for number in range(MOST_VIEWS):
        assert kept(browser, name=f"view {number}").status_code == 303
    assert kept(browser, name="one more").status_code == 400
    assert kept(browser, name="view 7", query="open=yes").status_code == 303, "one that is there may be replaced"
    foreign = {"sec-fetch-site": "cross-site", "origin": "http://elsewhere.example"}
    form = {"token": browser.token, "name": "view 1", "route": "cases", "query": "open=no"}
    assert browser.send_form("/views", foreign, **form).status_code == 403
    assert browser.get("/views").status_code == 405


def test_what_changed_since_the_last_visit_is_shown_and_stays_while_the_visit_lasts(office: Office) -> None:
    title, browser = "自您上次访问以来", office.of("li")
    assert title not in browser.get("/overview").text, "the first visit has none before it"
    office.times[0] += NOTE_NS + 1
    assert title not in browser.get("/overview").text, "nor has the first visit's second page"
    office.times[0] = BEGAN + HOUR // 2
    began_ns = BEGAN + HOUR // 4
    office.ledger.record([miner(1, first_ns=began_ns, last_ns=began_ns + MINUTE_NS, finding_id="fresh")], began_ns)
    office.ledger.record([miner(2, first_ns=began_ns, last_ns=began_ns + MINUTE_NS, finding_id="foreign")], began_ns)
    for code in ("3205", "3203"):
        cases = (case for case in office.ledger.reader.cases() if case.site and case.site.division)
        case = next(case for case in cases if str(case.site and case.site.division).startswith(code))
        office.ledger.set_case(case.case_id, "notified", began_ns, who="desk", why="as ordered")
    office.times[0] = BEGAN + VISIT_NS + 20 * MINUTE_NS
    browser.cookies.set(COOKIE, cookie_of(office.door, "li", office.times[0]))
    for _again in range(2):
        text = browser.get("/overview").text
        assert title in text
        assert "新发现1条，新立案或状态变动的案件1件" in text
        assert 'href="/findings/fresh"' in text
        for foreign in ("/findings/foreign", *FOREIGN):
            assert foreign not in text
        office.times[0] += NOTE_NS + 1
    office.times[0] += 2 * VISIT_NS
    browser.cookies.set(COOKIE, cookie_of(office.door, "li", office.times[0]))
    assert "新发现0条，新立案或状态变动的案件0件" in browser.get("/overview").text
