"""A table of metered load (enterprise or site, time, kilowatt-hours) as readings of meters; each bad row is reported
with its line and the reason.

The time of a row is the beginning of the interval that its energy was used in; the interval ends where the next row of
the meter begins. Where values are those of a register, the energy is the step from each to the next
(`registers`). CSV in any encoding, or a spreadsheet. Knows no mining.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sensor.meter.columns import MeterCells, MeterColumns, cells_of, columns_of
from sensor.meter.registers import (
    LONGEST_NS,
    MeterKey,
    MeterReading,
    MeterValue,
    MeterValues,
    RegisterFall,
    Values,
    differenced,
    look,
    looks,
    together,
    used,
    usual_ns,
)
from sensor.model.time import DAY_NS, SECOND_NS
from sensor.sheets.dates import moment_ns
from sensor.sheets.sheet import SheetError, SheetRow, lines
from sensor.sheets.text import short

__all__ = ["MeterError", "MeterReading", "Meters", "parse", "read"]

#: Rows read of one file.
MAX_ROWS = 5_000_000
#: So many second readings at one time, and so large a part of all, are those of another meter of the same name.
DOUBLED, DOUBLED_PART = 3, 0.1
#: Meters of which the same is said that are named.
MAX_NAMES = 5
#: Falls of one register that are listed.
MAX_FALLS = 20


@dataclass(frozen=True)
class Meters:
    """Readings by meter, in order of time, and what could not be used.

    `unclear` has the meters whose values cannot be compared before somebody says what they are, each with the code of
    the reason; `notes` say what values were taken for.
    """

    readings: dict[str, tuple[MeterReading, ...]]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unclear: Mapping[str, str] = field(default_factory=dict)


class MeterError(Exception):
    """The file is no table of readings; one sentence."""


def read(path: Path, zone: ZoneInfo, values: MeterValues = "auto") -> Meters:
    """Read a file; times without a zone are of `zone`, `values` says what its column holds. Raises MeterError."""
    try:
        return parse(str(path), lines(path, None, "auto", lambda _done, _size: None), zone, values)
    except OSError as error:
        raise MeterError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except SheetError as error:
        raise MeterError(f"{path}: {error}") from None


def parse(name: str, rows: Iterable[SheetRow], zone: ZoneInfo, values: MeterValues = "auto") -> Meters:
    """Rows with a heading as readings. Raises MeterError where there is no heading."""
    columns: MeterColumns | None = None
    table = _MeterTable(name, zone)
    count = 0
    for row in rows:
        if not any(cell.strip() for cell in row.cells) and (columns is None or not row.broken):
            continue
        if columns is None:
            try:
                columns = columns_of(row)
            except ValueError as error:
                raise MeterError(f"{name}:{row.number}: {error}") from None
            continue
        count += 1
        if count > MAX_ROWS:
            table.problems.append(f"{name}:{row.number}: more than {MAX_ROWS:,} rows; the rest was not read")
            break
        try:
            table.add(row.number, cells_of(row, columns))
        except ValueError as error:
            table.problems.append(f"{name}:{row.number}: {error}")
    if columns is None:
        raise MeterError(f"{name}: has no rows")
    return table.meters("register" if columns.register and values == "auto" else values)


class _MeterTable:
    """The values of one file, by whose they are and by the meter's number."""

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self.name, self.zone = name, zone
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.unclear: dict[str, str] = {}
        self._shared: dict[tuple[bool, str], list[str]] = {}  # what is said of several meters, and of which
        self.values: dict[MeterKey, dict[int, MeterValue]] = {}
        self._doubled: Counter[str] = Counter()
        self._doubled_rows: dict[str, list[str]] = defaultdict(list)

    def add(self, number: int, cells: MeterCells) -> None:
        """One row. ValueError says what is wrong with it."""
        its = self.values.get((cells.meter, cells.number), {})
        value = MeterValue(cells.value, number, cells.multiplier)
        at_ns = _moment(cells.at, self.zone)
        if at_ns in its:  # a clock that is set back shows an hour twice
            at_ns = _moment(cells.at, self.zone, fold=1)
        if at_ns not in its:
            self.values.setdefault((cells.meter, cells.number), its)[at_ns] = value
            return
        sentence = f"{self.name}:{number}: a second reading of {short(cells.meter)} at this time"
        if its[at_ns].value == value.value:
            self.problems.append(sentence)
        else:
            self._doubled[cells.meter] += 1
            self._doubled_rows[cells.meter].append(sentence)

    def meters(self, values: MeterValues) -> Meters:
        """All readings, and what there is to say of them."""
        self._note_doubled()
        usable_values = {key: found for key, found in self.values.items() if key[0] not in self.unclear}
        kinds = looks(usable_values) if values == "auto" else dict.fromkeys(usable_values, values)
        by_meter: dict[str, list[tuple[MeterReading, ...]]] = defaultdict(list)
        for key, found in usable_values.items():
            its = self._readings(key, found, kinds[key], stated=values != "auto")
            if its:
                by_meter[key[0]].append(its)
        combined = {meter: together(parts) for meter, parts in by_meter.items() if meter not in self.unclear}
        for meter, readings in combined.items():
            if not readings:
                self._say_unclear(meter, "apart", "several meters, whose readings begin and end at no common time")
        usable = {meter: readings for meter, readings in combined.items() if readings}
        for (unusable, sentence), names in self._shared.items():
            (self.problems if unusable else self.notes).append(f"{self.name}: {_listed(names)}: {sentence}")
        return Meters(usable, tuple(self.problems), tuple(self.notes), self.unclear)

    def _readings(self, key: MeterKey, values: Values, kind: object, *, stated: bool) -> tuple[MeterReading, ...]:
        """The readings of one meter; none, and why, where they cannot be used."""
        meter, who = key[0], short(" ".join(filter(None, key)))
        if len(values) < 2:
            self.problems.append(f"{self.name}: {who} has one reading only: how long it was for is not known")
            return ()
        if kind == "rising":
            self._say_unclear(
                meter,
                "register-or-energy",
                "the values never fall; say whether they are totals of a register (--meter-values register) or energy "
                "used (--meter-values energy)",
            )
            return ()
        if kind == "register":
            readings, falls = differenced(values)
            if not stated:
                self._say_of(
                    who,
                    "the values only rise, so they are totals of a register, and the energy is the step from each to "
                    "the next (--meter-values energy if they are energy used)",
                )
            self._report_falls(who, falls)
            return readings
        if not stated and (look(values) == "rising" or (len(values) == 2 and _rises(values))):
            self._say_of(
                who,
                "the values only rise; they are taken as energy used (--meter-values register if they are totals of a "
                "register)",
            )
        readings = used(values, self.zone)
        if not readings:
            days = (usual_ns(sorted(values)) or 0) / DAY_NS
            self._say_unclear(
                meter, "too-far-apart", f"readings {days:.0f} days apart; at most {LONGEST_NS // DAY_NS} are used"
            )
        return readings

    def _note_doubled(self) -> None:
        """Second readings of a time: a few are bad rows, many are another meter of the same name."""
        rows = Counter(meter for (meter, _), found in self.values.items() for _ in found)
        for meter, count in self._doubled.items():
            if count >= DOUBLED and count >= DOUBLED_PART * (rows[meter] + count):
                self._say_unclear(
                    meter,
                    "several-meters",
                    f"different readings at {count:,} times; several meters of one name need a column that tells them "
                    "apart (meter, 表号)",
                )
            else:
                self.problems += self._doubled_rows[meter]

    def _report_falls(self, who: str, falls: tuple[RegisterFall, ...]) -> None:
        for fall in falls[:MAX_FALLS]:
            what = f"{self.name}:{fall.row}: the register of {who} shows {fall.value:g} after {fall.before:g}"
            if fall.wrong:
                self.problems.append(f"{what} and then goes on as before: this reading was left out")
            else:
                self.notes.append(f"{what}: it was reset or replaced, and what was used in between is not known")
        if len(falls) > MAX_FALLS:
            self.notes.append(f"{self.name}: the register of {who} falls {len(falls) - MAX_FALLS:,} more times")

    def _say_unclear(self, meter: str, code: str, sentence: str) -> None:
        if meter not in self.unclear:
            self.unclear[meter] = code
            self._say_of(short(meter), sentence, unusable=True)

    def _say_of(self, who: str, sentence: str, *, unusable: bool = False) -> None:
        """Say something of a meter; the same of several is one sentence."""
        self._shared.setdefault((unusable, sentence), []).append(who)


def _listed(names: Sequence[str]) -> str:
    """The first few of these names, and how many more."""
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _rises(values: Values) -> bool:
    first, last = min(values), max(values)
    return values[last].value > values[first].value


def _moment(text: str, zone: ZoneInfo, fold: int = 0) -> int:
    """An instant; of a time that a clock shows twice the first (`fold` 1: the second), of one that is jumped over that
    of the jump."""
    try:
        utc_ns, _ = moment_ns(text.replace("T", " "), 0)
    except ValueError as error:
        raise ValueError(f"the time {short(text)} {error}") from None
    if text.rstrip().endswith("Z") or "+" in text or text.count("-") > 2:
        return utc_ns
    try:
        wall = datetime(1970, 1, 1, fold=fold) + timedelta(microseconds=utc_ns // 1000)
        return int(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp()) * SECOND_NS
    except OverflowError:
        raise ValueError(f"the time {short(text)} is outside of the calendar") from None
