"""The assembler.

However a conversation is cut, doubled and shuffled, its chunks are the true stream; lost bytes are gaps, in place.
"""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.core.captures import ACK, FIN, SECOND, T0, Talk, timed

SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Where the sequence numbers pass 2^32 within the stream, right at its start, and nowhere near.
INITIALS = st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0xFFFFFFFF - 300, 0xFFFFFFFF))
STREAMS = st.binary(min_size=1, max_size=300)

#: direction, stream offset, bytes
Piece = tuple[int, int, bytes]


@st.composite
def cut(draw, direction: int, stream: bytes) -> list[Piece]:
    """The stream in order, in segments of any lengths."""
    if draw(st.booleans()):
        size = draw(st.sampled_from([1, 7, 100]))
        cuts = list(range(size, len(stream), size))
    else:
        cuts = sorted(draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=12)))
    edges = [0, *(edge for edge in cuts if edge < len(stream)), len(stream)]
    return [(direction, start, stream[start:end]) for start, end in itertools.pairwise(edges)]


@st.composite
def shuffled(draw, pieces: list[Piece], streams: tuple[bytes, bytes]) -> list[Piece]:
    """Some pieces doubled, some repeated with what is around them, and each at most a few places late."""
    again = draw(st.lists(st.sampled_from(pieces), max_size=6)) if pieces else []
    wider = [
        (direction, max(0, offset - 5), streams[direction][max(0, offset - 5) : offset + 20])
        for direction, offset, _ in again
    ]
    everything = [*pieces, *again, *wider]
    keys = {number: number + draw(st.integers(0, 20)) for number in range(len(everything))}
    return [everything[number] for number in sorted(keys, key=lambda number: (keys[number], number))]


@st.composite
def conversations(draw, handshake: bool):
    """A talk, its two streams, and its payload packets in a hostile order. The gate opens with the first of them."""
    talk = Talk(initial=(draw(INITIALS), draw(INITIALS)))
    streams = (b"{" + draw(STREAMS), draw(STREAMS))
    client, server = draw(cut(0, streams[0])), draw(cut(1, streams[1]))
    # Without a SYN a direction begins with its first segment seen, so those two come first.
    first, rest = ([client[0]], client[1:] + server) if handshake else ([client[0], server[0]], client[1:] + server[1:])
    return talk, streams, first + draw(shuffled(rest, streams))


def frames_of(talk: Talk, pieces: list[Piece]) -> list[bytes]:
    return [talk.data(direction, offset, data) for direction, offset, data in pieces]


def assert_whole(result, streams) -> None:
    assert (result.stream(0), result.stream(1)) == streams
    for direction in (0, 1):
        expected = 0
        for chunk in result.chunks:
            if chunk.direction == direction:
                assert (chunk.offset, chunk.gap) == (expected, 0)
                expected += len(chunk.data)
    assert (
        result.close.gap_bytes
        == result.stats["gaps"]
        == result.stats["overlap_conflicts"]
        == result.close.bad_checksums
        == 0
    )


@SETTINGS
@given(conversation=conversations(handshake=True))
def test_a_conversation_from_its_handshake_is_whole(engine, conversation):
    talk, streams, pieces = conversation
    result = engine.packets(timed(talk.handshake() + frames_of(talk, pieces)))
    assert_whole(result, streams)
    assert (result.open.basis, result.open.midstream) == ("syn", False)


@SETTINGS
@given(conversation=conversations(handshake=False))
def test_a_conversation_joined_midstream_is_whole_from_there(engine, conversation):
    talk, streams, pieces = conversation
    result = engine.packets(timed(frames_of(talk, pieces)))
    assert_whole(result, streams)
    assert (result.open.basis, result.open.midstream) == ("first-seen", True)


@SETTINGS
@given(stream=STREAMS, initial=INITIALS, data=st.data())
def test_one_direction_alone_is_whole(engine, stream, initial, data):
    talk = Talk(initial=(initial, 0))
    pieces = data.draw(cut(0, b"{" + stream))
    result = engine.packets(timed([talk.handshake()[0], *frames_of(talk, pieces)]))
    assert_whole(result, (b"{" + stream, b""))


@SETTINGS
@given(conversation=conversations(handshake=True), data=st.data())
def test_fin_with_data_and_keep_alives_change_nothing(engine, conversation, data):
    talk, streams, pieces = conversation
    last = {0: len(streams[0]), 1: len(streams[1])}
    frames = [
        talk.data(direction, offset, payload, flags=ACK | (FIN if offset + len(payload) == last[direction] else 0))
        for direction, offset, payload in pieces
    ]
    for direction in data.draw(st.lists(st.sampled_from([0, 1]), max_size=3)):
        frames.append(talk.data(direction, last[direction] - 1, b"\0"))
        frames.append(talk.data(direction, last[direction] - 1, b""))
    result = engine.packets(timed(talk.handshake() + frames))
    assert (result.stream(0), result.stream(1)) == streams
    assert result.close.reason == "fin"
    assert result.close.gap_bytes == 0


