"""Delivery: in order, at least once, each destination for itself, and it ends when it is told to."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from exporters.destination import Refused, Unreachable
from sensor.delivery.backoff import FIRST_S, LONGEST_S, Backoff
from sensor.delivery.delivery import Delivery
from sensor.delivery.worker import DeliveryStatus
from sensor.ledger import Ledger, LedgerBounds, LedgerError
from sensor.ledger.outbox import QueuedEvent
from sensor.model.finding import Finding
from sensor.model.record import Record
from tests.daemon.journal import WrittenJournal
from tests.delivery.receivers import eventually
from tests.ledger.made import finding


class Spy:
    """A destination that keeps what it gets, unless told to do something else."""

    repeat_s: float | None = None

    def __init__(self, most: int = 10) -> None:
        self.most = most
        self.got: list[Record] = []
        self.act: Callable[[Sequence[Record]], None] = lambda _: None
        self.closed = self.reopened = False

    def send(self, records: Sequence[Record]) -> None:
        self.act(records)
        self.got += records

    def reopen(self) -> None:
        self.reopened = True

    def close(self) -> None:
        self.closed = True

    @property
    def names(self) -> list[str]:
        return [one.finding_id for one in self.got if isinstance(one, Finding)]


@contextmanager
def delivering(
    folder: Path, redact: bool = False, rows: int = 10_000, **spies: Spy
) -> Iterator[tuple[Ledger, Delivery]]:
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db", bounds=LedgerBounds(outbox_rows=rows))
    delivery = Delivery(ledger, {name: (spy, redact) for name, spy in spies.items()})
    delivery.start()
    try:
        yield ledger, delivery
    finally:
        for spy in spies.values():
            spy.act = lambda _: None
        delivery.stop(2)
        ledger.close()


def record(ledger: Ledger, numbers: Sequence[int]) -> list[str]:
    ledger.record([finding(number, state="opened") for number in numbers], time.time_ns())
    return [f"finding-{number}" for number in numbers]


def status(delivery: Delivery, name: str) -> DeliveryStatus:
    return next(status for status in delivery.statuses() if status.name == name)


def test_events_arrive_once_in_their_order(tmp_path: Path) -> None:
    spy = Spy(most=7)
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        expected = record(ledger, range(40)) + record(ledger, range(40, 600))
        delivery.wake()
        eventually(lambda: len(spy.got) == 600)
        eventually(lambda: status(delivery, "spy").depth == 0)
        assert spy.names == expected
        assert (status(delivery, "spy").delivered, status(delivery, "spy").oldest_s) == (600, 0.0)
        assert ledger.outbox.read(0, 10) == []
    assert spy.closed


def test_a_destination_that_is_gone_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    spy = Spy()
    gone = threading.Event()

    def failing(_: Sequence[Record]) -> None:
        if not gone.is_set():
            raise Unreachable("siem:514: connection refused")

    spy.act = failing
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        expected = record(ledger, range(100))
        eventually(lambda: status(delivery, "spy").failed >= 2)
        now = status(delivery, "spy")
        assert (now.depth, now.delivered, now.trouble) == (100, 0, "siem:514: connection refused")
        assert now.oldest_s > 0
        assert now.oldest_ns > 0
        gone.set()
        eventually(lambda: len(spy.got) == 100)
        assert spy.names == expected
        eventually(lambda: status(delivery, "spy").trouble is None)


def test_what_was_sent_before_a_failure_is_not_sent_again(tmp_path: Path) -> None:
    spy = Spy(most=1)

    def fails_once(_: Sequence[Record]) -> None:
        if len(spy.got) == 5 and standing_failures[0] == 0:
            standing_failures[0] += 1
            raise Unreachable("for a moment")

    standing_failures = [0]
    spy.act = fails_once
    with delivering(tmp_path, spy=spy) as (ledger, _):
        expected = record(ledger, range(10))
        eventually(lambda: len(spy.got) == 10)
        assert spy.names == expected


def test_what_is_refused_is_skipped_and_counted_and_its_neighbours_arrive(tmp_path: Path) -> None:
    spy = Spy()

    def refuses(records: Sequence[Record]) -> None:
        if any(isinstance(one, Finding) and one.finding_id in ("finding-3", "finding-17") for one in records):
            raise Refused("answered 400")

    spy.act = refuses
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        record(ledger, range(20))
        eventually(lambda: len(spy.got) == 18)
        eventually(lambda: status(delivery, "spy").depth == 0)
        assert (status(delivery, "spy").refused, status(delivery, "spy").delivered) == (2, 18)
        assert ledger.outbox.backlog("spy").refused == 2


def test_each_refusal_and_each_outage_is_said_once_and_so_is_its_end(tmp_path: Path) -> None:
    spy, journal = Spy(most=1), WrittenJournal()
    mood: list[Exception | None] = [Refused("answered 400 bad event 17")]

    def act(_: Sequence[Record]) -> None:
        if mood[0] is not None:
            raise mood[0]

    spy.act = act
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    delivery = Delivery(ledger, {"spy": (spy, False)}, journal)
    delivery.start()
    record(ledger, range(3))
    delivery.wake()
    eventually(lambda: status(delivery, "spy").refused == 3)
    assert [sentence.partition(" is refused")[0][:10] for sentence in journal.sentences] == ["spy: event"]
    mood[0] = Unreachable("http://x: answered 302: redirects are not followed")
    record(ledger, [4])
    delivery.wake()
    eventually(lambda: status(delivery, "spy").failed >= 2)
    mood[0] = None
    eventually(lambda: "finding-4" in spy.names)
    record(ledger, [5])
    delivery.wake()
    eventually(lambda: "finding-5" in spy.names)
    delivery.stop(2)
    ledger.close()
    assert journal.sentences[0].endswith("is refused and left out: answered 400 bad event 17")
    assert journal.sentences[1:] == [
        "spy: http://x: answered 302: redirects are not followed; events wait, and are tried again",
        "spy: delivers again",
        "spy: takes events again; 3 were refused",
    ]


def test_a_mistake_in_a_sender_costs_its_record_and_not_the_thread(tmp_path: Path) -> None:
    spy = Spy()

    def breaks(records: Sequence[Record]) -> None:
        if any(isinstance(one, Finding) and one.finding_id == "finding-2" for one in records):
            raise IndexError("list index out of range")

    spy.act = breaks
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        record(ledger, range(5))
        eventually(lambda: len(spy.got) == 4)
        eventually(lambda: status(delivery, "spy").refused == 1)


def test_a_slow_destination_delays_neither_another_one_nor_the_line(tmp_path: Path) -> None:
    slow, quick, stuck = Spy(), Spy(), threading.Event()
    slow.act = lambda _: stuck.wait(10) and None
    with delivering(tmp_path, slow=slow, quick=quick) as (ledger, delivery):
        for number in range(50):
            record(ledger, [number])
        eventually(lambda: len(quick.got) == 50)
        assert slow.got == []
        assert status(delivery, "slow").depth == 50
        stuck.set()
        eventually(lambda: len(slow.got) == 50)


def test_stopping_delivers_what_waits(tmp_path: Path) -> None:
    spy = Spy(most=3)
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        expected = record(ledger, range(1_300))
        assert delivery.stop(5)
        assert spy.names == expected
        assert ledger.outbox.backlog("spy").depth == 0


def test_what_was_recorded_while_a_stop_came_is_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last record and the stop come after a worker found nothing, and before it looks whether to end."""
    spy = Spy()
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    delivery = Delivery(ledger, {"spy": (spy, False)})
    read, expected = ledger.outbox.read, []

    def late(position: int, most: int, most_bytes: int | None = None) -> list[QueuedEvent]:
        events = read(position, most, most_bytes)
        if not expected:
            expected.extend(record(ledger, [1]))
            for worker in delivery._workers:
                worker.stop(time.monotonic() + 5)
        return events

    monkeypatch.setattr(ledger.outbox, "read", late)
    delivery.start()
    assert delivery.stop(5)
    assert spy.names == expected == ["finding-1"]
    ledger.close()


