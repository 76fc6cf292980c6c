"""What the daemon tells the ledger of its listening: only time in which everything was heard, and what silence then
means.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from sensor.daemon.coverage import MAX_STEP_NS, CoverageRecorder
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import COVERAGE
from tests.daemon.journal import WrittenJournal
from tests.ledger.mining import HOUR, MONDAY, told

MINUTE = HOUR // 60


def listened(ledger: Ledger) -> float:
    with reading(ledger.engine) as connection:
        return float(connection.scalar(select(func.sum(COVERAGE.c.to_ns - COVERAGE.c.from_ns))) or 0) / 1e9


def test_only_time_in_which_everything_was_heard_counts(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, WrittenJournal(), errors.append)
    minutes = ((0, True), (4, True), (5, False), (6, True), (10, True), (9, True), (13, True))
    for minute, ready in minutes:
        coverage.listen(MONDAY + minute * MINUTE, ready)
    assert listened(ledger) == 240 + 420  # minutes 9 to 10 came twice, and were heard once
    coverage.listen(MONDAY + 13 * MINUTE + MAX_STEP_NS + 1, True)
    coverage.listen(0, True)
    coverage.listen(MONDAY, True)
    assert listened(ledger) == 660


def test_what_captures_cover_is_recorded_whenever_they_are_read(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, WrittenJournal(), errors.append)
    assert coverage.cover([(MONDAY + 24 * HOUR, MONDAY + 48 * HOUR)])
    assert coverage.cover([(MONDAY, MONDAY + 24 * HOUR), (MONDAY, MONDAY + HOUR)])
    assert listened(ledger) == 48 * 3_600


def test_captures_that_follow_each_other_leave_no_gap_and_others_do(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, WrittenJournal(), errors.append)
    for start in (MONDAY, MONDAY + HOUR + MINUTE, MONDAY + 4 * HOUR):
        coverage.cover([(start, start + HOUR)], MINUTE)
    assert listened(ledger) == 3 * 3_600 + 60


def test_a_case_that_fell_silent_is_closed_and_said(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record(list(told(1, MONDAY, MONDAY + 60 * HOUR, HOUR, 20)), MONDAY)
    journal = WrittenJournal()
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, journal, errors.append)
    for step in range(0, 400, 6):
        coverage.cover([(MONDAY + step * HOUR, MONDAY + (step + 6) * HOUR)])
        coverage.review(MONDAY + (step + 6) * HOUR)
    (sentence,) = journal.sentences
    assert sentence.startswith("case 1 closed: no share for ")
    assert ledger.reader.cases()[0].state == "closed"


def test_a_ledger_that_fails_stops_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, WrittenJournal(), errors.append)
    assert coverage.cover([(MONDAY, MONDAY + HOUR)])
    with reading(ledger.engine) as connection:
        connection.exec_driver_sql("DROP TABLE coverage")
        connection.commit()
    assert not coverage.cover([(MONDAY + HOUR, MONDAY + 2 * HOUR), (MONDAY + 2 * HOUR, MONDAY + 3 * HOUR)])
    coverage.review(MONDAY + 3 * HOUR)
    assert len(errors) >= 1


def test_what_waits_for_a_ledger_that_fails_does_not_grow_by_being_told_again(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    errors: list[LedgerError] = []
    coverage = CoverageRecorder(ledger, WrittenJournal(), errors.append)
    with reading(ledger.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE coverage RENAME TO elsewhere")
        connection.commit()
    for hour in range(1, 5):
        assert not coverage.cover([(MONDAY, MONDAY + hour * HOUR)])
        assert not coverage.cover([(MONDAY, MONDAY + hour * HOUR)])
    assert coverage.waiting == 1
    with reading(ledger.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO coverage")
        connection.commit()
    assert coverage.cover([])
    assert listened(ledger) == 4 * 3_600
