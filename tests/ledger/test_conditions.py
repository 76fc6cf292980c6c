"""A condition of the sensor is an event when it begins and when it is over, whatever the ledger did meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sensor.ledger import Ledger, LedgerBounds, Recorder
from sensor.model.condition import Condition
from sensor.model.record import event_id
from sensor.model.time import DAY_NS
from tests.ledger.made import SECOND, finding
from tests.ledger.test_ledger import NOW, opened
from tests.ledger.test_recorder import Clock, Trouble

BEGUN = Condition("c" * 20, "emergency", "begun", "local", NOW, NOW, {"flows": 1})
LATER = replace(BEGUN, last_ns=NOW + 90 * SECOND, causes={"flows": 5, "queue": 2})
OVER = replace(LATER, state="over")


def events(ledger: Ledger) -> list[Condition]:
    records = [event.record for event in ledger.outbox.read(0, 1_000)]
    return [record for record in records if isinstance(record, Condition)]


def test_it_is_an_event_when_it_begins_and_when_it_is_over_and_in_between_it_is_stored(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    for condition in (BEGUN, BEGUN, LATER, LATER):
        ledger.record([condition], NOW)
    assert events(ledger) == [BEGUN]
    assert ledger.reader.begun_condition("local") == LATER
    assert ledger.reader.begun_condition("another") is None
    for condition in (OVER, OVER, BEGUN):
        ledger.record([condition], NOW)
    assert events(ledger) == [BEGUN, OVER]
    assert ledger.reader.begun_condition("local") is None
    assert len({event_id(one) for one in events(ledger)}) == 2


def test_both_events_come_of_one_step(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    assert ledger.record([BEGUN, finding(), LATER, OVER], NOW)[0] == BEGUN
    assert events(ledger) == [BEGUN, OVER]


def test_a_ledger_that_cannot_be_written_meanwhile_loses_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, clock = opened(tmp_path), Clock()
    trouble, recorder = Trouble(ledger, monkeypatch), Recorder(ledger, clock, most_waiting=10)
    trouble.on = True
    recorder.record([finding(number) for number in range(20)], NOW)
    for condition in (BEGUN, LATER, LATER, OVER):
        recorder.record([condition], NOW)
    assert recorder.counters["records_refused"] == 10
    assert recorder.counters["records_waiting"] == 12
    trouble.on = False
    clock.ns += 60 * SECOND
    recorder.record([], NOW)
    assert events(ledger) == [LATER, OVER]


def test_a_sensor_that_is_renamed_ends_it_under_its_new_name(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([BEGUN], NOW)
    ledger.rename_sensor("local", "edge-7")
    assert ledger.reader.begun_condition("edge-7") == BEGUN


def test_old_ones_are_deleted_like_findings(tmp_path: Path) -> None:
    ledger = opened(tmp_path, bounds=LedgerBounds(closed_ns=30 * DAY_NS))
    ledger.record([BEGUN, OVER], NOW)
    ledger.prune(NOW + 29 * DAY_NS)
    ledger.record([BEGUN], NOW)
    assert ledger.reader.begun_condition("local") is None  # it is remembered as over
    ledger.prune(NOW + 31 * DAY_NS)
    ledger.record([BEGUN], NOW)
    assert ledger.reader.begun_condition("local") == BEGUN
