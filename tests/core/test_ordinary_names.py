"""Names that nobody asks for: what is kept back of a session, when it is told after all, and what is said of addresses.
Both cores see the same in whatever comes.
"""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sensor.model.encrypted import (
    AddressNamed,
    ClientHello,
    DnsAnswer,
    EncryptedClose,
    EncryptedOpen,
    NamelessSession,
    Records,
    ServerCertificate,
    ServerHello,
)
from sensor.model.events import End
from sensor.model.time import HOUR_NS
from sensor.names.sharing import SHARED_BY
from sensor.reference.listed import SHARED_BY as CORE_SHARED_BY
from tests.core.captures import CLIENT, CLIENT_PORT, RAW_IPV4, SERVER, T0, Talk, pcap, udp
from tests.core.conftest import Result, needs_compiled
from tests.core.test_dns import AAAA, FOUR, SIX, A, answer, response
from tests.core.test_dns import name as dns_name
from tests.core.test_encrypted import exchange
from tests.core.test_equal import difference
from tests.core.test_quic import crypto, initial
from tests.core.tls_bytes import (
    ECDHE_RSA_AES_128_GCM,
    HANDSHAKE,
    TLS_1_2,
    Turn,
    certificate,
    certificate_message,
    client_hello,
    opening,
    packets,
    record,
    sealed,
    server_hello,
)

NAMES = [b"pool.example", b"f2pool.com"]
LISTED, ORDINARY = b"EU.Pool.example", b"www.example.org"


def flights(sni: bytes, *certified: bytes) -> list[Turn]:
    """The opening of TLS 1.2 with this name and these names of the certificate."""
    answered = record(HANDSHAKE, server_hello(TLS_1_2, ECDHE_RSA_AES_128_GCM))
    if certified:
        answered += record(HANDSHAKE, certificate_message(certificate(names=certified)))
    return opening(((0, record(HANDSHAKE, client_hello(sni=sni, versions=()))), (1, answered), (0, sealed(40))))


def kinds(result: Result) -> list[str]:
    return [type(event).__name__ for event in result.events if not isinstance(event, End | AddressNamed)]


def run(engine, turns: list[Turn], **options: object) -> Result:
    return engine.packets(packets(turns), names=NAMES, **options)


def test_of_a_short_session_with_an_ordinary_name_nothing_is_told_but_its_address(engine):
    result = run(engine, flights(ORDINARY, b"example.org", b"*.example.org"))
    assert kinds(result) == []
    assert result.of(AddressNamed) == [AddressNamed(T0, ORDINARY, (SERVER,))]
    stats = result.stats
    assert (stats["tls_flows"], stats["hellos"], stats["server_hellos"], stats["certificates"]) == (1, 1, 1, 1)


def test_a_listed_name_is_told_at_once(engine):
    result = run(engine, flights(LISTED, b"example.org"))
    assert kinds(result) == ["EncryptedOpen", "ClientHello", "ServerHello", "ServerCertificate", "EncryptedClose"]


@pytest.mark.parametrize("sni", [b"", b"pool", b"192.0.2.1", b"a..b", b"\xff.example"])
def test_of_a_short_session_that_names_no_host_it_is_told_that_it_was_there(engine, sni):
    turns = flights(sni, b"example.org")
    result = run(engine, turns)
    (told,) = [event for event in result.events if not isinstance(event, End)]
    times_ns = [ts_ns for ts_ns, _ in packets(turns)]
    ends = (CLIENT, CLIENT_PORT, SERVER, 3333)
    assert told == NamelessSession(told.flow, max(times_ns), *ends, "syn", 0, min(times_ns), (), told.source)


@pytest.mark.parametrize("sni", [ORDINARY, b""])
@pytest.mark.parametrize("certified", [(b"pool.example",), (b"example.org", b"*.f2pool.com")])
def test_a_certificate_with_a_listed_name_tells_all_that_was_kept_back(engine, certified, sni):
    result = run(engine, flights(sni, *certified))
    assert kinds(result) == ["EncryptedOpen", "ClientHello", "ServerHello", "ServerCertificate", "EncryptedClose"]
    assert result.of(EncryptedOpen)[0].ts_ns == result.of(ClientHello)[0].ts_ns == T0


