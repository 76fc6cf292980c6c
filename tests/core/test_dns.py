"""Answers to DNS questions, over UDP and TCP; hostile ones are counted, and both cores see the same in whatever
comes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sensor.model.encrypted import DnsAnswer
from tests.core.captures import CLIENT, RAW_IPV4, SECOND, SERVER, T0, Talk, udp
from tests.core.conftest import Result, needs_compiled
from tests.core.test_equal import difference
from tests.core.tls_bytes import client_hello, extension, opening, packets, record, vector

A, CNAME, AAAA, MX, HTTPS, ANY = 1, 5, 28, 15, 65, 255
FOUR, SIX = bytes([192, 0, 2, 7]), bytes([0x20, 1, 0xD, 0xB8, *[0] * 11, 7])
POINTER = b"\xc0\x0c"


def name(text: str) -> bytes:
    return b"".join(vector(1, label.encode()) for label in text.split(".")) + b"\0"


def answer(data: bytes, *, kind: int = A, ttl_s: int = 60, owner: bytes = POINTER, of_class: int = 1) -> bytes:
    return owner + struct.pack(">HHI", kind, of_class, ttl_s) + vector(2, data)


def response(
    *records: bytes,
    asked: bytes = name("Pool.Example"),
    kind: int = A,
    flags: int = 0x8180,
    questions: int = 1,
    of_class: int = 1,
    count: int | None = None,
) -> bytes:
    header = struct.pack(">HHHHHH", 7, flags, questions, len(records) if count is None else count, 0, 0)
    return header + asked + struct.pack(">HH", kind, of_class) + b"".join(records)


def over_udp(engine, *messages: bytes, ports: tuple[int, int] = (53, 40_000), **limits: int) -> Result:
    frames = [udp(SERVER, CLIENT, ports, message) for message in messages]
    return engine.packets([(T0 + number, frame) for number, frame in enumerate(frames)], RAW_IPV4, **limits)


def one(engine, message: bytes) -> DnsAnswer | None:
    found = over_udp(engine, message).of(DnsAnswer)
    return found[0] if found else None


def test_an_answer_says_who_asked_whom_for_what_and_what_came(engine):
    result = over_udp(engine, response(answer(FOUR), answer(SIX, kind=AAAA, ttl_s=30)))
    (found,) = result.of(DnsAnswer)
    assert found == DnsAnswer(T0, CLIENT, SERVER, b"pool.example", (FOUR, SIX), 30, (), found.source)
    assert found.source
    assert (result.stats["dns_answers"], result.stats["dns_unreadable"]) == (1, 0)


def test_addresses_behind_aliases_are_the_names(engine):
    alias = answer(name("edge.example"), kind=CNAME, ttl_s=5)
    found = one(engine, response(alias, answer(FOUR, owner=name("edge.example"))))
    assert found is not None
    assert (found.name, found.addresses, found.ttl_s) == (b"pool.example", (FOUR,), 5)


@pytest.mark.parametrize("kind", [A, AAAA, HTTPS, ANY])
def test_questions_for_addresses_are_answered(engine, kind):
    assert one(engine, response(answer(FOUR), kind=kind)) is not None


@pytest.mark.parametrize(
    "message",
    [
        response(answer(FOUR), flags=0x0100),
        response(answer(FOUR), flags=0x8183),
        response(answer(FOUR), flags=0x9180),
        response(answer(FOUR), questions=2),
        response(answer(FOUR), questions=0),
        response(answer(FOUR), kind=MX),
        response(answer(FOUR), of_class=3),
        response(answer(FOUR, of_class=3)),
        response(answer(FOUR, kind=AAAA)),
        response(),
    ],
)
def test_what_is_no_answer_with_addresses_says_nothing(engine, message):
    result = over_udp(engine, message)
    assert not result.of(DnsAnswer)
    assert (result.stats["dns_answers"], result.stats["dns_unreadable"]) == (0, 0)


@pytest.mark.parametrize(
    "message",
    [
        response(answer(FOUR))[:11],
        response(answer(FOUR))[:20],
        response(answer(FOUR))[:-1],
        response(answer(FOUR), asked=POINTER),
        response(answer(FOUR), asked=b"\x40" + b"a" * 64 + b"\0"),
        response(answer(FOUR), asked=vector(1, b"pool.example") + b"\0"),
        response(answer(FOUR), asked=name(".".join(["a" * 63] * 4))),
        response(answer(FOUR, owner=b"\x41" + b"a" * 65 + b"\0")),
    ],
)
def test_what_cannot_be_read_is_counted(engine, message):
    result = over_udp(engine, message)
    assert (result.stats["dns_answers"], result.stats["dns_unreadable"]) == (0, 1)


def test_pointers_are_not_followed_so_no_loop_costs_anything(engine):
    loop = answer(FOUR, owner=b"\xc0\x1e")
    assert one(engine, response(loop, asked=name("a.example"))) is not None


def test_what_breaks_off_is_used_as_far_as_it_goes(engine):
    message = response(answer(FOUR), answer(SIX, kind=AAAA))
    found = one(engine, message[:-3])
    assert found is not None
    assert found.addresses == (FOUR,)


def test_records_and_addresses_are_bounded(engine):
    found = one(engine, response(*[answer(bytes([10, 0, 0, number])) for number in range(40)]))
    assert found is not None
    assert found.addresses == tuple(bytes([10, 0, 0, number]) for number in range(16))
    aliases = [answer(POINTER, kind=CNAME)] * 64
    assert one(engine, response(*aliases, answer(FOUR))) is None
    assert one(engine, response(*aliases[1:], answer(FOUR))) is not None


def test_the_longest_name_is_read(engine):
    labels = ["a" * 63, "b" * 63, "c" * 63, "d" * 61]
    found = one(engine, response(answer(FOUR), asked=name(".".join(labels))))
    assert found is not None
    assert len(found.name) == 253


def test_a_time_with_its_first_bit_set_is_zero(engine):
    found = one(engine, response(answer(FOUR, ttl_s=0x8000_0001)))
    assert found is not None
    assert found.ttl_s == 0


def over_tcp(engine, *pieces: bytes) -> Result:
    talk = Talk(ports=(40_000, 53))
    return engine.packets(packets([(0.1 * at, 1, piece) for at, piece in enumerate(pieces)], talk=talk))


def test_over_tcp_a_segment_that_begins_with_a_whole_message_is_read(engine):
    message = vector(2, response(answer(FOUR)))
    assert len(over_tcp(engine, message + b"\0").of(DnsAnswer)) == 1
    result = over_tcp(engine, message[:30], message[30:], b"\0")
    assert (result.of(DnsAnswer), result.stats["dns_unreadable"]) == ([], 0)
    assert over_tcp(engine, b"\0\0").stats["dns_unreadable"] == 0
    assert over_tcp(engine, vector(2, response(answer(FOUR))[:20])).stats["dns_unreadable"] == 1


def test_other_ports_and_a_sensor_that_follows_no_sessions_read_none(engine):
    message = response(answer(FOUR))
    assert not over_udp(engine, message, ports=(5_353, 40_000)).of(DnsAnswer)
    result = over_udp(engine, message, thin_flows=0)
    assert not result.of(DnsAnswer)
    assert result.stats["dns_answers"] == 0


def test_flows_of_sealed_dns_are_counted_once(engine):
    result = over_udp(engine, b"abc", b"def", ports=(853, 40_000))
    assert result.stats["dot_flows"] == 1
    talk = Talk(ports=(40_000, 853))
    result = engine.packets(packets(opening(), talk=talk))
    assert (result.stats["dot_flows"], result.stats["tls_flows"]) == (1, 1)
    assert engine.packets(packets([], talk=talk)).stats["dot_flows"] == 0


SEALED_HELLO = struct.pack(">BHHB", 0, 1, 1, 9) + vector(2, bytes(32)) + vector(2, bytes(144))


@pytest.mark.parametrize(
    ("data", "count"),
    [(SEALED_HELLO, 1), (b"\x01", 0), (b"", 0), (SEALED_HELLO[:-1], 0), (SEALED_HELLO + b"\0", 0)],
)
def test_hellos_with_a_sealed_one_in_them_are_counted(engine, data, count):
    hello = client_hello(more=[extension(0xFE0D, data)])
    result = engine.packets(packets([(0.0, 0, record(22, hello))]))
    assert (result.stats["hellos"], result.stats["ech_hellos"]) == (1, count)


PARTS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([answer(FOUR), answer(SIX, kind=AAAA), answer(POINTER, kind=CNAME, ttl_s=1 << 31), POINTER, b"\0"]),
)
HEADS = st.sampled_from([response(count=3), response(kind=AAAA, count=70), response(count=1)[:12], b""])


def messages(parts: Iterable[bytes], head: bytes) -> bytes:
    return head + b"".join(parts)


@needs_compiled
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answers=st.lists(st.builds(messages, st.lists(PARTS, max_size=5), HEADS), max_size=6), tcp=st.booleans())
def test_both_cores_see_the_same_in_whatever_comes(engine_named, answers, tcp):
    if tcp:
        turns = [(0.1 * at, 1, vector(2, message)[: 20 + at * 30]) for at, message in enumerate(answers)]
        frames = packets(turns, talk=Talk(ports=(40_000, 53)))
    else:
        frames = [(T0 + at * SECOND, udp(SERVER, CLIENT, (53, 40_000), message)) for at, message in enumerate(answers)]
    results = (engine_named(engine_name).packets(frames, RAW_IPV4) for engine_name in ("reference", "compiled"))
    assert difference(*results) is None
