"""A line too long to be held costs little of a candidate's budget, so that what follows it is read; an endless one is
given up.
"""

from __future__ import annotations

from tests.core.captures import timed
from tests.core.test_prefilter import HELLO, sent

BUDGET = {"openings": [(6, 0, [(0x7B, 0x7B)], 16_384)], "session_bytes": 16_384}


def pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 1_400] for at in range(0, len(data), 1_400)]


def test_a_long_line_and_what_follows_it_are_read(engine):
    share = b'{"x":"' + b"p" * 400_000 + b'"}\n'
    frames = [*HELLO, *sent(*pieces(share)), *sent(b'{"ok":1}\n', direction=1), *sent(b"{}\n", start=len(share))]
    result = engine.packets(timed(frames), **BUDGET)
    assert result.stream(0) == share + b"{}\n"
    assert result.stream(1) == b'{"ok":1}\n'


def test_an_endless_line_is_given_up(engine):
    result = engine.packets(timed(HELLO + sent(*pieces(b"{" + b"x" * 800_000))), **BUDGET)
    assert result.stats["candidates_spent"] == 1
    assert 8_192 + 64 * 8_192 <= result.stats["chunk_bytes"] < 8_192 + 64 * 8_192 + 1_464


def test_short_lines_cost_what_they_are(engine):
    result = engine.packets(timed(HELLO + sent(*pieces(b"{" + b"x" * 99 + b"\n" * 30_000))), **BUDGET)
    assert 16_384 <= result.stats["chunk_bytes"] < 16_384 + 1_400


def test_after_a_hole_of_the_gate_lines_begin_anew(engine):
    start = b'{"mining.' + b"x" * 700_000
    again = b'"mining.' + b"y" * 700_000
    result = engine.packets(timed(HELLO + sent(*pieces(start), *pieces(again))), **BUDGET)
    assert result.stats["candidates_spent"] == 2
