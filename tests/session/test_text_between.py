"""Lines that are no JSON between the messages: a session whose shares are acknowledged is found all the same; text that
quotes a session is not.
"""

from __future__ import annotations

import json

import pytest

from sensor.line.examples import dialogue_events
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import run


def session(junk: bytes, shares: int, *, answered: bool = True) -> list[DialogueLine]:
    """A session with two lines of text before each message of both sides."""
    said: list[tuple[int, object]] = [
        (0, {"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.11.1"]}),
        (1, {"id": 1, "result": [[["mining.notify", "ab"]], "f8002c90", 4], "error": None}),
        (0, {"id": 2, "method": "mining.authorize", "params": ["acct.rig", "x"]}),
        (1, {"id": 2, "result": True, "error": None}),
    ]
    for number in range(3, 3 + shares):
        params = ["acct.rig", "j", "00000001", "689c3007", "0a1b2c3d"]
        said.append((0, {"id": number, "method": "mining.submit", "params": params}))
        if answered:
            said.append((1, {"id": number, "result": True, "error": None}))
    return [DialogueLine(side, junk + junk + json.dumps(value).encode() + b"\n") for side, value in said]


def found(lines: list[DialogueLine]) -> list[Finding]:
    return [one for one in run(dialogue_events(lines))[0] if isinstance(one, Finding)]


@pytest.mark.parametrize("junk", [b"hello\n", b"# keep-alive\r\n", b"[1]\n", b"\x01\x02\n", b'{"a":1} tail\n'])
def test_text_between_messages_does_not_hide_acknowledged_shares(junk: bytes) -> None:
    (one,) = found(session(junk, 12))
    assert (one.login, one.grade) == ("acct.rig", Grade.ACCEPTED)
    assert (one.shares.submitted, one.shares.accepted) == (12, 12)


def test_text_without_acknowledged_shares_is_no_session() -> None:
    assert found(session(b"hello\n", 12, answered=False)) == []
    assert found(session(b"hello\n", 0)) == []


def test_one_side_that_sends_both_sides_messages_among_text_is_no_session() -> None:
    quoted = [DialogueLine(0, line.data) for line in session(b"hello\n", 12)]
    reads = [DialogueLine(1, b"250 OK\n")] * 4
    assert found([*quoted, *reads]) == []


def test_messages_in_lists_are_messages() -> None:
    """JSON-RPC 2.0 section 6; a list with anything else in it is text."""
    lists = [DialogueLine(line.direction, b"[" + line.data[:-1] + b"]\n") for line in session(b"", 12)]
    (one,) = found(lists)
    assert (one.grade, one.shares.submitted, one.shares.accepted) == (Grade.ACCEPTED, 12, 12)
    mixed = [DialogueLine(line.direction, line.data[:-2] + b",1]\n") for line in lists]
    assert found(mixed) == []
