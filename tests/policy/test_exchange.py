"""What one link taught, all know, and what a sensor that lies can do: spoil a hint, of the weight of a look-up, within
its rows, until it fades; it names nobody, raises no grade above that of an address learnt here, and pushes no other
out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.behaviour.block_clocks import BlockClocks
from sensor.behaviour.taught_blocks import AGREE_NS, MOST_COINS, TaughtBlocks
from sensor.daemon.exchange_step import ExchangeStep, knowledge_of
from sensor.line.pipeline import Pipeline
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.message import WireError
from sensor.model.shared_knowledge import (
    MESSAGE_BYTES,
    MOST_ADDRESSES,
    MOST_BLOCKS,
    MOST_PORTS,
    SharedAddress,
    SharedBlock,
    SharedKnowledge,
    block_digest,
    dumps,
    loads,
)
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from sensor.model.trouble import NOBODY
from sensor.names.learnt import LearntAddresses
from sensor.names.taught import TaughtAddresses
from sensor.policy.exchange import KnowledgeExchange
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.names.hellos import MINER, OTHER, STRATUM, at, line, session
from tests.names.test_named_flows import ADDRESS, clear
from tests.policy.made import settings_of

NOW = at(0)
THIRD = bytes([198, 51, 100, 12])


def address(number: int, last_ns: int = NOW) -> SharedAddress:
    return SharedAddress(f"203.0.113.{number}", (3333,), last_ns - HOUR_NS, last_ns)


def block(name: str, seen_ns: int, coin: str = "XMR") -> SharedBlock:
    return SharedBlock(coin, block_digest(coin, name), seen_ns)


# The form.


def test_what_is_shared_is_what_is_read() -> None:
    whole = SharedKnowledge("edge-1", NOW, (address(1), address(2)), (block("a", NOW), block("b", NOW, "KAS")))
    assert loads(dumps(whole)) == whole
    assert loads(dumps(SharedKnowledge("edge-1", NOW))) == SharedKnowledge("edge-1", NOW)


def test_a_message_of_all_rows_is_within_its_bound() -> None:
    long = SharedAddress("2001:db8:1111:2222:3333:4444:5555:6666", tuple(range(60_000, 60_000 + MOST_PORTS)), NOW, NOW)
    blocks = tuple(block(str(number), NOW, "X" * 32) for number in range(MOST_BLOCKS))
    body = dumps(SharedKnowledge("e" * 64, NOW, (long,) * MOST_ADDRESSES, blocks))
    assert len(body) <= MESSAGE_BYTES
    assert len(loads(body).blocks) == MOST_BLOCKS


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 0},
        {"v": 2},
        {"v": True},
        {"sensor_id": "a b"},
        {"sensor_id": 7},
        {"sent_ns": -1},
        {"addresses": {}},
        {"addresses": [["203.0.113.1", [3333], 1, 2]] * (MOST_ADDRESSES + 1)},
        {"addresses": [["pool.example", [3333], 1, 2]]},
        {"addresses": [["203.0.113.01", [3333], 1, 2]]},
        {"addresses": [["127.0.0.1", [3333], 1, 2]]},
        {"addresses": [["224.0.0.1", [3333], 1, 2]]},
        {"addresses": [["203.0.113.1", [], 1, 2]]},
        {"addresses": [["203.0.113.1", [0], 1, 2]]},
        {"addresses": [["203.0.113.1", [1] * 17, 1, 2]]},
        {"addresses": [["203.0.113.1", [3333], 2, 1]]},
        {"addresses": [["203.0.113.1", [3333], 1, 1 << 64]]},
        {"blocks": [["XMR", "x", 1]]},
        {"blocks": [["X M R", "0" * 16, 1]]},
        {"blocks": [["XMR", "0" * 16, -1]]},
        {"blocks": [["XMR", "0" * 16, 1]] * (MOST_BLOCKS + 1)},
    ],
)
def test_what_is_not_of_the_form_is_refused(changed: dict[str, object]) -> None:
    message = {"v": 1, "sensor_id": "edge-1", "sent_ns": 1, "addresses": [], "blocks": [], **changed}
    with pytest.raises(WireError):
        loads(json.dumps(message).encode())


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists)))
def test_hostile_messages_never_raise_anything_else(value: object) -> None:
    body = value if isinstance(value, bytes) else json.dumps({"v": 1, "addresses": value, "blocks": value}).encode()
    with pytest.raises(WireError):
        loads(body)


# Addresses.


def nameless(pipeline: Pipeline, *, at_s: int = 60, client: bytes = OTHER) -> list[Finding]:
    """What is found of a session without a name to the pool's address."""
    pipeline.step(session("", 443, client=client, at_s=at_s, lasts_s=90))
    return [record for record in pipeline.finish() if isinstance(record, Finding)]


