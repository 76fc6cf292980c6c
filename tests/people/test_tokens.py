"""Tokens: limited in what they are for, in divisions and in time; never more than their account."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sensor.model.time import DAY_NS
from sensor.people.account import AccountError
from sensor.people.accounts import AccountPatch, ActingPerson
from sensor.people.door import PeopleDoor
from sensor.people.tokens import MOST_TOKENS
from tests.people.desk import HERE, MACHINE, NOW, SUZHOU, WUXI, add, audited

SCOPES = ["read:cases"]


def test_a_token_is_good_for_what_it_says_and_until_it_ends(door: PeopleDoor) -> None:
    add(door, "li", "officer", "320000")
    token, secret = door.tokens.add(MACHINE, "li", "office", SCOPES, frozenset({SUZHOU}), 30, NOW)
    found = door.tokens.bearer(secret, NOW)
    assert found is not None
    assert (found.viewer.login, found.viewer.divisions, found.scopes) == ("li", frozenset({SUZHOU}), frozenset(SCOPES))
    assert door.tokens.bearer(secret, NOW + 30 * DAY_NS - 1) is not None
    assert door.tokens.bearer(secret, NOW + 30 * DAY_NS) is None
    assert door.tokens.bearer(secret, NOW - 1) is None
    door.tokens.revoke(MACHINE, token.token_id, NOW)
    assert door.tokens.bearer(secret, NOW) is None
    with pytest.raises(AccountError):
        door.tokens.revoke(MACHINE, token.token_id, NOW)


def test_a_token_loses_what_its_account_loses(door: PeopleDoor) -> None:
    add(door, "li", "officer", f"{SUZHOU} {WUXI}")
    _, secret = door.tokens.add(MACHINE, "li", "office", SCOPES, None, 30, NOW)
    door.accounts.change(MACHINE, "li", AccountPatch(divisions=frozenset({"320505"})), NOW)
    found = door.tokens.bearer(secret, NOW)
    assert found is not None
    assert found.viewer.divisions == frozenset({"320505"})
    door.accounts.change(MACHINE, "li", AccountPatch(divisions="all"), NOW)
    found = door.tokens.bearer(secret, NOW)
    assert found is not None
    assert found.viewer.divisions == frozenset({SUZHOU, WUXI})  # and gains nothing by what it gains
    for patch in (AccountPatch(disabled=True), AccountPatch(disabled=False, role="auditor", divisions=frozenset())):
        door.accounts.change(MACHINE, "li", patch, NOW)
        assert door.tokens.bearer(secret, NOW) is None


def test_a_token_lies_inside_of_its_account(door: PeopleDoor) -> None:
    add(door, "li", "officer", SUZHOU)
    add(door, "root", "admin")
    for divisions in (frozenset({"320000"}), frozenset({WUXI}), "all", frozenset()):
        with pytest.raises(AccountError):
            door.tokens.add(MACHINE, "li", "x", SCOPES, divisions, 30, NOW)  # type: ignore[arg-type]
    for scopes, days in (([], 1), (["read:cases\n"], 1), (["*"], 1), (SCOPES, 0), (SCOPES, 400), (["read:all"], 1)):
        with pytest.raises(AccountError):
            door.tokens.add(MACHINE, "li", "x", scopes, None, days, NOW)
    with pytest.raises(AccountError):
        door.tokens.add(MACHINE, "root", "x", SCOPES, None, 1, NOW)
    root = ActingPerson.signed_in(door.accounts.get("root"), HERE)
    with pytest.raises(AccountError):  # with it he would see cases
        door.tokens.add(root, "li", "x", SCOPES, None, 1, NOW)
    assert door.tokens.of() == []


def test_an_account_has_a_bounded_number_of_tokens_and_revoking_all_ends_them(door: PeopleDoor) -> None:
    add(door, "li")
    secrets = [door.tokens.add(MACHINE, "li", "x", SCOPES, None, 1, NOW)[1] for _ in range(MOST_TOKENS)]
    with pytest.raises(AccountError, match="end one first"):
        door.tokens.add(MACHINE, "li", "x", SCOPES, None, 1, NOW)
    assert door.accounts.revoke(MACHINE, "li", NOW, tokens=True) == MOST_TOKENS
    assert {door.tokens.bearer(secret, NOW) for secret in secrets} == {None}


def test_a_secret_is_stored_nowhere(door: PeopleDoor, url: str, tmp_path: Path) -> None:
    add(door, "li")
    token, secret = door.tokens.add(MACHINE, "li", "office", SCOPES, None, 30, NOW)
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        assert secret not in "\n".join(connection.iterdump())
    rows = audited(url)
    assert secret not in repr(rows)
    assert f"key:{token.token_id}" in rows[-1]["objects"]


def test_a_bomb_of_a_token_is_not_even_looked_at(door: PeopleDoor) -> None:
    """Authlib CVE-2025-61920."""
    for secret in ("", "mwt_", "mwt_" + "A" * 43, "mwt_" + "A" * 44, "A" * 50_000_000, "mwt_\n", None, "Bearer x"):
        assert door.tokens.bearer(secret, NOW) is None
