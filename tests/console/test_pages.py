"""Every page, in both languages, for every role: what its rule says, whole HTML, nothing of another host, no script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor.console.desk import Desk
from sensor.console.web.app import PAGES
from sensor.console.web.rules import RULES
from sensor.ledger import Ledger
from sensor.model.scope import Role
from tests.console.province import LANGUAGES, ROLE_NAMES, client, paths, viewer
from tests.exporters.test_report import Tree

HTML = {"zh": "zh-Hans-CN", "en": "en"}
FORBIDDEN = {"script", "iframe", "object", "embed", "style", "img", "base"}
KINDS = re.compile(r"^/(\w+)(/[^/?]+)?(?:\?.*)?$")
SINGLE = {
    "enterprises": "enterprise", "sites": "site", "addresses": "address", "findings": "finding", "cases": "case"
}  # fmt: skip


def route_of(path: str) -> str:
    """The route of a path of `paths`."""
    found = KINDS.fullmatch(path)
    assert found is not None
    return SINGLE[found[1]] if found[2] else found[1]


def test_every_page_has_a_path_here(province: Ledger) -> None:
    assert {route_of(path) for path in paths(province)} == {route for route, *_ in PAGES} - {"capture"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_role_gets_the_pages_of_its_rule_and_no_others(
    desk: Desk, province: Ledger, role: Role, language: str
) -> None:
    browser = client(desk, viewer(role, language=language))
    for path in paths(province):
        answer = browser.get(path)
        allowed = role in RULES[route_of(path)].roles
        assert answer.status_code == (200 if allowed else 403), path
        tree = Tree(answer.text)
        assert tree.values("lang")[0] == HTML[language]
        assert (tree.elements["h1"], tree.elements["main"]) == (1, 1)
        assert not FORBIDDEN & set(tree.elements)
        assert not [name for name, _ in tree.attributes if name.startswith("on") or name == "style"]
        if not allowed:
            assert "10.0." not in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_names_another_host(desk: Desk, province: Ledger, language: str) -> None:
    browser = client(desk, viewer("lead", language=language))
    for path in [*paths(province), "/nothing", "/enterprises?foo=1"]:
        tree = Tree(browser.get(path).text)
        for name in ("href", "src", "action", "srcset", "formaction", "poster", "data"):
            assert all(value.startswith(("/", "#")) and not value.startswith("//") for value in tree.values(name)), path
    sheet = browser.get(re.findall(r'href="(/style-\w+\.css)"', browser.get("/overview").text)[0]).text
    assert "url(" not in sheet.replace("url(#hatch)", "")
    assert "@import" not in sheet
    assert "//" not in sheet.replace("/*", "").replace("*/", "")


def test_every_link_of_every_page_leads_to_a_page(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("lead", language="en"))
    seen: set[str] = set()
    for path in paths(province):
        seen |= {href for href in Tree(browser.get(path).text).values("href") if href.startswith("/")}
    assert len(seen) > 80
    assert not {href: code for href in sorted(seen) if (code := browser.get(href).status_code) not in (200, 303)}


def test_another_language_stays_with_every_link(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("lead", language="zh"))
    for path in paths(province):
        joined = f"{path}{'&' if '?' in path else '?'}lang=en"
        tree = Tree(browser.get(joined).text)
        assert tree.values("lang")[0] == "en"
        others = [href for href in tree.values("href") if href.startswith("/") and "lang=en" not in href]
        assert set(others) <= {"/", *(href for href in others if href.startswith("/style-")), path}


def test_the_first_page_is_the_first_that_is_the_viewers(desk: Desk) -> None:
    assert client(desk, viewer("reader")).get("/").headers["location"] == "/overview"
    assert client(desk, viewer("admin")).get("/").headers["location"] == "/sensors"
    assert client(desk, viewer("auditor")).get("/").status_code == 403


def test_no_page_reads_a_script_or_needs_one() -> None:
    templates = Path(__file__).parents[2] / "sensor/console/templates"
    assert not [path.name for path in templates.iterdir() if "<script" in path.read_text(encoding="utf-8")]