def taught(*addresses: SharedAddress, sensor_id: str = "edge-9") -> Pipeline:
    pipeline = line()
    pipeline.names.teach(sensor_id, addresses, NOW)
    return pipeline


def test_a_taught_address_is_a_hint_that_says_who_taught_it_and_names_nobody() -> None:
    (found,) = nameless(taught(SharedAddress(ADDRESS, (3333,), NOW - HOUR_NS, NOW)))
    (part,) = found.observations
    assert (part.grade, part.signature, part.detail["strength"]) == (Grade.CONTACTED, "taught-addresses", "taught")
    assert (part.detail["sensor"], part.detail["ports"]) == ("edge-9", "3333")
    assert (found.grade, found.dialect, found.login, found.pool.operator) == (Grade.CONTACTED, None, None, None)
    assert found.confidence == 0.001


def test_it_says_less_than_what_was_learnt_here_and_is_asked_after_it() -> None:
    pipeline = taught(SharedAddress(ADDRESS, (443,), NOW - HOUR_NS, NOW))
    pipeline.step(clear(client=MINER))
    spoken = nameless(pipeline)
    (here,) = [finding for finding in spoken if finding.dialect is None]
    assert [part.detail["strength"] for part in here.observations] == ["learnt-elsewhere"]
    (elsewhere,) = nameless(taught(SharedAddress(ADDRESS, (443,), NOW - HOUR_NS, NOW)))
    assert (elsewhere.grade, elsewhere.confidence < here.confidence) == (here.grade, True)


def test_however_many_say_it_it_weighs_the_same() -> None:
    pipeline = line()
    for number in range(50):
        pipeline.names.teach(f"edge-{number}", [SharedAddress(ADDRESS, (443,), NOW - HOUR_NS, NOW)], NOW)
    (found,) = nameless(pipeline)
    assert (found.confidence, len(found.observations)) == (0.001, 1)


def test_it_fades_and_is_forgotten_as_one_that_was_learnt_here() -> None:
    for age_ns, bits in ((0, 3.4063), (DAY_NS, 3.4063), (3 * DAY_NS, 1.4063), (6 * DAY_NS, 0.0)):
        (found,) = nameless(taught(SharedAddress(ADDRESS, (443,), NOW - 9 * DAY_NS, at(60) - age_ns)))
        assert found.observations[0].bits == pytest.approx(bits, abs=0.001)
    assert not nameless(taught(SharedAddress(ADDRESS, (443,), NOW - 9 * DAY_NS, at(60) - 8 * DAY_NS)))


def test_a_session_that_waits_is_followed_when_its_address_is_taught() -> None:
    pipeline = line()
    pipeline.step(session("", 443, client=OTHER, lasts_s=90))
    pipeline.names.teach("edge-9", [SharedAddress(ADDRESS, (443,), NOW - HOUR_NS, NOW)], NOW)
    pipeline.step(session(STRATUM, flow=77, at_s=200))
    found = [record for record in pipeline.finish() if isinstance(record, Finding)]
    assert any(part.signature == "taught-addresses" for finding in found for part in finding.observations)