def test_a_session_that_is_judged_thin_tells_its_beginning_before_its_records(engine):
    result = run(engine, [*flights(ORDINARY, b"example.org"), *exchange(20)])
    assert kinds(result)[:5] == ["EncryptedOpen", "ClientHello", "ServerHello", "ServerCertificate", "Records"]
    assert kinds(result)[-1] == "EncryptedClose"
    numbers = {event.flow for kind in (EncryptedOpen, ClientHello, Records) for event in result.of(kind)}
    assert len(numbers) == 1


def test_who_the_client_was_is_told_where_its_hello_was_read(engine):
    broken = record(HANDSHAKE, b"\1\0\0\x05hello")
    answered = record(HANDSHAKE, server_hello())
    seen = {
        "read": flights(b""),
        "lost": opening(((0, broken), (0, sealed(40)))),
        "from the server": opening(((1, answered),)),
        "midstream": exchange(3),
    }
    found = {name: run(engine, turns).of(NamelessSession) for name, turns in seen.items()}
    assert {name: [event.client for event in its] for name, its in found.items()} == {
        "read": [0],
        "lost": [-1],
        "from the server": [-1],
        "midstream": [-1],
    }


def test_a_nameless_session_that_is_judged_thin_is_told_whole(engine):
    assert kinds(run(engine, exchange(20)))[:2] == ["EncryptedOpen", "Records"]


def test_sessions_of_dns_over_tls_are_never_kept_back(engine):
    result = engine.packets(packets(flights(ORDINARY), talk=Talk(ports=(CLIENT_PORT, 853))), names=NAMES)
    assert kinds(result) == ["EncryptedOpen", "ClientHello", "ServerHello", "EncryptedClose"]


def test_a_fat_session_with_an_ordinary_name_is_not_told(engine):
    result = run(engine, [*flights(ORDINARY), *exchange(100, step_s=0.01)])
    assert (kinds(result), result.stats["thin_fat"]) == ([], 1)


def test_names_are_swapped_with_the_tables(engine):
    tables = engine.module.Tables([b"none"], [], [], [b"example.org"])
    core = engine.core(names=NAMES)
    core.replace(tables)
    core.attach(engine.file(pcap(packets(flights(ORDINARY)), RAW_IPV4)))
    core.finish()
    events = list(itertools.chain.from_iterable(iter(lambda: core.poll(1_024, 100), [])))
    assert any(isinstance(event, ClientHello) for event in events)


def test_what_is_kept_back_weighs_and_the_oldest_is_given_up(engine):
    frames = [
        packet for port in range(80) for packet in packets(flights(ORDINARY), talk=Talk(ports=(10_000 + port, 443)))
    ]
    result = engine.packets(frames, names=NAMES, thin_bytes=65_536)
    assert result.stats["thin_evicted"] == 80 - 65_536 // (256 + 640)
    assert kinds(result) == []


# Look-ups, QUIC, addresses.


def looked_up(engine, *names: bytes, step_ns: int = 1, **options: object) -> Result:
    replies = [response(answer(FOUR), answer(SIX, kind=AAAA), asked=dns_name(name.decode())) for name in names]
    frames = [(T0 + number * step_ns, udp(SERVER, CLIENT, (53, 40_000), reply)) for number, reply in enumerate(replies)]
    return engine.packets(frames, RAW_IPV4, names=NAMES, **options)


def test_only_look_ups_of_listed_names_are_told(engine):
    result = looked_up(engine, b"www.example.org", b"eu.pool.example", b"localhost")
    assert [found.name for found in result.of(DnsAnswer)] == [b"eu.pool.example"]
    assert [(found.name, found.addresses) for found in result.of(AddressNamed)] == [
        (b"www.example.org", (FOUR, SIX)),
        (b"eu.pool.example", (FOUR, SIX)),
    ]
    assert result.stats["dns_answers"] == 3


def test_an_address_tells_three_domains_in_an_hour_each_once(engine):
    names = [b"a.x.example", b"b.x.example", b"y.example", b"www.z.co.uk", b"w.example", b"a.x.example"]
    told = [found.name for found in looked_up(engine, *names, b"w.example", b"y.example").of(AddressNamed)]
    assert told == [b"a.x.example", b"y.example", b"www.z.co.uk"]
    again = looked_up(engine, b"a.x.example", b"a.x.example", step_ns=HOUR_NS).of(AddressNamed)
    assert len(again) == 2


