"""The roll-ups in their tables: what a finding's record changes, and old hours merged to days.

SQL within a transaction; what is to be placed where is decided by `rollup_plan.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, exists, select, update

from sensor.ledger.store.amounts import (
    MEASURES,
    NOTHING,
    ROUNDING,
    WHOLE,
    Amounts,
    ByHour,
    minus,
    plus,
    positive,
    shaped,
    spread,
    taken,
)
from sensor.ledger.store.schema import COVERAGE, ROLLUPS, SERIES
from sensor.ledger.write.numbers import RowNumbers
from sensor.ledger.write.rollup_plan import Action, AddAmounts, MoveAmounts, ShapeAmounts
from sensor.ledger.write.rollup_state import SeriesKey
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.upsert import upsert
from sensor.model.finding import Finding
from sensor.model.time import HOUR_NS

#: What has to be dealt out evenly is so over a year at most.
LONGEST_HOURS = 366 * 24


class SeriesId(NamedTuple):
    """What tells series apart: a miner's address and the key it is rolled up under."""

    miner_ip: str
    key: SeriesKey


class RollupRow(NamedTuple):
    """Which row of the roll-ups."""

    series_id: int
    hour: int  # since the epoch


class TimeSpan(NamedTuple):
    """A stretch of packet time, in nanoseconds."""

    first_ns: int
    last_ns: int


AT_ROW = and_(ROLLUPS.c.series_id == bindparam("at_series"), ROLLUPS.c.hour == bindparam("at_hour"))
SET_ROW = update(ROLLUPS).where(AT_ROW).values({name: bindparam(name) for name in MEASURES})
DELETE_ROW = delete(ROLLUPS).where(AT_ROW)


@dataclass(frozen=True, slots=True)
class SeriesExtent:
    """What a series is widened by: the part of its row that changes."""

    pool_name: str | None
    work_unit: str
    grade: int  # the best seen
    machines: int  # the most seen
    first_ns: int
    last_ns: int


EXTENT = tuple(field.name for field in fields(SeriesExtent))


@dataclass(slots=True)
class SeriesRecord:
    """One series of the step."""

    series_id: int
    extent: SeriesExtent


