"""Records of encrypted sessions are the same however the wire cuts, repeats and swaps segments; what is lost costs what
it must, and both cores see the same in whatever comes.
"""

from __future__ import annotations

import random
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sensor.model.encrypted import ClientHello, EncryptedClose, EncryptedOpen, Records, ServerCertificate, ServerHello
from tests.core.captures import RAW_IPV4, SECOND, SYN, T0, Packet, Talk
from tests.core.conftest import Result, needs_compiled
from tests.core.test_equal import difference
from tests.core.tls_bytes import (
    HANDSHAKE,
    OPENING_1_2,
    OPENING_1_3,
    Turn,
    client_hello,
    message,
    opening,
    packets,
    record,
    sealed,
    server_hello,
)

Told = tuple[list, list[tuple[int, int, bool]], list[tuple[int, int]]]


def content(result: Result) -> Told:
    """What a session came to, without times: hellos, records in each direction, and how many there were."""
    kinds = (ClientHello, ServerHello, ServerCertificate)
    beginnings = sorted(repr(event._replace(ts_ns=0)) for event in result.events if type(event) in kinds)
    found = [record for batch in result.of(Records) for record in batch.records]
    rows = [(found.direction, found.content_type, found.length, found.gap) for found in found]
    return (
        beginnings,
        [row for direction in (0, 1) for row in rows if row[0] == direction],
        [event.records for event in result.of(EncryptedClose)],
    )


def session(flights=OPENING_1_3, count: int = 12) -> list[Turn]:
    talk = random.Random(7)
    turns = opening(flights)
    for number in range(count):
        data = b"".join(sealed(talk.randrange(20, 700)) for _ in range(talk.randrange(1, 4)))
        turns.append((5.0 + 8 * number, number % 2, data))
    return turns


def swapped(frames: list[Packet], rng: random.Random, most: int) -> list[Packet]:
    """Neighbours of one direction change places, none by more than so many."""
    order = sorted(range(len(frames)), key=lambda at: at + rng.randrange(most))
    times = [ts_ns for ts_ns, _ in frames]
    return [(ts_ns, frames[at][1]) for ts_ns, at in zip(times, order, strict=True)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 32), size=st.sampled_from([1, 3, 5, 7, 50, 333, 1_400]), syn=st.booleans())
@pytest.mark.parametrize("flights", [OPENING_1_3, OPENING_1_2], ids=["1.3", "1.2"])
def test_pieces_equal_the_whole(engine, flights, seed, size, syn):
    turns = session(flights, 12 if size > 5 else 8)
    rng = random.Random(seed)
    whole = content(engine.packets(packets(turns, size=1 << 14)))
    frames = packets(turns, size=size, syn=syn, talk=Talk(initial=(rng.randrange(1 << 32), (1 << 32) - 300)))
    repeated = [packet for packet in frames for _ in range(1 + (rng.random() < 0.1))]
    assert content(engine.packets(repeated)) == whole


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 32), size=st.sampled_from([50, 100, 333, 1_400]))
@pytest.mark.parametrize("flights", [OPENING_1_3, OPENING_1_2], ids=["1.3", "1.2"])
def test_what_comes_within_three_places_of_its_own_costs_nothing(engine, flights, seed, size):
    turns = session(flights)
    frames = packets(turns, size=size)
    mixed = frames[:2] + swapped(frames[2:], random.Random(seed), 3)
    assert content(engine.packets(mixed)) == content(engine.packets(frames))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 32))
def test_overlapping_retransmissions_cost_nothing(engine, seed):
    rng, talk = random.Random(seed), Talk()
    turns = session()
    frames = packets(turns, talk=talk, size=100)
    streams = [b"".join(data for _, direction, data in turns if direction == side) for side in (0, 1)]
    sent, mixed = [0, 0], []
    for ts_ns, frame in frames:
        mixed.append((ts_ns, frame))
        side = 0 if frame[12:16] == talk.addresses[0] else 1
        sent[side] += len(frame) - 40
        start = max(0, sent[side] - rng.randrange(300))
        if sent[side] and rng.random() < 0.3:
            mixed.append((ts_ns, talk.data(side, start, streams[side][start : sent[side]])))
    assert content(engine.packets(mixed)) == content(engine.packets(frames))


