"""What is held behind holes is bounded over all flows: whoever holds most gives up first, and a tracked miner loses
nothing.
"""

from __future__ import annotations

import itertools

import pytest

from tests.core.captures import Talk, timed

MINER = Talk(addresses=(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])))


def holder(number: int) -> Talk:
    return Talk(addresses=(bytes([10, *number.to_bytes(3, "big")]), MINER.addresses[1]))


def with_hole(number: int, segments: int, size: int) -> list[bytes]:
    """A connection that is answered, opens its gate, and then leaves one byte out."""
    talk = holder(number)
    opened = [talk.data(1, 0, b"x"), talk.data(0, 0, b"{")]
    return [*opened, *(talk.data(0, 2 + size * place, b"h" * size) for place in range(segments))]


@pytest.mark.parametrize("size", [1, 1_000])
def test_flows_with_a_hole_hold_no_more_together_than_allowed(engine, size):
    flows = [with_hole(number, 20, size) for number in range(30)]
    miner = [*MINER.handshake(), *(MINER.data(0, 2 * place, b"{}") for place in range(40))]
    mixed = [frame for group in itertools.zip_longest(*flows, miner[:40]) for frame in group if frame is not None]
    result = engine.packets(timed([*mixed, *miner[40:]]), held_bytes=10 * (size + 64))
    assert result.stats["held_given_up"] >= 30
    (opened,) = [event for event in result.events if getattr(event, "orig_addr", b"") == MINER.addresses[0]]
    assert b"".join(chunk.data for chunk in result.chunks if chunk.flow == opened.flow) == b"{}" * 40
    assert result.stats["gaps"] == 30


def test_the_greediest_gives_up_first(engine):
    frames = [*with_hole(1, 3, 10), *with_hole(2, 3, 1_000), *with_hole(3, 3, 10)]
    result = engine.packets(timed(frames), held_bytes=3_300)
    first = next(chunk for chunk in result.chunks if chunk.gap)
    assert (len(first.data), result.stats["held_given_up"]) == (3_000, 1)


def test_of_equals_the_one_that_has_held_longest_gives_up_first(engine):
    frames = [frame for number in range(4) for frame in with_hole(number, 1, 100)]
    result = engine.packets(timed(frames), held_bytes=3 * 164)
    first = next(chunk for chunk in result.chunks if chunk.gap)
    assert (first.flow, result.stats["held_given_up"]) == (min(chunk.flow for chunk in result.chunks), 1)


def test_what_contradicts_held_bytes_weighs_as_they_do(engine):
    talk = holder(1)
    contradictions = [talk.data(0, 2, bytes([65 + place]) * 100) for place in range(3)]
    frames = [*with_hole(1, 1, 100), *contradictions]
    assert engine.packets(timed(frames), held_bytes=164 + 299).stats["held_given_up"] == 1
    assert engine.packets(timed(frames), held_bytes=164 + 300).stats["held_given_up"] == 0
