"""Encrypted sessions: what the hellos and the certificate say, and which sessions' records leave."""

from __future__ import annotations

import pytest

from sensor.model.encrypted import (
    AddressNamed,
    ClientHello,
    EncryptedClose,
    EncryptedOpen,
    Records,
    SealedRecord,
    ServerCertificate,
    ServerHello,
)
from sensor.model.events import Close, End, Open
from sensor.reference.tls_hello import RETRY_RANDOM
from tests.core.captures import CLIENT, CLIENT_PORT, FIN, SECOND, SERVER, SERVER_PORT, T0, Talk
from tests.core.conftest import Result
from tests.core.tls_bytes import (
    AES_128_GCM,
    ALERT,
    CHANGE_CIPHER_SPEC,
    ECDHE_RSA_AES_128_GCM,
    HANDSHAKE,
    OPENING_1_2,
    OPENING_1_3,
    TLS_1_2,
    TLS_1_3,
    Turn,
    certificate,
    certificate_message,
    client_hello,
    distinguished,
    extension,
    message,
    opening,
    packets,
    record,
    sealed,
    server_hello,
    vector,
)


def records(result: Result) -> list[SealedRecord]:
    return [record for batch in result.of(Records) for record in batch.records]


def lengths(result: Result, direction: int) -> list[int]:
    return [record.length for record in records(result) if record.direction == direction]


def exchange(count: int, *, start_s: float = 1, step_s: float = 10, size: int = 100) -> list[Turn]:
    """A question and its answer every so often; each length comes once."""
    turns: list[Turn] = []
    for number in range(count):
        at_s = start_s + number * step_s
        turns += [(at_s, 0, sealed(size + number)), (at_s + 0.05, 1, sealed(2 * size + number))]
    return turns


