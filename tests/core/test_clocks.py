"""TCP timestamps cross the border with the flow's end: of both directions, from the opened gate on, only forwards."""

from __future__ import annotations

import pytest

from sensor.model.events import Clock
from tests.core.captures import ACK, CLIENT, RST, SERVER, T0, Talk, timed, timestamp, udp

JSON = b'{"id":1}\n'
MS = 1_000_000


def said(direction: int, offset: int, payload: bytes, options: bytes, flags: int = ACK) -> bytes:
    return Talk(options=options).data(direction, offset, payload, flags=flags)


def test_first_and_last_of_each_direction_from_the_opening_segment_on(engine):
    frames = [
        *Talk(options=timestamp(1)).handshake(),
        said(0, 0, JSON, timestamp(100)),
        said(1, 0, JSON, timestamp(7_000)),
        said(0, 9, JSON, timestamp(150)),
        said(0, 18, b"", timestamp(180)),
    ]
    closed = engine.packets(timed(frames)).close
    assert closed.clocks == (Clock(T0 + 3 * MS, 100, T0 + 6 * MS, 180), Clock(T0 + 4 * MS, 7_000, T0 + 4 * MS, 7_000))


def test_the_first_to_carry_the_highest_is_the_last_also_around_the_turn(engine):
    values = [0xFFFFFFF0, 0xFFFFFFFF, 5, 0xFFFFFFF8, 5, 3]
    frames = [said(0, 9 * number, JSON, timestamp(value)) for number, value in enumerate(values)]
    assert engine.packets(timed(frames)).close.clocks == (Clock(T0, 0xFFFFFFF0, T0 + 2 * MS, 5), None)


@pytest.mark.parametrize(
    "options",
    [b"", b"\x00" + timestamp(5), b"\x08\x0a\x00\x00", b"\x08\x00", b"\x05\x01", b"\x01" * 11 + b"\x08", bytes(12)],
)
def test_no_clock_without_a_whole_option(engine, options):
    assert engine.packets(timed([said(0, 0, JSON, options)])).close.clocks == (None, None)


def test_the_option_is_found_behind_others(engine):
    options = b"\x02\x04\x05\xb4\x03\x03\x07" + timestamp(77)
    assert engine.packets(timed([said(0, 0, JSON, options)])).close.clocks == (Clock(T0, 77, T0, 77), None)


def test_resets_and_datagrams_have_none(engine):
    frames = [said(0, 0, JSON, timestamp(5)), said(0, 9, b"", timestamp(900), flags=RST)]
    assert engine.packets(timed(frames)).close.clocks == (Clock(T0, 5, T0, 5), None)
    datagram = udp(CLIENT, SERVER, (5_000, 6_000), bytes(97) + b"\x01\xc0")
    assert engine.packets(timed([datagram])).close.clocks == (None, None)


def test_a_spent_gate_stops_the_clock_until_a_literal_opens_it_again(engine):
    lines = [JSON, b"x" * 60, b"y" * 60, b'{"mining.' + b"z" * 60]
    places = [0, 9, 69, 129]
    frames = [
        said(0, place, line, timestamp(10 + n)) for n, (place, line) in enumerate(zip(places, lines, strict=True))
    ]
    openings = [(6, 0, [(0x7B, 0x7B)], 20)]
    assert engine.packets(timed(frames[:3]), openings=openings).close.clocks == (Clock(T0, 10, T0 + 1 * MS, 11), None)
    assert engine.packets(timed(frames), openings=openings).close.clocks == (Clock(T0, 10, T0 + 3 * MS, 13), None)
