"""Passwords are cut out of logins, URLs, options and errors; a wallet with its coin, and common words, stay."""

from __future__ import annotations

import pytest

from sensor.signatures import load
from sensor.signatures.secret_text import shown, without_password, without_secrets

KASPA = "kaspa:qprgnpts6z9u7csk63th22ktsk0acvewluyapp6wwz29xnttyfahy7u9udahf"

WALLET = "DLhmZzxuTKAVHPW9r7LzLYB7SqSNv2mtF4"


@pytest.mark.parametrize(
    "login",
    [
        *("alice", "alice.rig1", f"{KASPA}.rig"),
        "k:8a990603ef91b81f02c4be7838b75f426f9e09145ff802b52add3f8bab3b0084.a1",
        *("SHIB:0x0fccfff9e61a230ff380530c6827caf4759337c6.rig#code", "someone@example.org"),
        *("newcoin:0x0fccfff9e61a230ff380530c6827caf4759337c6.rig", f"{KASPA.replace('kaspa', 'newcoin')}.rig"),
        *("DOGE:DLhmZzxuTKAVHPW9r7LzLYB7SqSNv2mtF4.rig", "ltc:LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk"),
        "stratum+tcp://pool.example:3333",
    ],
)  # fmt: skip
def test_a_login_without_a_password_stays(login: str) -> None:
    assert without_password(login) == login
    assert shown(login) == login


@pytest.mark.parametrize("account", ["alice", "alice.rig1", f"{KASPA}.rig", "someone@example.org"])
def test_what_follows_a_login_s_colon_is_left_out(account: str) -> None:
    for password in ("x", "12345", "hunter2", "a:b"):
        assert without_password(f"{account}:{password}") == account
        assert shown(f"{account}:{password}") == f"{account}:***"


@pytest.mark.parametrize("account", ["alice", "Bob", "m", "MINER", "kaspafarm", "one", "SHIBA"])
@pytest.mark.parametrize(
    "password",
    [
        *("Xq7ZpL2vKd9RtWm4BnYc8HsJf3", "abcdefghijklmnopqrstuvwxyz012345", "0123456789" * 5, "a" * 64),
        *("DLhmZzxuTKAVHPW9r7LzLYB7SqSNv2mtF4", "0x0fccfff9e61a230ff380530c6827caf4759337c", "A1B2" * 16),
    ],
)
def test_a_long_password_behind_a_login_that_is_no_coin_is_left_out(account: str, password: str) -> None:
    assert without_password(f"{account}:{password}") == account
    assert shown(f"{account}:{password}") == f"{account}:***"


def test_every_coin_of_the_tables_of_wallets_stays_before_a_wallet() -> None:
    tables = load().wallets.forms
    assert tables
    for form in tables:
        for coin in form.coins:
            assert without_password(f"{coin}:{WALLET}") == f"{coin}:{WALLET}"
        assert without_password(form.example) == form.example


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cgminer/4.10 (http://user:hunter2@pool.example/)", "cgminer/4.10 (http://***@pool.example/)"),
        ("/?wallet=abc&password=hunter2&d=5", "/?wallet=abc&password=***&d=5"),
        ("a_token=hunter2", "a_token=***"),
        ("PASS: hunter2", "PASS: ***"),
        ("pwd%3Dhunter2", "pwd%3D***"),
        ("d=512,c=BTC", "d=512,c=BTC"),
        ("compass=north", "compass=north"),
    ],
)
def test_what_is_named_a_password_is_left_out(text: str, left: str) -> None:
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    ("error", "left"),
    [
        ("Low difficulty share", "Low difficulty share"),
        ("Job not found (stale).", "Job not found (stale)."),
        ("Unknown user alice/hunter2", "Unknown user ***"),
        ("hunter2", "***"),
    ],
)
def test_of_an_error_common_words_stay_and_all_others_are_blanked(error: str, left: str) -> None:
    assert shown(error, spoken=True) == left


def test_a_sentence_about_a_password_is_blanked_whole() -> None:
    assert shown("your password hunter2 is wrong") == "***"