@SETTINGS
@given(conversation=conversations(handshake=True), lost=st.sets(st.integers(1, 60), max_size=20))
def test_lost_segments_are_gaps_exactly_where_they_were(engine, conversation, lost):
    talk, streams, pieces = conversation
    kept = [piece for number, piece in enumerate(pieces) if number not in lost]
    result = engine.packets(timed(talk.handshake() + frames_of(talk, kept)))
    for direction in (0, 1):
        arrived = {offset + n for way, offset, data in kept if way == direction for n in range(len(data))}
        delivered, end = set(), 0
        for chunk in (chunk for chunk in result.chunks if chunk.direction == direction):
            assert chunk.gap == chunk.offset - end
            assert chunk.data == streams[direction][chunk.offset : chunk.offset + len(chunk.data)]
            end = chunk.offset + len(chunk.data)
            delivered |= set(range(chunk.offset, end))
        assert delivered == arrived
    assert result.close.gap_bytes == result.stats["gap_bytes"] == sum(chunk.gap for chunk in result.chunks)
    assert result.stats["gaps"] == sum(chunk.gap > 0 for chunk in result.chunks)


@SETTINGS
@given(
    pieces=st.lists(st.tuples(st.integers(-40, 200), st.binary(min_size=1, max_size=60)), max_size=25), initial=INITIALS
)
def test_of_bytes_that_differ_the_first_to_arrive_win(engine, pieces, initial):
    talk = Talk(initial=(initial, 5))
    pieces = [(0, b"{"), *pieces]
    result = engine.packets(timed([*talk.handshake(), *(talk.data(0, offset, data) for offset, data in pieces)]))
    expected: dict[int, int] = {}
    for offset, data in pieces:
        for at, byte in enumerate(data, offset):
            if at >= 0:
                expected.setdefault(at, byte)
    delivered = {chunk.offset + n: byte for chunk in result.chunks for n, byte in enumerate(chunk.data)}
    assert delivered == expected
    assert sum(len(chunk.data) for chunk in result.chunks) == len(delivered)


TALK = Talk()
OPEN = [*TALK.handshake(), TALK.data(0, 0, b"{")]


def chunks_of(result) -> list[tuple[int, int, int, bytes]]:
    return [(chunk.direction, chunk.offset, chunk.gap, chunk.data) for chunk in result.chunks]


def test_a_segment_that_fills_a_hole_brings_what_was_held_in_one_chunk(engine):
    result = engine.packets(
        timed([*OPEN, TALK.data(0, 3, b"cd"), TALK.data(0, 5, b"ef"), TALK.data(0, 8, b"z"), TALK.data(0, 1, b"ab")])
    )
    assert chunks_of(result) == [(0, 0, 0, b"{"), (0, 1, 0, b"abcdef"), (0, 8, 1, b"z")]
    assert result.chunks[1].ts_ns == T0 + 7_000_000


def test_conflicts_are_counted_once_a_segment(engine):
    frames = [TALK.data(0, 3, b"AA"), TALK.data(0, 7, b"AA"), TALK.data(0, 1, b"bbbbbbbbbb"), TALK.data(0, 2, b"cc")]
    result = engine.packets(timed([*OPEN, *frames]))
    assert result.stream(0) == b"{bbAAbbAAbb"
    assert result.stats["overlap_conflicts"] == 2
    assert result.stats["retransmitted_bytes"] == 2


def test_a_byte_that_comes_again_otherwise_is_a_conflict_unless_it_keeps_alive(engine):
    frames = [TALK.data(0, 1, b"abc"), TALK.data(0, 3, b"\0"), TALK.data(0, 3, b"c"), TALK.data(0, 2, b"\0\0")]
    result = engine.packets(timed([*OPEN, *frames]))
    assert (result.stream(0), result.stats["overlap_conflicts"]) == (b"{abc", 1)