def test_what_a_sensor_shares_is_bounded_and_pushes_nobody_out() -> None:
    held = TaughtAddresses(most_sensors=2)
    assert held.replace("a", [address(1)], NOW) == ["203.0.113.1"]
    assert held.replace("b", [address(1), address(2)], NOW) == ["203.0.113.2"]
    assert held.replace("invented", [address(3), address(4)], NOW) == []
    assert (len(held), held.dropped) == (2, 2)
    assert held.replace("a", [address(5)], NOW) == ["203.0.113.5"]  # in place of what it said before
    assert held.replace("a", [], NOW) == []
    assert (len(held), held.find("203.0.113.5", NOW)) == (2, None)


def test_a_sensor_that_fell_silent_keeps_no_place_once_all_that_it_taught_is_forgotten() -> None:
    held = TaughtAddresses(most_sensors=1)
    held.replace("gone", [address(1)], NOW)
    later = NOW + 8 * DAY_NS
    assert held.replace("new", [address(2, later)], later) == ["203.0.113.2"]
    assert (len(held), held.dropped) == (1, 0)
    blocks = TaughtBlocks(most_sensors=1)
    blocks.replace("gone", [block("a", NOW)], NOW)
    later = NOW + 2 * DAY_NS
    blocks.replace("new", [block("b", later)], later)
    assert (list(blocks.between(0, later)["XMR"]), blocks.dropped) == ([later], 0)


def test_rows_of_a_time_that_cannot_be_are_dropped_and_counted() -> None:
    held = TaughtAddresses()
    held.replace("a", [address(1, NOW + HOUR_NS), address(2, NOW - 8 * DAY_NS), address(3)], NOW)
    assert (len(held), held.dropped) == (1, 2)
    blocks = TaughtBlocks()
    blocks.replace("a", [block("x", NOW + HOUR_NS), block("y", NOW - 2 * DAY_NS), block("z", NOW)], NOW)
    assert (blocks.between(0, NOW * 2), blocks.dropped) == ({"XMR": blocks.between(0, NOW * 2)["XMR"]}, 2)
    assert list(blocks.between(0, NOW * 2)["XMR"]) == [NOW]


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
def test_in_any_order_and_twice_it_is_the_same(order: Sequence[int], again: Sequence[int]) -> None:
    messages = [
        (f"s{number % 3}" if number < 3 else f"t{number}", [address(number), address(9)]) for number in range(6)
    ]
    held, straight = TaughtAddresses(), TaughtAddresses()
    for number in (*order, *again):
        held.replace(*messages[number], NOW)
    for name, rows in messages:
        straight.replace(name, rows, NOW)
    for number in (*range(6), 9):
        assert held.find(f"203.0.113.{number}", NOW) == straight.find(f"203.0.113.{number}", NOW)


def test_only_what_several_miners_showed_is_shared_and_no_miner_is_named() -> None:
    pipeline = line()
    pipeline.step(clear(client=MINER))
    pipeline.finish()
    assert knowledge_of(pipeline, "edge-1", 0, at(600)).addresses == ()
    pipeline = line()
    pipeline.step([*clear(client=MINER), *clear(client=THIRD, flow=91)])
    pipeline.finish()
    shared = knowledge_of(pipeline, "edge-1", 5, at(600))
    (its,) = shared.addresses
    assert (its.address, its.ports) == (ADDRESS, (3333,))
    body = dumps(shared).decode()
    assert "198.51.100" not in body
    assert pipeline.names.learnt.find(ADDRESS) is not None
    learnt = LearntAddresses()
    assert not learnt.shared(0, 5)


