"""A ledger that is given what a sensor reports holds what the sensor's own ledger does, however the reports come: in
any batches, once or again, of one sensor or of several.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sensor.ledger import Ledger, LedgerBounds
from sensor.ledger.central import (
    CentralLedger,
    CollectBatch,
    CollectGapError,
    CollectPage,
    DeadLetter,
    PlacedReport,
    TopicPlace,
    _Queues,
)
from sensor.ledger.store.database import reading
from sensor.ledger.store.records import dumps
from sensor.ledger.store.schema import METADATA
from sensor.ledger.write.forget import ForgetSubject
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.time import HOUR_NS, SECOND_NS
from sensor.model.wire import QueuedReport, SensorReport, loads
from tests.demo import make_demo
from tests.exporters.test_eve import RECORDS
from tests.ledger.made import finding, flow
from tests.ledger.servers import postgresql
from tests.ledger.test_two_sensors import NOW, Packets, found, read

TOPIC = "minewatch.reports.v1"
#: When the centre takes what sensors recorded, by its own clock.
LATER = NOW + HOUR_NS
#: Tables of delivery and of collecting: not what was found.
BESIDE = {
    "outbox",
    "cursors",
    "reports",
    "report_cursors",
    "collect_positions",
    "collect_runs",
    "dead_letters",
    "leases",
}


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    path = tmp_path_factory.mktemp("demo") / "demo.pcap"
    make_demo.make(path)
    return read(path)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


def rows(ledger: Ledger, *, without: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """All that a ledger holds of what was found, but some columns."""
    held = {}
    with reading(ledger.engine) as connection:
        for table in METADATA.sorted_tables:
            if table.name not in BESIDE:
                columns = [column for column in table.columns if column.name not in without]
                found_rows = connection.execute(select(*columns))
                held[table.name] = sorted((tuple(map(_rounded, row)) for row in found_rows), key=repr)
    return held


def rows_in_any_order(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """The same without what tells only when, in which order or in how many steps something was written: an open finding
    that was written once is `opened`, one that was written twice is `updated`, its machine was seen last when it
    opened, and a case begins with the finding that was written first. What is in the roll-ups is in them."""
    moment = ("recorded_ns", "since_ns", "opened_ns", "at_ns")
    held = rows(ledger, without=["series_id", "case_id", "change_id", "record", "state", "rolled", *moment])
    held["sensors"] = [row[:2] for row in held["sensors"]]
    held["machines"] = [row[:-2] for row in held["machines"]]
    entries = [entry.finding for entry in ledger.reader.findings()]
    states = [dataclasses.replace(one, state="closed" if one.state == "closed" else "updated") for one in entries]
    held["records"] = sorted(((json.dumps(_rounded(json.loads(dumps(one)))),) for one in states), key=repr)
    return held


def _rounded(value: Any) -> Any:
    """A figure to ten digits: sums of figures are the same to rounding."""
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


class SensorLedger:
    """The ledger of a sensor that reports."""

    def __init__(self, folder: Path, sensor_id: str) -> None:
        self._url = f"sqlite:///{folder}/{sensor_id}-{random.getrandbits(64):x}.db"
        self.sensor_id, self._position = sensor_id, 0
        self.begin("run-1")

    def begin(self, run_id: str) -> None:
        """A process of the sensor begins."""
        self.ledger = Ledger.open(self._url, sensor_id=self.sensor_id, run_id=run_id)
        self.ledger.reports.subscribe(["kafka"])
        self.ledger.begin(NOW)

    def reports(self) -> list[QueuedReport]:
        """What was not read yet."""
        queued = self.ledger.reports.read(self._position, 100_000)
        self._position = queued[-1].sequence if queued else self._position
        return queued


class Central:
    """A central ledger with one partition."""

    def __init__(self, url: str) -> None:
        self.ledger = Ledger.open(url)
        self.central = CentralLedger(self.ledger, 5)
        self.offset = 0

    def take(self, queued: Sequence[QueuedReport | SensorReport], now_ns: int = LATER) -> None:
        placed = []
        start = self.offset
        for report in queued:
            read_report = loads(report.text) if isinstance(report, QueuedReport) else report
            placed.append(PlacedReport(TopicPlace(TOPIC, 0, self.offset), read_report))
            self.offset += 1
        self.central.take(CollectBatch((CollectPage(placed),), {(TOPIC, 0): start}, {(TOPIC, 0): self.offset}), now_ns)


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    made = Central(f"sqlite:///{tmp_path}/central.db")
    yield made
    made.ledger.close()


def test_what_was_recorded_is_written_from_its_wire_form_as_it_is(tmp_path: Path, central: Central) -> None:
    sensor = SensorLedger(tmp_path, "edge-1")
    sensor.ledger.record(RECORDS, NOW)
    condition = Condition("condition-1", "emergency", "begun", "edge-1", 1, 2, {"flows": 7})
    sensor.ledger.record([condition, *(finding(number) for number in range(9))], NOW, {"finding-3": "known"})
    sensor.ledger.add_coverage(NOW - HOUR_NS, NOW)
    central.take(sensor.reports(), NOW)
    assert rows(central.ledger) == rows(sensor.ledger)


def test_what_the_line_finds_is_written_from_its_wire_form_as_it_is(
    tmp_path: Path, packets: Packets, central: Central
) -> None:
    sensor = SensorLedger(tmp_path, "edge-1")
    for part in (packets[: len(packets) // 3], packets[: len(packets) // 2], packets):
        sensor.ledger.record(list(found(tmp_path, part)), NOW)
        central.take(sensor.reports(), NOW)
    assert rows(central.ledger) == rows(sensor.ledger)


def test_runs_and_findings_that_did_not_come_back_are_the_same(tmp_path: Path, central: Central) -> None:
    sensor = SensorLedger(tmp_path, "edge-1")
    sensor.ledger.record([finding(number) for number in range(20)], NOW)
    central.take(sensor.reports())
    sensor.begin("run-2")
    sensor.ledger.record([finding(3, (flow(77, 500),))], NOW + SECOND_NS)
    assert sensor.ledger.close_stale(NOW + HOUR_NS, 60 * SECOND_NS)
    central.take(sensor.reports())
    assert rows(central.ledger, without=["recorded_ns"]) == rows(sensor.ledger, without=["recorded_ns"])


@settings(max_examples=12)
@given(cuts=st.lists(st.integers(0, 40), max_size=6), again=st.lists(st.integers(0, 40), max_size=4))
def test_in_any_batches_and_sent_again_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], again: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("batches")
    sensor = SensorLedger(folder, "edge-1")
    for step in range(4):
        sensor.ledger.record([finding(number, _grown(number, step)) for number in range(8)], NOW + step)
        sensor.ledger.add_coverage(NOW + step * SECOND_NS, NOW + (step + 1) * SECOND_NS)
    queued = sensor.reports()
    central = Central(f"sqlite:///{folder}/central.db")
    borders = sorted({0, len(queued), *(min(cut, len(queued)) for cut in cuts)})
    for start, end in itertools.pairwise(borders):
        central.take(queued[start:end])
        for back in again:  # a sensor's process died before it noted what was acknowledged
            central.take(queued[max(0, end - back) : end])
    assert rows(central.ledger, without=["recorded_ns"]) == rows(sensor.ledger, without=["recorded_ns"])
    central.ledger.close()
    sensor.ledger.close()


def test_two_sensors_of_one_link_count_once_as_in_one_ledger(
    tmp_path: Path, packets: Packets, central: Central, server: str
) -> None:
    later = [(at + 0.4, data) for at, data in packets]
    queued = []
    together = f"sqlite:///{tmp_path}/together.db"
    for sensor_id, part in (("edge-1", packets), ("edge-2", later)):
        findings = list(found(tmp_path, part))
        sensor = SensorLedger(tmp_path, sensor_id)
        sensor.ledger.record(findings, NOW)
        queued += sensor.reports()
        ledger = Ledger.open(together, sensor_id=sensor_id, run_id="run-1")
        ledger.begin(NOW)
        ledger.record(findings, NOW)
        ledger.close()
    central.take(queued, NOW)
    whole = Ledger.open(together)
    assert rows(central.ledger) == rows(whole)
    whole.close()
    elsewhere = Central(server)
    elsewhere.take(queued, NOW)
    assert rows(elsewhere.ledger)["findings"] == rows(central.ledger)["findings"]
    elsewhere.ledger.close()


def test_what_was_taken_is_left_out_and_what_is_missing_is_asked_for(tmp_path: Path, central: Central) -> None:
    sensor = SensorLedger(tmp_path, "edge-1")
    sensor.ledger.record([finding(1)], NOW)
    placed = [
        PlacedReport(TopicPlace(TOPIC, 0, number), loads(report.text)) for number, report in enumerate(sensor.reports())
    ]
    batch = CollectBatch((CollectPage(placed),), {(TOPIC, 0): 0}, {(TOPIC, 0): len(placed)})
    central.central.take(batch, NOW)
    before = rows(central.ledger)
    central.central.take(batch, NOW + HOUR_NS)  # by a member that lost the partition meanwhile
    assert rows(central.ledger) == before
    assert central.central.positions(TOPIC) == {0: len(placed)}
    assert central.central.counters["reports_repeated"] == len(placed)
    with pytest.raises(CollectGapError):
        central.central.take(CollectBatch((), {(TOPIC, 0): 50}, {(TOPIC, 0): 51}), NOW)
    central.central.begin_anew(TOPIC, 0)
    assert central.central.positions(TOPIC) == {}


def test_dead_letters_are_bounded_and_the_oldest_go(central: Central) -> None:
    for offset in range(12):
        letter = DeadLetter(TopicPlace(TOPIC, 0, offset), "not JSON\0\ud800", b"{" * 100_000)
        central.central.take(
            CollectBatch((CollectPage((), (letter,)),), {(TOPIC, 0): offset}, {(TOPIC, 0): offset + 1}), NOW
        )
    letters = central.central.letters(100)
    assert [letter.place.offset for letter in letters] == [11, 10, 9, 8, 7]
    assert len(letters[0].body) == 65_536
    assert central.central.counters["letters_stored"] == 12
    assert central.central.prune(0, NOW + 1) == 5


def test_events_of_a_central_ledger_are_those_of_all_sensors(tmp_path: Path, central: Central) -> None:
    central.ledger.outbox.subscribe(["siem"])
    sensor = SensorLedger(tmp_path, "edge-1")
    sensor.ledger.outbox.subscribe(["siem"])
    sensor.ledger.record(RECORDS, NOW)
    central.take(sensor.reports())
    assert [event.event_id for event in central.ledger.outbox.read(0, 100)] == [
        event.event_id for event in sensor.ledger.outbox.read(0, 100)
    ]


def test_nobody_is_served_and_nothing_is_stored(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/alone.db")
    ledger.record(RECORDS, NOW)
    assert ledger.reports.read(0, 10) == []
    ledger.close()


def test_what_was_heard_of_old_captures_waits_as_long_as_what_is_new(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/old.db")
    ledger.reports.subscribe(["kafka"])
    ledger.add_coverage(1, HOUR_NS)
    ledger.record([finding(1)], time.time_ns())
    ledger.prune(time.time_ns())
    assert ledger.reports.backlog("kafka").depth == 2
    ledger.prune(time.time_ns() + 366 * 24 * HOUR_NS)
    assert ledger.reports.backlog("kafka").dropped == 2
    ledger.close()


def test_reports_over_the_bound_are_dropped_and_counted(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/full.db", bounds=LedgerBounds(outbox_rows=10))
    ledger.reports.subscribe(["kafka"])
    ledger.record([finding(number) for number in range(25)], NOW)
    backlog = ledger.reports.backlog("kafka")
    assert (backlog.depth, backlog.dropped) == (10, 15)
    ledger.record([finding(1, capture_loss=float("inf"))], NOW)
    assert ledger.reports.backlog("kafka").dropped == 16
    ledger.close()


def test_what_is_forgotten_is_not_reported_any_more(tmp_path: Path) -> None:
    sensor = SensorLedger(tmp_path, "edge-1")
    closed = [dataclasses.replace(finding(number), state="closed") for number in (1, 2)]
    sensor.ledger.record(closed, NOW)
    sensor.ledger.forget(ForgetSubject(closed[0].miner_ip), NOW)
    of = [record for report in sensor.reports() for record in loads(report.text).records]
    assert [one.miner_ip for one in of if isinstance(one, Finding)] == [closed[1].miner_ip]


def _grown(number: int, step: int) -> tuple[Any, ...]:
    return tuple(flow(100 * number + at, 60 * at, miner=f"10.0.0.{number}") for at in range(step + 1))


def test_what_was_put_aside_is_forgotten_with_whom_it_names(tmp_path: Path) -> None:
    """Nobody could read it, so its bytes decide."""
    ledger = Ledger.open(f"sqlite:///{tmp_path}/central.db")
    try:
        central = CentralLedger(ledger, 100)
        bodies = [b'{"v": 9, "src_ip": "10.0.9.1"}', b'{"v": 9, "src_ip": "10.0.9.11"}', b"\xff\x00"]
        letters = [DeadLetter(TopicPlace("t", 0, at), "newer", body) for at, body in enumerate(bodies)]
        central.take(CollectBatch((CollectPage((), letters),), {("t", 0): 0}, {("t", 0): 3}), NOW)
        assert ledger.forget(ForgetSubject("10.0.9.1"), NOW).events == 1
        assert sorted(letter.body for letter in central.letters(10)) == sorted(bodies[1:])
    finally:
        ledger.close()


def test_of_a_sensor_with_very_many_runs_only_those_that_report_are_read(
    central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = finding(1)
    central.take([SensorReport("edge-1", f"run-{number}", NOW, (), number=number + 1) for number in range(700)])
    read_rows: list[int] = []
    read = _Queues._read

    def counted(queues: _Queues, topic: str, partition: int, runs: Any) -> None:
        read(queues, topic, partition, runs)
        read_rows.append(len(queues._numbers))

    monkeypatch.setattr(_Queues, "_read", counted)
    central.take([SensorReport("edge-1", f"run-{number}", NOW, (one,), number=3) for number in (1, 5)])
    assert read_rows == [2]
    assert central.central.counters["reports_repeated"] == 1  # run-5 had come to 6
    assert central.ledger.reader.findings()[0].finding.jobs == one.jobs
