"""A session that is settled on one dialect goes on as it would have: other logins, other dialects, other framings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.readers import json_document
from sensor.session.pending_requests import IdKey, PendingRequests, Request, id_key
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import dialogue_events, events, findings, lines, run

BEGINNING = """
C {"id":1,"method":"mining.subscribe","params":["cgminer/4.12"]}
S {"id":1,"result":[[["mining.notify","ae6812eb"]],"08000002",4],"error":null}
C {"id":2,"method":"mining.authorize","params":["acct.r1","x"]}
S {"id":2,"result":true,"error":null}
S {"id":null,"method":"mining.set_difficulty","params":[1024]}
S {"id":null,"method":"mining.notify","params":["j1","4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000","01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20020862062f503253482f04b8864e5008","072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000",[],"00000002","1c2ac4af","504e86b9",true]}
"""  # noqa: E501 (a message is one line)
#: Another dialect's whole course, as a miner of Ethereum speaks it.
OTHER = """
C {"id":1,"method":"eth_submitLogin","params":["0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D.n1","x"],"worker":"w"}
S {"id":1,"jsonrpc":"2.0","result":true}
C {"id":2,"method":"eth_submitWork","params":["0x0000000000000001","0x2c72441c7af80e1c6e75c59f68518e6bb1cfc7e71387b019a2eaf6078ce0d6cc","0x73f4e3c24071915e46520b2200e881bbb12c019380459644d0e8448167649263"]}
S {"id":2,"jsonrpc":"2.0","result":true}
"""  # noqa: E501 (as above)


def shares(count: int, login: str = "acct.r1") -> str:
    """So many shares with their answers."""
    return "\n".join(
        f'C {{"id":{number},"method":"mining.submit","params":["{login}","j1","{number:08x}","504e86b9","b2957c02"]}}\n'
        f'S {{"id":{number},"result":true,"error":null}}'
        for number in range(10, 10 + count)
    )


def counts(text: str) -> dict[tuple[str, str | None], tuple[int, int]]:
    """Shares submitted and accepted, by dialect and login."""
    return {(one.dialect, one.login): (one.shares.submitted, one.shares.accepted) for one in findings(text)}


def test_a_settled_session_counts_every_share() -> None:
    assert counts(BEGINNING + shares(1_000)) == {("stratum-v1", "acct.r1"): (1_000, 1_000)}


def test_another_login_after_a_thousand_shares_is_another_finding() -> None:
    second = 'C {"id":5000,"method":"mining.authorize","params":["other.r2","x"]}\nS {"id":5000,"result":true}\n'
    found = counts(f"{BEGINNING}{shares(1_000)}\n{second}{shares(7, 'other.r2')}")
    assert found == {("stratum-v1", "acct.r1"): (1_000, 1_000), ("stratum-v1", "other.r2"): (7, 7)}


def test_a_few_words_of_another_dialect_first_do_not_hide_the_session() -> None:
    hello = 'C {"id":1,"method":"login","params":{"login":"4AbC","pass":"x","agent":"XMRig/6.21.0"}}'
    assert counts(hello + BEGINNING + shares(300))["stratum-v1", "acct.r1"] == (300, 300)


def test_another_dialect_after_a_thousand_shares_takes_none_of_them_away() -> None:
    found = counts(f"{BEGINNING}{shares(1_000)}{OTHER}{shares(5)}")
    assert found["stratum-v1", "acct.r1"][1] >= 1_005


def test_what_a_settled_session_does_not_know_is_counted() -> None:
    text = f'{BEGINNING}{shares(200)}\nC {{"verb":"unheard of"}}\nS {{"id":99999,"result":true}}\n'
    _, counters = run(events(text))
    _, before = run(events(BEGINNING + shares(200)))
    assert counters["messages_unknown"] == before.get("messages_unknown", 0) + 1
    assert counters["replies_unmatched"] == before.get("replies_unmatched", 0) + 1


@pytest.mark.parametrize("seed", range(6))
def test_no_message_is_read_otherwise_without_the_quick_decoder(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    said = lines(BEGINNING + shares(150))
    odd = [*lines(OTHER), DialogueLine(0, b'{"id":1e400}\n'), DialogueLine(1, b'{"id":10,"id":11,"result":true}\n')]
    odd += [DialogueLine(1, b'{"a":\n1}\n'), DialogueLine(0, b'{"x":"\xff"}\r\n'), DialogueLine(1, b"[{},{}]\n")]
    for _ in range(20):
        said.insert(draw.randint(8, len(said)), draw.choice(odd))
    stream = list(dialogue_events(said))
    quickly = run(stream)
    monkeypatch.setattr(json_document, "_quick", None)
    assert run(stream) == quickly


class InOrder:
    """Requests that wait, by the plainest means: the oldest with the id that is not unlikely, else the oldest."""

    def __init__(self) -> None:
        self.waiting: list[Request] = []

    def add(self, request: Request) -> None:
        if request.kind not in ("login", "subscribe", "submit"):
            self.waiting = [one for one in self.waiting if (one.kind, one.key) != (request.kind, request.key)]
        self.waiting = [*self.waiting, request][-256:]

    def answer(self, key: IdKey, *, flat: bool) -> Request | None:
        unlikely = ("hashrate", "subscribe") if flat else ("hashrate",)
        same = [one for one in self.waiting if one.key == key]
        same = same or [
            one for one in self.waiting if {one.key[0], key[0]} == {"number", "text"} and str(one.key[1]) == str(key[1])
        ]
        same = [] if key[0] == "none" else same
        likely = [one for one in same if one.kind not in unlikely] or same
        logins = [one for one in self.waiting if one.kind in ("login", "subscribe")]
        found = (likely or logins or [one for one in self.waiting if one.kind == "submit"] or [None])[0]
        self.waiting = [one for one in self.waiting if one is not found]
        return found


IDS = st.sampled_from([1, 2, 3, "1", "2", None, True, 1.0, [], {}]).map(id_key)
KINDS = st.sampled_from(["login", "subscribe", "submit", "hashrate", "unknown"])


@settings(max_examples=300)
@given(st.lists(st.tuples(IDS, KINDS) | st.tuples(IDS, st.booleans()), max_size=40))
def test_replies_go_to_the_request_that_the_plain_rule_says(steps: list[tuple[IdKey, str | bool]]) -> None:
    waiting, plain = PendingRequests(), InOrder()
    for key, what in steps:
        if isinstance(what, str):
            request = Request(key, what, ())
            waiting.add(request)
            plain.add(request)
        else:
            assert waiting.answer(key, flat=what) is plain.answer(key, flat=what)