def test_a_session_opens_says_its_hellos_and_its_records_and_closes(engine):
    result = engine.packets(packets([*opening(), *exchange(20)]))
    kinds = [type(event).__name__ for event in result.events if type(event) is not End]
    assert kinds[:4] == ["EncryptedOpen", "AddressNamed", "ClientHello", "ServerHello"]
    assert kinds[4:] == ["Records"] * (len(kinds) - 5) + ["EncryptedClose"]
    assert result.of(AddressNamed) == [AddressNamed(T0, b"pool.example", (SERVER,))]
    (opened,) = result.of(EncryptedOpen)
    assert opened == EncryptedOpen(
        1, T0, "tls", CLIENT, CLIENT_PORT, SERVER, SERVER_PORT, "syn", False, T0 - SECOND, (), opened.source
    )
    assert opened.source
    (client,), (server,) = result.of(ClientHello), result.of(ServerHello)
    assert (client.direction, client.sni, client.alpn) == (0, b"pool.example", (b"h2", b"http/1.1"))
    assert (client.versions, client.ciphers) == ((TLS_1_3, TLS_1_2), 2)
    assert client.length == len(client_hello())
    assert server == ServerHello(1, T0 + SECOND // 10, 1, TLS_1_3, AES_128_GCM, b"")
    assert lengths(result, 0) == [53, *range(100, 120)]
    assert lengths(result, 1) == [900, *range(200, 220)]
    assert not any(record.gap for record in records(result))
    (closed,) = result.of(EncryptedClose)
    assert (closed.reason, closed.records, closed.resynchronised) == ("end", (23, 23), 0)
    assert not result.of(Open)
    stats = result.stats
    assert (stats["tls_flows"], stats["hellos"], stats["server_hellos"], stats["records"]) == (1, 1, 1, 46)
    assert (stats["thin_admitted"], stats["thin_fat"], stats["hellos_lost"]) == (1, 0, 0)


def test_the_first_batch_comes_after_a_minute_and_then_sixteen_at_a_time(engine):
    result = engine.packets(packets([*opening(), *exchange(40, step_s=5)]))
    batches = result.of(Records)
    assert batches[0].ts_ns >= T0 + 60 * SECOND
    assert all(record.ts_ns < T0 + 60 * SECOND for record in batches[0].records)
    assert [len(batch.records) for batch in batches[1:-1]] == [16] * (len(batches) - 2)
    counts = [0, 0]
    for batch in batches:
        assert batch.counts == tuple(counts)
        for found in batch.records:
            counts[found.direction] += 1


def test_what_waits_for_a_minute_leaves_with_the_next_sweep(engine):
    result = engine.packets(packets([*opening(), *exchange(2, start_s=70, step_s=400), (480, 0, sealed(9))]))
    batches = result.of(Records)
    assert [len(batch.records) for batch in batches] == [2, 2, 3]
    assert batches[1].ts_ns == T0 + 470 * SECOND


def test_of_a_session_shorter_than_a_minute_no_record_leaves(engine):
    result = engine.packets(packets([*opening(), *exchange(10, step_s=5)]))
    assert not result.of(Records)
    assert (result.stats["thin_admitted"], len(result.of(EncryptedClose))) == (0, 1)


def test_a_session_with_more_than_120_records_in_a_minute_is_forgotten(engine):
    result = engine.packets(packets([*opening(), *exchange(100, step_s=0.5), *exchange(20, start_s=60)]))
    (closed,) = result.of(EncryptedClose)
    assert (closed.reason, sum(closed.records)) == ("fat", 121)
    assert not result.of(Records)
    assert (result.stats["thin_fat"], result.stats["records"]) == (1, 121)


def test_a_thin_session_may_become_fat_and_gives_up_what_waits(engine):
    result = engine.packets(packets([*opening(), *exchange(10), *exchange(61, start_s=130, step_s=0.5)]))
    (closed,) = result.of(EncryptedClose)
    assert (closed.reason, result.stats["thin_admitted"], result.stats["thin_fat"]) == ("fat", 1, 1)
    assert len(records(result)) == sum(closed.records) - 4 - 1  # the hellos, two signals, and the last


def test_alerts_leave_and_other_records_are_counted(engine):
    turns = [
        *opening(),
        (70, 0, sealed(2, ALERT)),
        (71, 0, sealed(9, CHANGE_CIPHER_SPEC)),
        (72, 1, sealed(30, HANDSHAKE)),
    ]
    result = engine.packets(packets(turns))
    assert [(found.content_type, found.length) for found in records(result)][2:] == [(ALERT, 2)]
    assert result.of(EncryptedClose)[0].records == (5, 4)


def test_up_to_tls_1_2_the_certificate_is_read(engine):
    result = engine.packets(packets(opening(OPENING_1_2)))
    (server,), (found,) = result.of(ServerHello), result.of(ServerCertificate)
    assert (server.version, server.cipher, server.alpn) == (TLS_1_2, ECDHE_RSA_AES_128_GCM, b"h2")
    assert found.names == (b"pool.example", b"*.pool.example")
    assert (found.subject, found.issuer) == (b"O=Pool Ltd,CN=pool.example", b"C=NO,CN=An Authority")
    assert (found.self_signed, found.not_before_s, found.not_after_s) == (False, 1_704_067_200, 2_524_607_999)
    assert result.stats["certificates"] == 1


def served(engine, *records_: bytes) -> Result:
    turns = [(0.0, 0, record(HANDSHAKE, client_hello())), (0.1, 1, b"".join(records_))]
    return engine.packets(packets(turns))


def certified(engine, found: bytes) -> list[ServerCertificate]:
    hello = server_hello(TLS_1_2, ECDHE_RSA_AES_128_GCM)
    return served(engine, record(HANDSHAKE, hello + certificate_message(found))).of(ServerCertificate)


def test_who_signed_himself_is_told_by_equal_names(engine):
    name = distinguished((3, b"router"))
    (found,) = certified(engine, certificate(subject=name, issuer=name, names=()))
    assert (found.self_signed, found.names, found.subject) == (True, (), b"CN=router")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"19691231235959Z", -1),
        (b"20240229120000Z", 1_709_208_000),
        (b"491231235959Z", 2_524_607_999),
        (b"500101000000Z", -631_152_000),
        (b"20230229120000Z", None),
        (b"99991231235959Z", 253_402_300_799),
        (b"00000101000000Z", -62_167_219_200),
        (b"240101240000Z", None),
        (b"240101000000+", None),
        (b"2401010000Z", None),
    ],
)
def test_times_of_a_certificate_are_read_or_nothing_is(engine, text, expected):
    found = certified(engine, certificate(validity=(text, text)))
    assert [event.not_before_s for event in found] == ([] if expected is None else [expected])


