"""What a single packet opens lives shortly in a pool of its own: a flood of them shuts out nobody who is answered."""

from __future__ import annotations

import pytest

from sensor.model.events import Close, Open
from tests.core.captures import SECOND, T0, Packet, Talk, timed

MINER = Talk(addresses=(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])))
LOGIN = b'{"id":1,"method":"login","params":{"login":"a"}}\n'


def flood(count: int, payload: bytes = b"{", start_ns: int = T0, packets: int = 1) -> list[Packet]:
    """So many senders of a payload each, a microsecond apart, and nobody answers."""
    talks = [Talk(addresses=(bytes([10, *number.to_bytes(3, "big")]), MINER.addresses[1])) for number in range(count)]
    frames = [talk.data(0, place, payload) for place in range(packets) for talk in talks]
    return timed(frames, start_ns, 1_000)


def session(start_ns: int) -> list[Packet]:
    """A login and its answer, whose words are in no table."""
    frames = [*MINER.handshake(), MINER.data(0, 0, LOGIN), MINER.data(1, 0, b'{"job":1}\n', acked=len(LOGIN))]
    return timed([*frames, MINER.data(0, len(LOGIN), b'{"share":1}\n', acked=10)], start_ns)


def stream_of_miner(result) -> bytes:
    opened = {event.flow for event in result.of(Open) if event.orig_addr == MINER.addresses[0]}
    return b"".join(chunk.data for chunk in result.chunks if chunk.flow in opened and chunk.direction == 0)


@pytest.mark.parametrize("payload", [b"{", b'x"mining.'], ids=["an opening", "a literal"])
@pytest.mark.parametrize("packets", [1, 3])
def test_a_flood_that_nobody_answers_shuts_no_miner_out(engine, payload, packets):
    frames = [*flood(300, payload, packets=packets), *session(T0 + SECOND)]
    result = engine.packets(frames, candidates=64)
    assert stream_of_miner(result) == LOGIN + b'{"share":1}\n'


@pytest.mark.parametrize("packets", [1, 3])
def test_a_miner_from_before_the_flood_is_followed_on(engine, packets):
    before = session(T0 - SECOND)
    frames = [*before[:5], *flood(300, b'x"mining.', packets=packets), (T0 + 5 * SECOND, before[5][1])]
    result = engine.packets(frames, candidates=64)
    assert stream_of_miner(result) == LOGIN + b'{"share":1}\n'


def test_the_pool_is_a_quarter_of_the_candidates_and_the_oldest_leaves(engine):
    result = engine.packets(flood(20), candidates=64)
    assert (result.stats["unproven_evicted"], result.stats["candidates_refused"]) == (4, 0)
    reasons = [close.reason for close in result.of(Close)]
    assert reasons == ["evicted"] * 4 + ["end"] * 16
    assert [close.flow for close in result.of(Close)] == sorted(opened.flow for opened in result.of(Open))


def test_sixteen_thousand_packets_of_one_byte_are_bounded_by_the_defaults(engine):
    result = engine.packets([*flood(16_384), *session(T0 + SECOND)])
    assert result.stats["unproven_evicted"] == 16_384 - 4_096
    assert stream_of_miner(result) == LOGIN + b'{"share":1}\n'


def test_a_single_packet_is_waited_on_ten_seconds(engine):
    later = Talk(ports=(7, 7)).data(0, 0, b"x")
    for wait_ns, reason in [(10 * SECOND, "end"), (10 * SECOND + 1, "idle")]:
        result = engine.packets([*flood(1), (T0 + wait_ns, later), (T0 + wait_ns, later)])
        assert [close.reason for close in result.of(Close)] == [reason]


def test_of_one_side_alone_several_packets_are_followed_as_long_as_any(engine):
    frames = flood(1, packets=2)
    result = engine.packets([*frames, (T0 + 1_700 * SECOND, Talk(addresses=MINER.addresses).data(0, 0, b"x"))])
    assert [close.reason for close in result.of(Close)] == ["end"]


def test_what_one_side_alone_speaks_in_makes_room_for_what_is_answered(engine):
    frames = [
        packet for number in range(3) for packet in flood(number + 1, packets=2, start_ns=T0)[number :: number + 1]
    ]
    result = engine.packets([*frames, *session(T0 + SECOND)], candidates=3)
    assert (result.stats["candidates_spent"], result.stats["candidates_refused"]) == (1, 0)
    assert stream_of_miner(result) == LOGIN + b'{"share":1}\n'
