"""The receiver over real connections: it waits for a topic and for brokers, reads all partitions from their beginning,
offers what is highest, and reads again where it is asked to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sensor.policy.inbox import PolicyInbox
from sensor.policy.receiver import PAGE, PolicyReceiver
from sensor.policy.shelf import PolicyShelf
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.daemon.journal import WrittenJournal
from tests.policy.made import KEYS, MADE_NS, POOLS, parcel, settings_of

PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers(1) as started:
        yield started


class Running:
    """A receiver, and a daemon's part in it: what it offers can be loaded unless its version is broken."""

    def __init__(self, folder: Path, brokers: MockBrokers, topic: str) -> None:
        settings = settings_of(brokers=brokers.places, topic=topic)
        inbox = PolicyInbox(settings, KEYS, "edge-1", PolicyShelf(folder / "policy"), lambda: MADE_NS)
        for offer in inbox.stored():
            inbox.resume(offer)
        self.journal = WrittenJournal()
        self.receiver = PolicyReceiver(settings, inbox, self.journal)
        self.broken: set[int] = set()
        self.tried: list[int] = []
        self.receiver.start()

    def until(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not enough():
            assert time.monotonic() < end, (self.receiver.trouble, self.receiver.states, self.receiver.counters)
            offer = self.receiver.offer
            if offer is not None:
                version = offer.parcel.header.version
                self.tried.append(version)
                self.receiver.decide(offer, ["it is broken"] if version in self.broken else [])
            time.sleep(0.05)

    def has(self, version: int) -> bool:
        return any(state.version == version for state in self.receiver.states if state.state == "in_use")


@pytest.fixture
def run(tmp_path: Path, brokers: MockBrokers, request: pytest.FixtureRequest) -> Iterator[Callable[[], Running]]:
    started: list[Running] = []

    def start() -> Running:
        started.append(Running(tmp_path, brokers, f"t{abs(hash(request.node.name))}"))
        return started[-1]

    yield start
    for each in started:
        each.receiver.close()


def topic_of(running: Running) -> str:
    return running.receiver._topic


def test_what_stands_in_the_topic_is_tried_once_the_highest_first(
    run: Callable[[], Running], brokers: MockBrokers
) -> None:
    running = run()
    running.until(lambda: "there is no topic" in str(running.receiver.trouble) or running.receiver.trouble is not None)
    messages = [("policy/all", parcel(version)) for version in (1, 2, 3)]
    put(brokers.places, topic_of(running), [*messages, ("x", b"junk"), ("policy/north", parcel(4, group="north"))])
    running.until(lambda: running.has(4))
    assert running.tried == [4]
    assert running.receiver.trouble is None
    assert running.receiver.counters["refused_kind"] + running.receiver.counters["refused_unreadable"] == 1
    put(brokers.places, topic_of(running), [("policy/all", parcel(5))])
    running.until(lambda: running.has(5))
    assert running.journal.sentences  # that it could not read, and that it can


def test_one_that_is_broken_is_tried_again_when_all_is_read_again(
    run: Callable[[], Running], brokers: MockBrokers
) -> None:
    running = run()
    running.broken = {2}
    put(brokers.places, topic_of(running), [("policy/all", parcel(1)), ("policy/all", parcel(2))])
    running.until(lambda: running.has(1))
    assert running.tried == [2, 1]
    assert running.receiver.refused_by_kind["policy"] == 1
    running.broken = set()
    running.receiver.read_again()
    running.until(lambda: running.has(2))
    assert running.tried == [2, 1, 2]


def test_what_was_refused_is_tried_again_though_no_broker_answered_when_that_was_asked(
    run: Callable[[], Running], brokers: MockBrokers
) -> None:
    running = run()
    running.broken = {2}
    put(brokers.places, topic_of(running), [("policy/all", parcel(2))])
    running.until(lambda: running.receiver.refused_by_kind["policy"] == 1)
    running.receiver.close()
    receiver = running.receiver
    assert receiver._consumer is None
    receiver.read_again()
    end = time.monotonic() + PATIENCE_S
    while receiver.offer is None:
        assert time.monotonic() < end, receiver.states
        receiver._settle()
        receiver._round()
    assert receiver.offer.parcel.header.version == 2
    receiver._disconnect()


def test_while_no_broker_answers_what_is_in_use_stays_and_it_is_said_once(
    run: Callable[[], Running], brokers: MockBrokers, tmp_path: Path
) -> None:
    first = run()
    put(brokers.places, topic_of(first), [("tables/all", parcel(1, kind="tables", files={"pools.yaml": POOLS}))])
    first.until(lambda: first.has(1))
    first.receiver.close()
    brokers.stop()
    try:
        second = run()
        assert second.has(1)
        second.until(lambda: second.receiver.trouble is not None)
        assert second.has(1)
        assert sum("what is in use stays in use" in line for line in second.journal.sentences) == 1
    finally:
        brokers.go_on()
    put(brokers.places, topic_of(first), [("tables/all", parcel(2, kind="tables", files={"pools.yaml": POOLS}))])
    second.until(lambda: second.has(2))
    assert second.tried == [2]
    assert tmp_path.is_dir()


def test_messages_that_are_held_at_once_are_bounded_in_bytes() -> None:
    assert PAGE * settings_of().parcel_bytes <= 32 << 20