def test_names_of_a_certificate_are_bounded(engine):
    many = [b"%d.example" % number for number in range(40)]
    long = distinguished(*[(10, b"x" * 300)] * 5)
    (found,) = certified(engine, certificate(names=[b"", b"y" * 256, *many], subject=long))
    assert found.names == tuple(many[:16])
    assert found.subject == b",".join([b"O=" + b"x" * 255] * 4)[:1_024]


def test_a_certificate_is_read_before_its_chain_is_whole(engine):
    hello = server_hello(TLS_1_2, ECDHE_RSA_AES_128_GCM)
    chain = hello + certificate_message(certificate(), bytes(20_000))
    split = [record(HANDSHAKE, chain[at : at + 4_000]) for at in range(0, len(chain), 4_000)]
    assert served(engine, *split).stats["certificates"] == 1


def test_a_request_to_try_again_is_passed_over(engine):
    again = record(HANDSHAKE, server_hello(random=RETRY_RANDOM)) + record(CHANGE_CIPHER_SPEC, b"\1")
    turns = [
        (0.0, 0, record(HANDSHAKE, client_hello(), 0x0301)),
        (0.1, 1, again),
        (0.2, 0, record(CHANGE_CIPHER_SPEC, b"\1") + record(HANDSHAKE, client_hello(sni=b"other"))),
        (0.3, 1, record(HANDSHAKE, server_hello(cipher=0x1302)) + sealed(90)),
    ]
    result = engine.packets(packets(turns))
    assert [hello.sni for hello in result.of(ClientHello)] == [b"pool.example"]
    assert [hello.cipher for hello in result.of(ServerHello)] == [0x1302]
    assert result.stats["hellos_lost"] == 0


def test_a_hello_over_several_records_is_read(engine):
    hello = client_hello(more=[extension(51, bytes(1_500))])
    cut = [record(HANDSHAKE, hello[at : at + 100]) for at in range(0, len(hello), 100)]
    assert len(engine.packets(packets([(0.0, 0, b"".join(cut))])).of(ClientHello)) == 1


@pytest.mark.parametrize(
    "hello",
    [
        client_hello()[:-1],
        message(1, client_hello()[4:] + b"\0"),
        message(1, client_hello()[4:-1]),
        message(1, b""),
        message(3, client_hello()[4:]),
        client_hello(more=[extension(51, bytes(16_400))]),
    ],
)
def test_a_hello_that_cannot_be_read_is_counted(engine, hello):
    cut = [record(HANDSHAKE, hello[at : at + 16_000]) for at in range(0, len(hello), 16_000)]
    result = engine.packets(packets([(0.0, 0, b"".join(cut) + sealed(20))]))
    withdrawn = hello[0] == 3
    assert not result.of(ClientHello)
    assert (result.stats["hellos_lost"], len(result.of(EncryptedOpen))) == ((0, 0) if withdrawn else (1, 1))


def test_an_answer_that_cannot_be_read_is_counted(engine):
    assert served(engine, record(HANDSHAKE, message(2, bytes(20)))).stats["hellos_lost"] == 1
    assert served(engine, record(HANDSHAKE, message(8, bytes(20)))).stats["hellos_lost"] == 1
    assert served(engine, sealed(20)).stats["hellos_lost"] == 1


def test_an_extension_without_its_form_says_nothing(engine):
    broken = [extension(0, b"\0\1"), extension(16, b"\0\4\2h2"), extension(43, b"\3\3\4\3")]
    (found,) = engine.packets(packets([(0.0, 0, record(HANDSHAKE, client_hello(more=broken)))])).of(ClientHello)
    assert (found.sni, found.alpn, found.versions) == (b"", (), (TLS_1_2,))


