"""The prefilter: which payload opens a flow's gate, where assembly then begins, and how long the gate stays open."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from sensor.model.events import Chunk, Close, End, Hit, Open, Shape
from tests.core.captures import CLIENT, SERVER, Talk, pcap, timed, udp

TALK = Talk()
HELLO = TALK.handshake()
LITERAL = b'"mining.'


def kinds(result) -> list[type]:
    return [type(event) for event in result.events]


def chunks_of(result) -> list[tuple[int, int, int, bytes]]:
    return [(chunk.direction, chunk.offset, chunk.gap, chunk.data) for chunk in result.chunks]


def sent(*payloads: bytes, direction: int = 0, start: int = 0) -> list[bytes]:
    frames = []
    for payload in payloads:
        frames.append(TALK.data(direction, start, payload))
        start += len(payload)
    return frames


@settings(max_examples=40, deadline=None)
@given(before=st.binary(max_size=40), after=st.binary(max_size=40), where=st.integers(1, 7), handshake=st.booleans())
def test_a_literal_cut_by_a_segment_border_is_found(engine, before, after, where, handshake):
    before = b"-" + before.replace(b'"', b"-").replace(b"{", b"-")  # "-" is no opening
    first, second = before + LITERAL[:where], LITERAL[where:] + after
    result = engine.packets(timed((HELLO if handshake else []) + sent(first, second)))
    assert [(hit.direction, hit.offset, hit.literal) for hit in result.hits] == [(0, len(before), 0)]
    carried = first[-15:]
    assert chunks_of(result) == [(0, len(first) - len(carried), 0, carried + second)]
    assert kinds(result) == [Open, Hit, Chunk, End, Close]


@pytest.mark.parametrize("where", range(1, 16))
def test_the_longest_literal_is_found_at_every_cut(engine, where):
    literal = b"0123456789abcdef"
    result = engine.packets(timed(sent(b"--" + literal[:where], literal[where:])), literals=[literal])
    assert [hit.offset for hit in result.hits] == [2]


def test_a_literal_is_not_found_over_a_hole(engine):
    result = engine.packets(timed([*HELLO, TALK.data(0, 0, b'--"min'), TALK.data(0, 7, b"ing.")]))
    assert result.of(Open) == []


def test_a_retransmission_is_scanned_without_the_carry(engine):
    frames = [*HELLO, *sent(b"some text first", b'"min'), TALK.data(0, 10, b"ing."), TALK.data(0, 0, b'x"mining.')]
    result = engine.packets(timed(frames))
    assert chunks_of(result) == [(0, 0, 0, b'x"mining.')]


def test_bytes_before_a_segment_that_starts_late_are_no_carry(engine):
    result = engine.packets(timed([*HELLO, *sent(b"text"), TALK.data(0, 100, b'"mining.')]))
    assert chunks_of(result) == [(0, 100, 0, b'"mining.')]


OPENINGS = [
    (b"{}", True),
    (b"\xf9\xbe\xb4\xd9", True),
    (b"\xf9\xbe\xb4", False),
    (b"\xf9\xbe\xb4\xd8", False),
    (b"\x05\xff\x04", True),
    (b"\x06\xff\x04", False),
    (b"\x00\x00\x05", False),
    (b" {", False),
]


@pytest.mark.parametrize(("payload", "opens"), OPENINGS)
@pytest.mark.parametrize("handshake", [True, False])
def test_an_opening_matches_wholly_or_not_at_all(engine, payload, opens, handshake):
    result = engine.packets(timed((HELLO if handshake else []) + sent(payload)))
    assert result.stream(0) == (payload if opens else b"")


@pytest.mark.parametrize("direction", [0, 1])
def test_an_opening_may_come_byte_by_byte_and_from_either_side(engine, direction):
    frames = sent(*(bytes([byte]) for byte in b"\xf9\xbe\xb4\xd9more"), direction=direction)
    result = engine.packets(timed(HELLO + frames))
    assert chunks_of(result)[0] == (direction, 0, 0, b"\xf9\xbe\xb4\xd9")
    assert result.stream(direction) == b"\xf9\xbe\xb4\xd9more"


def test_an_opening_is_not_looked_for_later_in_the_stream(engine):
    assert engine.packets(timed(HELLO + sent(b"GET / HTTP/1.1\r\n\r\n", b"{}"))).of(Open) == []


def test_the_first_opening_in_the_table_gives_the_budget(engine):
    openings = [(6, 1, [(0x62, 0x62)], 3), (6, 0, [(0x61, 0x61)], 1_000)]
    result = engine.packets(timed(sent(b"abc", b"def")), openings=openings)
    assert result.stream(0) == b"abc"
    assert result.stats["candidates_spent"] == 1


def test_payload_of_a_syn_is_the_start_of_the_stream(engine):
    client, server = TALK.initial
    frames = [
        TALK.packet(0, 2, client, payload=b"{fast"),
        TALK.packet(1, 0x12, server, client + 6),
        TALK.data(0, 5, b"open}"),
    ]
    assert engine.packets(timed(frames)).stream(0) == b"{fastopen}"


def test_a_missing_start_opens_with_a_small_budget(engine):
    frames = [
        *HELLO,
        TALK.data(0, 4, b"late"),
        TALK.data(0, 0, b"{sn "),
        TALK.data(0, 8, b"x" * 2_041),
        TALK.data(0, 2_049, b"not seen"),
    ]
    result = engine.packets(timed(frames), openings=[(6, 0, [(0x7B, 0x7B)], 2_048)])
    assert chunks_of(result) == [(0, 0, 0, b"{sn late"), (0, 8, 0, b"x" * 2_041)]
    assert kinds(result) == [Open, Chunk, Chunk, End, Close]
    assert result.open.ts_ns < result.chunks[0].ts_ns


def test_a_start_that_never_comes_is_a_gap(engine):
    result = engine.packets(timed([*HELLO, TALK.data(0, 4, b"late"), TALK.data(1, 0, b"{eply", acked=8)]))
    assert chunks_of(result) == [(0, 4, 4, b"late"), (1, 0, 0, b"{eply")]


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ([], (1, 0, 0, b"next")),
        ([b"short"], (1, 0, 0, b"shortnext")),
        ([b"fifteen", b" bytes.."], (1, 0, 0, b"fifteen bytes..next")),
        ([b"sixteen", b" bytes..."], (1, 16, 0, b"next")),
    ],
)
def test_the_other_side_begins_where_nothing_is_lost_or_else_where_it_is(engine, before, first):
    frames = [
        *HELLO,
        *sent(*before, direction=1),
        *sent(b"{"),
        *sent(b"next", direction=1, start=sum(map(len, before))),
    ]
    assert chunks_of(engine.packets(timed(frames)))[1:] == [first]


def test_the_other_side_waits_for_its_start_after_a_syn(engine):
    frames = [*HELLO, *sent(b"{"), TALK.data(1, 4, b"late"), TALK.data(1, 0, b"soon")]
    assert chunks_of(engine.packets(timed(frames)))[1:] == [(1, 0, 0, b"soonlate")]


def test_a_hit_is_given_once_for_a_literal_and_flow_and_before_its_chunk(engine):
    frames = HELLO + sent(b'{"mining.a"job_id"', b'"mining.b') + sent(b'"job_id" "mining. eth_submit', direction=1)
    result = engine.packets(timed(frames))
    assert [(hit.direction, hit.offset, hit.literal) for hit in result.hits] == [(0, 1, 0), (0, 10, 3), (1, 18, 1)]
    assert kinds(result) == [Open, Hit, Hit, Chunk, Chunk, Hit, Chunk, End, Close]
    assert result.stats["hits"] == 3


def test_a_hit_may_begin_in_the_chunk_before(engine):
    result = engine.packets(timed(HELLO + sent(b'{"min', b"ing.")))
    assert [(hit.offset, hit.ts_ns) for hit in result.hits] == [(1, result.chunks[1].ts_ns)]


def test_a_literal_is_not_found_over_a_gap_in_the_chunks(engine):
    frames = [*HELLO, *sent(b'{"min'), TALK.data(0, 6, b"ing."), TALK.data(1, 0, b"", acked=10)]
    assert engine.packets(timed(frames)).hits == []


SMALL = {"openings": [(6, 0, [(0x7B, 0x7B)], 100)], "session_bytes": 200}


def test_a_spent_budget_shuts_the_gate(engine):
    result = engine.packets(timed(HELLO + sent(b"{" + b"x" * 98, b"y", b"unseen")), **SMALL)
    assert result.stream(0) == b"{" + b"x" * 98 + b"y"
    assert (result.stats["candidates_spent"], result.close.gap_bytes) == (1, 0)


def test_a_literal_fills_the_budget_up_every_time(engine):
    frames = sent(b'{"mining.' + b"x" * 141, b'"mining.' + b"y" * 142, b"z" * 49, b"z", b"unseen")
    result = engine.packets(timed(HELLO + frames), **SMALL)
    assert result.stats["chunk_bytes"] == 350
    assert len(result.hits) == 1


def test_a_literal_never_lowers_the_budget(engine):
    openings = [(6, 0, [(0x7B, 0x7B)], 1_000)]
    result = engine.packets(
        timed(HELLO + sent(b'{"mining.', b"x" * 990, b"y", b"unseen")), openings=openings, session_bytes=20
    )
    assert result.stats["chunk_bytes"] == 1_000


def test_the_budget_is_of_both_directions(engine):
    frames = [*HELLO, *sent(b"{" + b"x" * 49), *sent(b"y" * 50, direction=1), *sent(b"unseen", start=50)]
    assert engine.packets(timed(frames), **SMALL).stats["chunk_bytes"] == 100


def test_a_literal_opens_a_spent_gate_again_and_what_was_skipped_is_a_gap(engine):
    frames = HELLO + sent(b"{" + b"x" * 99, b"s" * 300, b'skip"mining.', b"more")
    result = engine.packets(timed(frames), **SMALL)
    assert kinds(result) == [Open, Chunk, Hit, Chunk, Chunk, End, Close]
    # Assembly begins at the carry: 15 of the skipped bytes are at hand.
    assert chunks_of(result)[1:] == [(0, 385, 285, b"s" * 15 + b'skip"mining.'), (0, 412, 0, b"more")]
    assert (result.close.gap_bytes, result.stats["gap_bytes"]) == (285, 285)


def test_no_byte_is_delivered_twice_when_the_gate_opens_again_at_once(engine):
    result = engine.packets(timed(HELLO + sent(b"{" + b"x" * 95 + b'"min', b"ing.", b"!")), **SMALL)
    assert result.stream(0) == b"{" + b"x" * 95 + b'"mining.!'
    assert [hit.offset for hit in result.hits] == [96]
    assert result.close.gap_bytes == 0


def test_the_other_side_of_a_gate_opened_again_shows_what_it_skipped(engine):
    frames = [*HELLO, *sent(b"early", direction=1), *sent(b"{" + b"x" * 99), *sent(b"u" * 40, direction=1, start=5)]
    frames += [*sent(b'"mining.', start=100), *sent(b"late", direction=1, start=45)]
    result = engine.packets(timed(frames), **SMALL)
    assert chunks_of(result)[1:] == [(0, 100, 0, b'"mining.'), (1, 45, 0, b"late")]
    frames = [*HELLO, *sent(b"{" + b"x" * 49), *sent(b"y" * 50, b"u" * 40, direction=1), *sent(b'"mining.', start=50)]
    frames += sent(b"late", direction=1, start=90)
    result = engine.packets(timed(frames), **SMALL)
    assert chunks_of(result)[1:] == [(1, 0, 0, b"y" * 50), (0, 50, 0, b'"mining.'), (1, 90, 40, b"late")]


def test_only_a_literal_opens_a_spent_gate(engine):
    talk_again = [TALK.data(0, 200, b"{"), TALK.data(1, 0, b"{")]
    result = engine.packets(timed([*HELLO, *sent(b"{" + b"x" * 99), *talk_again]), **SMALL)
    assert len(result.chunks) == 1


def candidate(port: int, payload: bytes) -> bytes:
    return Talk(ports=(port, 80)).data(0, 0, payload)


def test_openings_over_the_limit_are_refused_and_literals_take_the_idlest_place(engine):
    ports = (2_001, 2_002, 2_003, 2_004)
    frames = [
        *(Talk(ports=(port, 80)).packet(1, 0x10, 5) for port in ports),  # both sides are there
        candidate(2_001, b"{"),
        candidate(2_002, b"{"),
        candidate(2_003, b"{"),
        Talk(ports=(2_001, 80)).data(0, 1, b"a"),
    ]
    frames += [
        candidate(2_004, b'-"mining.'),
        Talk(ports=(2_002, 80)).data(0, 1, b"b"),
        Talk(ports=(2_001, 80)).data(0, 2, b"c"),
    ]
    result = engine.packets(timed(frames), candidates=2)
    assert [opened.orig_port if opened.orig_port != 80 else opened.resp_port for opened in result.of(Open)] == [
        2_001,
        2_002,
        2_004,
    ]
    assert [chunk.data for chunk in result.chunks] == [b"{", b"{", b"a", b'-"mining.', b"c"]
    assert (result.stats["candidates_refused"], result.stats["candidates_spent"]) == (1, 1)


def test_a_missing_start_over_the_limit_is_refused(engine):
    other = Talk(ports=(2_000, 81))
    answered = Talk(ports=(2_001, 80)).packet(1, 0x10, 5)
    frames = [answered, candidate(2_001, b"{"), *other.handshake(), other.data(0, 5, b"late")]
    result = engine.packets(timed(frames), candidates=1)
    assert len(result.of(Open)) == 1
    assert result.stats["candidates_refused"] == 1


PACKET = bytes(97) + b"\x01\xc0"


def datagrams(*payloads: tuple[int, bytes]) -> list[bytes]:
    ways = [(CLIENT, SERVER, (5_000, 6_000)), (SERVER, CLIENT, (6_000, 5_000))]
    return [udp(*ways[direction], payload) for direction, payload in payloads]


def test_udp_payloads_of_a_candidate_are_chunks(engine):
    result = engine.packets(
        timed(datagrams((1, b"before"), (0, PACKET), (1, b"re"), (1, b"ply"), (0, b""), (0, b"end")))
    )
    opened = result.open
    assert (opened.proto, opened.basis, opened.orig_port, opened.midstream) == (17, "first-seen", 6_000, False)
    assert chunks_of(result) == [(1, 0, 0, PACKET), (0, 0, 0, b"re"), (0, 2, 0, b"ply"), (1, 99, 0, b"end")]


def test_a_udp_opening_is_looked_for_in_the_first_payload_of_a_direction_only(engine):
    assert engine.packets(timed(datagrams((0, b"other"), (0, PACKET)))).of(Open) == []
    assert len(engine.packets(timed(datagrams((0, b"other"), (1, PACKET)))).of(Open)) == 1


def test_a_udp_budget_is_spent_for_good(engine):
    result = engine.packets(timed(datagrams(*[(0, PACKET)] * 60)))
    assert len(result.chunks) == 42  # the first with 4,096 bytes behind it
    assert result.stats["candidates_spent"] == 1


def test_literals_are_not_looked_for_in_udp(engine):
    assert engine.packets(timed(datagrams((0, b'"mining.subscribe"')))).of(Open) == []


def test_new_tables_count_from_the_next_packet(engine):
    core = engine.core(literals=[b"unlikely"], openings=[])
    core.replace(engine.module.Tables([b"likely"], []))
    core.attach(engine.file(pcap(timed(sent(b"a likely text")))))
    core.finish()
    events = []
    while not core.finished:
        events += core.poll(10, 100)
    assert [type(event) for event in events] == [Open, Hit, Chunk, End, Close]


@pytest.mark.parametrize(
    ("literals", "openings"),
    [
        ([b"abc"], []),
        ([b"x" * 17], []),
        ([], [(6, 0, [], 100)]),
        ([], [(6, 0, [(0, 1)] * 17, 100)]),
        ([], [(6, 15, [(0, 1)] * 2, 100)]),
        ([], [(17, 0, [(0, 1)] * 17, 100)]),
        ([], [(1, 0, [(0, 1)], 100)]),
    ],
)
def test_tables_that_could_not_work_are_refused(engine, literals, openings):
    with pytest.raises(ValueError, match=r"\w"):
        engine.module.Tables(literals, openings)


def flights(*sizes: int, step: int = 1 << 16) -> list[bytes]:
    """Flights of these sizes to and fro, cut into pieces of `step`; the bytes open no other gate."""
    frames, offsets = [], [0, 0]
    for number, size in enumerate(sizes):
        direction = number % 2
        for start in range(0, size, step):
            piece = b"\xee" * min(step, size - start)
            frames.append(TALK.data(direction, offsets[direction], piece))
            offsets[direction] += len(piece)
    return frames


@pytest.mark.parametrize("step", [1 << 16, 50, 1])
@pytest.mark.parametrize("handshake", [True, False])
def test_first_flights_of_known_sizes_open_a_gate_for_what_follows(engine, step, handshake):
    result = engine.packets(
        timed((HELLO if handshake else []) + flights(64, 234, step=step) + flights(64, 234, 96, 44)[2:])
    )
    assert [(shape.direction, shape.shape, shape.score) for shape in result.of(Shape)] == [(0, 0, 1.0)]
    assert chunks_of(result) == [(0, 64, 0, b"\xee" * 96), (1, 234, 0, b"\xee" * 44)]
    assert kinds(result)[:2] == [Open, Shape]
    assert result.stats["shapes"] == 1


@pytest.mark.parametrize("sizes", [(64, 235), (63, 234), (234, 64), (64, 64, 36), (128, 234)])
def test_flights_of_other_sizes_stay_quiet(engine, sizes):
    assert engine.packets(timed(HELLO + flights(*sizes))).of(Shape) == []


def test_a_shape_is_refused_where_there_is_no_room(engine):
    other = Talk(ports=(7, 8))
    result = engine.packets(
        timed([*other.handshake(), other.data(0, 0, b"{"), *HELLO, *flights(64, 234)]), candidates=1
    )
    assert result.of(Shape) == []
    assert result.stats["candidates_refused"] == 1


def test_flights_must_hold_something(engine):
    with pytest.raises(ValueError, match="both must hold something"):
        engine.module.Tables([], [], [(0, 5)])


def test_many_literals_are_searched_for_as_a_few_are(engine):
    literals = [f'"verb-{number:04}.'.encode() for number in range(256)]
    frames = [*HELLO, *sent(b'--"verb-0', b'231.x"', b'--"verb-0256.'), TALK.data(1, 0, b'"verb-0000.')]
    hits = engine.packets(timed(frames), literals=literals).hits
    assert [(hit.direction, hit.offset, hit.literal) for hit in hits] == [(0, 2, 231), (1, 0, 0)]
