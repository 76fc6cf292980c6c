"""What readings say of a load by themselves: its energy, whether it is even, and how it changed at an instant. Pure.

A reading knows nothing of what happened within it. So a change is told from readings of a day or less, and evenness
from readings of an hour or less: a month's bill is the same on each of its days, whatever ran on them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sensor.meter.registers import MeterReading
from sensor.model.summary import Range
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS

#: The longest readings that evenness is told from, and changes; a day of 25 hours is one where clocks are set back.
EVEN_NS, CHANGE_NS = HOUR_NS, 25 * HOUR_NS
#: Part of the time that readings of an hour must cover before evenness is told.
LEAST_HOURLY = 0.8
#: Days on each side that a change rests on, and their least number.
CHANGE_DAYS, LEAST_DAYS = 14, 3
#: Standard errors to each side, and how much wider few days make them (the excess of Student's quantile, about).
STANDARD_ERRORS, FEW_DAYS = 3.0, 4.0
#: A day is used if so much of it has readings.
LEAST_OF_DAY = 0.9
_WEEK_NS = 7 * DAY_NS
#: No day that is farther from the instant is looked at.
_NEAR_NS = (CHANGE_DAYS + 2) * DAY_NS
_WATTS_A_KWH_NS = 3.6e6 * SECOND_NS


@dataclass(frozen=True, slots=True)
class LoadChange:
    """How the mean load in watts changed at an instant, and the days on both sides that say so."""

    watts: Range
    before: tuple[tuple[int, int], ...]
    after: tuple[tuple[int, int], ...]


def metered(readings: Sequence[MeterReading], from_ns: int, to_ns: int) -> tuple[int, float]:
    """How many nanoseconds of a period have readings, and their energy in kWh; a reading over its border counts in
    part."""
    covered, energy = 0, 0.0
    for reading in readings:
        shared = min(reading.to_ns, to_ns) - max(reading.from_ns, from_ns)
        if shared > 0:
            covered += shared
            energy += reading.kwh * shared / (reading.to_ns - reading.from_ns)
    return covered, energy


def evenness(readings: Sequence[MeterReading], from_ns: int, to_ns: int) -> float | None:
    """Mean by peak of the load in a period; None where readings of an hour or less do not cover it, or nothing was
    used."""
    inside = [
        reading
        for reading in readings
        if reading.from_ns >= from_ns and reading.to_ns <= to_ns and reading.to_ns - reading.from_ns <= EVEN_NS
    ]
    covered = sum(reading.to_ns - reading.from_ns for reading in inside)
    peak = max((reading.watts for reading in inside), default=0.0)
    if covered < LEAST_HOURLY * (to_ns - from_ns) or covered < LEAST_OF_DAY * DAY_NS or peak <= 0:
        return None
    return sum(reading.kwh for reading in inside) * _WATTS_A_KWH_NS / covered / peak


def change(readings: Sequence[MeterReading], at_ns: int, most_ns: tuple[int, int]) -> LoadChange | None:
    """The change of the mean load at an instant, from whole days before and after it; None if days are too few.

    Each day after it is compared with the same weekday before it where readings go back so far, else the means of both
    sides are (Welch). A reading over the instant is in neither. Days before `most_ns[0]` and after `most_ns[1]` are
    not used.
    """
    near = (at_ns - _NEAR_NS, at_ns + _NEAR_NS)
    fine = [
        reading
        for reading in readings
        if reading.to_ns - reading.from_ns <= CHANGE_NS and reading.to_ns > near[0] and reading.from_ns < near[1]
    ]
    ends = [reading.to_ns for reading in fine if reading.to_ns <= at_ns]
    starts = [reading.from_ns for reading in fine if reading.from_ns >= at_ns]
    if not ends or not starts:
        return None
    end, start = max(ends), min(starts)
    before = _days(fine, [end - number * DAY_NS for number in range(1, CHANGE_DAYS + 1)], most_ns)
    after = _days(fine, [start + number * DAY_NS for number in range(CHANGE_DAYS)], most_ns)
    pairs = _pairs(fine, after, end, most_ns)
    if len(pairs) >= LEAST_DAYS:
        differences = [after[day] - watts for day, (_, watts) in pairs.items()]
        return _changed(
            statistics.fmean(differences),
            statistics.variance(differences) / len(differences),
            len(differences),
            ([other for other, _ in pairs.values()], list(pairs)),
        )
    if min(len(before), len(after)) < LEAST_DAYS:
        return None
    values = list(before.values()), list(after.values())
    rise = statistics.fmean(values[1]) - statistics.fmean(values[0])
    variance = sum(statistics.variance(side) / len(side) for side in values)
    return _changed(rise, variance, min(map(len, values)), (list(before), list(after)))


def _changed(rise: float, variance: float, days: int, spans: tuple[list[int], list[int]]) -> LoadChange:
    error: float = STANDARD_ERRORS * (1.0 + FEW_DAYS / days) * variance**0.5
    before, after = (tuple((day, day + DAY_NS) for day in sorted(side)) for side in spans)
    return LoadChange(Range(rise - error, rise, rise + error), before, after)


def _pairs(
    readings: Sequence[MeterReading], after: dict[int, float], end: int, most_ns: tuple[int, int]
) -> dict[int, tuple[int, float]]:
    """For each day after an instant the same weekday before it, with its mean watts, where there are readings."""
    wanted = {day: day - -(-(day + DAY_NS - end) // _WEEK_NS) * _WEEK_NS for day in after}
    found = _days(readings, wanted.values(), most_ns)
    return {day: (other, found[other]) for day, other in wanted.items() if other in found}


def _days(readings: Sequence[MeterReading], starts: Iterable[int], most_ns: tuple[int, int]) -> dict[int, float]:
    """Mean watts of each day that begins at one of these instants and has enough readings."""
    means = {}
    for start in starts:
        if start < most_ns[0] or start + DAY_NS > most_ns[1]:
            continue
        covered, energy = metered(readings, start, start + DAY_NS)
        if covered >= LEAST_OF_DAY * DAY_NS:
            means[start] = energy * _WATTS_A_KWH_NS / covered
    return means