def test_what_a_hello_lists_is_bounded(engine):
    hello = client_hello(alpn=[b"%d" % number for number in range(30)], versions=range(0x0301, 0x0320))
    (found,) = engine.packets(packets([(0.0, 0, record(HANDSHAKE, hello))])).of(ClientHello)
    assert (len(found.alpn), len(found.versions)) == (16, 16)


def test_grease_is_in_no_number(engine):
    grease = {"versions": [0x2A2A, TLS_1_3], "ciphers": [0xFAFA, AES_128_GCM], "more": [extension(0x0A0A, b"")]}
    plain = {"versions": [TLS_1_3], "ciphers": [AES_128_GCM]}
    found = [
        engine.packets(packets([(0.0, 0, record(HANDSHAKE, client_hello(**values)))])).of(ClientHello)[0]
        for values in (grease, plain)
    ]
    assert found[0]._replace(length=0) == found[1]._replace(length=0)


def test_a_session_whose_server_alone_is_seen_is_one(engine):
    turns = [turn for turn in [*opening(), *exchange(20)] if turn[1] == 1]
    result = engine.packets(packets(turns))
    assert not result.of(ClientHello)
    assert (len(result.of(ServerHello)), lengths(result, 1)) == (1, [900, *range(200, 220)])


def test_tls_behind_a_plain_beginning_is_found(engine):
    connect = [(0.0, 0, b"CONNECT pool.example:443 HTTP/1.1\r\n\r\n"), (0.1, 1, b"HTTP/1.1 200 OK\r\n\r\n")]
    turns = [*connect, *((at + 1, direction, data) for at, direction, data in [*opening(), *exchange(20)])]
    result = engine.packets(packets(turns))
    assert (len(result.of(ClientHello)), len(result.of(ServerHello))) == (1, 1)
    assert (lengths(result, 0)[1:], lengths(result, 1)[1:]) == (list(range(100, 120)), list(range(200, 220)))


def test_a_session_joined_in_the_middle_is_followed(engine):
    result = engine.packets(packets(exchange(20), syn=False))
    (opened,) = result.of(EncryptedOpen)
    assert opened.midstream
    assert (lengths(result, 0), lengths(result, 1)) == (list(range(100, 120)), list(range(200, 220)))
    assert not any(found.gap for found in records(result))
    assert result.stats["resynchronised"] == 0


@pytest.mark.parametrize(
    "first", [b"\x17\x03\x03\x00\x20", b"\x17\x03\x02\x00\x02ab", b"\x18\x03\x03\x00\x02ab", b"\x17"]
)
def test_what_only_resembles_a_record_is_none(engine, first):
    result = engine.packets(packets([(0.0, 0, b"x"), (0.1, 0, first), (0.2, 1, b"y")], syn=False))
    assert (result.stats["tls_flows"], result.of(EncryptedOpen)) == (0, [])


def test_a_flow_on_trial_that_is_none_leaves_no_trace(engine):
    result = engine.packets(packets([(0.0, 0, b"\x16"), (0.1, 0, b"\x03\x01\x02\x00\x07"), (1, 0, b"more")]))
    assert not any(result.stats[name] for name in ("tls_flows", "hellos_lost", "records", "thin_evicted"))


def test_a_flow_that_is_a_candidate_besides_has_two_numbers(engine):
    turns = [*opening(), *exchange(10), (120, 0, sealed(10) + b'"mining.subscribe"\n')]
    result = engine.packets(packets(turns))
    (opened,), (gate,) = result.of(EncryptedOpen), result.of(Open)
    assert opened.flow != gate.flow
    closes = [type(event) for event in result.events if type(event) in (Close, EncryptedClose)]
    assert closes == [EncryptedClose, Close]


CIPHERTEXT = b"\xe7" * 16
LITERAL = b'{"method":"mining.subscribe"}\n'


