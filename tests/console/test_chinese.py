"""The console's pages in Chinese have no English sentence: not in reasons of findings, of kinds of sites and of moves,
nor in refusals of accounts and faults of the audit."""

from __future__ import annotations

import pytest

from exporters.forms.documents.recorded_sentences import recorded
from sensor.attribution.books.divisions import DivisionError, Divisions
from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.people import account, rules
from sensor.people.account import AccountError, UserAccount
from tests.console.province import client, paths, viewer
from tests.documents.english_left import english, page_text


def test_every_kind_of_page_is_chinese(province: Ledger, desk: Desk) -> None:
    visitor = client(desk, viewer("officer"))
    for path in paths(province):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        assert english(page_text(answer.text)) == [], path


def test_the_same_pages_are_english_for_who_asks(province: Ledger, desk: Desk) -> None:
    visitor = client(desk, viewer("officer", language="en"))
    finding = next(path for path in paths(province) if path.startswith("/findings/"))
    assert "shares were acknowledged" in visitor.get(finding).text


def refusals() -> list[str]:
    """What the rules of accounts say to those whom they refuse."""
    lead = UserAccount("boss", "B", "lead", frozenset({"320500"}), "zh")
    reader = UserAccount("eve", "E", "reader", frozenset({"110000"}), "zh")
    admin = UserAccount("root", "R", "admin", frozenset(), "zh")
    asked = (
        lambda: rules.check_change(None, admin, UserAccount("root", "R", "reader", frozenset({"32"}), "zh"), 0),
        lambda: rules.check_change(lead, lead, UserAccount("boss", "B", "reader", lead.divisions, "zh"), 1),
        lambda: rules.check_change(reader, admin, admin, 1),
        lambda: rules.check_change(lead, reader, reader, 1),
        lambda: rules.check_change(lead, admin, admin, 1),
        lambda: rules.check_password_change(lead, reader),
        lambda: rules.check_revoke(reader, lead),
        lambda: rules.check_token(lead, reader),
        lambda: rules.check_token(None, admin),
        lambda: account.check_shape(UserAccount("x", "X", "reader", frozenset(), "zh")),
        lambda: account.check_shape(UserAccount("x", "X", "admin", frozenset({"320000"}), "zh")),
        lambda: account.login_of("?"),
        lambda: account.role_of("king"),
        lambda: account.language_of("fr"),
        lambda: account.name_of(""),
        lambda: account.divisions_of_codes(["1"]),
        *(lambda text=text: account.check_password(text, "root") for text in ("x", "x" * 5_000, "root" * 8, "x" * 40)),
        *(lambda text=text: Divisions().division(text, 2026) for text in ("9", "999999", "329999", "无此地", "鼓楼区")),
    )
    found = []
    for ask in asked:
        with pytest.raises((AccountError, DivisionError)) as error:
            ask()
        found.append(str(error.value))
    return found


def test_refusals_are_translated_with_what_they_are_about() -> None:
    chinese = recorded("zh")
    for sentence in refusals():
        assert english(chinese(sentence)) == [], sentence
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese(sentence)), sentence
    assert chinese("root is the last admin: somebody must be able to manage accounts").startswith(
        "root 是最后一名管理员"
    )
    assert chinese("row 7 was changed: it has no number") == "第 7 行被改动：没有编号"
