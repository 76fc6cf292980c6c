"""Energy used, or a register that only rises: which of both a column of values is, and the intervals that follow.

A register's reading is the total since the meter was set up. Taken for the energy of an interval it would be a load
that nobody has; so values are differenced where they are a register beyond doubt, and where that is open somebody has
to say it. Pure; knows no mining.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from sensor.model.time import DAY_NS, SECOND_NS

#: What a column holds: energy used, a register's totals, or what its values show ("auto").
MeterValues = Literal["auto", "energy", "register"]
#: What values show: "rising" may be either, "level" neither rises nor falls enough to tell.
Look = Literal["energy", "register", "rising", "level"]
#: Whose a meter is, and its number among theirs.
MeterKey = tuple[str, str]
#: Rises without a fall (or so many for each reset) after which a column is a register: twenty values in rising order
#: are so by chance once in 20! = 2e18 tables.
RISES, RISES_A_RESET = 20, 12
#: Less makes nobody ask, unless most steps are rises.
ASKED_RISES = 5
#: The same for values that fall far now and then, as a register does that is reset.
ASKED_RISES_A_RESET = 6
#: An interval is longer than a reading stands for: a gap begins where the next reading is later than so many usual
#: lengths.
GAP = 1.5
#: Longer than the interval of a reading may be: a month with an hour for the change of clocks.
LONGEST_NS = 32 * DAY_NS
_SHORTEST_MONTH_NS = 28 * DAY_NS - DAY_NS // 24


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Energy used in [from_ns, to_ns)."""

    from_ns: int
    to_ns: int
    kwh: float

    @property
    def watts(self) -> float:
        """The mean power."""
        return self.kwh * 3.6e6 / ((self.to_ns - self.from_ns) / SECOND_NS)


class MeterValue(NamedTuple):
    """One value of a table, its row, and what a register's steps are multiplied by."""

    value: float
    row: int
    multiplier: float = 1.0


Values = Mapping[int, MeterValue]  # by time


class RegisterFall(NamedTuple):
    """Where a register shows less than before. `wrong`: one reading is wrong and was left out; else it was reset."""

    row: int
    before: float
    value: float
    wrong: bool


def look(values: Values) -> Look:
    """What values show by their order alone."""
    ordered = [values[at].value for at in sorted(values)]
    steps = list(itertools.pairwise(ordered))
    rises = sum(later > sooner for sooner, later in steps)
    falls = [(sooner, later) for sooner, later in steps if later < sooner]
    if not falls:
        if rises >= RISES:
            return "register"
        most = rises >= 2 and 2 * rises >= len(steps)
        return "rising" if most or rises >= ASKED_RISES else "level"
    if all(later < sooner / 2 for sooner, later in falls):
        if rises >= max(RISES, RISES_A_RESET * len(falls)):
            return "register"
        if rises >= ASKED_RISES_A_RESET * len(falls):
            return "rising"
    return "energy"


def looks(columns: Mapping[MeterKey, Values]) -> dict[MeterKey, Look]:
    """What the values of each meter are, in the light of all: one column means one thing.

    Meters that rise and could be either are what those are that show it, unless those show both. A value that stays
    the same is an even load among loads, and among registers either that or a meter without load.
    """
    found = {key: look(values) for key, values in columns.items()}
    shown: set[Look] = {shape for shape in found.values() if shape in ("energy", "register")}
    return {key: _settled(shape, columns[key], shown) for key, shape in found.items()}


def _settled(shape: Look, values: Values, shown: set[Look]) -> Look:
    """What a meter's values are where those of the others show this much."""
    if shape == "rising":
        return next(iter(shown)) if len(shown) == 1 else "rising"
    if shape == "level":
        idle = not any(value.value for value in values.values())
        return "energy" if "register" not in shown or idle else "rising"
    return shape


