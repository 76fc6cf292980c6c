"""Gates on trial: what a weak opening or a missing start tells waits in the core until something proves it."""

from __future__ import annotations

from itertools import chain

import pytest

from sensor.model.events import Chunk, Close, End, Hit, Open, Shape
from sensor.model.gate_opening import GateOpening
from tests.core.captures import SECOND, Talk, pcap, timed

TALK = Talk()
HELLO = TALK.handshake()
TCP = 6
JSON = GateOpening(TCP, 0, ((0x7B, 0x7B), (0x22, 0x22)), 16_384)
#: 17 bytes that begin with a zero, answered by a zero or a one.
CHALLENGE = GateOpening(TCP, 0, ((0, 0), *[(1, 255)] * 15), 2_048, 17, (((0, 1),),))
#: Whatever is answered, but for one thing.
POST = GateOpening(TCP, 0, tuple((byte, byte) for byte in b"POST / "), 2_048, 0, (), b"ocsp-response")
OPENINGS = [JSON, CHALLENGE, POST]
ASKED, SOLVED = b"\0" + bytes(range(1, 17)), b"\1" + bytes(40)
REQUEST, PLAIN, REVOKED = (
    b"POST / HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: ocsp-response\r\n\r\n",
)


def look(engine, *frames, **options):
    return engine.packets(timed(list(frames)), **{"openings": OPENINGS, **options})


def chunks_of(result) -> list[tuple[int, int, int, bytes]]:
    return [(chunk.direction, chunk.offset, chunk.gap, chunk.data) for chunk in result.chunks]


def is_untold(result) -> bool:
    """Whether nothing was told of any flow, and nothing counted but the trial."""
    counted = ("candidates_opened", "candidates_spent", "chunks", "chunk_bytes", "hits", "gaps", "gap_bytes")
    quiet = not any(result.of(kind) for kind in (Open, Chunk, Hit, Close))
    return quiet and not any(result.stats[name] for name in counted)


def bytewise(direction: int, data: bytes, start: int = 0) -> list[bytes]:
    return [TALK.data(direction, start + at, data[at : at + 1]) for at in range(len(data))]


def test_a_start_that_comes_late_and_fits_opens_the_gate(engine):
    result = look(engine, *HELLO, TALK.data(0, 4, b'e"}\n'), TALK.data(0, 0, b'{"on'), TALK.data(1, 0, b"answer"))
    assert chunks_of(result) == [(0, 0, 0, b'{"one"}\n'), (1, 0, 0, b"answer")]
    assert [type(event) for event in result.events] == [Open, Chunk, Chunk, End, Close]
    assert result.open.ts_ns < result.chunks[0].ts_ns, "its time is that of the first segment"
    assert (result.stats["candidates_opened"], result.stats["trials_failed"]) == (1, 0)


def test_a_start_that_comes_late_byte_by_byte_and_backwards_opens_the_gate(engine):
    result = look(engine, *HELLO, *reversed(bytewise(0, b'{"id":1}\n')))
    assert result.stream(0) == b'{"id":1}\n'


def test_a_start_that_comes_late_and_fits_nothing_is_nothings(engine):
    client = [TALK.data(0, 4, b"second part."), TALK.data(0, 0, b"1st ")]
    server = TALK.data(1, 0, b"an answer of sixteen bytes and more", acked=16)
    result = look(engine, *HELLO, *client, server)
    assert is_untold(result)
    assert (result.stats["trials_failed"], result.stats["candidates"]) == (1, 0)


def test_a_flow_whose_trial_failed_is_opened_by_a_literal_as_any_other(engine):
    client = [TALK.data(0, 4, b"second part."), TALK.data(0, 0, b"1st "), TALK.data(1, 0, bytes(16), acked=16)]
    result = look(engine, *HELLO, *client, TALK.data(0, 16, b'-"mining.a'), TALK.data(0, 26, b"more"))
    assert chunks_of(result) == [(0, 4, 0, b'second part.-"mining.a'), (0, 26, 0, b"more")]
    assert [type(event) for event in result.events] == [Open, Hit, Chunk, Chunk, End, Close]


