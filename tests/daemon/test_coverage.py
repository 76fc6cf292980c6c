"""What the daemon tells the ledger of its listening: only time in which everything was heard, and what silence then
means.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from sensor.daemon.coverage import MAX_STEP_NS, CoverageRecorder
from sensor.ledger import Ledger
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import COVERAGE
from tests.ledger.mining import HOUR, MONDAY, told


def listened(ledger: Ledger) -> float:
    with reading(ledger.engine) as connection:
        return float(connection.scalar(select(func.sum(COVERAGE.c.to_ns - COVERAGE.c.from_ns))) or 0) / 1e9


def test_only_time_in_which_everything_was_heard_counts(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    coverage = CoverageRecorder(ledger, lambda _: None)
    minutes = ((0, True), (10, True), (20, False), (30, True), (40, True), (35, True), (45, True))
    for minute, ready in minutes:
        coverage.update(MONDAY + minute * HOUR // 60, ready)
    assert listened(ledger) == 600 + 900  # minutes 35 to 40 came twice, and were heard once
    coverage.update(MONDAY + HOUR + MAX_STEP_NS, True)
    coverage.update(0, True)
    coverage.update(MONDAY, True)
    assert listened(ledger) == 1_500


def test_a_case_that_fell_silent_is_closed_and_said(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record(list(told(1, MONDAY, MONDAY + 60 * HOUR, HOUR, 20)), MONDAY)
    sentences: list[str] = []
    coverage = CoverageRecorder(ledger, sentences.append)
    for step in range(0, 400, 6):
        coverage.update(MONDAY + step * HOUR, True)
    assert len(sentences) == 1
    assert sentences[0].startswith("case 1 closed: no share for ")
    assert ledger.reader.cases()[0].state == "closed"


def test_a_ledger_that_fails_stops_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    sentences: list[str] = []
    coverage = CoverageRecorder(ledger, sentences.append)
    coverage.update(MONDAY, True)
    with reading(ledger.engine) as connection:
        connection.exec_driver_sql("DROP TABLE coverage")
        connection.commit()
    coverage.update(MONDAY + HOUR, True)
    assert len(sentences) == 1
    assert sentences[0].startswith("ledger: ")