@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", 3333), ("224.0.0.5", 3333), ("203.0.113.9", 0)])
def test_an_address_that_no_sensor_takes_costs_the_others_nothing(address: str, port: int) -> None:
    pipeline = line()
    for miner in ("192.0.2.1", "192.0.2.2"):
        pipeline.names.learnt.learn(address, port, miner, NOW, NOW)
        pipeline.names.learnt.learn("203.0.113.7", 3333, miner, NOW, NOW)
    shared = loads(dumps(knowledge_of(pipeline, "edge-1", 0, NOW)))
    assert [its.address for its in shared.addresses] == ["203.0.113.7"]


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "172.31.0.1", "192.168.0.9", "100.64.0.1", "169.254.0.1", "fd00::1", "fe80::1"]
)
def test_an_address_that_is_another_host_elsewhere_is_neither_taught_nor_heard(address: str) -> None:
    pipeline = line()
    for miner in ("192.0.2.1", "192.0.2.2"):
        pipeline.names.learnt.learn(address, 3333, miner, NOW, NOW)
    assert knowledge_of(pipeline, "edge-1", 0, NOW).addresses == ()
    told = SharedKnowledge(
        "edge-1", NOW, (SharedAddress(address, (3333,), NOW, NOW), SharedAddress("203.0.113.7", (1,), 1, 2))
    )
    assert [its.address for its in loads(dumps(told)).addresses] == ["203.0.113.7"]


# Blocks.


def test_blocks_of_one_sensor_count_where_nobody_else_speaks_of_the_coin() -> None:
    held = TaughtBlocks()
    held.replace("edge-1", [block("a", NOW), block("b", NOW + SECOND_NS)], NOW)
    assert list(held.between(NOW, NOW + HOUR_NS)["XMR"]) == [NOW, NOW + SECOND_NS]
    assert held.sensors_of("XMR") == ("edge-1",)
    assert held.sensors_of("KAS") == ()