def test_a_literal_proves_a_flow_whose_start_is_missing_for_good(engine):
    frames = [TALK.data(0, 9, b'x"mining.submit"\n'), TALK.data(1, 0, b"yes", acked=26)]
    frames += [TALK.data(0, 26 + number, b".") for number in range(17)]
    result = look(engine, *HELLO, *frames)
    assert chunks_of(result)[:2] == [(0, 9, 9, b'x"mining.submit"\n' + b"." * 15), (1, 0, 0, b"yes")]
    assert (result.stats["gaps"], result.stats["gap_bytes"], result.close.gap_bytes) == (1, 9, 9)


def test_a_literal_proves_a_flow_whose_start_is_missing_when_it_ends(engine):
    result = look(engine, *HELLO, TALK.data(0, 9, b'x"mining.submit"\n'))
    assert chunks_of(result) == [(0, 9, 9, b'x"mining.submit"\n')]
    assert [type(event) for event in result.events] == [End, Open, Hit, Chunk, Close]


@pytest.mark.parametrize("cut", [1, 2, 9])
def test_what_comes_behind_a_start_that_is_missing_for_good_may_be_an_opening(engine, cut):
    line = b'{"id":3}\n'
    result = look(engine, *HELLO, TALK.data(0, 20, line[:cut]), TALK.data(0, 20 + cut, line[cut:]))
    assert chunks_of(result) == [(0, 20, 20, line)]
    answered = look(
        engine, *HELLO, TALK.data(0, 20, line), TALK.data(1, 0, b"", acked=29), TALK.data(1, 0, b"", acked=29)
    )
    assert answered.stream(0) == line


def test_what_comes_behind_a_start_that_is_missing_for_good_may_be_nothing(engine):
    frames = [TALK.data(0, 20, b"nothing of it at all"), TALK.data(1, 0, b"nor an answer of it", acked=40)]
    result = look(engine, *HELLO, *frames, *(TALK.data(0, 40 + number, b".") for number in range(17)))
    assert is_untold(result)
    assert result.stats["trials_failed"] == 1


def test_the_other_sides_opening_proves_a_flow_whose_start_is_missing(engine):
    result = look(engine, *HELLO, TALK.data(0, 9, b"late"), TALK.data(1, 0, b'{"'), TALK.data(1, 2, b"b"))
    assert chunks_of(result) == [(1, 0, 0, b'{"'), (1, 2, 0, b"b"), (0, 9, 9, b"late")]


def test_one_side_that_fits_nothing_does_not_decide_before_the_other_has_begun(engine):
    server = TALK.data(1, 0, b"HTTP/1.1 200 whatever")
    result = look(engine, *HELLO, TALK.data(0, 2, b"a"), server, TALK.data(0, 0, b'{"'))
    assert chunks_of(result) == [(1, 0, 0, b"HTTP/1.1 200 whatever"), (0, 0, 0, b'{"a')]


def test_what_is_proven_by_a_late_start_has_the_budget_of_its_opening(engine):
    line = b"y" * 1_399 + b"\n"
    frames = [TALK.data(0, 4, line), TALK.data(0, 0, b'{"on')]
    frames += [TALK.data(0, 4 + 1_400 * number, line) for number in range(1, 13)]
    assert len(look(engine, *HELLO, *frames).stream(0)) == 4 + 1_400 * 12


def test_a_trial_is_over_with_its_budget(engine):
    frames = [TALK.data(0, 4, b"late"), TALK.data(0, 0, b"soon"), TALK.data(0, 8, b"x" * 2_040)]
    result = look(engine, *HELLO, *frames, TALK.data(0, 2_048, b"not kept"))
    assert is_untold(result)
    assert result.stats["trials_failed"] == 1


def test_a_waiting_opening_is_proven_by_its_answer(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(1, 0, SOLVED), TALK.data(0, 17, b"more"))
    assert chunks_of(result) == [(0, 0, 0, ASKED), (1, 0, 0, SOLVED), (0, 17, 0, b"more")]
    assert [type(event) for event in result.events] == [Open, Chunk, Chunk, Chunk, End, Close]
    assert (result.stats["candidates_opened"], result.stats["chunks"], result.stats["chunk_bytes"]) == (1, 3, 62)


@pytest.mark.parametrize("handshake", [True, False])
@pytest.mark.parametrize("first", [0, 1])
def test_an_opening_and_its_answer_may_come_byte_by_byte_from_either_side_and_joined(engine, first, handshake):
    frames = [*bytewise(first, ASKED), *bytewise(1 - first, SOLVED)]
    result = look(engine, *(HELLO if handshake else ()), *frames)
    assert {result.stream(0), result.stream(1)} == {ASKED, SOLVED}


