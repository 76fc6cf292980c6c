"""Addresses and names: bound by a look-up for its lifetime, shared by many, learnt from clear sessions; all bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.time import DAY_NS, HOUR_NS
from sensor.names.bindings import BINDING_BYTES, Bindings, BoundHost
from sensor.names.catalogue import ListedHost, listed
from sensor.names.learnt import MAX_PORTS, LearntAddresses
from sensor.names.sessions import MAX_SESSIONS, ConnectionEnds, NamedSessions
from sensor.names.sharing import ADDRESS_BYTES, SharedAddresses
from sensor.names.waiting import WaitingContacts
from tests.names.hellos import MINER, OTHER, POOL, STRATUM, at, opened
from tests.session.dialogue import shipped


def host(name: str = STRATUM) -> ListedHost:
    found = listed(shipped().pools, name)
    assert found is not None
    return found


def test_a_look_up_binds_for_its_lifetime_and_an_hour_then_weaker_for_a_day() -> None:
    bindings = Bindings()
    bindings.bind(MINER, POOL, host(), at(0), 60)
    for seconds, lost in ((0, 0.0), (60, 0.0), (3_660, 0.0), (7_260, 1.0), (3_660 + 86_400, 24.0)):
        assert bindings.find(MINER, POOL, at(seconds)) == BoundHost(host(), lost)
    assert bindings.find(MINER, POOL, at(3_661 + 86_400)) is None
    assert len(bindings) == 0


def test_it_is_of_its_client_and_its_address_and_not_of_the_time_before() -> None:
    bindings = Bindings()
    bindings.bind(MINER, POOL, host(), at(0), 60)
    assert bindings.find(OTHER, POOL, at(1)) is None
    assert bindings.find(MINER, OTHER, at(1)) is None
    assert bindings.find(MINER, POOL, at(-1)) is not None  # workers hand over out of order by a moment
    assert bindings.find(MINER, POOL, at(-3)) is None


def test_a_later_answer_prolongs_and_another_host_replaces() -> None:
    bindings = Bindings()
    bindings.bind(MINER, POOL, host(), at(0), 600)
    bindings.bind(MINER, POOL, host(), at(60), 0)
    assert bindings.find(MINER, POOL, at(4_200)) == BoundHost(host(), 0.0)
    bindings.bind(MINER, POOL, host("mine.zpool.ca"), at(100), 60)
    assert bindings.find(MINER, POOL, at(200)) == BoundHost(host("mine.zpool.ca"), 0.0)
    assert bindings.find(MINER, POOL, at(50)) is None


@pytest.mark.parametrize("ttl_s", [-1, 0, 86_400, 1 << 32])
def test_no_lifetime_counts_for_more_than_a_day(ttl_s: int) -> None:
    bindings = Bindings()
    bindings.bind(MINER, POOL, host(), at(0), ttl_s)
    assert bindings.find(MINER, POOL, at(0) + 2 * DAY_NS + HOUR_NS + 1) is None


def test_bindings_are_bounded_in_bytes_and_what_still_held_is_counted() -> None:
    bindings = Bindings(4 * BINDING_BYTES)
    for number in range(6):
        bindings.bind(MINER, bytes([203, 0, 113, number]), host(), at(number), 60)
    assert (len(bindings), bindings.dropped) == (4, 2)
    bindings.bind(MINER, POOL[:3] + b"\x63", host(), at(0) + 2 * DAY_NS, 60)
    assert (len(bindings), bindings.dropped) == (4, 2)  # that one was over


def test_an_address_with_three_unrelated_names_is_shared_for_a_day() -> None:
    shared = SharedAddresses()
    for name in ("pool.supportxmr.com", "www.supportxmr.com", "a.shop.example", "b.shop.example"):
        shared.note((POOL,), name, at(0))
    assert not shared.is_shared(POOL, at(0))
    shared.note((POOL,), "third.test", at(60))
    assert shared.is_shared(POOL, at(60))
    assert not shared.is_shared(OTHER, at(60))
    assert shared.is_shared(POOL, at(0) + DAY_NS)
    assert not shared.is_shared(POOL, at(0) + DAY_NS + HOUR_NS)


def hour(seconds: float) -> int:
    return at(seconds) // HOUR_NS


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 200_000)), max_size=60))
def test_a_shared_address_had_three_names_within_24_hours_of_the_clock(
    seen: list[tuple[int, int, int]],
) -> None:
    shared = SharedAddresses()
    ordered = sorted(seen, key=lambda item: item[2])
    for address, name, seconds in ordered:
        shared.note((bytes([10, 0, 0, address]),), f"www.name{name}.example", at(seconds))
    for address in range(10):
        names = {name for where, name, seconds in ordered if where == address and hour(200_000) - hour(seconds) <= 24}
        assert shared.is_shared(bytes([10, 0, 0, address]), at(200_000)) is (len(names) >= 3)


def test_addresses_with_names_are_bounded_in_bytes_and_counted() -> None:
    shared = SharedAddresses(2 * ADDRESS_BYTES)
    for number in range(5):
        shared.note((bytes([203, 0, 113, number]),), "pool.example", at(number))
    assert (len(shared), shared.dropped) == (2, 3)


def test_an_address_is_learnt_for_a_day_then_weaker_for_a_week() -> None:
    learnt = LearntAddresses()
    entry = learnt.learn("203.0.113.5", 3333, "198.51.100.10", at(0), at(60))
    day = 86_400
    for seconds, lost in ((0, 0.0), (60 + day, 0.0), (60 + 2 * day, 1.0), (60 + 7 * day, 6.0)):
        assert entry.lost_bits(at(seconds)) == lost
    assert entry.lost_bits(at(61 + 7 * day)) is None


def test_what_a_miner_did_itself_is_no_evidence_of_it() -> None:
    learnt = LearntAddresses()
    entry = learnt.learn("203.0.113.5", 3333, "198.51.100.10", at(0), at(60))
    assert entry.is_circular("198.51.100.10", 3333)
    assert not entry.is_circular("198.51.100.10", 443)
    assert not entry.is_circular("198.51.100.11", 3333)
    learnt.learn("203.0.113.5", 3333, "198.51.100.11", at(0), at(60))
    assert not entry.is_circular("198.51.100.10", 3333)


def test_what_is_learnt_is_bounded_and_counted() -> None:
    learnt = LearntAddresses(3)
    for number in range(5):
        learnt.learn(f"203.0.113.{number}", 3333, "198.51.100.10", at(0), at(60))
    assert (len(learnt), learnt.dropped) == (3, 2)
    for port in range(1, 40):
        entry = learnt.learn("203.0.113.4", port, "198.51.100.10", at(0), at(60))
    assert len(entry.ports) == MAX_PORTS


def server(number: int) -> bytes:
    return bytes([203, 0, 113, number])


def test_sessions_and_connections_that_wait_are_bounded_and_counted() -> None:
    sessions, waiting = NamedSessions(3), WaitingContacts(3)
    for number in range(5):
        sessions.begin(opened(number))
        waiting.add(ConnectionEnds(MINER, 40_000, server(number), 443, at(0), "", ()), at(number))
    assert (len(sessions), sessions.dropped) == (3, 2)
    assert (len(waiting), waiting.dropped) == (3, 2)
    assert sessions.find(0) is None
    assert waiting.of(server(0)) == []
    assert [contact.last_ns for contact in waiting.of(server(4))] == [at(4)]
    assert MAX_SESSIONS >= 10_000
