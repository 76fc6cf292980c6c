"""A table of metered load (enterprise or site, time, kilowatt-hours) as readings of meters; each bad row is reported
with its line and the reason.

The time of a row is the beginning of the interval that its energy was used in; the interval ends where the next row of
the meter begins, the last one is as long as they usually are. CSV in any encoding, or a spreadsheet. Knows no mining.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sensor.model.time import DAY_NS, SECOND_NS
from sensor.sheets.dates import moment_ns
from sensor.sheets.sheet import SheetError, SheetRow, lines
from sensor.sheets.text import comparable, short

#: Headings by what they mean, as power companies and people write them.
METERS = (
    "enterprise", "site", "meter", "uscc", "name",
    "企业", "企业名称", "单位名称", "用户名称", "户名", "场所", "用电地址", "统一社会信用代码",
)  # fmt: skip
TIMES = ("time", "start", "timestamp", "date", "时间", "开始时间", "日期", "数据时间", "用电时间")
ENERGIES = (
    "kwh",
    "energy_kwh",
    "energy",
    "电量",
    "用电量",
    "电量(kwh)",
    "用电量(kwh)",
    "电量(千瓦时)",
    "用电量(千瓦时)",
)
#: Longer than a reading's interval may be: a month's bill says nothing about a step.
LONGEST_NS = 32 * DAY_NS
#: Rows read of one file.
MAX_ROWS = 5_000_000


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


@dataclass(frozen=True)
class Meters:
    """Readings by meter, in order of time, and what could not be used."""

    readings: dict[str, tuple[MeterReading, ...]]
    problems: tuple[str, ...]


class MeterError(Exception):
    """The file is no table of readings; one sentence."""


def read(path: Path, zone: ZoneInfo) -> Meters:
    """Read a file; times without a zone are of `zone`. Raises MeterError."""
    try:
        return parse(str(path), lines(path, None, "auto", lambda _done, _size: None), zone)
    except OSError as error:
        raise MeterError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except SheetError as error:
        raise MeterError(f"{path}: {error}") from None


def parse(name: str, rows: Iterable[SheetRow], zone: ZoneInfo) -> Meters:
    """Rows with a heading as readings. Raises MeterError where there is no heading."""
    places: tuple[int, int, int] | None = None
    found: dict[str, dict[int, float]] = {}
    problems: list[str] = []
    count = 0
    for row in rows:
        if places is None:
            if any(cell.strip() for cell in row.cells):
                places = _heading(name, row)
            continue
        if not any(cell.strip() for cell in row.cells):
            continue
        count += 1
        if count > MAX_ROWS:
            problems.append(f"{name}:{row.number}: more than {MAX_ROWS:,} rows; the rest was not read")
            break
        try:
            meter, at_ns, kwh = _reading(row, places, zone)
            if at_ns in found.setdefault(meter, {}):
                raise ValueError(f"a second reading of {short(meter)} at this time")
            found[meter][at_ns] = kwh
        except ValueError as error:
            problems.append(f"{name}:{row.number}: {error}")
    if places is None:
        raise MeterError(f"{name}: has no rows")
    readings = {meter: _intervals(energies) for meter, energies in found.items() if energies}
    alone = [meter for meter, intervals in readings.items() if not intervals]
    problems += [f"{name}: {short(meter)} has one reading only: how long it was for is not known" for meter in alone]
    return Meters({meter: intervals for meter, intervals in readings.items() if intervals}, tuple(problems))


def _heading(name: str, row: SheetRow) -> tuple[int, int, int]:
    """The columns of meter, time and energy."""
    titles = [comparable(cell.lstrip("\ufeff")) for cell in row.cells]
    places = [
        next((titles.index(comparable(name)) for name in names if comparable(name) in titles), None)
        for names in (METERS, TIMES, ENERGIES)
    ]
    missing = [what for what, place in zip(("enterprise or site", "time", "kwh"), places, strict=True) if place is None]
    if missing:
        raise MeterError(f"{name}:{row.number}: the heading names no column for {' and '.join(missing)}")
    meter, at, energy = places
    assert meter is not None
    assert at is not None
    assert energy is not None
    return meter, at, energy


def _reading(row: SheetRow, places: tuple[int, int, int], zone: ZoneInfo) -> tuple[str, int, float]:
    """One row. ValueError says what is wrong with it."""
    if row.broken:
        raise ValueError(row.broken)
    if len(row.cells) <= max(places):
        raise ValueError(f"has {len(row.cells)} cells, at least {max(places) + 1} are needed")
    meter, at, energy = (row.cells[place].strip() for place in places)
    if not meter:
        raise ValueError("names no enterprise or site")
    try:
        kwh = float(energy.replace(",", ""))
    except ValueError:
        raise ValueError(f"the energy {short(energy)} is no number") from None
    if not math.isfinite(kwh) or not 0.0 <= kwh < 1e12:
        raise ValueError(f"the energy {short(energy)} cannot be: it must be 0 or more")
    return meter, _moment(at, zone), kwh


def _moment(text: str, zone: ZoneInfo) -> int:
    """An instant; of a time that a clock shows twice the first, of one that is jumped over that of the jump."""
    try:
        utc_ns, _ = moment_ns(text.replace("T", " "), 0)
    except ValueError as error:
        raise ValueError(f"the time {short(text)} {error}") from None
    if text.rstrip().endswith("Z") or "+" in text or text.count("-") > 2:
        return utc_ns
    wall = datetime(1970, 1, 1) + timedelta(microseconds=utc_ns // 1000)
    return int(wall.replace(tzinfo=zone).astimezone(UTC).timestamp()) * SECOND_NS


def _intervals(energies: dict[int, float]) -> tuple[MeterReading, ...]:
    """Readings with their ends; none where there is only one. A gap is no interval: the usual length is taken
    instead."""
    times = sorted(energies)
    if len(times) < 2:
        return ()
    lengths = sorted(later - sooner for sooner, later in itertools.pairwise(times))
    usual = min(lengths[len(lengths) // 2], LONGEST_NS)
    ends: Sequence[int] = [
        later if later - sooner <= 2 * usual else sooner + usual for sooner, later in itertools.pairwise(times)
    ]
    return tuple(MeterReading(at, end, energies[at]) for at, end in zip(times, [*ends, times[-1] + usual], strict=True))
