"""Days and weeks begin at the midnight of their time zone, follow each other without a gap, and are those of ISO
8601."""

from __future__ import annotations

import itertools
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.bulletin.period import Period, PeriodError, days_of, week_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR_NS = 3_600_000_000_000
#: With and without summer time, at half hours, across the date line, and where clocks have jumped over midnight.
ZONES = (
    "Asia/Shanghai",
    "UTC",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Pacific/Apia",
    "America/New_York",
    "Asia/Urumqi",
)
zones = st.sampled_from([name for name in ZONES if name in zoneinfo.available_timezones()]).map(ZoneInfo)
days = st.dates(date(1972, 1, 1), date(2199, 12, 1))


def wall(ns: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).astimezone(zone)


@given(days, zones)
def test_a_week_is_seven_days_from_monday_to_monday(today: date, zone: ZoneInfo) -> None:
    period = week_of(None, zone, today)
    assert period.first.isoweekday() == 1
    assert period.last.isoweekday() == 7
    assert timedelta(0) < today - period.last <= timedelta(days=7)
    assert week_of(period.week, zone, today) == period
    year, number, _ = period.first.isocalendar()
    assert period.week == f"{year}-W{number:02d}"


@given(days, st.integers(1, 60), zones)
def test_days_of_a_period_follow_each_other_and_make_it_up(first: date, count: int, zone: ZoneInfo) -> None:
    period = days_of(str(first), str(first + timedelta(days=count - 1)), zone)
    parts = list(period.days())
    assert len(parts) == count
    assert [parts[0].from_ns, parts[-1].to_ns] == [period.from_ns, period.to_ns]
    assert all(sooner.to_ns == later.from_ns for sooner, later in itertools.pairwise(parts))
    assert period.before.to_ns == period.from_ns
    assert len(list(period.before.days())) == count


@given(days, zones)
def test_a_day_begins_when_the_clock_on_the_wall_shows_it(day: date, zone: ZoneInfo) -> None:
    period = days_of(str(day), None, zone)
    begins = wall(period.from_ns, zone)
    if (
        datetime.combine(day, datetime.min.time(), zone).astimezone(UTC).astimezone(zone).date() == day
    ):  # the day exists there
        assert begins.date() == day
        assert wall(period.from_ns - 1_000_000_000, zone).date() < day or begins.fold
    assert wall(period.to_ns - 1_000_000_000, zone).date() <= day
    assert 22 * HOUR_NS <= period.to_ns - period.from_ns <= 26 * HOUR_NS or str(zone) == "Pacific/Apia"


def test_the_week_of_shanghai_begins_at_sixteen_hours_utc() -> None:
    period = week_of("2026-W10", SHANGHAI, date(2026, 1, 1))
    assert wall(period.from_ns, ZoneInfo("UTC")) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert period.to_ns - period.from_ns == 7 * 24 * HOUR_NS
    assert period == Period(date(2026, 3, 2), date(2026, 3, 8), SHANGHAI)
    assert period.name == "2026-W10"


def test_summer_time_makes_a_week_longer_or_shorter() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = (week_of(name, berlin, date(2026, 1, 1)) for name in ("2026-W13", "2026-W43"))
    assert [(one.to_ns - one.from_ns) // HOUR_NS for one in (spring, autumn)] == [167, 169]


def test_days_that_are_no_week_have_a_name_that_sorts() -> None:
    assert days_of("2026-03-03", "2026-03-09", SHANGHAI).week is None
    assert days_of("2026-03-03", "2026-03-09", SHANGHAI).name == "2026-03-03_2026-03-09"
    assert days_of("2026-03-03", None, SHANGHAI).name == "2026-03-03"


@pytest.mark.parametrize("text", ["2026", "W10", "2026-W54", "2026-W00", "1900-W01", "next", "2026-W10-1"])
def test_what_is_no_week_is_told(text: str) -> None:
    with pytest.raises(PeriodError, match=r"week|years"):
        week_of(text, SHANGHAI, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-09", "2026-03-02"), ("yesterday", None), ("1950-01-01", None), ("1980-01-01", "2020-01-01")],
)
def test_what_is_no_period_is_told(first: str, last: str | None) -> None:
    with pytest.raises(PeriodError):
        days_of(first, last, SHANGHAI)