def one_direction(lengths: list[int], *, size: int) -> list[Packet]:
    """Records of the client, one every eight seconds, behind a handshake."""
    return packets(
        [*opening(), *((5.0 + 8 * number, 0, sealed(length)) for number, length in enumerate(lengths))], size=size
    )


def without(frames: list[Packet], gone: set[int]) -> list[Packet]:
    return [packet for number, packet in enumerate(frames) if number not in gone]


def client_lengths(result: Result) -> list[tuple[int, bool]]:
    return [
        (found.length, found.gap) for batch in result.of(Records) for found in batch.records if found.direction == 0
    ][1:]


LENGTHS = [500 + number for number in range(20)]


def test_a_hole_inside_a_record_costs_nothing(engine):
    frames = one_direction(LENGTHS, size=100)
    first = len(frames) - 6 * len(LENGTHS)
    found = engine.packets(without(frames, {first + 6 * 3 + 2, first + 6 * 9 + 1, first + 6 * 9 + 2}))
    assert client_lengths(found) == [(length, False) for length in LENGTHS]
    assert found.stats["resynchronised"] == 0


def test_a_hole_that_swallows_headers_costs_the_records_in_it(engine):
    frames = one_direction(LENGTHS, size=1_400)
    first = len(frames) - len(LENGTHS)
    found = engine.packets(without(frames, {first + 8, first + 9}))
    expected = [(length, number == 10) for number, length in enumerate(LENGTHS) if number not in (8, 9)]
    assert client_lengths(found) == expected
    assert (found.stats["resynchronised"], found.of(EncryptedClose)[0].resynchronised) == (1, 1)


def test_the_times_of_what_waited_behind_a_hole_are_its_own(engine):
    frames = one_direction(LENGTHS, size=1_400)
    first = len(frames) - len(LENGTHS)
    found = engine.packets(without(frames, {first + 8}))
    times = [record.ts_ns for batch in found.of(Records) for record in batch.records if record.direction == 0][1:]
    assert {later - earlier for earlier, later in pairwise(times)} == {8 * SECOND, 16 * SECOND}


def test_what_snaplen_cuts_is_a_hole(engine):
    frames = one_direction(LENGTHS, size=1_400)
    first = len(frames) - len(LENGTHS)
    cut = [(ts_ns, frame[:60] if at >= first else frame) for at, (ts_ns, frame) in enumerate(frames)]
    found = engine.packets(cut)
    assert client_lengths(found) == [(length, False) for length in LENGTHS]
    headless = [(ts_ns, frame[:43] if at == first + 4 else frame) for at, (ts_ns, frame) in enumerate(frames)]
    expected = [(length, number == 5) for number, length in enumerate(LENGTHS) if number != 4]
    assert client_lengths(engine.packets(headless)) == expected


def test_bytes_that_are_no_header_lose_the_place(engine):
    turns = [*opening(), (70.0, 0, sealed(50)), (71.0, 0, b"no header"), (72.0, 0, sealed(60)), (73.0, 0, sealed(61))]
    assert client_lengths(engine.packets(packets(turns))) == [(50, False), (60, True), (61, False)]


def test_a_segment_from_far_away_does_not_lead_astray(engine):
    talk, lengths = Talk(), [500 + number for number in range(12)]
    turns = [*opening(), *((5.0 + 8 * number, 0, sealed(length)) for number, length in enumerate(lengths))]
    frames = packets(turns, talk=talk)
    frames.insert(10, (frames[9][0], talk.data(0, 1 << 24, b"far away")))
    found = [length for length, _ in client_lengths(engine.packets(frames))]
    assert len(found) >= len(lengths) - 1
    assert found[-1] == lengths[-1]