def test_a_hello_of_quic_with_an_ordinary_name_names_its_address_and_nothing_more(engine):
    for sni, expected in ((ORDINARY, []), (LISTED, ["EncryptedOpen", "ClientHello", "EncryptedClose"])):
        frame = udp(CLIENT, SERVER, (40_000, 443), initial(crypto(0, client_hello(sni=sni))))
        result = engine.packets([(T0, frame)], RAW_IPV4, names=NAMES)
        assert kinds(result) == expected
        assert result.of(AddressNamed) == [AddressNamed(T0, sni.lower(), (SERVER,))]
        assert result.stats["hellos"] == 1


SNIS = st.sampled_from([LISTED, ORDINARY, b"", b"pool", b"a.co.uk", b"x.pool.example.", b"-a.b"])
CERTIFIED = st.lists(st.sampled_from([b"pool.example", b"*.f2pool.com", b"example.org", b""]), max_size=3)


@needs_compiled
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sessions=st.lists(st.tuples(SNIS, CERTIFIED, st.integers(0, 30), st.booleans()), min_size=1, max_size=4))
def test_both_cores_see_the_same_in_whatever_comes(engine_named, sessions):
    frames = []
    for number, (sni, certified, count, drops) in enumerate(sessions):
        turns = [*flights(sni, *certified), *exchange(count, step_s=5)]
        sent = packets(turns, talk=Talk(ports=(20_000 + number, 443)), size=400)
        frames += sent[:2] + sent[3:] if drops else sent
    frames.sort(key=lambda packet: packet[0])
    ours, theirs = (engine_named(name).packets(frames, names=NAMES) for name in ("reference", "compiled"))
    assert difference(ours, theirs) is None


def test_a_hello_in_pieces_and_out_of_order_is_kept_back_all_the_same(engine):
    sent = packets(flights(ORDINARY, b"example.org"), size=60)
    swapped = [*sent[:2], sent[3], sent[2], *sent[4:]]
    in_order = sorted(ts_ns for ts_ns, _ in swapped)
    result = engine.packets([(ts_ns, frame) for ts_ns, (_, frame) in zip(in_order, swapped, strict=True)], names=NAMES)
    assert (kinds(result), result.stats["certificates"]) == ([], 1)


def test_kept_back_and_told_alike_each_event_comes_once(engine):
    result = run(engine, [*flights(ORDINARY, b"example.org"), *exchange(40, step_s=5)])
    for kind in (EncryptedOpen, ClientHello, ServerHello, ServerCertificate, EncryptedClose):
        assert len(result.of(kind)) == 1


LOOK_UPS = st.tuples(
    st.sampled_from(
        [b"eu.pool.example", b"a.x.example", b"b.x.example", b"y.example", b"z.co.uk", b"w.example", b"host"]
    ),
    st.sampled_from([(FOUR,), (SIX,), (FOUR, SIX), (b"\x0a\0\0\1", FOUR)]),
    st.sampled_from([1, 10**9, HOUR_NS // 2, HOUR_NS]),
)


@needs_compiled
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(look_ups=st.lists(LOOK_UPS, min_size=1, max_size=40))
def test_both_cores_say_the_same_of_addresses_however_often_they_are_looked_up(engine_named, look_ups):
    frames, at_ns = [], T0
    for name, addresses, later_ns in look_ups:
        replies = [answer(address, kind=A if len(address) == 4 else AAAA) for address in addresses]
        reply = response(*replies, asked=dns_name(name.decode()))
        frames.append((at_ns, udp(SERVER, CLIENT, (53, 40_000), reply)))
        at_ns += later_ns
    results = [engine_named(name).packets(frames, RAW_IPV4, names=NAMES) for name in ("reference", "compiled")]
    assert difference(*results) is None
    told = [(event.ts_ns // HOUR_NS, where) for event in results[1].of(AddressNamed) for where in event.addresses]
    assert max((told.count(each) for each in told), default=0) <= SHARED_BY == CORE_SHARED_BY
