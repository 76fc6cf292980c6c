"""Findings below `speaks` are in no figure and no case, whatever is reported; those that rise to it are, as a whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import update

from sensor.ledger import Ledger
from sensor.ledger.store.schema import FINDINGS, SERIES
from sensor.model.evidence import Grade
from sensor.model.summary import Summary
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned, told

WEEK = 7 * DAY
MINER = "10.0.1.1"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sensor_id="edge-1")


def week(ledger: Ledger) -> Summary:
    return ledger.reader.summary(MONDAY, MONDAY + WEEK)


def test_a_weak_finding_is_in_no_line_and_no_energy(ledger: Ledger) -> None:
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 50, grade=Grade.BEHAVES, attribution=owned(1))], MONDAY)
    found = week(ledger)
    assert (found.lines, found.sites, found.cases) == ((), {}, ())
    assert ledger.reader.energy_by_place(MONDAY, MONDAY + WEEK) == {}
    assert ledger.reader.site_energy([1], MONDAY, MONDAY + WEEK) == {}
    assert ledger.reader.newest_ns() is None
    assert [each.address for each in found.to_check] == [MINER]


def test_a_weak_finding_of_the_same_miner_pool_and_dialect_adds_nothing(ledger: Ledger, tmp_path: Path) -> None:
    strong = mined(1, MONDAY, MONDAY + HOUR, 50)
    weak = mined(2, MONDAY, MONDAY + 9 * HOUR, 900, miner=MINER, grade=Grade.BEHAVES, login="other", workers=("w",))
    ledger.record([weak, strong], MONDAY)
    alone = Ledger.open(f"sqlite:///{tmp_path}/alone.db", sensor_id="edge-1")
    alone.record([strong], MONDAY)
    assert week(ledger).lines == week(alone).lines
    assert ledger.reader.energy_by_place(MONDAY, MONDAY + WEEK) == alone.reader.energy_by_place(MONDAY, MONDAY + WEEK)


@pytest.mark.parametrize("suppressed", [None, "its grade behaves is below speaks"])
@pytest.mark.parametrize("owner", [None, owned(1)])
def test_what_rises_to_speaks_counts_as_a_whole(
    ledger: Ledger, tmp_path: Path, suppressed: str | None, owner: object
) -> None:
    always = Ledger.open(f"sqlite:///{tmp_path}/always.db", sensor_id="edge-1")
    for at, record in enumerate(told(1, MONDAY, MONDAY + 10 * HOUR, HOUR, 20, attribution=owner)):
        always.record([record], MONDAY)
        weak = dataclasses.replace(record, grade=Grade.BEHAVES)
        risen = at >= 6
        reasons = {record.finding_id: suppressed} if suppressed and not risen else {}
        ledger.record([record if risen else weak], MONDAY, reasons)
        if not risen:
            assert week(ledger).lines == ()
    mine, theirs = week(ledger), week(always)
    assert [dataclasses.replace(line, case_id=None) for line in mine.lines] == [
        dataclasses.replace(line, case_id=None) for line in theirs.lines
    ]
    assert {key: each.site_class for key, each in mine.sites.items()} == {
        key: each.site_class for key, each in theirs.sites.items()
    }
    assert mine.to_check == mine.unlisted == ()


def test_what_rises_with_another_dialect_counts_as_a_whole(ledger: Ledger, tmp_path: Path) -> None:
    """Another run says the weaker name still."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    weak = mined(1, MONDAY, MONDAY + 4 * HOUR, 80, grade=Grade.BEHAVES, dialect="stratum")
    ledger.record([weak], MONDAY)
    other = Ledger.open(url, sensor_id="edge-2")
    more = mined(2, MONDAY + 5 * HOUR, MONDAY + 6 * HOUR, 20, miner=MINER, finding_id=weak.finding_id)
    other.record([more], MONDAY)
    (line,) = week(ledger).lines
    assert line.shares == 100
    assert set(line.dialects) == {"stratum", "stratum-v1"}


def test_series_of_before_that_are_too_weak_are_in_no_figure(ledger: Ledger) -> None:
    """An earlier release put them beside the others."""
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 50, attribution=owned(1))], MONDAY)
    with ledger.engine.begin() as connection:
        for table in (SERIES, FINDINGS):
            connection.execute(update(table).values(grade=int(Grade.BEHAVES)))
    assert week(ledger).lines == ()
    assert ledger.reader.energy_by_place(MONDAY, MONDAY + WEEK) == {}
    assert ledger.reader.site_energy([1], MONDAY, MONDAY + WEEK) == {}


def closed(ledger: Ledger, now_ns: int) -> list[tuple[str, int, str]]:
    ledger.review_cases(now_ns)
    return [(change.state, change.at_ns, change.why) for case in ledger.reader.cases() for change in case.changes]


def test_a_case_is_neither_kept_alive_nor_closed_nor_opened_again_by_weak_findings(tmp_path: Path) -> None:
    now = MONDAY + 60 * DAY
    histories = []
    for name in ("with", "without"):
        ledger = Ledger.open(f"sqlite:///{tmp_path}/{name}.db", sensor_id="edge-1")
        ledger.record(list(told(1, MONDAY, MONDAY + 60 * HOUR, HOUR, 20)), MONDAY)
        weak = {"miner": MINER, "grade": Grade.BEHAVES, "login": "other"}
        if name == "with":
            ledger.record(list(told(2, MONDAY + HOUR, MONDAY + 30 * DAY, 12 * HOUR, 20, **weak)), MONDAY)
            # Another sensor saw nothing but that, and did not listen since.
            deaf = Ledger.open(f"sqlite:///{tmp_path}/{name}.db", sensor_id="edge-2")
            deaf.record([mined(3, MONDAY, MONDAY + HOUR, 20, **{**weak, "login": "third"})], MONDAY)
            deaf.close()
        ledger.add_coverage(MONDAY, now)
        closed(ledger, now)
        if name == "with":
            ledger.record(list(told(4, now, now + DAY, 12 * HOUR, 20, **{**weak, "login": "late"})), now)
        histories.append((closed(ledger, now), [(case.first_ns, case.last_ns) for case in ledger.reader.cases()]))
        ledger.close()
    assert histories[0] == histories[1]
    assert [state for state, _, _ in histories[0][0]] == ["new", "closed"]
