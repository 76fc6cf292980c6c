"""Bulletins are made in the background: of their viewer's divisions alone, without names of persons, for nobody else,
after a row of the audit, and within bounds."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sensor.attribution.books.jurisdiction import viewers_scope
from sensor.audit.store import AuditError
from sensor.bulletin.period import week_of
from sensor.cli.main import main
from sensor.console.bulletins import press as bounds
from sensor.console.bulletins.making import WRITERS, Advance, BulletinMaker, BulletinOrder, BulletinTooLargeError
from sensor.console.bulletins.press import BulletinPress, PressBusyError
from sensor.console.desk import Desk
from sensor.console.people.bulletins import bulletins_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.web.app import make_app
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.store.errors import LedgerError
from sensor.model.scope import Viewer
from sensor.model.time import DAY_NS, HOUR_NS, day_of
from sensor.people.accounts import AccountPatch
from sensor.people.door import PeopleDoor
from tests.console.province import FOREIGN, PERSONS_NAME, PERSONS_STREET, SUZHOU, made_ledger, viewer
from tests.console.province import XUZHOU as PERSONS_DIVISION
from tests.console.test_entrance import Browser
from tests.documents.english_left import english, page_text
from tests.ledger.mining import MONDAY
from tests.people.desk import MACHINE, add, audited, cookie_of, opened

WEEK = "2023-W47"
AFTER = MONDAY + 7 * DAY_NS
LOGINS = {"li": ("officer", SUZHOU), "wang": ("reader", "320300"), "chen": ("lead", "320000"), "root": ("admin", "")}


def order(desk: Desk, who: Viewer, language: str = "zh", week: str = WEEK) -> BulletinOrder:
    scope = viewers_scope(who, desk.divisions, desk.year)
    period = week_of(week, desk.zone, day_of(desk.clock(), desk.zone))
    return BulletinOrder(period, language, who, DeskReader(desk.engine, scope))


def made(desk: Desk, who: Viewer, language: str = "zh", week: str = WEEK) -> dict[str, bytes]:
    return BulletinMaker(desk).files(order(desk, who, language, week), lambda _done, _steps: None)


def text_of(files: dict[str, bytes]) -> str:
    """All that stands in files."""
    plain = [content.decode() for form, content in files.items() if form != "xlsx"]
    with zipfile.ZipFile(io.BytesIO(files["xlsx"])) as book:
        return "\n".join([*plain, *(book.read(name).decode() for name in book.namelist())])


@pytest.mark.parametrize("week", [WEEK, "2023-W48"], ids=["mining", "gone"])
def test_a_bulletin_does_not_depend_on_what_others_have(desk: Desk, tmp_path: Path, week: str) -> None:
    """The whole province and one that has this viewer's miners alone: each file is the same to the byte."""
    who = viewer("officer", SUZHOU)
    with made_ledger(tmp_path, 0, 1) as own:
        alone = made(dataclasses.replace(desk, engine=own.engine), who, week=week)
    among_others = made(desk, who, week=week)
    assert set(alone) == set(WRITERS)
    assert {form: among_others[form] == alone[form] for form in alone} == dict.fromkeys(alone, True)
    text = text_of(among_others)
    assert "企业1号" in text
    assert "虎丘区" in text  # it says of which divisions it is
    assert not [foreign for foreign in FOREIGN if foreign in text]


def test_a_bulletin_of_everything_has_everybody_and_one_of_nothing_nobody(desk: Desk) -> None:
    assert {f"企业{number}号" for number in range(5)} <= set(re.findall("企业.号", text_of(made(desk, viewer("lead")))))
    nobody = text_of(made(desk, Viewer("new", "officer", frozenset())))
    assert "企业" not in "".join(re.findall("企业.号", nobody))
    assert "10.0." not in nobody


