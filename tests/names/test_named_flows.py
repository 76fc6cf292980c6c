"""Names in the line: which grade what comes to, beside what is spoken too; every counter moves; floods are bounded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.estimate import Assumptions
from sensor.line import named_flows, named_room
from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.encrypted import ClientHello, DnsAnswer, EncryptedClose, EncryptedOpen, NamelessSession, ServerHello
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.time import DAY_NS, PlausibleTime
from sensor.names.bindings import Bindings
from sensor.names.learnt import LearntAddresses
from sensor.names.sessions import NamedSessions
from sensor.names.sharing import SharedAddresses
from sensor.names.waiting import WaitingContacts
from sensor.session.verify import Sampling
from sensor.signatures.model import DialogueLine
from sensor.signatures.pools import PoolTable
from tests.names.hellos import (
    LISTED,
    MINER,
    OTHER,
    POOL,
    RESOLVER,
    SITE,
    STRATUM,
    TLS_1_2,
    UNLISTED,
    answer,
    at,
    certificate,
    chosen,
    grades,
    heard,
    hello,
    line,
    opened,
    over,
    records,
    session,
    with_addresses,
)
from tests.session.dialogue import events, lines, shipped
from tests.session.test_pipeline import SHARE

ADDRESS = "203.0.113.5"


def end(port: int | None = LISTED, address: str | None = ADDRESS) -> tuple[str | None, int | None]:
    return address, port


def strengths(found: Finding) -> list[object]:
    return [part.detail["strength"] for part in found.observations]


def clear(*, client: bytes = MINER, server: bytes = POOL, port: int = 3333, flow: int = 90) -> list[Event]:
    """A session in clear in which a share is accepted."""
    moved: list[Event] = []
    for event in events(SHARE):
        if isinstance(event, Open):
            event = event._replace(orig_addr=client, resp_addr=server, resp_port=port)
        moved.append(event._replace(flow=flow) if isinstance(event, Open | Chunk | Close) else event)
    return moved


# What names a pool.


def test_the_name_of_a_miners_host_at_a_listed_port_is_named() -> None:
    (found,), counters = heard(session(STRATUM, LISTED))
    assert (found.grade, found.activity, found.dialect, found.miner_ip) == (Grade.NAMED, None, None, "198.51.100.10")
    assert (found.pool.host, found.pool.operator, found.pool.listed) == (STRATUM, "SupportXMR", True)
    assert found.confidence == 0.3
    assert found.point is not None
    assert (found.point.source, found.point.vlans) == ("iface:eth0", (7,))
    (piece,) = found.evidence
    assert (piece.excerpt, piece.direction, piece.grade) == (STRATUM, "miner", Grade.NAMED)
    assert piece.flow.startswith("1:")
    assert counters["observations"] == 2
    assert found.last_ns == at(30)


def test_at_another_port_it_takes_more_than_ten_minutes() -> None:
    assert grades(*session(STRATUM, UNLISTED, lasts_s=600)) == {end(UNLISTED): "contacted"}
    assert grades(*session(STRATUM, UNLISTED, lasts_s=601)) == {end(UNLISTED): "named"}
    going_on = [opened(port=UNLISTED), hello(), chosen(), records(60), records(700)]
    assert grades(*going_on) == {end(UNLISTED): "named"}


def test_whoever_sent_the_hello_is_the_client() -> None:
    stream = [opened(port=LISTED, client=POOL, server=MINER), hello(direction=1)]
    (found,), _ = heard(stream)
    assert (found.miner_ip, found.pool_ip) == ("198.51.100.10", ADDRESS)


def test_a_certificate_names_a_pool_where_no_name_was_sent_or_another() -> None:
    for sent in ("", "shop.example"):
        stream = [opened(), hello(sent), chosen(TLS_1_2), certificate(STRATUM)]
        (found,), _ = heard(stream)
        assert (found.grade, strengths(found)) == (Grade.NAMED, ["shown"])
        assert found.evidence[0].direction == "pool"


def test_a_certificate_of_a_web_site_is_a_visit_and_a_name_that_was_sent_counts_before_it() -> None:
    assert grades(opened(), hello(""), chosen(TLS_1_2), certificate(STRATUM, SITE)) == {end(): "looked-up"}
    assert grades(opened(), hello(SITE), chosen(TLS_1_2), certificate(STRATUM)) == {end(): "looked-up"}
    assert grades(opened(), hello(""), chosen(TLS_1_2), certificate("shop.example")) == {}
    assert grades(opened(), hello("shop.example"), chosen(TLS_1_2), certificate("a.example"), over(900)) == {}


@pytest.mark.parametrize(
    ("asked", "grade"),
    [("pool.supportxmr.com:3333", "named"), ("pool.supportxmr.com:1", "contacted"), (f"{SITE}:443", "looked-up")],
)
def test_a_host_that_a_proxy_is_asked_for_counts_as_a_name(asked: str, grade: str) -> None:
    stream = [
        Open(5, at(0), 6, MINER, 40_000, POOL, 8080, "syn", False, at(0), (), "x"),
        Chunk(5, at(0), 0, 0, 0, f"CONNECT {asked} HTTP/1.1\r\n\r\n".encode()),
        Chunk(5, at(1), 1, 0, 0, b"HTTP/1.1 200 OK\r\n\r\n"),
        Chunk(5, at(2), 0, len(asked) + 21, 0, b"\x16\x03\x01\x02\x00" + bytes(200)),
        Close(5, at(30), "fin", at(0), at(30), (5, 5), (900, 900), 0, 0),
    ]
    (found,), _ = heard(stream)
    assert (found.pool_port, found.grade.label, found.pool.host) == (8080, grade, asked.partition(":")[0])


def test_the_host_of_http_is_a_name_beside_what_was_spoken() -> None:
    body = b'{"id":1,"method":"getwork","params":[]}'
    head = (
        b"POST / HTTP/1.1\r\nHost: btc.f2pool.com:3333\r\nX-Mining-Extensions: longpoll\r\nContent-Length: %d\r\n\r\n"
    )
    stream = list(dialogue_events([DialogueLine(0, head % len(body) + body), *lines("S {}")]))
    (found,), _ = heard(stream)
    assert found.dialect is not None
    assert [part.detail["strength"] for part in found.observations if part.kind == "named"] == ["asked"]


# Addresses.


def test_a_connection_to_an_address_that_was_looked_up_is_contacted() -> None:
    stream = [answer(), *session("", 4444, at_s=30)]
    assert grades(*stream) == {end(None, None): "looked-up", end(4444): "contacted"}
    assert grades(answer(), *session("shop.example", 4444, at_s=30)) == {end(None, None): "looked-up"}
    assert grades(answer(SITE), *session("", at_s=30)) == {end(None, None): "looked-up"}
    assert grades(answer(client=OTHER), *session("", at_s=30)) == {end(None, None): "looked-up"}


@pytest.mark.parametrize("late_s", [60 + 3_600, 60 + 3_600 + 86_400, 60 + 3_601 + 86_400])
def test_what_a_look_up_binds_grows_weaker_and_ends(late_s: int) -> None:
    found, _ = heard([answer(), *session("", at_s=late_s)])
    bits = [finding.observations[0].bits for finding in found if finding.pool_ip is not None]
    assert bits == {3_660: [9.1227], 90_060: [0.0], 90_061: []}[late_s]


def test_a_session_joined_in_the_middle_is_held_against_look_ups_of_both_ends() -> None:
    turned = opened(port=LISTED, client=POOL, server=MINER, midstream=True)
    (_, found), _ = heard([answer(), turned._replace(ts_ns=at(9), first_ns=at(9)), over(60)])
    assert (found.miner_ip, found.pool_ip, found.pool_port) == ("198.51.100.10", ADDRESS, 40_001)


def test_an_answer_that_is_handed_over_late_still_counts_at_the_end() -> None:
    stream = [*session("", at_s=5)[:-1], answer(at_s=5), over(30)]
    assert grades(*stream)[end()] == "contacted"


def test_a_session_of_noise_and_a_candidate_have_no_name_and_are_contacts() -> None:
    assert grades(answer(), opened(port=3336, kind="noise"))[end(3336)] == "contacted"
    candidate = Open(5, at(9), 6, MINER, 40_000, POOL, 9_999, "syn", False, at(9), (), "x")
    assert grades(answer(), candidate)[end(9_999)] == "contacted"
    assert end(9_999) not in grades(answer(), candidate._replace(proto=17))


def test_what_was_spoken_after_a_look_up_is_one_finding_and_lists_it() -> None:
    alone = heard(events(SHARE))[0][0]
    found = {finding.pool_ip: finding for finding in heard([answer(), *events(SHARE)])[0]}[ADDRESS]
    assert found.finding_id == alone.finding_id
    assert [part.kind for part in found.observations] == ["spoken", "named"]
    assert found.confidence > alone.confidence
    assert (found.activity, found.grade) == (alone.activity, alone.grade)


def test_an_address_with_many_names_is_not_bound_without_a_name() -> None:
    tenants = [answer(f"www.tenant{number}.example", POOL) for number in range(2)]
    found, counters = heard([*tenants, answer(), *session("", at_s=30)])
    assert [finding.grade.label for finding in found] == ["looked-up"]
    assert counters["names_shared"] >= 1
    assert grades(*tenants, answer(), *session(STRATUM, at_s=30))[end()] == "named"
    seen = [event for number in range(2) for event in session(f"www.tenant{number}.example", flow=10 + number)]
    assert end() not in grades(*seen, answer(), *session("", at_s=30))


def test_a_reload_that_takes_a_host_out_unbinds_it() -> None:
    pipeline = line()
    pipeline.step([answer()])
    without = replace(shipped(), pools=PoolTable(), _by_framing={}, _shares={})
    pipeline.replace(without, Assumptions(), Sampling(), None)
    pipeline.step(session("", at_s=30))
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    assert found.grade is Grade.LOOKED_UP


# Sessions without a name of which the core tells one thing.


def at_once(stream: list[Event]) -> list[Event]:
    """The same of sessions as a core tells it that kept their beginnings back."""
    begun = {event.flow: event for event in stream if isinstance(event, EncryptedOpen)}
    clients = {event.flow: event.direction for event in stream if isinstance(event, ClientHello)}
    found = [event for event in stream if not isinstance(event, EncryptedOpen | ClientHello | ServerHello)]
    for place, event in enumerate(found):
        if isinstance(event, EncryptedClose):
            whole = begun[event.flow]
            ends = (whole.orig_addr, whole.orig_port, whole.resp_addr, whole.resp_port)
            seen = (clients.get(event.flow, -1), whole.first_ns, whole.vlans, whole.source)
            found[place] = NamelessSession(event.flow, event.ts_ns, *ends, whole.basis, *seen)
    return found


@pytest.mark.parametrize(
    "stream",
    [
        [answer(), *session("", 4444, at_s=30)],
        [answer(SITE), *session("", at_s=30)],
        [answer(), opened(client=POOL, server=MINER, midstream=True, at_s=9), over(40)],
        [answer(), opened(port=4444, client=POOL, server=MINER), hello("", direction=1), over(9)],
        [*clear(), *session("", 443, client=OTHER)],
        [*session("", 443, client=OTHER), *clear()],
        [answer("www.a.example"), answer("www.b.example"), answer(), *session("", at_s=30)],
    ],
)
def test_a_nameless_session_says_the_same_told_whole_or_at_once(stream: list[Event]) -> None:
    whole, once = heard(stream)[0], heard(at_once(stream))[0]
    assert [asdict(found) for found in once] == [asdict(found) for found in whole]


def test_a_nameless_session_of_a_time_that_cannot_be_says_nothing() -> None:
    stream = at_once([answer(), *session("", 4444, at_s=30)])
    pipeline = Pipeline(shipped(), plausible=PlausibleTime(at(-5), at(20)))
    pipeline.step(with_addresses(stream))
    assert [found.grade.label for found in pipeline.finish() if isinstance(found, Finding)] == ["looked-up"]
    assert pipeline.counters["chunks_off_clock"] == 1


# Addresses learnt from clear sessions.


@pytest.mark.parametrize("first", [True, False])
def test_an_address_is_learnt_from_a_clear_session_before_and_after(first: bool) -> None:
    hidden = session("", 443, client=OTHER, lasts_s=90)
    stream = [*clear(), *hidden] if first else [*hidden, *clear()]
    found = {(finding.miner_ip, finding.pool_port): finding for finding in heard(stream)[0]}
    (part,) = found["198.51.100.11", 443].observations
    assert (part.grade, part.signature, part.detail["strength"]) == (
        Grade.CONTACTED,
        "learnt-addresses",
        "learnt-elsewhere",
    )
    same_port, _ = heard([*clear(), *session("", 3333, client=OTHER)])
    assert [strengths(finding) for finding in same_port if finding.dialect is None] == [["learnt"]]


def test_what_a_miner_did_itself_says_nothing_of_it() -> None:
    (found,), _ = heard([*clear(), *session("", 3333)])
    assert [part.kind for part in found.observations] == ["spoken"]


def test_only_accepted_shares_teach_and_a_shared_address_is_not_learnt() -> None:
    refused = [event for event in clear() if not (isinstance(event, Chunk) and event.direction == 1)]
    assert end(443) not in grades(*refused, *session("", 443, client=OTHER))
    tenants = [answer(f"www.tenant{number}.example", POOL) for number in range(3)]
    assert end(443) not in grades(*tenants, *clear(), *session("", 443, client=OTHER))


def test_a_session_that_goes_on_teaches_the_live_line_at_once() -> None:
    pipeline = line(live=True)
    pipeline.step([event for event in clear() if not isinstance(event, Close)])
    pipeline.step(session("", 443, client=OTHER, at_s=120))
    records_ = pipeline.step([], at(4_000))
    assert ("198.51.100.11", "contacted") in {
        (record.miner_ip, record.grade.label) for record in records_ if isinstance(record, Finding)
    }


# What is counted, and what is bounded.


def test_blind_spots_are_counted() -> None:
    stream = [
        *session("dns.google", 853, flow=1),
        *session("mozilla.cloudflare-dns.com", 443, flow=2),
        *session("cloudflare-ech.com", 443, flow=3),
        answer("shop.example"),
    ]
    found, counters = heard(stream)
    assert found == []
    assert (counters["dot_flows"], counters["doh_flows"], counters["ech_hellos"]) == (1, 2, 1)


def test_events_of_times_that_cannot_be_say_nothing() -> None:
    pipeline = Pipeline(shipped(), plausible=PlausibleTime.as_of(at(0) - DAY_NS * 400))
    pipeline.step([answer(), *session()])
    assert pipeline.finish() == []
    assert pipeline.counters["chunks_off_clock"] >= 2


def test_a_flood_of_look_ups_in_others_names_leaves_room_for_what_is_spoken() -> None:
    pipeline = line()
    flood = (answer(client=bytes([10, number >> 16, number >> 8 & 255, number & 255])) for number in range(70_000))
    pipeline.step(flood)
    pipeline.step(events(SHARE))
    found = [record for record in pipeline.finish() if isinstance(record, Finding)]
    assert len(found) == named_room.MOST_OF_GRADE[Grade.LOOKED_UP] + 1
    assert sum(finding.dialect is not None for finding in found) == 1
    assert pipeline.counters["names_refused"] == 70_000 - named_room.MOST_OF_GRADE[Grade.LOOKED_UP]
    assert "findings_refused" not in pipeline.counters


def test_the_scans_of_one_address_leave_room_for_others_and_room_comes_back() -> None:
    room = named_room.NamedRoom(1_000)
    share = named_room.MOST_OF_GRADE[Grade.NAMED] // named_room.SHARE_OF_MINER
    key = named_room.SubjectKey("198.51.100.10", None, 1)
    assert all(room.take(Grade.NAMED, key._replace(pool_port=port), 0) for port in range(share))
    assert not room.take(Grade.NAMED, key._replace(pool_port=9_999), 0)
    assert room.take(Grade.NAMED, key._replace(miner_ip="198.51.100.11"), 0)
    assert room.take(Grade.NAMED, key._replace(pool_port=9_999), 1_001)
    assert room.refused == 1


@pytest.mark.parametrize(
    ("part", "stream"),
    [
        ({"_bindings": Bindings(1)}, [answer(), answer(client=OTHER)]),
        ({"_shared": SharedAddresses(1)}, [answer("a.example", POOL, OTHER)]),
        ({"_sessions": NamedSessions(1)}, [opened(1), opened(2)]),
        ({"_waiting": WaitingContacts(1)}, [*session(""), *session("", 9, flow=2)]),
        ({"learnt": LearntAddresses(1)}, [*clear(), *clear(server=OTHER, flow=91)]),
    ],
)
def test_what_is_given_up_for_want_of_room_is_counted(part: dict[str, object], stream: Sequence[Event]) -> None:
    pipeline = line()
    for name, smaller in part.items():
        setattr(pipeline.names, name, smaller)
    pipeline.step(with_addresses(stream))
    pipeline.finish()
    assert pipeline.counters["names_evicted"] == 1


@pytest.mark.parametrize("live", [True, False])
def test_the_same_again_and_again_is_handed_on_every_ten_minutes(live: bool) -> None:
    pipeline = line(live=live)
    stream: list[Event] = [opened(), hello(), chosen()]
    pipeline.step([*stream, *(records(number) for number in range(1, 3_600))])
    assert pipeline.counters["observations"] == 6


def test_names_that_were_handed_on_are_forgotten_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_flows, "MAX_REMEMBERED", 1)
    counters = heard([answer(), answer(client=OTHER), answer(at_s=1)])[1]
    assert counters["observations"] == 3


def test_made_up_hosts_below_one_row_are_one_statement() -> None:
    stream = [answer(f"h{number}.{STRATUM}", at_s=number / 100) for number in range(2_000)]
    assert heard(stream)[1]["observations"] == 1


# Hostile and torn streams.


def any_event(chance: random.Random) -> Event:
    flow, seconds = chance.randrange(4), chance.randrange(100_000)
    name = chance.choice([STRATUM, SITE, "shop.example", "", "coinhive.com", "\x00", "a" * 400])
    client, server = chance.sample([MINER, OTHER, POOL, RESOLVER, bytes(16), b"\xff" * 4], 2)
    return chance.choice(
        [
            opened(flow, chance.choice([1, 443, 853]), at_s=seconds, client=client, server=server),
            opened(flow, at_s=seconds, client=client, server=server, midstream=True, kind="noise"),
            hello(name, flow, at_s=seconds, direction=chance.randrange(2)),
            chosen(chance.choice([0x0301, 0x0303, 0x0304, 0xFFFF]), flow, at_s=seconds),
            certificate(name, "*." + name, flow=flow, at_s=seconds),
            records(seconds, flow),
            over(seconds, flow),
            DnsAnswer(at(seconds), client, server, name.encode(), (server, client), chance.randrange(1 << 32), (), ""),
        ]
    )


@given(st.integers(0, 1 << 32))
def test_whatever_comes_in_whatever_order_nothing_is_more_than_named_and_only_by_its_name(seed: int) -> None:
    chance = random.Random(seed)
    stream = [any_event(chance) for _ in range(40)]
    found, _ = heard(stream)
    assert all(finding.grade <= Grade.NAMED and finding.activity is None for finding in found)
    for finding in found:
        if finding.grade is Grade.NAMED:
            assert any(part.detail["host"] == STRATUM for part in finding.observations)


@given(st.integers(0, 1 << 32), st.integers(1, 39))
def test_pieces_equal_the_whole(seed: int, cut: int) -> None:
    chance = random.Random(seed)
    stream = [any_event(chance) for _ in range(40)]
    whole, torn = line(), line()
    whole.step(stream)
    torn.step(stream[:cut])
    torn.step(stream[cut:])
    assert torn.finish() == whole.finish()
    assert torn.counters == whole.counters


def test_a_restart_loses_what_was_bound_and_learnt() -> None:
    first, second = line(), line()
    first.step([answer(), *clear()])
    second.step([*session("", at_s=9), *session("", 443, client=OTHER, flow=2, at_s=9)])
    assert second.finish() == []


def test_only_events_of_names_are_looked_at() -> None:
    assert {EncryptedOpen, ClientHello, DnsAnswer, Open} <= set(line().names._handlers)
    assert Chunk not in line().names._handlers