def test_a_hello_with_a_hole_is_lost_and_its_session_is_not(engine):
    frames = packets([*opening(), *((70.0 + number, 0, sealed(90 + number)) for number in range(5))], size=100)
    found = engine.packets(without(frames, {3}))
    assert (found.of(ClientHello), found.stats["hellos_lost"], len(found.of(EncryptedOpen))) == ([], 1, 1)
    assert [length for length, _ in client_lengths(found)] == [90, 91, 92, 93, 94]


PIECES = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 300).map(sealed),
    st.integers(0, 300).map(lambda length: sealed(length)[: length // 2]),
    st.sampled_from([20, 21, 22, 24]).map(lambda kind: sealed(9, kind)),
    st.sampled_from(
        [
            record(HANDSHAKE, client_hello(), 0x0301),
            record(HANDSHAKE, client_hello())[:200],
            record(HANDSHAKE, server_hello()),
            OPENING_1_2[1][1],
            record(HANDSHAKE, message(11, bytes(9))),
            record(HANDSHAKE, b"\1"),
            b"\x16",
            b"\x16\x03\x03",
            b"\x17\x03\x03\x00",
            record(23, b'{"method":"mining.subscribe"}\n'),
            record(23, b'{"method":"mining.subscribe"}' + b"\xe7" * 16),
            record(23, b"\xe7" * 9 + b'"mini'),
            b'ng.notify", and more text',
            b"\x5a" * 64,
            b"\x5a" * 234,
            b"\x5a",
            b"\x5a" * 2,
        ]
    ),
)
STEPS = st.sampled_from([0, 1, 1_000_000, SECOND, 5 * SECOND, 11 * SECOND, 61 * SECOND, 700 * SECOND, -20 * SECOND])
PLACES = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 5, 100, -5, -100, 400, 20_000, 1 << 20, -(1 << 20)])
FLAGS = st.sampled_from([0x10] * 12 + [SYN, 0x12, 0x11, 0x14])
SEGMENTS = st.lists(
    st.tuples(STEPS, st.integers(0, 2), st.integers(0, 1), PLACES, PIECES, FLAGS, st.integers(0, 20)), max_size=50
)
LIMITS = st.sampled_from(
    [
        {},
        {},
        {"thin_flows": 1},
        {"thin_flows": 2},
        {"thin_bytes": 600},
        {"thin_bytes": 0},
        {"flows": 1},
        {"candidates": 1},
    ]
)


@needs_compiled
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(segments=SEGMENTS, limits=LIMITS)
def test_both_cores_see_the_same_in_whatever_comes(engine_named, segments, limits):
    ts_ns, timeline = T0, []
    sent: dict[tuple[int, int], int] = {}
    for step_ns, port, direction, place, piece, flags, cut in segments:
        ts_ns += step_ns
        at = sent.get((port, direction), 0) + place
        frame = Talk(ports=(40_000 + port, 443)).data(direction, at if not flags & SYN else -1, piece, flags=flags)
        sent[port, direction] = at + len(piece)
        timeline.append((ts_ns, frame[: len(frame) - len(piece) // 2] if cut == 0 else frame))
    results = (engine_named(name).packets(timeline, RAW_IPV4, **limits) for name in ("reference", "compiled"))
    assert difference(*results) is None


@needs_compiled
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    flights=st.sampled_from([OPENING_1_3, OPENING_1_2]),
    size=st.sampled_from([40, 200, 1_400, 5_000]),
)
def test_both_cores_see_the_same_in_damaged_sessions(engine_named, seed, flights, size):
    rng = random.Random(seed)
    frames = swapped(packets(session(flights), size=size), rng, 1 + rng.randrange(6))
    damaged = []
    for ts_ns, frame in frames:
        how = rng.random()
        if how < 0.05:
            continue
        if how < 0.1:
            at = rng.randrange(40, len(frame) + 1)
            frame = frame[:at] + rng.randbytes(1) + frame[at + 1 :]
        if how < 0.13:
            frame = frame[: rng.randrange(40, len(frame) + 1)]
        damaged += [(ts_ns, frame)] * (2 if how > 0.95 else 1)
    results = (engine_named(name).packets(damaged, RAW_IPV4) for name in ("reference", "compiled"))
    assert difference(*results) is None