@pytest.mark.parametrize(
    ("frames", "other"),
    [
        ([(1, b"junkjunk"), (1, b"{real}}\n")], [(0, b"{{real}}\n")]),
        ([(1, b"junk"), (1, b"{real}}\n")], [(0, b"{{real}}\n")]),
        ([(5, b"junk"), (1, b"{real}}\n")], [(0, b"{{real}}\n")]),
        ([(1, b"a\njunk"), (3, b"{}x\n")], [(3, b"{}x\n")]),
        ([(1, b"junk"), (1, b"{rea"), (5, b"junk"), (5, b"l}}\n")], [(0, b"{{real}}\n")]),
        ([(1, b"{real}}\n"), (1, b"junkjunk")], []),
        ([(1, b"{real}}\n"), (1, b"junkjunk"), (1, b"{real}}\n")], []),
        ([(1, b"junkjunk"), (1, b"{real}}\n"), (1, b"{real}}\n")], [(0, b"{{real}}\n")]),
        ([(1, b"x" * 2_000), (1, b"{real}}\n")], []),
        ([(1, b"1\n"), (1, b"j~~"), (3, b"{}\n")], [(3, b"{}\n")]),
    ],
)
def test_a_whole_line_that_contradicts_what_was_delivered_is_told_besides(engine, frames, other):
    result = engine.packets(timed([*OPEN, *(TALK.data(0, offset, data) for offset, data in frames)]))
    end, again = 0, []
    for chunk in result.chunks:
        if chunk.offset < end:
            again.append((chunk.offset, chunk.data))
            assert chunk.gap == 1
        else:
            end = chunk.offset + len(chunk.data)
    assert again == other
    assert (result.close.gap_bytes, result.stats["gaps"]) == (0, 0)


@pytest.mark.parametrize(("acked", "packets"), [(2, 30), (4, 30), (5, 14), (5, 15), (5, 16), (8, 16)])
def test_a_hole_is_given_up_some_packets_after_the_other_side_has_what_was_in_it(engine, acked, packets):
    waiting = [TALK.data(1, 0, b"", acked=acked)] * (1 + packets)
    result = engine.packets(timed([*OPEN, TALK.data(0, 5, b"held"), *waiting, TALK.data(0, 1, b"late")]))
    given_up = acked >= 5 and packets >= 15
    assert chunks_of(result)[1:] == [(0, 5, 4, b"held")] if given_up else [(0, 1, 0, b"lateheld")]
    assert result.stats["retransmitted_bytes"] == (4 if given_up else 0)


@pytest.mark.parametrize(("wait_s", "given_up"), [(9.999, False), (10, True)])
def test_a_hole_is_given_up_some_time_after_the_other_side_has_what_was_in_it(engine, wait_s, given_up):
    packets = timed([*OPEN, TALK.data(0, 5, b"held"), TALK.data(1, 0, b"", acked=9)], step_ns=0)
    result = engine.packets([*packets, (T0 + int(wait_s * SECOND), TALK.data(0, 1, b"late"))])
    assert chunks_of(result)[1:] == ([(0, 5, 4, b"held")] if given_up else [(0, 1, 0, b"lateheld")])


def test_what_acknowledges_more_than_was_seen_comes_after_it(engine):
    frames = [*OPEN, TALK.data(1, 0, b"reply", acked=6), TALK.data(1, 5, b"job", acked=6), TALK.data(0, 1, b"share")]
    result = engine.packets(timed([*frames, TALK.data(1, 8, b"more", acked=6)]))
    assert chunks_of(result)[1:] == [(0, 1, 0, b"share"), (1, 0, 0, b"replyjob"), (1, 8, 0, b"more")]


def test_an_answer_that_opens_the_gate_waits_for_its_request(engine):
    frames = [*TALK.handshake(), TALK.data(1, 0, b"{answer", acked=7), TALK.data(0, 0, b"{asked}")]
    assert chunks_of(engine.packets(timed(frames))) == [(0, 0, 0, b"{asked}"), (1, 0, 0, b"{answer")]


def test_what_each_side_acknowledges_of_the_other_is_in_order_however_both_come(engine):
    """A share, its answer, a share, its answer: the answers first, then the shares in turn."""
    share = [TALK.data(0, 1 + 2 * number, b"s%d" % number, acked=2 * number) for number in range(3)]
    answer = [TALK.data(1, 2 * number, b"a%d" % number, acked=3 + 2 * number) for number in range(3)]
    result = engine.packets(timed([*OPEN, answer[1], share[2], answer[0], share[1], share[0], answer[2]]))
    assert "".join(chunk.data.decode() for chunk in result.chunks) == "{s0a0s1a1s2a2"


def test_the_acknowledgement_of_a_fin_waits_for_nothing(engine):
    frames = [*OPEN, TALK.fin(0, 1), TALK.data(1, 0, b"last", acked=2)]
    result = engine.packets(timed(frames))
    assert [(chunk.data, chunk.ts_ns) for chunk in result.chunks[1:]] == [(b"last", T0 + 5_000_000)]