def used(values: Values, zone: ZoneInfo) -> tuple[MeterReading, ...]:
    """Energies as readings: each lasts until the next one, and the last as long as they usually do.

    A gap is no interval; the usual length is taken instead. None where there is one value only, or where they are
    farther apart than a month.
    """
    times = sorted(values)
    usual = usual_ns(times)
    if usual is None or usual > LONGEST_NS:
        return ()
    ends = [later if later - sooner <= GAP * usual else sooner + usual for sooner, later in itertools.pairwise(times)]
    last = _month_later(times[-1], zone) if usual >= _SHORTEST_MONTH_NS else times[-1] + usual
    return tuple(MeterReading(at, end, values[at].value) for at, end in zip(times, [*ends, last], strict=True))


def differenced(values: Values) -> tuple[tuple[MeterReading, ...], tuple[RegisterFall, ...]]:
    """A register's readings as the energy between each and the next, and where it fell.

    What was used across a reset is not known, so that interval is left out; one reading that is off from both its
    neighbours is left out itself.
    """
    times, falls = _without_wrong(values)
    readings: list[MeterReading] = []
    for sooner, later in itertools.pairwise(times):
        before, after = values[sooner], values[later]
        if after.value < before.value:
            falls.append(RegisterFall(after.row, before.value, after.value, wrong=False))
        elif later - sooner <= LONGEST_NS:
            readings.append(MeterReading(sooner, later, (after.value - before.value) * after.multiplier))
    return tuple(readings), tuple(sorted(falls))


def together(meters: Sequence[tuple[MeterReading, ...]]) -> tuple[MeterReading, ...]:
    """Several meters as one: sums between the instants at which readings of all of them begin or end, where all have
    readings. Nothing is cut, so the sum is as coarse as the coarsest."""
    if len(meters) == 1:
        return meters[0]
    borders = sorted(
        set.intersection(
            *({edge for reading in readings for edge in (reading.from_ns, reading.to_ns)} for readings in meters)
        )
    )
    sums = [dict(_sums(readings, borders)) for readings in meters]
    return tuple(
        MeterReading(sooner, later, sum(energies[sooner] for energies in sums))
        for sooner, later in itertools.pairwise(borders)
        if all(sooner in energies for energies in sums)
    )


def usual_ns(times: Sequence[int]) -> int | None:
    """The middle one of the lengths between times in order; None where there are none."""
    lengths = sorted(later - sooner for sooner, later in itertools.pairwise(times))
    return lengths[len(lengths) // 2] if lengths else None


def _without_wrong(values: Values) -> tuple[list[int], list[RegisterFall]]:
    """The times of a register's readings but for those that are far off, alone, between two in order."""
    times: list[int] = []
    falls: list[RegisterFall] = []
    ordered = sorted(values)
    for place, at in enumerate(ordered):
        this, after = values[at].value, values[ordered[place + 1]].value if place + 1 < len(ordered) else None
        before = values[times[-1]].value if times else None
        if before is not None and after is not None and before <= after and not before <= this <= after:
            falls.append(RegisterFall(values[at].row, before, this, wrong=True))
        else:
            times.append(at)
    return times, falls


def _sums(readings: Iterable[MeterReading], borders: Sequence[int]) -> list[tuple[int, float]]:
    """Energy between each border and the next, where readings fill all of it."""
    found: list[tuple[int, float]] = []
    remaining = iter(readings)
    reading = next(remaining, None)
    for sooner, later in itertools.pairwise(borders):
        covered, kwh = 0, 0.0
        while reading is not None and reading.from_ns < later:
            if reading.from_ns >= sooner:
                covered, kwh = covered + reading.to_ns - reading.from_ns, kwh + reading.kwh
            reading = next(remaining, None)
        if covered == later - sooner:
            found.append((sooner, kwh))
    return found


def _month_later(at_ns: int, zone: ZoneInfo) -> int:
    """The same day of the next month, or its last day."""
    at = datetime.fromtimestamp(at_ns // SECOND_NS, UTC).astimezone(zone).replace(tzinfo=None)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    for day in range(at.day, 0, -1):
        try:
            later = at.replace(year=year, month=month, day=day, tzinfo=zone)
        except ValueError:
            continue
        return int(later.timestamp()) * SECOND_NS
    return at_ns + LONGEST_NS
