"""Sessions of few words: a login that is refused, a question about a job, a survey that asks and is answered."""

from __future__ import annotations

import pytest

from tests.session.dialogue import findings, only

TRANSACTIONS = """
    C {"id":5,"method":"mining.get_transactions","params":["bf"]}
    S {"id":5,"result":["0100000001","02000000019f"],"error":null}
"""


@pytest.mark.parametrize("key", ["farmkey", "e9c9179d0e78cd70027b55575e2ea19828a1f1cd0709c62435f857ddb8d63f06.w1"])
def test_a_login_that_beam_refuses_is_an_attempt(key: str) -> None:
    found = only(f"""
        C {{"jsonrpc":"2.0","method":"login","id":"login","api_key":"{key}"}}
        S {{"jsonrpc":"2.0","method":"result","id":"login","code":-32003,"description":"Login failed"}}
    """)
    assert (found.dialect, found.login, found.activity) == ("beam", key, "attempt")
    assert "the login was refused" in found.reasons


def test_whoever_asks_for_the_transactions_of_a_job_mines() -> None:
    found = only(TRANSACTIONS, midstream=True)
    assert (found.dialect, found.activity, found.coin, found.shares.submitted) == ("stratum-v1", "mining", None, 0)


def test_transactions_that_are_no_list_of_hex_are_not_answered_in_kind() -> None:
    found = only(TRANSACTIONS.replace('"0100000001"', '"a book"'), midstream=True)
    assert found.activity == "attempt"


@pytest.mark.parametrize("extranonce", ["3f001a", "3f" * 28])
@pytest.mark.parametrize("result", ['[null,"{}"]', '["s1","{}"]'])
def test_a_survey_that_is_answered_by_an_extranonce_and_a_target_is_a_probe(extranonce: str, result: str) -> None:
    found = only(f"""
        C {{"id":1,"method":"mining.subscribe","params":[]}}
        S {{"id":1,"result":{result.format(extranonce)},"error":null}}
        S {{"id":null,"method":"mining.set_target","params":["{"0007" + "f" * 60}"]}}
    """)
    assert (found.activity, found.coin, found.algorithm) == ("probe", None, None)
    assert any("equihash" in reason for reason in found.reasons)


def test_the_same_codes_in_another_form_are_nothing() -> None:
    assert not findings("""
        C {"jsonrpc":"2.0","method":"login","id":"login","params":{"api_key":"farmkey"}}
        S {"jsonrpc":"2.0","method":"result","id":"login","code":-32003,"description":"Login failed"}
    """)
