"""Lists: paging loses and repeats nothing under equal keys, and an export is the list that is shown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.ledger.read.lists.cut import ListCut, ListKey
from sensor.ledger.read.lists.records import AskedFindings
from tests.console.province import client, desk_of, viewer
from tests.exporters.test_report import Tree
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

COUNT = 120
LISTS = ("enterprises", "sites", "addresses", "findings", "cases", "pools")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Many miners that were all seen last at one instant, each of an own enterprise and pool."""
    url = f"sqlite:///{tmp_path_factory.mktemp('crowd')}/ledger.db"
    writer = Ledger.open(url)
    for number in range(COUNT):
        its = {"attribution": owned(number), "activity": "mining", "pool_host": f"pool{number:03}.example:3333"}
        writer.record([mined(number, MONDAY, MONDAY + 2 * HOUR, 40, **its)], MONDAY)
    writer.add_coverage(MONDAY, MONDAY + DAY)
    writer.close()
    reader = Ledger.open_to_read(url)
    yield reader
    reader.close()


@pytest.fixture
def browser(crowd: Ledger) -> TestClient:
    return client(desk_of(crowd), viewer("lead", language="en"))


def rows_of(text: str) -> list[list[str]]:
    """The cells of the list of a page, as text."""
    body = text.partition("<tbody")[2].partition("</tbody>")[0]
    rows = re.findall(r'<tr role="row">(.*?)</tr>', body, re.DOTALL)
    return [
        [" ".join(Tree(cell).text).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


def walked(browser: TestClient, path: str) -> list[list[str]]:
    """The rows of all pages, by their links."""
    found, href = [], path
    while href:
        text = browser.get(href).text
        rows = rows_of(text)
        assert len(rows) <= 50
        found += rows
        more = re.search(r'class="next" href="([^"]+)"', text)
        href = more[1].replace("&amp;", "&") if more else ""
    return found


@pytest.mark.parametrize("name", LISTS)
def test_all_pages_have_each_row_once_though_keys_are_equal(browser: TestClient, name: str) -> None:
    rows = walked(browser, f"/{name}")
    assert len(rows) == COUNT
    assert len({tuple(row) for row in rows}) == COUNT


@pytest.mark.parametrize("name", LISTS)
def test_an_export_has_the_rows_of_the_list_in_its_order(browser: TestClient, name: str) -> None:
    shown = walked(browser, f"/{name}")
    table = list(csv.reader(io.StringIO(browser.get(f"/{name}?format=csv").content.decode("utf-8-sig"))))
    book = CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"/{name}?format=xlsx").content))
    sheet = book.get_sheet_by_index(1).to_python()
    document = json.loads(browser.get(f"/{name}?format=json").content)
    first = [row[0].replace(",", "") for row in shown]
    assert [row[0] for row in table[1:]] == first
    assert [str(row[0]).removesuffix(".0") for row in sheet[1:]] == first
    keys = [column["key"] for column in document["columns"]]
    assert [str(row[keys[0]]) for row in document["rows"]] == first
    heads = re.findall(r'<th role="columnheader"[^>]*>(.*?)</th>', browser.get(f"/{name}").text)
    assert [column["title"] for column in document["columns"]] == [head.replace("&#39;", "'") for head in heads]


def test_an_export_is_of_what_was_asked(browser: TestClient) -> None:
    path = "/addresses?address=10.0.0.0%2F20"
    assert len(walked(browser, path)) == 16
    assert len(json.loads(browser.get(f"{path}&format=json").content)["rows"]) == 16
    assert json.loads(browser.get(f"{path}&format=json").content)["filters"] == {"address": "10.0.0.0/20"}


def test_rows_that_come_in_between_two_pages_move_no_other_row(tmp_path: Path) -> None:
    writer = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    for number in range(60):
        writer.record([mined(number, MONDAY, MONDAY + HOUR, 40, activity="mining")], MONDAY)
    browser = client(desk_of(writer), viewer("lead", language="en"))
    text = browser.get("/addresses").text
    first = [row[0] for row in rows_of(text)]
    writer.record([mined(900, MONDAY, MONDAY + 3 * HOUR, 40, activity="mining")], MONDAY)
    behind = re.search(r'class="next" href="([^"]+)"', text)
    assert behind is not None
    second = [row[0] for row in rows_of(browser.get(behind[1]).text)]
    assert len(set(first) | set(second)) == 60 == len(first) + len(second)
    assert re.search(r"after=\d+\.10\.0\.\d+\.1", unquote(behind[1]))
    writer.close()


def test_a_cut_begins_behind_its_key(crowd: Ledger) -> None:
    from sensor.ledger.read.lists.desk import DeskReader
    from sensor.model.scope import EVERYWHERE

    reader = DeskReader(crowd.engine, EVERYWHERE)
    whole = [found.stored.finding.finding_id for found in reader.findings(AskedFindings())]
    assert whole == sorted(whole)
    key = ListKey(MONDAY + 2 * HOUR, whole[6])
    assert [found.stored.finding.finding_id for found in reader.findings(AskedFindings(), ListCut(key, 3))] == whole[
        7:10
    ]


def test_each_filter_leaves_out_what_does_not_fit(desk: Desk) -> None:
    browser = client(desk, viewer("lead", language="en"))

    def addresses(path: str) -> set[str]:
        return set(re.findall(r"10\.0\.\d\.1|192\.0\.2\.200", " ".join(map(" ".join, walked(browser, path)))))

    assert addresses("/addresses?division=320300") == {"10.0.2.1", "10.0.5.1"}
    assert addresses("/addresses?division=苏州市") == {"10.0.0.1", "10.0.1.1"}
    assert addresses("/addresses?name=企业3号") == {"10.0.3.1"}
    assert addresses("/addresses?address=10.0.2.1") == {"10.0.2.1"}
    assert addresses("/addresses?algorithm=scrypt") == set()
    assert addresses("/addresses?pool=pool1.example%3A3333") == {"10.0.1.1"}
    assert addresses("/addresses?state=closed") == set()
    assert len(addresses("/addresses?state=new")) == 7
    assert addresses("/addresses?grade=verified") == set()
    assert len(addresses("/addresses?since=2023-11-20&until=2023-11-20")) == 7
    assert addresses("/findings?wallet=WALLET2") == {"10.0.2.1", "192.0.2.200"}
    assert addresses("/findings?worker=rig3") == {"10.0.3.1"}
    assert addresses("/findings?pool-address=203.0.113.5") == {"10.0.4.1"}
    assert addresses("/findings?activity=probe") == set()
    assert len(addresses("/findings?open=yes")) == 7
    assert addresses("/cases?name=192.0.2.200") == {"192.0.2.200"}
    assert len(walked(browser, "/cases?overdue=yes")) == 0