def test_that_of_everything_is_the_command_lines(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    url = desk.engine.url.render_as_string(hide_password=False)
    given = (f"ledger.url={url}", "ledger.timezone=Asia/Shanghai", "bulletin.co2_kg_per_kwh=0.5")
    words = ["bulletin", "--week", WEEK, "--lang", "en", "--format", "json"]
    assert main([*words, *(word for setting in given for word in ("--set", setting))]) == 0
    theirs, ours = json.loads(capsys.readouterr().out), json.loads(made(desk, viewer("lead"), "en")["json"])
    for each in (theirs, ours):
        each["meta"] = [entry for entry in each["meta"] if entry["name"] != "Made"]
    assert ours == theirs


@pytest.mark.parametrize("codes", [(), (PERSONS_DIVISION,)])
def test_persons_have_no_names_on_it(desk: Desk, codes: tuple[str, ...]) -> None:
    text = text_of(made(desk, viewer("lead", *codes, language="en"), "en"))
    assert "10.0.5.1" in text
    assert PERSONS_NAME not in text
    assert PERSONS_STREET not in text


class Held:
    """Makes bulletins when a test lets it."""

    def __init__(self, desk: Desk) -> None:
        self.make: Callable[[BulletinOrder, Advance], dict[str, bytes]] = BulletinMaker(desk).files
        self.go, self.begun = threading.Event(), threading.Event()

    def files(self, wanted: BulletinOrder, advance: Advance) -> dict[str, bytes]:
        advance(1, 9)
        self.begun.set()
        assert self.go.wait(10)
        return self.make(wanted, advance)


class Office(NamedTuple):
    url: str
    door: PeopleDoor
    app: Any
    press: BulletinPress
    held: Held

    def of(self, login: str) -> Browser:
        browser = Browser(self.app, base_url="http://testserver", follow_redirects=False)
        browser.cookies.set(COOKIE, cookie_of(self.door, login, AFTER))
        return browser

    def ask(self, browser: Browser, **fields: str) -> Any:
        return browser.send_form("/bulletins", None, **{"token": browser.token, "week": WEEK, **fields})

    def wait(self) -> None:
        for thread in threading.enumerate():
            if thread.name == "bulletin":
                thread.join(10)


@pytest.fixture
def office(desk: Desk, tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path}/people.db"
    desk = dataclasses.replace(desk, clock=lambda: AFTER)
    held = Held(desk)
    press = BulletinPress(held.files, desk.clock)
    with opened(url, wait_s=1.0) as door:
        for login, (role, codes) in LOGINS.items():
            add(door, login, role, codes)
        sign_in = DoorSignIn(door, secure=False, clock=lambda: AFTER)
        routers = (entrance_router(desk, sign_in), bulletins_router(desk, sign_in, press))
        yield Office(url, door, make_app(desk, sign_in, hosts=("testserver",), routers=routers), press, held)
        held.go.set()
        press.stop()


def test_one_is_made_in_the_background_and_its_files_are_those_of_its_viewer(office: Office, desk: Desk) -> None:
    browser = office.of("li")
    answer = office.ask(browser)
    assert answer.status_code == 303
    page = answer.headers["location"]
    assert office.held.begun.wait(10)
    waiting = browser.get(page).text
    assert ("http-equiv" in waiting, f'href="{page}?again=yes"' in waiting) == (False, True)
    asking = browser.get(f"{page}?again=yes").text
    assert ('<meta http-equiv="refresh"' in asking, f'href="{page}"' in asking) == (True, True)
    assert "已完成9步中的1步" in waiting
    assert browser.get(f"{page}/html").status_code == 404
    office.held.go.set()
    office.wait()
    done = browser.get(page).text
    assert 'http-equiv="refresh"' not in done
    expected = made(dataclasses.replace(desk, clock=lambda: AFTER), viewer("officer", SUZHOU))
    for form, content in expected.items():
        assert f'href="{page}/{form}"' in done
        file = browser.get(f"{page}/{form}")
        assert (file.status_code, file.content == content) == (200, True), form
        assert f"bulletin-{WEEK}.zh.{form}" in file.headers["content-disposition"]
        assert file.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in file.headers["content-security-policy"]
    assert not browser.get(f"{page}/html").headers["content-type"].startswith("text/html")
    rows = [row for row in audited(office.url) if row["action"].startswith("bulletin.")]
    assert [row["action"] for row in rows] == ["bulletin.start", *["bulletin.export"] * 5]
    assert {row["actor"]["account"] for row in rows} == {"li"}
    assert {row["objects"][0] for row in rows} == {f"bulletin:{page.rpartition('/')[2]}"}
    for text in (waiting, asking, done, browser.get("/bulletins").text):
        assert english(page_text(text)) == []


def test_it_is_nobody_elses_and_not_ones_own_after_the_divisions_changed(office: Office) -> None:
    office.held.go.set()
    page = office.ask(office.of("li")).headers["location"]
    office.wait()
    absent = office.of("chen").get("/bulletins/none")
    for login in ("wang", "chen"):
        other = office.of(login)
        for path in (page, f"{page}/csv"):
            answer = other.get(path)
            assert (answer.status_code, answer.text) == (404, absent.text)
        assert page not in other.get("/bulletins").text
    assert office.of("root").get(page).status_code == 403
    for codes, status in (({SUZHOU, "320300"}, 404), ({SUZHOU}, 200)):
        office.door.accounts.change(MACHINE, "li", AccountPatch(divisions=frozenset(codes)), AFTER)
        browser = office.of("li")
        assert browser.get(page).status_code == browser.get(f"{page}/json").status_code == status
        assert (page in browser.get("/bulletins").text) == (status == 200)


def test_one_is_made_for_each_viewer_and_two_in_all(office: Office) -> None:
    li, wang, chen = (office.of(login) for login in ("li", "wang", "chen"))
    assert office.ask(li).status_code == 303
    again = office.ask(li)
    assert (again.status_code, "正在为您生成一份简报" in again.text) == (409, True)
    assert office.ask(wang, language="en").status_code == 303
    third = office.ask(chen)
    assert (third.status_code, "正在为其他人生成两份简报" in third.text) == (409, True)
    office.held.go.set()
    office.wait()
    assert office.ask(li).status_code == office.ask(chen).status_code == 303
    assert [row["action"] for row in audited(office.url)].count("bulletin.start") == 4


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(LedgerError("ledger: /secret is locked"), "台账无法读取"), (BulletinTooLargeError(), "16 MiB"),
     (ValueError("/secret"), "原因见控制台日志")],
    ids=["ledger", "too large", "mistake"],
)  # fmt: skip
def test_one_that_fails_leaves_a_sentence_and_nothing_else(office: Office, error: Exception, sentence: str) -> None:
    def fail(_wanted: BulletinOrder, _advance: Advance) -> dict[str, bytes]:
        raise error

    office.held.make = fail
    office.held.go.set()
    browser = office.of("li")
    page = office.ask(browser).headers["location"]
    office.wait()
    text = browser.get(page).text
    assert sentence in text
    assert "/secret" not in text
    assert 'http-equiv="refresh"' not in text
    assert [browser.get(f"{page}/{form}").status_code for form in WRITERS] == [404] * 4


