"""While the ledger cannot take records they wait, within a bound; when it can again, all are recorded, without a
restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.ledger import Ledger, LedgerError, Recorder
from sensor.ledger.recorder import LONGEST_PAUSE_NS
from sensor.model.finding import Finding
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.test_ledger import NOW, opened, told


class Trouble:
    """A ledger's `record` that can be made to fail."""

    def __init__(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on, self.attempts = False, 0
        record = ledger.record

        def trying(*arguments: object) -> object:
            self.attempts += 1
            if self.on:
                raise LedgerError("ledger x: the disk is full")
            return record(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(ledger, "record", trying)


class Clock:
    ns = 0

    def __call__(self) -> int:
        return self.ns


def test_nothing_is_lost_while_the_disk_is_full_and_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock)
    trouble.on = True
    for number in range(1_200):
        assert recorder.record([finding(number)], NOW) == []
    assert trouble.attempts == 1  # the pause holds
    assert recorder.counters == {
        "records_recorded": 0,
        "records_refused": 0,
        "record_failures": 1,
        "records_waiting": 1_200,
    }
    assert recorder.trouble == "ledger x: the disk is full"
    trouble.on = False
    clock.ns += SECOND
    assert len(recorder.record([], NOW)) == 1_200
    assert (recorder.counters["records_waiting"], recorder.counters["records_recorded"]) == (0, 1_200)
    assert recorder.trouble is None
    assert len(told(ledger)) == 1_200


def test_records_of_many_connections_go_into_the_ledger_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = opened(tmp_path)
    counted, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, Clock())
    fat = [finding(number, flows=tuple(map(flow, range(256)))) for number in range(20)]
    assert len(recorder.record(fat, NOW)) == 20
    assert counted.attempts == 3
    assert [len(entry.finding.flows) for entry in ledger.reader.findings()] == [256] * 20


def test_a_waiting_record_gives_way_to_the_newer_one_of_its_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock)
    trouble.on = True
    for count in (1, 2, 3):
        recorder.record(
            [finding(flows=tuple(map(flow, range(count))))], NOW, {"finding-1": "known"} if count == 1 else {}
        )
    trouble.on = False
    recorder.flush(NOW)
    assert told(ledger) == [("opened", 9)]


def test_a_stretch_that_closed_is_not_overwritten_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock)
    trouble.on = True
    recorder.record([finding(flows=(flow(1),))], NOW)
    recorder.record([finding(flows=(flow(1), flow(2, 100)), state="closed")], NOW)
    recorder.record([finding(flows=(flow(3, 5_000),))], NOW)
    trouble.on = False
    recorded = recorder.flush(NOW)
    assert [(one.state, one.shares.submitted) for one in recorded if isinstance(one, Finding)] == [
        ("closed", 6),
        ("opened", 9),
    ]


def test_what_is_over_the_bound_is_refused_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock, most_waiting=5)
    trouble.on = True
    for number in (*range(8), 0):
        recorder.record([finding(number)], NOW)
    assert (recorder.counters["records_waiting"], recorder.counters["records_refused"]) == (5, 3)


def test_the_pause_grows_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock)
    trouble.on = True
    recorder.record([finding()], NOW)
    for _ in range(20):
        clock.ns += LONGEST_PAUSE_NS
        recorder.record([], NOW)
    assert trouble.attempts == 21
    clock.ns += LONGEST_PAUSE_NS - 1
    recorder.record([], NOW)
    assert trouble.attempts == 21