def gates(engine, *bodies: bytes, before: list[Turn] | None = None, **limits: int) -> int:
    """How many gates open by records of these bodies."""
    turns = before if before is not None else opening()
    turns = [*turns, *((10.0 + number, 0, record(23, body)) for number, body in enumerate(bodies))]
    return len(engine.packets(packets(turns), **limits).of(Open))


def test_what_is_sealed_opens_no_gate(engine):
    assert gates(engine, LITERAL + CIPHERTEXT) == 0
    assert gates(engine, LITERAL + CIPHERTEXT, thin_flows=0) == 1
    assert gates(engine, CIPHERTEXT, LITERAL[:12], LITERAL[12:] + CIPHERTEXT) == 0


def test_clear_text_behind_the_headers_of_records_opens_one(engine):
    assert gates(engine, LITERAL) == 1
    assert gates(engine, CIPHERTEXT, CIPHERTEXT + LITERAL) == 1
    assert gates(engine, CIPHERTEXT, b'"mining.' + CIPHERTEXT[:8], b"text of sixteen bytes") == 0


def test_a_session_joined_in_the_middle_or_behind_a_plain_beginning_is_sealed(engine):
    assert gates(engine, LITERAL + CIPHERTEXT, before=[]) == 0
    plain = [(0.0, 0, b"EHLO a\r\n"), (0.1, 1, b"220 go\r\n")]
    later = [(at + 1, direction, data) for at, direction, data in opening()]
    assert gates(engine, LITERAL + CIPHERTEXT, before=[*plain, *later]) == 0
    assert gates(engine, LITERAL, before=[*plain, *later]) == 1


def test_what_comes_before_the_first_opening_is_not_sealed(engine):
    plain = [(0.0, 0, LITERAL + CIPHERTEXT)]
    later = [(at + 1, direction, data) for at, direction, data in opening()]
    assert gates(engine, before=[*plain, *later]) == 1
    assert gates(engine, before=[(0.0, 0, b"\x16\3\1"), (0.1, 0, LITERAL + CIPHERTEXT)]) == 1


def test_a_session_without_its_place_and_one_that_was_fat_are_sealed_but_for_text(engine):
    lost = [*opening(), (9.0, 0, CIPHERTEXT + LITERAL + CIPHERTEXT)]
    fat = [*opening(), *exchange(70, start_s=1, step_s=0.05)]
    for before in (lost, fat):
        assert gates(engine, LITERAL + CIPHERTEXT, before=before) == 0
        assert gates(engine, LITERAL, before=before) == 1
    frames = packets([*opening(), (10.0, 0, sealed(50)), (11.0, 0, record(23, LITERAL + CIPHERTEXT))])
    assert not engine.packets([*frames[:-2], *frames[-1:]]).of(Open)
    assert not engine.packets([*frames, frames[-1]]).of(Open)


def test_where_the_chain_breaks_a_gate_opens_by_what_was_cut(engine):
    turns = [*opening(), (10.0, 0, record(23, CIPHERTEXT + b'"min')), (11.0, 0, b'ing.subscribe", "clear text"')]
    (opened, *_) = engine.packets(packets(turns)).chunks
    assert opened.data.startswith(CIPHERTEXT[-11:] + b'"min')


def test_without_a_place_none_is_followed(engine):
    result = engine.packets(packets([*opening(), *exchange(20)]), thin_flows=0)
    assert [type(event).__name__ for event in result.events] == ["End"]


def many(count: int, *, seconds: float = 0, first_port: int = 20_000):
    """Sessions that begin one after another."""
    found = []
    for number in range(count):
        talk = Talk(ports=(first_port + number, 443))
        turns = [(at + number + seconds, direction, data) for at, direction, data in opening()]
        found += packets(turns, talk=talk, syn=False)
    return found


def test_over_the_bound_the_oldest_leaves(engine):
    result = engine.packets(many(12), thin_flows=8)
    gone = [event.flow for event in result.of(EncryptedClose) if event.reason == "evicted"]
    assert gone == [1, 2, 3, 4]
    assert result.stats["thin_evicted"] == 4