def test_sides_that_ask_the_same_answer_each_other(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(1, 0, ASKED), TALK.data(1, 17, SOLVED))
    assert (result.stream(0), result.stream(1)) == (ASKED, ASKED + SOLVED)


@pytest.mark.parametrize("answer", [b"\2" + bytes(40), b"HTTP/1.1 400 Bad Request\r\n"])
def test_another_answer_fails(engine, answer):
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(1, 0, answer), TALK.data(0, 17, b"more"))
    assert is_untold(result)
    assert result.stats["trials_failed"] == 1


def test_who_was_never_answered_is_told_of_at_the_end(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(0, 17, b"more"))
    assert chunks_of(result) == [(0, 0, 0, ASKED), (0, 17, 0, b"more")]
    assert [type(event) for event in result.events] == [End, Open, Chunk, Chunk, Close]


def test_who_goes_on_unanswered_until_the_budget_is_spent_fails(engine):
    body = [TALK.data(0, 17 + 1_000 * number, b"x" * 1_000) for number in range(4)]
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), *body)
    assert is_untold(result)
    assert (result.stats["candidates_spent"], result.stats["trials_failed"]) == (0, 1)


def test_half_an_answer_is_none(engine):
    challenge = CHALLENGE._replace(answers=(((1, 1), (0, 0)),))
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(1, 0, b"\1"), openings=[challenge])
    assert is_untold(result)


def test_a_literal_is_as_good_as_an_answer(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, ASKED), TALK.data(0, 17, b'"mini'), TALK.data(0, 22, b"ng.x"))
    assert chunks_of(result) == [(0, 0, 0, ASKED), (0, 17, 0, b'"mini'), (0, 22, 0, b"ng.x")]
    assert [hit.offset for hit in result.hits] == [17]


@pytest.mark.parametrize(
    ("pieces", "opens"),
    [([17], True), ([16], True), ([16, 1], True), ([5, 12], True), ([18], False), ([10, 8], False)],
    ids=str,
)
def test_most_bytes_is_of_all_that_came_when_an_opening_fits(engine, pieces, opens):
    data = b"\0" + bytes(range(1, 18))
    starts = [sum(pieces[:number]) for number in range(len(pieces))]
    frames = [TALK.data(0, start, data[start : start + size]) for start, size in zip(starts, pieces, strict=True)]
    result = look(engine, *HELLO, *frames, TALK.data(1, 0, SOLVED))
    assert bool(result.of(Open)) == opens


def test_an_answer_without_what_is_refused_proves(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, REQUEST), TALK.data(1, 0, PLAIN))
    assert chunks_of(result) == [(0, 0, 0, REQUEST), (1, 0, 0, PLAIN)]


def test_an_answer_that_holds_what_is_refused_fails(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, REQUEST), TALK.data(1, 0, REVOKED), TALK.data(0, 19, REQUEST))
    assert is_untold(result)


def test_who_asks_cannot_refuse_itself(engine):
    request = REQUEST + b"ocsp-response"
    result = look(engine, *HELLO, TALK.data(0, 4, request[4:]), TALK.data(0, 0, request[:4]), TALK.data(1, 0, PLAIN))
    assert (result.stream(0), result.stream(1)) == (request, PLAIN)


def test_an_answer_that_came_before_the_missing_start_refuses_as_well(engine):
    late = [TALK.data(0, 4, REQUEST[4:]), TALK.data(1, 0, REVOKED), TALK.data(0, 0, REQUEST[:4])]
    assert is_untold(look(engine, *HELLO, *late))


def test_an_answer_in_pieces_opens_before_what_is_refused_comes(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, REQUEST), *bytewise(1, REVOKED))
    assert result.stream(1) == REVOKED


def test_where_nobody_answers_what_was_not_refused_is_told_at_the_end(engine):
    result = look(engine, *HELLO, TALK.data(0, 0, REQUEST))
    assert chunks_of(result) == [(0, 0, 0, REQUEST)]
    assert [type(event) for event in result.events] == [End, Open, Chunk, Close]


