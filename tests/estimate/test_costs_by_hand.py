"""What a day and a week of mining take, and what changed, reckoned by hand."""

from __future__ import annotations

import pytest

from sensor.estimate.costs import SECONDS_PER_DAY, SECONDS_PER_WEEK, growth, over
from sensor.model.coverage import Grounds
from sensor.model.range import Range

GROUNDS = Grounds(most_projection=2.0)
TWELVE_HOURS = 43_200.0


def test_a_day_has_24_hours_and_a_week_seven_days() -> None:
    assert (SECONDS_PER_DAY, SECONDS_PER_WEEK) == (24 * 3_600.0, 7 * 24 * 3_600.0)


@pytest.mark.parametrize(
    ("seconds", "period_seconds", "times"),
    [(86_400.0, 43_200.0, 2.0), (86_400.0, 604_800.0, 1 / 7), (86_400.0, 86_400.0, 1.0), (2.0, 1.0, 2.0)],
)
def test_the_energy_of_a_time_is_that_of_the_period_in_proportion(
    seconds: float, period_seconds: float, times: float
) -> None:
    found = over(Range(10.0, 20.0, 40.0), seconds, period_seconds, GROUNDS)
    assert found == Range(10.0, 20.0, 40.0).scaled(times)


@pytest.mark.parametrize("period_seconds", [43_199.0, 1.0, 0.0, -1.0, -86_400.0])
def test_a_time_over_twice_as_long_as_the_period_or_of_no_period_has_no_energy(period_seconds: float) -> None:
    assert over(Range(10.0, 20.0, 40.0), SECONDS_PER_DAY, period_seconds, GROUNDS) is None


def test_what_is_not_known_stays_so() -> None:
    assert over(None, SECONDS_PER_DAY, TWELVE_HOURS, GROUNDS) is None


@pytest.mark.parametrize(
    ("now", "before", "part"), [(150.0, 100.0, 0.5), (50.0, 100.0, -0.5), (100.0, 100.0, 0.0), (0.0, 4.0, -1.0)]
)
def test_growth_is_a_part_of_what_was_before(now: float, before: float, part: float) -> None:
    assert growth(now, before) == part


@pytest.mark.parametrize("before", [None, 0.0])
def test_of_nothing_there_is_no_growth(before: float | None) -> None:
    assert growth(5.0, before) is None