class RollupWriter:
    """The roll-ups of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._series: dict[SeriesId, SeriesRecord] = {}
        self._loaded: set[str] = set()  # addresses all of whose series are known
        self._numbers = RowNumbers(connection, SERIES)
        self._changed: set[SeriesId] = set()  # new, or widened
        self._added: dict[RollupRow, Amounts] = {}

    def load(self, addresses: Collection[str]) -> None:
        """Read the series of addresses at once: asked for one by one they are a third of a step."""
        wanted = sorted(set(addresses) - self._loaded)
        for start in range(0, len(wanted), PAGE):
            page = SERIES.c.miner_ip.in_(wanted[start : start + PAGE])
            for row in self._connection.execute(select(SERIES).where(page)).mappings():
                self._series.setdefault(_identity(row), _series_record(row))
        self._loaded.update(wanted)

    def apply(self, finding: Finding, machines: int, actions: Sequence[Action]) -> None:
        """Do what a record of a finding changes; complete only after `write`."""
        for action in actions:
            if isinstance(action, AddAmounts):
                self._add(finding, machines, action.key, spread(action.amounts, action.weights))
            elif isinstance(action, ShapeAmounts):
                self._shape(finding, machines, action)
            else:
                self._move(finding, machines, action)

    def hours(self, miner_ip: str, key: SeriesKey, within: range) -> ByHour:
        """What there is under a key of an address in these hours, as far as they are kept as hours."""
        self.write()
        series = self._stored(SeriesId(miner_ip, key))
        if series is None:
            return {}
        its = (ROLLUPS.c.series_id == series.series_id, ROLLUPS.c.hours == 1)
        query = select(ROLLUPS).where(*its, ROLLUPS.c.hour >= within.start, ROLLUPS.c.hour < within.stop)
        return {row["hour"]: _amounts(row) for row in self._connection.execute(query).mappings()}

    def write(self) -> None:
        """Add to the rows what was collected."""
        self._numbers.note()
        changed = [(identity, self._series[identity]) for identity in self._changed]
        of_series = [_series_row(*entry) for entry in sorted(changed, key=lambda entry: entry[1].series_id)]
        upsert(self._connection, SERIES, of_series, replace=EXTENT)
        self._changed.clear()
        rows = [_values(row, amounts) for row, amounts in self._added.items()]
        upsert(self._connection, ROLLUPS, rows, add=MEASURES)
        self._added.clear()

    def _add(self, finding: Finding, machines: int, key: SeriesKey, by_hour: ByHour) -> None:
        first_ns = max(finding.first_ns, min(by_hour) * HOUR_NS)
        span = TimeSpan(first_ns, min(finding.last_ns, (max(by_hour) + 1) * HOUR_NS))
        series = self._find(finding, key, span)
        if self._widen(series, finding, machines, span):
            self._changed.add(SeriesId(finding.miner_ip, key))
        for hour, amounts in by_hour.items():
            if any(amounts):
                row = RollupRow(series.series_id, hour)
                self._added[row] = plus(self._added.get(row, NOTHING), amounts)

    def _move(self, finding: Finding, machines: int, action: MoveAmounts) -> None:
        self.write()
        series = self._find(finding, action.key, TimeSpan(finding.first_ns, finding.last_ns))
        hours = range(action.first_hour, action.last_hour + 1)
        out = self._take(series.series_id, action.amounts, hours)
        if action.target is not None and any(action.added):
            flat = dict.fromkeys(hours[: LONGEST_HOURS + 1], 1.0)
            self._add(finding, machines, action.target, shaped(action.added, out, flat))

    def _shape(self, finding: Finding, machines: int, action: ShapeAmounts) -> None:
        """Add an amount like one of the measures of the hours, else like their time, else evenly."""
        self.write()
        series = self._find(finding, action.key, TimeSpan(finding.first_ns, finding.last_ns))
        hours = range(action.first_hour, action.last_hour + 1)
        there = self._within(series.series_id, hours)
        for name in (action.like, "seconds"):
            weights = {hour: float(getattr(amounts, name)) for hour, amounts in there.items()}
            if any(weights.values()):
                break
        else:
            weights = dict.fromkeys(hours[: LONGEST_HOURS + 1], 1.0)
        self._add(finding, machines, action.key, spread(action.amounts, weights))

    def _within(self, series_id: int, hours: range | None) -> ByHour:
        """The rows of a series, of some hours or of all."""
        query = select(ROLLUPS).where(ROLLUPS.c.series_id == series_id)
        if hours is not None:
            query = query.where(ROLLUPS.c.hour < hours.stop, ROLLUPS.c.hour + ROLLUPS.c.hours > hours.start)
        return {row["hour"]: _amounts(row) for row in self._connection.execute(query).mappings()}

    def _take(self, series_id: int, amounts: Amounts, within: range | None) -> ByHour:
        """Take an amount out of some hours of a series; what is not there (another finding of the series took it) out
        of all."""
        there = self._within(series_id, within)
        out = taken(amounts, there)
        missing = amounts
        for part in out.values():
            missing = minus(missing, part)
        self._write_rows(series_id, {hour: minus(there[hour], part) for hour, part in out.items() if any(part)})
        missing = Amounts(
            *(rest if rest > ROUNDING * whole else 0 for rest, whole in zip(missing, amounts, strict=True))
        )
        if within is not None and any(missing):
            for hour, part in self._take(series_id, missing, None).items():
                out[hour] = plus(out.get(hour, NOTHING), part)
        return out

    def _write_rows(self, series_id: int, left: ByHour) -> None:
        """Set rows to what is left of them; those without anything left go. A month of hours is one statement: an
        estimate that is corrected each hour touches all of them each time."""
        left_rows, gone = [], []
        for hour, amounts in left.items():
            rest = positive(amounts)
            if any(rest):
                left_rows.append({"at_series": series_id, "at_hour": hour, **rest._asdict()})
            else:
                gone.append({"at_series": series_id, "at_hour": hour})
        if left_rows:
            self._connection.execute(SET_ROW, left_rows)
        if gone:
            self._connection.execute(DELETE_ROW, gone)

    def _find(self, finding: Finding, key: SeriesKey, span: TimeSpan) -> SeriesRecord:
        """The series of a key; it is inserted if it is new."""
        identity = SeriesId(finding.miner_ip, key)
        if identity not in self._series:
            before = None if finding.miner_ip in self._loaded else self._stored(identity)
            self._series[identity] = before or self._insert(identity, finding, span)
        return self._series[identity]

    def _stored(self, identity: SeriesId) -> SeriesRecord | None:
        same = (SERIES.c[name] == value for name, value in _key_columns(identity).items())
        row = self._connection.execute(select(SERIES).where(*same)).mappings().one_or_none()
        return None if row is None else _series_record(row)

    def _insert(self, identity: SeriesId, finding: Finding, span: TimeSpan) -> SeriesRecord:
        extent = SeriesExtent(None, finding.work_unit or "hashes", 0, 0, span.first_ns, span.last_ns)
        self._changed.add(identity)
        return SeriesRecord(self._numbers.take(), extent)

    @staticmethod
    def _widen(series: SeriesRecord, finding: Finding, machines: int, span: TimeSpan) -> bool:
        """A series covers what is added to it; whether it did not yet."""
        extent = series.extent
        widened = SeriesExtent(
            pool_name=finding.pool.name or extent.pool_name,
            work_unit=finding.work_unit or "hashes",
            grade=max(extent.grade, int(finding.grade)),
            machines=max(extent.machines, machines),
            first_ns=min(extent.first_ns, span.first_ns),
            last_ns=max(extent.last_ns, span.last_ns),
        )
        series.extent = widened
        return widened != extent


def _series_record(row: RowMapping) -> SeriesRecord:
    """The series of a row of SERIES."""
    extent = SeriesExtent(**{name: row[name] for name in EXTENT})
    return SeriesRecord(row["series_id"], extent)


def _series_row(identity: SeriesId, series: SeriesRecord) -> dict[str, Any]:
    """The row of a series."""
    return {"series_id": series.series_id, **_key_columns(identity), **_extent_columns(series.extent)}


def _extent_columns(extent: SeriesExtent) -> dict[str, Any]:
    return {name: getattr(extent, name) for name in EXTENT}


def _identity(row: RowMapping) -> SeriesId:
    """What a row of SERIES is found by."""
    names = ("site_id", "pool", "dialect", "algorithm", "coin")
    return SeriesId(row["miner_ip"], SeriesKey(**{name: row[name] for name in names}, suppressed=bool(row["muted"])))


def _key_columns(identity: SeriesId) -> dict[str, Any]:
    """The columns of SERIES that a series is found by."""
    key = identity.key
    return {
        "miner_ip": identity.miner_ip,
        "site_id": key.site_id,
        "pool": key.pool,
        "dialect": key.dialect,
        "algorithm": key.algorithm,
        "coin": key.coin,
        "muted": int(key.suppressed),
    }


def _values(row: RollupRow, amounts: Amounts, hours: int = 1) -> dict[str, Any]:
    """A row of ROLLUPS over so many hours."""
    measures = {
        name: int(amount) if at < WHOLE else float(amount)
        for at, (name, amount) in enumerate(zip(MEASURES, amounts, strict=True))
    }
    return {**row._asdict(), "hours": hours, **measures}


def _amounts(row: RowMapping) -> Amounts:
    return Amounts(**{name: row[name] for name in MEASURES})


def merge_old_hours(connection: Connection, after_id: int, days_before: int, gone_before: int) -> tuple[int, int]:
    """Merge the hours of a page of series that lie before an hour to days of 24 from it, and delete what ended before
    another.

    Returns the last series of the page (0: there are no more), and how many rows went. Sums stay as they are.
    """
    query = select(SERIES.c.series_id).where(SERIES.c.series_id > after_id).order_by(SERIES.c.series_id)
    page = connection.scalars(query.limit(PAGE)).all()
    if not page:
        return 0, 0
    its = ROLLUPS.c.series_id.in_(page)
    gone = connection.execute(delete(ROLLUPS).where(its, ROLLUPS.c.hour + ROLLUPS.c.hours <= gone_before)).rowcount
    old = and_(its, ROLLUPS.c.hours == 1, ROLLUPS.c.hour < days_before)
    days: dict[RollupRow, Amounts] = {}
    for row in connection.execute(select(ROLLUPS).where(old).order_by(ROLLUPS.c.series_id, ROLLUPS.c.hour)).mappings():
        day = RollupRow(row["series_id"], days_before + (row["hour"] - days_before) // 24 * 24)
        days[day] = plus(days.get(day, NOTHING), _amounts(row))
    if days:
        gone += connection.execute(delete(ROLLUPS).where(old)).rowcount - len(days)
        upsert(connection, ROLLUPS, [_values(day, amounts, 24) for day, amounts in days.items()], add=MEASURES)
    return page[-1], gone


def delete_empty_series(connection: Connection, before_ns: int) -> None:
    """Delete series of which no roll-up is left, and the coverage of that time."""
    connection.execute(delete(COVERAGE).where(COVERAGE.c.to_ns < before_ns))
    empty = ~exists().where(ROLLUPS.c.series_id == SERIES.c.series_id)
    connection.execute(delete(SERIES).where(SERIES.c.last_ns < before_ns, empty))
