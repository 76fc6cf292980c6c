"""Tokens in the browser: made by whose account it is and shown once, ended by him, an admin, or a lead of its
divisions; and the program that has one reads until then."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from sensor.console.desk import Desk
from sensor.console.interface.answers import ProgramAnswers
from sensor.console.interface.gate import TokenGate
from sensor.console.interface.rate import RequestRate
from sensor.console.interface.router import interface_router
from sensor.console.people.accounts import people_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import DoorSignIn
from sensor.console.people.tokens import tokens_router
from sensor.console.web.app import make_app
from sensor.console.web.problem import BASE
from sensor.people.tokens import SCOPES
from tests.console.interface.programs import Programs
from tests.console.test_entrance import Browser
from tests.people.desk import NOW, audited

ASKED = {"label": "statistics office", "divisions": "320505", "days": "30", "read-cases": "yes", "read-figures": "yes"}


@pytest.fixture(scope="module")
def browse(programs: Programs, desk: Desk) -> Any:
    door = programs.door
    sign_in = DoorSignIn(door, secure=False, clock=lambda: NOW)
    routers = (
        entrance_router(desk, sign_in), people_router(desk, sign_in), tokens_router(desk, sign_in),
        interface_router(ProgramAnswers(desk, door.trail, sign_in.clock)),
    )  # fmt: skip
    gate = TokenGate(door.tokens, sign_in.clock, sign_in.address_of, RequestRate())
    app = make_app(desk, sign_in, hosts=("testserver",), routers=routers, programs=gate)

    @cache
    def browser(login: str) -> Browser:
        found = Browser(app, base_url="http://testserver", follow_redirects=False, client=("192.0.2.7", 50_000))
        assert found.enter(login).status_code == 303
        return found

    return browser


def made_token(browser: Browser, **changes: str) -> tuple[str, str]:
    """A token that is made on the page: its number and its secret."""
    answer = browser.send_form("/account/tokens", token=browser.token, **{**ASKED, **changes})
    assert answer.status_code == 200, answer.text
    secrets = re.findall(r"mwt_[A-Za-z0-9_-]{43}", answer.text)
    assert len(set(secrets)) == 1
    assert answer.headers["cache-control"] == "no-store"
    number = re.search(r"令牌 ([0-9a-f]{12})", answer.text)
    assert number is not None
    return number[1], secrets[0]


def reads(browser: Browser, secret: str, name: str = "cases") -> int:
    """The status that a program with this token gets."""
    return int(browser.get(f"{BASE}/{name}", headers={"Authorization": f"Bearer {secret}"}).status_code)


def test_an_officer_makes_a_token_that_is_shown_once_and_ends_it(browse: Any, programs: Programs) -> None:
    browser = browse("officer")
    token_id, secret = made_token(browser)
    page = browser.get("/account/tokens").text
    assert secret not in page
    assert token_id in page
    assert [reads(browser, secret, name) for name in ("cases", "figures", "findings")] == [200, 200, 403]
    token = next(token for token in programs.door.tokens.of("officer") if token.token_id == token_id)
    assert (token.divisions, token.scopes) == (frozenset({"320505"}), frozenset({"read:cases", "read:figures"}))
    ended = browser.send_form(f"/account/tokens/{token_id}", token=browser.token)
    assert (ended.status_code, reads(browser, secret)) == (303, 401)
    assert secret not in repr(audited(programs.url))


@pytest.mark.parametrize(
    "changes",
    [{"label": ""}, {"divisions": "320300"}, {"divisions": "all"}, {"divisions": "x"}, {"days": "0"}, {"days": "367"},
     {"days": "x"}, {"read-cases": "no", "read-figures": "no"}, {"read-cases": "YES", "read-figures": ""}],
)  # fmt: skip
def test_a_token_that_may_not_be_is_refused_with_a_sentence(browse: Any, changes: dict[str, str]) -> None:
    browser = browse("officer")
    answer = browser.send_form("/account/tokens", token=browser.token, **{**ASKED, **changes})
    assert answer.status_code == 400
    assert "mwt_" not in answer.text


def test_no_admin_and_no_auditor_makes_a_token_and_a_form_of_elsewhere_makes_none(browse: Any) -> None:
    for login in ("root", "auditor"):
        browser = browse(login)
        assert browser.get("/account/tokens").status_code == 403
        assert browser.send_form("/account/tokens", token=browser.token, **ASKED).status_code == 403
        assert "/account/tokens" not in browser.get("/account").text
    browser = browse("officer")
    assert browser.send_form("/account/tokens", **ASKED).status_code == 403
    foreign = {"sec-fetch-site": "cross-site", "origin": "http://evil.example"}
    assert browser.send_form("/account/tokens", headers=foreign, token=browser.token, **ASKED).status_code == 403
    assert {f"read:{name.partition('-')[2]}" for name in ASKED if name.startswith("read-")} < set(SCOPES)


def test_an_admin_and_a_lead_end_tokens_of_others_and_an_officer_none(browse: Any) -> None:
    officer = browse("officer")
    for ender in ("root", "lead"):
        token_id, secret = made_token(officer)
        other = browse("reader")
        assert other.send_form(f"/account/tokens/{token_id}", token=other.token).status_code == 404
        refused = other.send_form("/people/officer/token", token=other.token, key=token_id)
        assert (refused.status_code, reads(officer, secret)) == (403, 200)
        browser = browse(ender)
        page = browser.get("/people/officer").text
        assert token_id in page
        assert secret not in page
        answer = browser.send_form("/people/officer/token", token=browser.token, key=token_id)
        assert (answer.status_code, reads(officer, secret)) == (303, 401)
        again = browser.send_form("/people/officer/token", token=browser.token, key=token_id)
        assert again.status_code == 404


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"divisions": "320100"}, "令牌的行政区划"),
        ({"divisions": "999999"}, "没有行政区划 999999"),
        ({"label": ""}, "应为1至 80 个字符"),
        ({"days": "367"}, "366"),
        ({"read-cases": "no", "read-figures": "no"}, "read:findings"),
    ],
)
def test_why_there_is_no_token_is_said_in_the_language_of_the_page(
    browse: Any, changes: dict[str, str], sentence: str
) -> None:
    browser = browse("officer")
    answer = browser.send_form("/account/tokens", token=browser.token, **{**ASKED, **changes})
    assert answer.status_code == 400
    text = re.sub(r"<[^>]*>", "", answer.text.partition("</h1>")[2].partition("<h2")[0])
    assert sentence in text
    assert not re.search(r"\b(is|a|of|there|lie)\b", text)
