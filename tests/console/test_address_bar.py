"""What stands in the address bar: an unknown name is refused on every page, as is a value that is none."""

from __future__ import annotations

import pytest

from sensor.console.desk import Desk
from sensor.console.web.app import PAGES
from sensor.ledger import Ledger
from tests.console.province import client, paths, viewer

#: Values that are none, by a page that has the parameter.
REFUSED = (
    "/addresses?address=10.0.0",
    "/addresses?address=10.0.0.1%2F8",
    "/addresses?grade=7",
    "/addresses?grade=",
    "/addresses?since=2023-13-01",
    "/addresses?since=20231101x",
    "/addresses?site=-1",
    "/addresses?site=1%0A",
    "/addresses?after=5",
    "/addresses?after=.x",
    "/addresses?after=1e9.x",
    "/addresses?after=99999999999999999999.x",
    "/addresses?format=pdf",
    "/addresses?lang=fr",
    "/addresses?state=New",
    "/addresses?name=%00",
    "/addresses?name=a%0Ab",
    "/addresses?name=" + "x" * 201,
    "/addresses?name=%ff",
    "/addresses?name=a&name=b",
    "/addresses?name",
    "/addresses?&",
    "/addresses?division=999999",
    "/addresses?division=99",
    "/addresses?division=nowhere",
    "/cases?open=true",
    "/cases?overdue=no",
    "/cases?after=1.x",
    "/sites?after=1.x",
    "/sites?kind=Mine",
    "/findings?pool-address=pool.example",
    "/overview?week=2026-W54",
    "/overview?week=2026W",
    "/overview?week=0001-W01",
    "/?a=b",
)
#: Of those, what is no mistake: an empty field of a form.
EMPTY = {"/addresses?grade="}


@pytest.mark.parametrize("name", ["foo", "Name", "limit", "offset", "q", "divisions", "__proto__", "%D0%BF"])
def test_an_unknown_name_is_refused_on_every_page(desk: Desk, province: Ledger, name: str) -> None:
    browser = client(desk, viewer("lead", language="en"))
    for path in [*paths(province), "/"]:
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}{name}=1")
        assert answer.status_code == 400, path
        assert "There is no filter" in answer.text


@pytest.mark.parametrize("path", REFUSED)
def test_a_value_that_is_none_is_refused(desk: Desk, path: str) -> None:
    answer = client(desk, viewer("lead")).get(path)
    assert answer.status_code == (200 if path in EMPTY else 400)
    assert "<h1>" in answer.text


def test_a_value_that_is_false_is_a_value(desk: Desk) -> None:
    """`open=no` and `site=0` are asked for, and are not the same as nothing."""
    browser = client(desk, viewer("lead", language="en"))
    assert "10.0.0.1" not in browser.get("/findings?open=no").text
    assert "10.0.0.1" not in browser.get("/findings?site=0").text
    assert "10.0.0.1" not in browser.get("/addresses?site=0").text
    assert "10.0.0.1" in browser.get("/addresses?site=").text


def test_what_was_asked_stands_in_the_form_and_in_every_link_of_the_list(desk: Desk) -> None:
    text = client(desk, viewer("lead", language="en")).get("/addresses?division=320500&grade=speaks").text
    assert 'name="division" type="text" value="320500"' in text
    assert '<option value="speaks" selected>' in text
    assert "/addresses?division=320500&amp;grade=speaks&amp;format=csv" in text


def test_names_of_filters_are_words() -> None:
    names = {parameter.name for *_, parameters in PAGES for parameter in parameters}
    assert all(name.replace("-", "").isalpha() and name.islower() for name in names)
    assert {"lang", "week", "division", "name", "grade", "state", "since", "until", "address", "after"} <= names


def test_paths_that_are_none_are_not_found(desk: Desk) -> None:
    browser = client(desk, viewer("lead"))
    for path in (
        "/cases/x",
        "/cases/1e3",
        "/cases/%D9%A1",
        "/cases/-1",
        "/cases/1/",
        "/sites/99999999999999999999",
        "/addresses/10.0.0",
        "/addresses/10.0.0.1%0A",
        "/findings/%00",
        "/findings/..%2F..%2Fetc%2Fpasswd",
        "/findings/../overview/x",
        "/style-0000000000000000.css",
        "/.//evil.example/",
        "/overview/",
    ):
        answer = browser.get(path)
        assert answer.status_code == 404, path
        assert "location" not in answer.headers


@pytest.mark.parametrize("query", ["since=0264-02-17", "until=6867-09-21", "after=9999999999999999999.x"])
def test_what_no_database_can_count_is_refused(desk: Desk, query: str) -> None:
    assert client(desk, viewer("lead")).get(f"/findings?{query}").status_code == 400