def test_what_is_not_refused_until_its_budget_is_spent_is_told(engine):
    body = [TALK.data(0, 19 + 1_000 * number, b"x" * 1_000) for number in range(4)]
    result = look(engine, *HELLO, TALK.data(0, 0, REQUEST), *body)
    assert len(result.stream(0)) == 19 + 3_000
    assert (result.stats["candidates_spent"], result.stats["trials_failed"]) == (1, 0)


def test_what_is_kept_back_weighs_and_is_given_up(engine):
    talks = [Talk(ports=(port, 80)) for port in (2_001, 2_002, 2_003)]
    frames = chain.from_iterable([*talk.handshake(), talk.data(0, 0, REQUEST + bytes(100))] for talk in talks)
    result = look(engine, *frames, talks[0].data(1, 0, PLAIN), talks[2].data(1, 0, PLAIN), held_bytes=400)
    assert (result.stats["held_given_up"], result.stats["trials_failed"]) == (1, 1)
    assert [opened.orig_port for opened in result.of(Open)] == [2_003, 2_002], "the last was not refused to its end"


def test_a_trial_goes_on_when_the_tables_are_others(engine):
    core = engine.core(openings=OPENINGS)
    core.replace(engine.module.Tables([], [CHALLENGE]))
    core.attach(engine.file(pcap(timed([*HELLO, TALK.data(0, 0, ASKED), TALK.data(1, 0, SOLVED)]))))
    core.finish()
    events = []
    while not core.finished:
        events += core.poll(10, 100)
    assert [type(event) for event in events] == [Open, Chunk, Chunk, End, Close]


def test_flights_are_looked_at_once_a_trial_has_failed(engine):
    half = b"\xee" * 32
    frames = [TALK.data(0, 32, half), TALK.data(0, 0, half), TALK.data(1, 0, b"\xee" * 234), TALK.data(0, 64, b"frame")]
    result = look(engine, *HELLO, *frames, thin_flows=0)
    assert [type(event) for event in result.events] == [Open, Shape, Chunk, End, Close]
    assert chunks_of(result) == [(0, 64, 0, b"frame")]


def test_a_flow_on_trial_takes_a_place_and_gives_it_back(engine):
    second = Talk(ports=(2_002, 80))
    trial = [*HELLO, TALK.data(0, 0, ASKED)]
    other = [*second.handshake(), second.data(0, 0, b'{"a"')]
    refused = look(engine, *trial, *other, candidates=1)
    assert (refused.stats["candidates_refused"], refused.open.orig_port) == (1, TALK.ports[0])
    after = look(engine, *trial, TALK.data(1, 0, b"\2" * 16), *other, candidates=1)
    assert (after.stats["candidates_refused"], len(after.of(Open))) == (0, 1)


@pytest.mark.parametrize(
    "opening",
    [
        GateOpening(TCP, 0, ((0, 0), (0, 0)), 100, 1),
        GateOpening(17, 0, ((0, 0),), 100, 0, (((0, 0),),)),
        GateOpening(17, 0, ((0, 0),), 100, 0, (), b"text"),
        GateOpening(TCP, 0, ((0, 0),), 100, 0, ((),)),
        GateOpening(TCP, 0, ((0, 0),), 100, 0, (((0, 0),) * 17,)),
        GateOpening(TCP, 0, ((0, 0),), 100, 0, (((0, 0),),) * 17),
        GateOpening(TCP, 0, ((0, 0),), 100, 0, (), b"x" * 256),
    ],
)
def test_openings_that_could_not_work_are_refused(engine, opening):
    with pytest.raises(ValueError, match=r"\w"):
        engine.module.Tables([], [opening])


def test_a_trial_that_ends_with_its_capture_ends_nothing_of_the_next_one(engine):
    """A day later all flows have left, also those whose places are beyond the ones there are now."""
    talks = [Talk(ports=(50_000 + number, 3_333)) for number in range(9)]
    first = timed([frame for talk in talks for frame in (*talk.handshake(), talk.data(0, 4, b"late"))])
    later = [(ts_ns + 86_400 * SECOND, frame) for ts_ns, frame in timed([*HELLO, TALK.data(0, 0, b'{"one"}\n')])]
    result = engine.run(*(engine.file(pcap(packets)) for packets in (first, later)), openings=OPENINGS)
    assert [chunk.data for chunk in result.chunks] == [b'{"one"}\n']
    assert result.stats["trials_failed"] == 9