def test_without_a_row_none_is_begun_and_no_file_is_sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.held.go.set()
    browser = office.of("li")
    page, token = office.ask(browser).headers["location"], browser.token
    office.wait()

    def full(_entry: object) -> int:
        raise AuditError("audit: the disk is full", "full")

    monkeypatch.setattr(office.door.trail, "record", full)
    file = browser.get(f"{page}/csv")
    assert (file.status_code, "10.0." in file.text) == (503, False)
    for _time in range(3):  # what was not begun holds no place
        assert browser.send_form("/bulletins", token=token, week=WEEK).status_code == 503
    assert browser.get("/bulletins").text.count("/bulletins/") == 1


def test_a_period_or_language_that_is_none_is_refused(office: Office) -> None:
    browser = office.of("li")
    wrong = (
        {"week": "2023-W60"},
        {"from": "2023-11-01"},  # beside a week
        {"week": "", "to": "2023-11-01"},
        {"week": "", "from": "1960-01-01"},
        {"week": "", "from": "2023-11-02", "to": "2023-11-01"},
        {"week": "", "from": "2001-01-01", "to": "2023-01-01"},
        {"language": "fr"},
    )
    assert [office.ask(browser, **fields).status_code for fields in wrong] == [400] * len(wrong)
    assert not office.held.begun.is_set()


def test_a_form_of_another_site_or_role_begins_none(office: Office) -> None:
    browser, root = office.of("li"), office.of("root")
    foreign = {"sec-fetch-site": "cross-site", "origin": "http://elsewhere.example"}
    assert browser.send_form("/bulletins", foreign, token=browser.token, week=WEEK).status_code == 403
    assert office.ask(root).status_code == root.get("/bulletins").status_code == 403
    assert not office.held.begun.is_set()


def quick(_wanted: BulletinOrder, advance: Advance) -> dict[str, bytes]:
    advance(1, 1)
    return {"csv": b"x" * 1_000}


def finished(press: BulletinPress, wanted: BulletinOrder) -> str:
    its = press.begin(wanted, lambda _its: None)
    while its.ended_ns is None:
        threading.Event().wait(0.001)
    return its.key


def test_they_are_bounded_in_number_bytes_and_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [AFTER]
    press = BulletinPress(quick, lambda: times[0])
    orders = [order(desk, dataclasses.replace(viewer("lead"), login=f"lead-{number}")) for number in range(6)]

    def present(wanted: BulletinOrder) -> list[str]:
        return [each.key for each in press.of(wanted.viewer, wanted.reader.scope)]

    keys = [finished(press, orders[0]) for _number in range(bounds.MOST_OF_ONE + 2)]
    assert present(orders[0]) == keys[:1:-1]
    for wanted in orders[1:]:
        for _number in range(bounds.MOST_OF_ONE):
            finished(press, wanted)
    assert sum(len(present(wanted)) for wanted in orders) == bounds.MOST_OF_ALL
    assert present(orders[0]) == []
    monkeypatch.setattr(bounds, "MOST_BYTES_HELD", 3_500)
    newest = finished(press, orders[0])
    assert sum(len(present(wanted)) for wanted in orders) == 3
    assert present(orders[0]) == [newest]
    times[0] += HOUR_NS
    assert present(orders[0]) == []


def test_the_end_of_the_console_ends_what_is_being_made(desk: Desk) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(_wanted: BulletinOrder, advance: Advance) -> dict[str, bytes]:
        try:
            while True:
                advance(1, 2)
                begun.set()
        finally:
            ended.set()

    press, wanted = BulletinPress(endless), order(desk, viewer("lead"))
    press.begin(wanted, lambda _its: None)
    assert begun.wait(10)
    press.stop()
    assert ended.is_set()
    assert press.of(wanted.viewer, wanted.reader.scope) == []
    with pytest.raises(PressBusyError):
        press.begin(wanted, lambda _its: None)
