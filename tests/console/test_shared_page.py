"""What sites share is a page of the console and a list for programs: of the viewer's divisions, page by page whatever
a name has in it, and with the sentence that a chosen name proves nothing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.console.address_bar import AFTER, read_address_bar
from sensor.console.desk import Desk
from sensor.console.pages.shared import SHARED_ASKED, escaped, plain
from sensor.console.web.rules import RULES
from sensor.ledger import Ledger
from sensor.ledger.read.lists.cut import ListCut, ListKey
from sensor.model.finding import Wallet
from sensor.model.scope import DATA_ROLES
from tests.console.province import HANGZHOU, ROLE_NAMES, SUZHOU, client, desk_of, miner, viewer
from tests.ledger.mining import MONDAY

#: Seen last at the same moment, so that names alone tell the pages apart.
HOSTILE = (
    *(
        "<script>alert(1)</script>",
        " begins with a space",
        "ends with one ",
        "\u3000wide",
        "a\\00000b",
        "tab\tand\nline",
    ),
    *("\u202ereversed", "雷" * 200, "\x1b[2J" * 50, "&after=1.x&by=pool", "a.b.c", "%2e%2E"),
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Miners of divisions 0 and 1 (a viewer's) and 3 (foreign) are paid at one wallet; 60 names of rigs are shared."""
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('shared')}/ledger.db")
    names = tuple(sorted((*HOSTILE, *(f"hall-rig-{number:02}a" for number in range(48)))))
    for number in (0, 1, 3):
        wallet = Wallet("joint-wallet" if number else "foreign-and-own", "account")
        one = miner(number, wallet=wallet, workers=names)
        ledger.record([dataclasses.replace(one, last_ns=MONDAY + 60 * 3_600 * 10**9)], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 6 * 86_400 * 10**9)
    yield desk_of(ledger)
    ledger.close()


def pages(desk: Desk, path: str) -> list[str]:
    """All pages of a list, one after another."""
    browser = client(desk, viewer("lead", language="en"))
    found: list[str] = []
    while path:
        answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found.append(answer.text)
        assert len(found) < 10
        links = [unescape(link) for link in re.findall(r'href="/shared\?([^"]*)"', answer.text)]
        onward = [link for link in links if {name for name, _ in parse_qsl(link)} == {"by", "after"}]
        path = next((f"/shared?{link}" for link in onward if f"/shared?{link}" != path), "")
    return found


def test_every_name_stands_on_one_page_whatever_is_in_it(desk: Desk) -> None:
    found = pages(desk, "/shared?by=worker")
    assert len(found) == 2
    rows = [row for page in found for row in re.findall(r"<tr\b.*?</tr>", page, re.DOTALL) if "<td" in row]
    assert len(rows) == len(HOSTILE) + 48
    assert "<script>alert" not in "".join(found)
    assert all("is a hint, and proves nothing" in page for page in found)


def test_no_name_leads_to_a_page_that_refuses_it(tmp_path: Path) -> None:
    """Names have up to 240 characters of any kind; what stands in the address bar has 200, and all of them print."""
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    names = tuple(sorted((*HOSTILE, "rig" + "y" * 237, "雷" * 240)))
    for number, payee in enumerate(("w" * 240, "a\tb", "plain-payee")):
        one = miner(number, wallet=Wallet(payee, "account"), workers=names, pool_host=f"{payee}.example")
        ledger.record([one], MONDAY)
    browser = client(desk_of(ledger), viewer("lead", language="en"))
    pages_seen = [browser.get(f"/shared?addresses=1&by={by}").text for by in ("worker", "wallet", "pool")]
    pages_seen += [browser.get("/pools").text, *(browser.get(f"/search?text={text}").text for text in ("www", "yyy"))]
    found = re.findall(r'href="(/(?:findings|search|addresses)\?[^"]*)"', "".join(pages_seen))
    links = {unescape(link) for link in found}
    assert any("plain-payee" in link for link in links)
    assert [link for link in sorted(links) if browser.get(link).status_code != 200] == []
    ledger.close()


@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=240))
def test_a_name_comes_back_from_the_address_bar(name: str) -> None:
    written = urlencode({"after": f"7.{escaped(name)}"}).encode()
    cut = plain(ListCut(read_address_bar(written, (AFTER,)).get(AFTER)))
    assert cut.after == ListKey(7, name)


def test_a_place_in_the_list_that_is_none_is_refused(desk: Desk) -> None:
    browser = client(desk, viewer("lead", language="en"))
    for after in ("1.\\00d800", "1.\\000000", "1.\\ffffff", "x", "1."):
        assert browser.get("/shared", params={"by": "worker", "after": after}).status_code == 400, after
    for query in ("sensors=0", "sensors=x", "by=coin", "usual=no", "addresses=9999999999"):
        assert browser.get(f"/shared?{query}").status_code == 400, query


def test_what_a_viewer_does_not_see_joins_nothing(desk: Desk) -> None:
    lead = client(desk, viewer("lead", language="en"))
    officer = client(desk, viewer("officer", SUZHOU, language="en"))
    assert "joint-wallet" in lead.get("/shared").text
    text = officer.get("/shared?addresses=1").text
    assert "foreign-and-own" in text
    assert "joint-wallet" in text  # at his own address, and that alone
    assert "joint-wallet" not in officer.get("/shared").text
    assert "hall-rig-00a" in officer.get("/shared?by=worker").text
    there = client(desk, viewer("officer", HANGZHOU, language="en"))
    assert "hall-rig-00a" not in there.get("/shared?by=worker").text
    assert "Hangzhou" not in officer.get("/shared?by=enterprise&addresses=1").text


def test_roles_that_see_data_see_it_and_no_others(desk: Desk) -> None:
    assert RULES["shared"].data
    for role in ROLE_NAMES:
        status = client(desk, viewer(role)).get("/shared").status_code
        assert status == (200 if role in DATA_ROLES else 403), role


def test_a_file_has_what_the_pages_have(desk: Desk) -> None:
    browser = client(desk, viewer("lead", language="en"))
    for form in ("csv", "xlsx", "json"):
        answer = browser.get(f"/shared?by=worker&format={form}")
        assert answer.status_code == 200
    rows = browser.get("/shared?by=worker&format=json").json()["rows"]
    assert len(rows) == len(HOSTILE) + 48
    text = browser.get("/shared?by=pool&addresses=1&format=csv").text
    assert "pool3.example" in text


def test_every_filter_has_a_title_in_chinese(desk: Desk) -> None:
    text = client(desk, viewer("lead", language="zh")).get("/shared").text
    assert all(parameter.title == "" or parameter.title not in text for parameter in SHARED_ASKED)
    assert "只是线索" in text
