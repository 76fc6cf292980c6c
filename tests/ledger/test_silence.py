"""Silence closes a case: true exits soon enough, and hardly ever a miner that is only quiet. Simulated by the hour,
with everything that makes miners quiet: chance, vardiff, nights, weekends, outages of line, pool and power.

The long version is `python -m tests.bench.silence`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sensor.cases import silence
from sensor.ledger import Ledger
from tests.ledger.mining import DAY, HOUR, MONDAY, told
from tests.ledger.silent import KINDS, STATED_DAYS, closed_after, mining_hours, wrongly_closed

MINERS, DAYS = 12, 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_quiet_miner_that_is_still_there_is_hardly_ever_closed(kind: str) -> None:
    wrong = sum(wrongly_closed(mining_hours(random.Random(f"{kind} {number}"), kind, DAYS)) for number in range(MINERS))
    assert wrong == 0  # the rate, at most 1 %, is measured with many more by the long version


def test_95_of_100_exits_are_closed_within_the_stated_time() -> None:
    late = 0
    for number in range(100):
        generator = random.Random(f"exit {number}")
        kind = generator.choice(list(KINDS))
        days = closed_after(mining_hours(generator, kind, 5 + generator.randrange(60)))
        late += days > STATED_DAYS
    assert late <= 5


def test_more_shares_and_fewer_pauses_need_less_silence() -> None:
    steady = silence.History(100, 24, ())
    rare = silence.History(2, 24, ())
    pausing = silence.History(100, 24, (40,) * 10)
    assert silence.hours_needed(steady) < silence.hours_needed(rare)
    assert silence.hours_needed(steady) < silence.hours_needed(pausing)
    assert silence.hours_needed(pausing) > silence.LONGER * 40


def test_a_longer_silence_is_never_more_probable() -> None:
    generator = random.Random(1)
    for _ in range(200):
        pauses = tuple(generator.randrange(1, 90) for _ in range(generator.randrange(8)))
        known = silence.History(generator.randrange(1, 500), generator.randrange(1, 25), pauses)
        told = [silence.probability(known, hours) for hours in range(0, 1_000, 7)]
        assert told == sorted(told, reverse=True)
        needed = silence.hours_needed(known)
        assert silence.probability(known, needed) <= silence.IMPROBABLE < silence.probability(known, needed - 1.0)


def test_who_never_sent_a_share_is_never_called_gone() -> None:
    assert silence.probability(silence.history_of({}), 10_000) == 1.0
    assert silence.hours_needed(silence.history_of({5: 0})) == float("inf")


def test_the_reason_states_the_probability() -> None:
    known = silence.history_of({hour: 4 for hour in range(50) if hour not in (20, 21)})
    assert known == silence.History(96, 24, (2,))
    assert "no share for 200 h" in silence.explain(known, 200)
    assert f"probability {silence.probability(known, 200):.2g}" in silence.explain(known, 200)


def test_a_case_is_closed_by_the_silence_of_all_who_saw_it_and_of_nobody_retired(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    for sensor_id in ("edge-1", "edge-2"):
        ledger = Ledger.open(url, sensor_id=sensor_id)
        ledger.record(list(told(1, MONDAY, MONDAY + 60 * HOUR, HOUR, 20)), MONDAY)
        ledger.close()
    now = MONDAY + 60 * DAY
    first = Ledger.open(url, sensor_id="edge-1")
    first.add_coverage(MONDAY, now)
    elsewhere = Ledger.open(url, sensor_id="elsewhere")
    elsewhere.add_coverage(MONDAY, now)
    assert first.review_cases(now) == []  # edge-2 did not listen: its silence is not known
    first.retire_sensor("edge-2", now)
    assert [case.case_id for case in first.review_cases(now)] == [1]
    first.close()
    elsewhere.close()


def test_a_case_whose_sensors_are_all_retired_is_closed_by_nobody(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sensor_id="edge-1")
    ledger.record(list(told(1, MONDAY, MONDAY + 60 * HOUR, HOUR, 20)), MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 60 * DAY)
    ledger.retire_sensor("edge-1", MONDAY)
    assert ledger.review_cases(MONDAY + 60 * DAY) == []
    ledger.close()