def test_newcomers_past_a_quarter_make_room_among_themselves(engine):
    thin = [packet for port in range(8) for packet in packets(exchange(8), talk=Talk(ports=(port + 1_000, 443)))]
    newcomers = many(30, seconds=80)
    result = engine.packets(sorted(thin + newcomers, key=lambda packet: packet[0]), thin_flows=8)
    assert result.stats["thin_admitted"] == 8
    gone = [event.flow for event in result.of(EncryptedClose) if event.reason == "evicted"]
    assert (len([flow for flow in gone if flow <= 8]), len(gone)) == (3, 30)


def test_what_is_held_of_all_is_bounded(engine):
    long = record(HANDSHAKE, client_hello(more=[extension(51, bytes(4_000))]))[:3_000]
    talks = [Talk(ports=(20_000 + number, 443)) for number in range(10)]
    frames = [packet for talk in talks for packet in packets([(0.0, 0, long)], talk=talk, syn=False)]
    result = engine.packets(frames, thin_bytes=10_000)
    assert (result.stats["thin_evicted"], len(result.of(EncryptedClose))) == (7, 10)


def test_an_evicted_session_may_come_back(engine):
    thin = [packet for port in range(2) for packet in packets(exchange(12), talk=Talk(ports=(port + 1_000, 443)))]
    result = engine.packets(sorted(thin, key=lambda packet: packet[0]), thin_flows=1)
    assert result.stats["thin_evicted"] > 5
    assert {event.orig_port for event in result.of(EncryptedOpen)} == {1_000, 1_001}


def test_a_session_ends_as_its_flow_does(engine):
    talk = Talk()
    sent = sum(len(data) for _, direction, data in opening() if direction == 0)
    frames = packets(opening(), talk=talk)
    frames += [(T0 + SECOND, talk.data(0, sent, b"", flags=FIN | 0x10)), (T0 + SECOND, talk.rst(0, sent + 1))]
    result = engine.packets(frames)
    assert [event.reason for event in result.of(EncryptedClose)] == ["rst"]


NOISE = [(0.0, 0, b"\x5a" * 64), (0.1, 1, b"\x5a" * 234)]


def shares(count: int, *, start_s: float = 1, step_s: float = 10) -> list[Turn]:
    turns = []
    for number in range(count):
        turns += [(start_s + number * step_s, 0, b"\x5a" * 71), (start_s + number * step_s + 0.1, 1, b"\x5a" * 58)]
    return turns


def test_of_noise_what_each_segment_brings_is_reported(engine):
    turns = [*NOISE, (0.2, 0, b"\x5a" * 150), (0.3, 1, b"\x5a" * 44), *shares(20)]
    result = engine.packets(packets(turns))
    (opened,) = result.of(EncryptedOpen)
    assert (opened.kind, opened.midstream) == ("noise", False)
    assert lengths(result, 0) == [150, *[71] * 20]
    assert lengths(result, 1) == [44, *[58] * 20]
    assert (result.stats["noise_flows"], result.stats["tls_flows"], result.stats["thin_admitted"]) == (1, 0, 1)
    assert [event.records for event in result.of(EncryptedClose)] == [(21, 21)]


def test_of_noise_a_repeated_segment_is_no_frame_and_a_lost_one_a_gap(engine):
    frames = packets([*NOISE, *shares(20)])
    changed = [*frames[:4], frames[4], *frames[4:14], *frames[16:]]
    result = engine.packets(changed)
    assert (lengths(result, 0), lengths(result, 1)) == ([71] * 19, [58] * 19)
    assert [found.gap for found in records(result) if found.direction == 0] == [number == 5 for number in range(19)]
    assert result.stats["resynchronised"] == 2


def test_noise_that_is_not_thin_is_forgotten(engine):
    result = engine.packets(packets([*NOISE, *shares(80, step_s=0.5)]))
    assert [event.reason for event in result.of(EncryptedClose)] == ["fat"]


def test_a_vector_writes_its_length() -> None:
    assert (vector(2, b"ab"), message(1, b"x")) == (b"\0\2ab", b"\1\0\0\1x")
    assert OPENING_1_3[0][1][5:] == client_hello()
