"""A viewer of one division learns nothing of another: pages, counts, exports, searches, errors. Deny by default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.model.scope import Role
from tests.console.province import (
    END,
    FOREIGN,
    HANGZHOU,
    LANGUAGES,
    OLD,
    SUZHOU,
    XUZHOU,
    client,
    desk_of,
    made_ledger,
    paths,
    viewer,
)

LISTS = ("enterprises", "sites", "addresses", "findings", "cases", "pools")
SEARCHES = ("10.0.2.1", "10.0.0.0/8", "企业", "企业2号", "wallet", "wallet3", "rig", "pool", "Street", "name:3", "欧阳")


def everything(ledger: Ledger) -> list[str]:
    """Pages, exports and searches."""
    exports = [f"/{name}?format={form}" for name in LISTS for form in ("csv", "json")]
    filtered = [
        f"/addresses?address=10.0.0.0%2F8&grade=speaks&division={SUZHOU}",
        "/findings?wallet=wallet&worker=rig2",
        "/cases?open=yes&name=10.0.2.1",
        "/sites?kind=mine",
        "/sites?kind=unclear",
        f"/enterprises?division={XUZHOU}",
        "/enterprises?name=企业",
        "/overview?week=2023-W46",
    ]
    return [*paths(ledger), *exports, *filtered, *(f"/search?text={text.replace('/', '%2F')}" for text in SEARCHES)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_viewer_sees_does_not_depend_on_what_others_have(
    desk: Desk, province: Ledger, tmp_path: Path, language: str
) -> None:
    """The whole province and one that has this viewer's miners alone: each page is the same to the byte."""
    who = viewer("officer", SUZHOU, language=language)
    with made_ledger(tmp_path, 0, 1) as own:
        alone = client(desk_of(own), who)
        among_others = client(desk, who)
        for path in everything(own):
            here, there = among_others.get(path), alone.get(path)
            assert (here.status_code, here.text) == (there.status_code, there.text), path
            assert here.status_code == 200, path
        assert len(own.reader.cases()) == 2 < len(province.reader.cases())


@pytest.mark.parametrize("role", ["reader", "officer", "lead"])
def test_nothing_foreign_is_on_any_page_or_in_any_export(desk: Desk, province: Ledger, role: Role) -> None:
    browser = client(desk, viewer(role, SUZHOU))
    for path in everything(province):
        asked = {text for text in FOREIGN if text in path}
        found = [text for text in FOREIGN if text in browser.get(path).text and text not in asked]
        assert not found, path


def test_counts_are_of_the_viewers_divisions(desk: Desk) -> None:
    def tiles(*codes: str) -> dict[str, str]:
        text = client(desk, viewer("officer", *codes, language="en")).get("/overview").text
        return dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"value[^>]*><bdi>([^<]*)</bdi>", text))

    whole, suzhou, xuzhou, nobody = tiles(), tiles(SUZHOU), tiles(XUZHOU), tiles("110101")
    assert (whole["Addresses"], whole["Organisations"], whole["Private persons"]) == ("7", "5", "1")
    assert (suzhou["Addresses"], suzhou["Organisations"], suzhou["Private persons"]) == ("2", "2", "0")
    assert (xuzhou["Addresses"], xuzhou["Organisations"], xuzhou["Private persons"]) == ("2", "1", "1")
    assert (nobody["Addresses"], nobody["Sites"]) == ("0", "0")


def test_a_foreign_object_is_answered_as_an_absent_one(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("officer", SUZHOU))
    foreign = next(entry.finding for entry in province.reader.findings() if entry.finding.miner_ip == "10.0.3.1")
    case = next(case for case in province.reader.cases() if case.site and case.site.division == HANGZHOU)
    assert case.enterprise is not None
    pairs = (
        (f"/findings/{foreign.finding_id}", "/findings/none"),
        (f"/findings/{foreign.finding_id}/capture", "/findings/none/capture"),
        (f"/cases/{case.case_id}", "/cases/9999"),
        (f"/sites/{case.site_id}", "/sites/9999"),
        (f"/enterprises/{case.enterprise.enterprise_id}", "/enterprises/none"),
        (f"/addresses/{foreign.miner_ip}", "/addresses/10.99.0.1"),
        ("/addresses/192.0.2.200", "/addresses/10.99.0.1"),
    )
    for path, absent in pairs:
        here, there = browser.get(path), browser.get(absent)
        assert (here.status_code, here.text) == (404, there.text), path
        assert {name: value for name, value in here.headers.items() if name != "date"} == dict(there.headers)
        assert client(desk, viewer("lead")).get(path).status_code in (200, 404 if path.endswith("capture") else 200)


def test_what_lies_nowhere_is_seen_by_who_sees_everything_alone(desk: Desk) -> None:
    assert "192.0.2.200" in client(desk, viewer("lead")).get("/addresses").text
    every_province = [f"{number}0000" for number in (11, 32, 33)]
    assert "192.0.2.200" not in client(desk, viewer("lead", *every_province)).get("/addresses").text


def test_the_division_that_an_abolished_one_became_sees_its_old_cases(desk: Desk) -> None:
    for code in (OLD, "110118", "110000"):
        assert "企业4号" in client(desk, viewer("officer", code)).get("/enterprises").text, code
    assert "企业4号" not in client(desk, viewer("officer", "110101")).get("/enterprises").text


def test_nothing_granted_shows_nothing_and_says_so(desk: Desk) -> None:
    from sensor.model.scope import Viewer

    browser = client(desk, Viewer("new", "officer", frozenset(), "en"))
    for name in LISTS:
        text = browser.get(f"/{name}").text
        assert "No division was granted to you" in text
        assert "10.0." not in text
    assert browser.get("/findings?format=csv").text.count("\r\n") == 1


def test_a_division_that_does_not_exist_shows_nothing(desk: Desk) -> None:
    browser = client(desk, viewer("officer", "999999", language="en"))
    answer = browser.get("/enterprises")
    assert (answer.status_code, "does not exist" in answer.text) == (403, True)


def test_figures_of_a_week_that_are_kept_are_never_another_scopes(province: Ledger) -> None:
    """One desk, whose cache all visits share, in an order in which the wider scope came first."""
    desk = desk_of(province)
    wide = client(desk, viewer("lead")).get("/overview").text
    narrow = client(desk, viewer("lead", SUZHOU)).get("/overview").text
    again = client(desk, viewer("lead")).get("/overview").text
    assert wide == again != narrow
    assert desk.clock() == END


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_who_runs_or_audits_the_console_sees_no_finding_whatever_was_granted(
    desk: Desk, province: Ledger, role: Role
) -> None:
    browser = client(desk, viewer(role))
    for path in everything(province):
        answer = browser.get(path)
        assert answer.status_code == 403 or (role == "admin" and path == "/sensors"), path
        assert not [text for text in FOREIGN if text in answer.text and text not in path], path