def test_where_several_speak_of_a_coin_a_lie_adds_nothing() -> None:
    held = TaughtBlocks()
    held.replace("edge-1", [block("a", NOW), block("b", NOW + HOUR_NS // 10)], NOW)
    held.replace("edge-2", [block("a", NOW + AGREE_NS // 2), block("b", NOW + HOUR_NS // 10 + 1)], NOW)
    honest = list(held.between(0, NOW * 2)["XMR"])
    assert honest == [NOW, NOW + HOUR_NS // 10]
    invented = [block(f"invented {number}", NOW - number * SECOND_NS) for number in range(100)]
    held.replace("liar", [*invented, block("a", NOW - HOUR_NS)], NOW)
    assert list(held.between(0, NOW * 2)["XMR"]) == honest


def test_a_sensor_that_fell_silent_takes_away_no_block_that_is_heard_later() -> None:
    held = TaughtBlocks()
    held.replace("gone", [block("a", NOW)], NOW)
    later = NOW + 2 * DAY_NS
    held.replace("edge-1", [block("b", later)], later)
    assert list(held.between(later, later)["XMR"]) == [later]
    assert held.sensors_of("XMR") == ("edge-1",)


def test_invented_coins_push_out_none_that_was_spoken_of_before() -> None:
    held = TaughtBlocks()
    held.replace("edge-1", [block("a", NOW)], NOW)
    held.replace("edge-2", [block("a", NOW)], NOW)
    held.replace("a-liar", [block("a", NOW, f"C{number}") for number in range(MOST_COINS)], NOW)
    for _ in range(2):  # what is dropped is counted once, however often it is asked for
        assert list(held.between(0, NOW * 2)["XMR"]) == [NOW]
        held.replace("edge-1", [block("a", NOW)], NOW)
    assert (len(held.between(0, NOW * 2)), held.dropped) == (MOST_COINS, 1)


def test_only_sensors_whose_blocks_count_are_named_as_their_source() -> None:
    held = TaughtBlocks()
    for name in ("edge-1", "edge-2"):
        held.replace(name, [block("a", NOW)], NOW)
    held.replace("a-liar", [block("b", NOW), block("a", NOW - HOUR_NS)], NOW)
    assert held.sensors_of("XMR") == ("edge-1", "edge-2")


def test_blocks_are_bounded_by_sensor_and_coin() -> None:
    held = TaughtBlocks(most_sensors=1)
    held.replace("edge-1", [block("a", NOW, f"C{number}") for number in range(MOST_COINS + 3)], NOW)
    assert len(held.between(0, NOW * 2)) == MOST_COINS
    assert held.dropped == 3
    held.replace("edge-2", [block("a", NOW)], NOW)
    assert held.dropped == 4


def test_a_coin_that_is_receivedhere_keeps_its_own_clock() -> None:
    pipeline = line()
    pipeline.sealed.taught.replace("liar", [block("x", NOW + SECOND_NS)], NOW)
    pipeline.sealed.blocks.note("XMR", "own", NOW)
    own = pipeline.sealed.blocks.between(0, NOW * 2)
    assert list({**pipeline.sealed.taught.between(0, NOW * 2), **own}["XMR"]) == [NOW]


def test_recent_blocks_have_their_names_and_are_bounded() -> None:
    clocks = BlockClocks()
    for number in range(600):
        clocks.note("XMR", str(number), number)
        clocks.note("XMR", str(number), number + 1)  # told twice
    assert len(clocks.recent(0)) == 512
    assert clocks.recent(599) == [("XMR", "599", 599)]


# The exchange.


class Line:
    """An exchange that hands over what a test gives it."""

    counters = {"learnt_heard": 0}  # noqa: RUF012

    def __init__(self) -> None:
        self.sent: list[SharedKnowledge] = []
        self.coming: list[SharedKnowledge] = []

    def share(self, knowledge: SharedKnowledge) -> None:
        self.sent.append(knowledge)

    def heard(self) -> list[SharedKnowledge]:
        coming, self.coming = self.coming, []
        return coming


def test_times_are_true_ones_on_the_wire_and_each_sensors_own_on_either_side() -> None:
    teacher, pupil = line(), line()
    teacher.step([*clear(client=MINER), *clear(client=THIRD, flow=91)])
    teacher.finish()
    teacher.sealed.blocks.note("XMR", "a", at(100))
    ahead_ns = 40 * SECOND_NS
    out, into = Line(), Line()
    step = ExchangeStep(out, teacher, "edge-1", ahead_ns)
    step.look(at(600))
    step.look(at(601))
    step.look(at(700))
    assert len(out.sent) == 1  # and not again while nothing is new
    into.coming = [loads(dumps(out.sent[0]))]
    pupil_step = ExchangeStep(into, pupil, "edge-2", -ahead_ns)
    pupil_step.look(at(600))
    assert list(pupil.sealed.taught.between(0, at(999))["XMR"]) == [at(100) - 2 * ahead_ns]
    learnt = teacher.names.learnt.find(ADDRESS)
    found = pupil.names.taught.find(ADDRESS, at(600))
    assert learnt is not None
    assert found is not None
    assert (found.sensor_id, found.its.last_ns) == ("edge-1", learnt.last_ns - 2 * ahead_ns)
    assert not into.sent  # what was taught is not taught on
    assert pupil_step.counters["learnt_dropped"] == 0


def test_a_clock_that_was_set_back_keeps_nothing_from_being_shared_again() -> None:
    teacher = line()
    teacher.sealed.blocks.note("XMR", "a", at(100))
    out = Line()
    step = ExchangeStep(out, teacher, "edge-1", 0)
    for moment_ns in (at(600), at(600) - 20 * HOUR_NS, at(600) - 14 * HOUR_NS):
        step.look(moment_ns)
    assert len(out.sent) == 3


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers(1) as started:
        yield started


def test_what_one_sensor_learns_comes_to_the_others_and_junk_to_nobody(brokers: MockBrokers) -> None:
    chosen = settings_of(brokers=brokers.places, share=True, share_topic="learnt")
    put(brokers.places, "learnt.v1", [("x", b"junk"), ("edge-3", dumps(SharedKnowledge("edge-1", NOW)))])
    exchanges = [KnowledgeExchange(chosen, f"edge-{number}", NOBODY) for number in (1, 2)]
    knowledge = SharedKnowledge("edge-1", NOW, (address(1),), (block("a", NOW),))
    received: list[SharedKnowledge] = []
    try:
        for exchange in exchanges:
            exchange.start()
        exchanges[0].share(SharedKnowledge("edge-1", NOW - 1))
        exchanges[0].share(knowledge)
        until = time.monotonic() + 30
        while knowledge not in received:
            assert time.monotonic() < until, (exchanges[1].counters, received)
            received += exchanges[1].heard()
            time.sleep(0.05)
        assert {each.sensor_id for each in received} == {"edge-1"}
        assert exchanges[1].counters["learnt_unreadable"] == 2
        assert exchanges[0].counters["learnt_shared"] == 1
        assert exchanges[0].heard() == []  # its own is no news
    finally:
        for exchange in exchanges:
            exchange.close()


def test_what_did_not_arrive_is_sent_again_unless_there_is_something_newer(brokers: MockBrokers) -> None:
    exchange = KnowledgeExchange(settings_of(brokers=brokers.places, share=True), "edge-1", NOBODY)
    sent: list[tuple[bytes, Callable[..., None]]] = []

    class Producer:
        def produce(self, _: str, body: bytes, *, key: bytes, on_delivery: Callable[..., None]) -> None:
            assert key == b"edge-1"
            sent.append((body, on_delivery))

        def poll(self, _: float) -> None:
            pass

    class TimedOut:
        def str(self) -> str:
            return "timed out"

    exchange._producer = Producer()
    first, second = SharedKnowledge("edge-1", NOW), SharedKnowledge("edge-1", NOW + 1)
    exchange.share(first)
    exchange._send()
    sent[0][1](TimedOut(), None)
    exchange._send()
    assert [body for body, _ in sent] == [dumps(first)] * 2
    exchange.share(second)
    sent[1][1](TimedOut(), None)
    exchange._send()
    sent[2][1](None, None)
    exchange._send()
    assert [body for body, _ in sent] == [dumps(first), dumps(first), dumps(second)]
    assert exchange.counters["learnt_shared"] == 1


class Listener:
    """Hears what is said."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def warning(self, sentence: str) -> None:
        self.heard.append(sentence)

    notice = warning


def test_a_topic_that_is_not_there_is_said_once_and_that_it_is_there_too(brokers: MockBrokers) -> None:
    listener = Listener()
    chosen = settings_of(brokers=brokers.places, share=True, share_topic="later")
    exchange = KnowledgeExchange(chosen, "edge-1", listener)
    exchange.start()
    try:
        for count, sentence in ((1, "there is no topic later.v1; what is learnt is not shared"), (2, "shared again")):
            until = time.monotonic() + 30
            while len(listener.heard) < count:
                assert time.monotonic() < until, listener.heard
                time.sleep(0.05)
            assert listener.heard[-1].endswith(sentence)
            assert (exchange.trouble is None) == (count == 2)
            time.sleep(1.2)  # and not again with each look
            assert len(listener.heard) == count
            put(brokers.places, "later.v1", [("edge-3", dumps(SharedKnowledge("edge-3", NOW)))])
    finally:
        exchange.close()


def test_what_does_not_arrive_is_trouble_until_it_does(brokers: MockBrokers) -> None:
    listener = Listener()
    exchange = KnowledgeExchange(settings_of(brokers=brokers.places, share=True), "edge-1", listener)
    exchange._partitions = {0}

    class Refused:
        def str(self) -> str:
            return "topic authorization failed"

    class Producer:
        answers: list[object] = [Refused(), None]  # noqa: RUF012

        def produce(self, *_: object, on_delivery: Callable[..., None], **__: object) -> None:
            on_delivery(self.answers.pop(0), None)

    exchange._producer = Producer()
    exchange.share(SharedKnowledge("edge-1", NOW))
    for _ in range(2):
        exchange._send()
        exchange._look_for_trouble()
    assert [sentence.partition("; ")[0][-28:] for sentence in listener.heard[:1]] == [": topic authorization failed"]
    assert listener.heard[1:] == ["policy: what was learnt is shared again"]
    assert exchange.trouble is None