def test_stopping_does_not_wait_for_a_destination_that_hangs_or_is_gone(tmp_path: Path) -> None:
    hung, gone, stuck = Spy(), Spy(), threading.Event()
    hung.act = lambda _: stuck.wait(20) and None

    def unreachable(_: Sequence[Record]) -> None:
        raise Unreachable("gone")

    gone.act = unreachable
    with delivering(tmp_path, hung=hung, gone=gone) as (ledger, delivery):
        record(ledger, range(10))
        eventually(lambda: status(delivery, "gone").failed > 0)
        began = time.monotonic()
        assert not delivery.stop(0.3)
        assert time.monotonic() - began < 2
        stuck.set()
        assert ledger.outbox.backlog("gone").depth == 10


def test_what_a_crash_left_is_sent_by_the_next_process(tmp_path: Path) -> None:
    with delivering(tmp_path, spy=Spy()) as (ledger, delivery):
        record(ledger, range(3))
        eventually(lambda: status(delivery, "spy").depth == 0)
        delivery.stop(1)
        expected = record(ledger, range(3, 9))  # nobody delivers any more
    spy = Spy()
    with delivering(tmp_path, spy=spy):
        eventually(lambda: len(spy.got) == 6)
        assert spy.names == expected


def test_who_takes_over_a_cursor_begins_where_the_one_before_ended(tmp_path: Path) -> None:
    before, after = Spy(), Spy()
    with delivering(tmp_path, spy=before) as (ledger, delivery):
        next_one = Delivery(ledger, {"spy": (after, False)})  # as at a reload: made while the old one is at work
        expected = record(ledger, range(20))
        eventually(lambda: len(before.got) == 20)
        delivery.stop(2)
        next_one.start()
        expected += record(ledger, range(20, 30))
        eventually(lambda: len(after.got) == 10)
        next_one.stop(2)
        assert before.names + after.names == expected


