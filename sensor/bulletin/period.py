"""Days and weeks of a time zone as instants: from the midnight a period begins at to the midnight after its last day.

Weeks are those of ISO 8601, from Monday. Pure, but for the table of time zones: "today" is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sensor.model.time import midnight_ns

DAYS_PER_WEEK = 7
#: Days of a period up to which they are shown one by one.
MAX_DAYS_SHOWN = 62
_WEEK = re.compile(r"(\d{4})-?W(\d{1,2})")
_DAY = timedelta(days=1)


class PeriodError(ValueError):
    """No such period; one sentence."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, `first` and `last` included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def from_ns(self) -> int:
        """The instant the first day begins at."""
        return midnight_ns(self.first, self.zone)

    @property
    def to_ns(self) -> int:
        """The instant the day after the last begins at."""
        return midnight_ns(self.last + _DAY, self.zone)

    @property
    def before(self) -> Period:
        """As many days, ending where this begins."""
        length = self.last - self.first + _DAY
        return Period(self.first - length, self.first - _DAY, self.zone)

    @property
    def week(self) -> str | None:
        """The name of the week this is, "2026-W10", or None."""
        year, number, weekday = self.first.isocalendar()
        return f"{year}-W{number:02d}" if weekday == 1 and (self.last - self.first).days == DAYS_PER_WEEK - 1 else None

    @property
    def name(self) -> str:
        """A name that sorts, fit for a file."""
        return self.week or (f"{self.first}" if self.first == self.last else f"{self.first}_{self.last}")

    def days(self) -> Iterator[Period]:
        """Each day as a period."""
        for number in range((self.last - self.first).days + 1):
            day = self.first + number * _DAY
            yield Period(day, day, self.zone)


def week_of(text: str | None, zone: ZoneInfo, today: date) -> Period:
    """A week by its name ("2026-W10"), or the last one that is over. Raises PeriodError."""
    if not text:
        monday = today - timedelta(days=today.weekday() + DAYS_PER_WEEK)
    else:
        found = _WEEK.fullmatch(text.strip())
        if found is None:
            raise PeriodError(f"{text} is no week: it must be like 2026-W10")
        try:
            monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        except ValueError:
            raise PeriodError(f"there is no week {text}") from None
    return checked(monday, monday + timedelta(days=DAYS_PER_WEEK - 1), zone)


def days_of(first: str, last: str | None, zone: ZoneInfo) -> Period:
    """Days by their dates, both included; without the last, one day. Raises PeriodError."""
    return checked(_date(first), _date(last or first), zone)


def chosen_period(week: str | None, first: str | None, last: str | None, zone: ZoneInfo, today: date) -> Period:
    """The days from `first` to `last` if they are given, else the week. Raises PeriodError."""
    if first is not None:
        return days_of(first, last, zone)
    if last is not None:
        raise PeriodError("--to needs --from")
    return week_of(week, zone, today)


def shown_days(chosen: Period) -> list[Period]:
    """The days of a period that are shown one by one; of a long period none."""
    days = list(chosen.days())
    return days if 1 < len(days) <= MAX_DAYS_SHOWN else []


def checked(first: date, last: date, zone: ZoneInfo) -> Period:
    """A period that a ledger can have records of. Raises PeriodError."""
    if last < first:
        raise PeriodError(f"the last day, {last}, is before the first, {first}")
    if not (first.year >= 1971 and last.year <= 2200):
        raise PeriodError(f"{first} to {last} is outside the years 1971 to 2200")
    if (last - first).days > 3660:
        raise PeriodError(f"{first} to {last} is longer than ten years")
    return Period(first, last, zone)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise PeriodError(f"{text} is no date: it must be like 2026-03-02") from None
