"""Which columns a list has is chosen in the address bar; the export has the same; what the list does not have is
refused."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
from fastapi.testclient import TestClient

from sensor.console.desk import Desk
from tests.console.province import client, viewer

LISTS = {
    "enterprises": "uscc",
    "sites": "kind",
    "addresses": "pools",
    "findings": "shares",
    "cases": "due",
    "pools": "coins",
}


@pytest.fixture(scope="module")
def browser(desk: Desk) -> TestClient:
    return client(desk, viewer("lead", language="en"))


def heads(text: str) -> list[str]:
    return [html.unescape(title) for title in re.findall(r'<th role="columnheader"[^>]*>([^<]*)</th>', text)]


def exported(browser: TestClient, path: str) -> list[str]:
    answer = browser.get(path).json()
    return [column["key"] for column in answer["columns"]]


@pytest.mark.parametrize(("name", "key"), LISTS.items())
def test_a_list_has_the_columns_that_were_asked_for_in_that_order_and_so_has_its_export(
    browser: TestClient, name: str, key: str
) -> None:
    whole = exported(browser, f"/{name}?format=json")
    assert key in whole
    asked = [key, whole[0]]
    path = f"/{name}?columns={','.join(asked)}"
    assert len(heads(browser.get(path).text)) == 2
    assert exported(browser, f"{path}&format=json") == asked
    rows = list(csv.reader(io.StringIO(browser.get(f"{path}&format=csv").content.decode("utf-8-sig"))))
    plain = list(csv.reader(io.StringIO(browser.get(f"/{name}?format=csv").content.decode("utf-8-sig"))))
    place = plain[0].index(rows[0][0])
    assert [row[0] for row in rows] == [row[place] for row in plain]
    assert [row[-1] for row in rows] == [row[0] for row in plain]


WRONG = ("nothing", "miner,nothing", "miner,miner", ",", "miner,", "a-b", "x" * 201, "%F0%9F%98%80")


@pytest.mark.parametrize("columns", WRONG)
def test_what_the_list_does_not_have_is_refused(browser: TestClient, columns: str) -> None:
    for path in ("/findings", "/findings?format=csv"):
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}columns={columns}")
        assert answer.status_code == 400, columns


def test_a_page_without_rows_is_of_the_same_rule(browser: TestClient) -> None:
    assert browser.get("/findings?activity=probe&columns=nothing").status_code == 400


def test_links_add_and_take_away_columns_and_keep_the_filters(browser: TestClient) -> None:
    text = browser.get("/findings?activity=mining&columns=miner,pool").text
    links = [html.unescape(link) for link in re.findall(r'href="([^"]*columns[^"]*)"', text)]
    added = next(link for link in links if "owner" in link)
    assert "activity=mining" in added
    assert heads(browser.get(added).text) == ["Miner", "Pool", "Whose"]
    taken = next(link for link in links if link.endswith("columns=pool"))
    assert heads(browser.get(taken).text) == ["Pool"]
    last = browser.get(taken).text
    assert "without Pool" not in last, "the last one stays"
    assert '<input type="hidden" name="columns" value="pool">' in last, "the form of filters keeps them"


def test_pages_of_a_list_have_the_same_columns(browser: TestClient) -> None:
    answer = browser.get("/findings?columns=login,miner&format=json")
    assert [len(row) for row in json.loads(answer.text)["rows"]] == [2] * len(answer.json()["rows"])