def test_events_over_the_bound_are_dropped_oldest_first_and_show(tmp_path: Path) -> None:
    spy, back = Spy(), threading.Event()

    def failing(_: Sequence[Record]) -> None:
        if not back.is_set():
            raise Unreachable("gone")

    spy.act = failing
    with delivering(tmp_path, rows=20, spy=spy) as (ledger, delivery):
        for number in range(50):
            record(ledger, [number])
        assert (status(delivery, "spy").dropped, status(delivery, "spy").depth) == (30, 20)
        back.set()
        eventually(lambda: status(delivery, "spy").depth == 0)
        assert spy.names[-20:] == [f"finding-{number}" for number in range(30, 50)]


def test_what_is_open_is_sent_again_to_who_forgets(tmp_path: Path) -> None:
    spy = Spy()
    spy.repeat_s = 0.1
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        record(ledger, range(25))
        ledger.record([finding(3, state="closed")], time.time_ns())
        eventually(lambda: status(delivery, "spy").repeated >= 48)
        assert spy.names.count("finding-3") <= 3
        assert spy.names.count("finding-4") >= 3


def test_redaction_is_each_destinations_own(tmp_path: Path) -> None:
    spy = Spy()
    strange = dataclasses.replace(finding(state="opened"), worker="10.1.2.3", workers=("10.1.2.3",))
    with delivering(tmp_path, redact=True, spy=spy) as (ledger, _):
        ledger.record([strange], time.time_ns())
        eventually(lambda: len(spy.got) == 1)
        (got,) = spy.got
        assert isinstance(got, Finding)
        assert "10.1.2.3" not in str(got.workers)


def test_a_ledger_that_cannot_be_read_ends_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy()
    with delivering(tmp_path, spy=spy) as (ledger, delivery):
        read, broken = ledger.outbox.read, threading.Event()

        def reading(position: int, most: int, most_bytes: int | None = None) -> object:
            if not broken.is_set():
                raise LedgerError("ledger x: the disk failed")
            return read(position, most, most_bytes)

        monkeypatch.setattr(ledger.outbox, "read", reading)
        record(ledger, range(5))
        eventually(lambda: status(delivery, "spy").trouble == "ledger x: the disk failed")
        broken.set()
        eventually(lambda: len(spy.got) == 5)


def test_rotation_is_told_to_every_destination(tmp_path: Path) -> None:
    one, two = Spy(), Spy()
    with delivering(tmp_path, one=one, two=two) as (_, delivery):
        delivery.reopen()
        assert one.reopened
        assert two.reopened


def test_pauses_grow_to_their_bound_and_differ() -> None:
    backoff = Backoff(Random(1))
    pauses = [backoff.next() for _ in range(20)]
    assert FIRST_S / 2 <= pauses[0] <= FIRST_S
    assert all(LONGEST_S / 2 <= pause <= LONGEST_S for pause in pauses[7:])
    assert len(set(pauses)) == 20
    backoff.reset()
    assert backoff.next() <= FIRST_S