def test_an_acknowledgement_gives_up_as_many_holes_as_it_covers_before_its_own_payload(engine):
    frames = [
        *OPEN,
        TALK.data(0, 5, b"a"),
        TALK.data(0, 7, b"b"),
        TALK.data(0, 20, b"c"),
        TALK.data(1, 0, b"reply", acked=8),
        TALK.data(0, 1, b""),
    ]
    result = engine.packets(timed(frames, step_ns=11 * SECOND))
    assert chunks_of(result)[1:] == [(0, 5, 4, b"a"), (0, 7, 1, b"b"), (1, 0, 0, b"reply"), (0, 20, 12, b"c")]


def test_more_held_segments_than_allowed_give_up_the_hole(engine):
    frames = [*OPEN, *(TALK.data(0, 10 + 2 * number, b"x") for number in range(4))]
    result = engine.packets(timed(frames), reorder_segments=2)
    assert chunks_of(result)[1:] == [(0, 10, 9, b"x"), (0, 12, 1, b"x"), (0, 14, 1, b"x"), (0, 16, 1, b"x")]
    assert [chunk.ts_ns for chunk in result.chunks[1:3]] == [T0 + 6_000_000, T0 + 7_000_000]


def test_more_held_bytes_than_allowed_give_up_the_hole(engine):
    frames = [*OPEN, TALK.data(0, 10, b"x" * 50), TALK.data(0, 60, b"y" * 51), TALK.data(0, 1, b"late")]
    result = engine.packets(timed(frames), reorder_bytes=100)
    assert chunks_of(result)[1:] == [(0, 10, 9, b"x" * 50 + b"y" * 51)]
    assert result.chunks[1].ts_ns == T0 + 5_000_000


@pytest.mark.parametrize(
    ("offset", "counted"), [(1 + (1 << 30), 0), (2 + (1 << 30), 1), (1 - (1 << 30), 0), (-(1 << 30), 1)]
)
def test_what_is_over_a_gibibyte_off_is_no_part_of_the_stream(engine, offset, counted):
    assert engine.packets(timed([*OPEN, TALK.data(0, offset, b"x")])).stats["out_of_window"] == counted


def test_bytes_cut_by_the_snaplen_are_a_hole(engine):
    cut_frame = TALK.data(0, 1, b"abcdefgh")[:-4]
    result = engine.packets(timed([*OPEN, cut_frame, TALK.data(0, 9, b"next"), TALK.data(1, 0, b"", acked=13)]))
    assert chunks_of(result)[1:] == [(0, 1, 0, b"abcd"), (0, 9, 4, b"next")]
    result = engine.packets(timed([*OPEN, cut_frame, TALK.data(0, 9, b"next"), TALK.data(0, 1, b"abcdefgh")]))
    assert chunks_of(result)[1:] == [(0, 1, 0, b"abcd"), (0, 5, 0, b"efghnext")]


def test_data_after_a_fin_is_still_delivered(engine):
    frames = [*OPEN, TALK.fin(0, 5), TALK.fin(1, 0), TALK.data(0, 1, b"late"), TALK.data(1, 0, b"too")]
    result = engine.packets(timed(frames))
    assert (result.stream(0), result.stream(1)) == (b"{late", b"too")
    assert result.close.reason == "fin"


def test_what_is_held_goes_out_originator_first_when_the_flow_leaves(engine):
    frames = [*OPEN, TALK.data(1, 4, b"server"), TALK.data(0, 4, b"client"), TALK.data(0, 20, b"x")]
    late = Talk(ports=(1, 2)).data(0, 0, b"other")
    packets = [*timed(frames), (T0 + 3_600 * SECOND, late)]
    result = engine.packets(packets)
    assert chunks_of(result)[1:] == [(0, 4, 3, b"client"), (0, 20, 10, b"x"), (1, 4, 4, b"server")]
    assert {chunk.ts_ns for chunk in result.chunks[1:]} == {
        timed(frames)[-1][0]
    }  # the flow's own last packet, not the one that swept it
    assert result.close.reason == "idle"


def test_sequence_numbers_of_long_streams_do_not_wrap_in_offsets(engine):
    """Ten segments half a gibibyte apart: five gibibytes of stream, all but the segments lost and acknowledged."""
    step, talk = 1 << 29, Talk()
    frames = [*talk.handshake(), talk.data(0, 0, b"{")]
    for number in range(1, 11):
        frames += [talk.data(0, number * step, b"x"), talk.data(1, 0, b"", acked=number * step + 1)]
    result = engine.packets(timed(frames, step_ns=11 * SECOND))
    assert [chunk.offset for chunk in result.chunks] == [number * step for number in range(11)]
    assert result.close.gap_bytes == 10 * step - 10
