"""The roll-ups in their tables: what a finding's record changes, what the sensor watched, and old hours joined to days.

SQL within a transaction; what is to be put where is decided by `rolled.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, exists, insert, select, update

from sensor.ledger.amounts import (
    HOUR_NS,
    MEASURES,
    NOTHING,
    ROUNDING,
    WHOLE,
    Amounts,
    ByHour,
    minus,
    plus,
    shaped,
    spread,
    taken,
)
from sensor.ledger.schema import ROLLUPS, SERIES, WATCHED
from sensor.ledger.write.rolled import Key, Put, Take
from sensor.ledger.write.upsert import upsert
from sensor.model.finding import Finding

#: What has to be dealt out evenly is so over a year at most.
LONGEST_HOURS = 366 * 24
#: Series that are joined to days in one transaction.
PAGE = 500


class Rollups:
    """The roll-ups of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._series: dict[tuple[str, Key], dict[str, Any]] = {}
        self._puts: dict[tuple[int, int], Amounts] = {}

    def do(self, finding: Finding, machines: int, actions: Sequence[Put | Take]) -> None:
        """Do what a record of a finding changes; complete only after `write`."""
        for action in actions:
            if isinstance(action, Put):
                self._put(finding, machines, action.key, spread(action.amounts, action.weights))
            else:
                self._take(finding, machines, action)

    def write(self) -> None:
        """Add what was put to the rows."""
        rows = [_row(series, hour, amounts) for (series, hour), amounts in self._puts.items()]
        upsert(self._connection, ROLLUPS, rows, add=MEASURES)
        self._puts.clear()

    def _put(self, finding: Finding, machines: int, key: Key, by_hour: ByHour) -> None:
        first_ns = max(finding.first_ns, min(by_hour) * HOUR_NS)
        series = self._id(finding, machines, key, (first_ns, min(finding.last_ns, (max(by_hour) + 1) * HOUR_NS)))
        for hour, amounts in by_hour.items():
            if any(amounts):
                self._puts[series, hour] = plus(self._puts.get((series, hour), NOTHING), amounts)

    def _take(self, finding: Finding, machines: int, action: Take) -> None:
        self.write()
        series = self._id(finding, 0, action.key, None)
        out = self._out(series, action.amounts, (action.first, action.last))
        if action.to is not None and any(action.put):
            flat = dict.fromkeys(range(action.first, min(action.last, action.first + LONGEST_HOURS) + 1), 1.0)
            self._put(finding, machines, action.to, shaped(action.put, out, flat))

    def _out(self, series: int, amounts: Amounts, within: tuple[int, int] | None) -> ByHour:
        """Take an amount out of the hours of a series; what is not within (another finding of the series took it from there) from all."""
        rows = select(ROLLUPS).where(ROLLUPS.c.series_id == series)
        if within is not None:
            rows = rows.where(ROLLUPS.c.hour <= within[1], ROLLUPS.c.hour + ROLLUPS.c.hours > within[0])
        there: ByHour = {row["hour"]: _amounts(row) for row in self._connection.execute(rows).mappings()}
        out = taken(amounts, there) if there else {}
        missing = amounts
        for hour, part in out.items():
            missing = minus(missing, part)
            left = tuple(max(0, one) for one in minus(there[hour], part))
            same = and_(ROLLUPS.c.series_id == series, ROLLUPS.c.hour == hour)
            if any(left):
                self._connection.execute(update(ROLLUPS).where(same).values(dict(zip(MEASURES, left, strict=True))))
            else:
                self._connection.execute(delete(ROLLUPS).where(same))
        missing = tuple(one if one > ROUNDING * whole else 0 for one, whole in zip(missing, amounts, strict=True))
        if within is not None and any(missing):
            for hour, part in self._out(series, missing, None).items():
                out[hour] = plus(out.get(hour, NOTHING), part)
        return out

    def _id(self, finding: Finding, machines: int, key: Key, span: tuple[int, int] | None) -> int:
        """The series of a key; it is made if it is new, and widened by what is put into it."""
        held = self._series.get((finding.miner_ip, key)) or self._find(
            finding, key, span or (finding.first_ns, finding.last_ns)
        )
        self._series[finding.miner_ip, key] = held
        if span is not None:
            self._widen(held, finding, machines, span)
        return int(held["series_id"])

    def _find(self, finding: Finding, key: Key, span: tuple[int, int]) -> dict[str, Any]:
        values: dict[str, Any] = {"miner_ip": finding.miner_ip, **key._asdict(), "muted": int(key.muted)}
        row = (
            self._connection.execute(select(SERIES).where(*(SERIES.c[name] == value for name, value in values.items())))
            .mappings()
            .one_or_none()
        )
        if row is not None:
            return dict(row)
        values |= {
            "pool_name": None,
            "work_unit": finding.work_unit,
            "grade": 0,
            "machines": 0,
            "first_ns": span[0],
            "last_ns": span[1],
        }
        values["series_id"] = self._connection.scalar(insert(SERIES).values(values).returning(SERIES.c.series_id))
        return values

    def _widen(self, held: dict[str, Any], finding: Finding, machines: int, span: tuple[int, int]) -> None:
        changed = {
            "pool_name": finding.pool.name or held["pool_name"],
            "work_unit": finding.work_unit,
            "grade": max(held["grade"], int(finding.grade)),
            "machines": max(held["machines"], machines),
            "first_ns": min(held["first_ns"], span[0]),
            "last_ns": max(held["last_ns"], span[1]),
        }
        if any(held[name] != value for name, value in changed.items()):
            held |= changed
            self._connection.execute(update(SERIES).where(SERIES.c.series_id == held["series_id"]).values(changed))


def watched(connection: Connection, from_ns: int, to_ns: int, anew: bool) -> None:
    """The sensor listened from one moment to another; an hour has at most all of its seconds. Not `anew`: it may have been told before."""
    hours = range(from_ns // HOUR_NS, max(from_ns, to_ns - 1) // HOUR_NS + 1)
    rows = {
        row.hour: row.seconds
        for row in connection.execute(select(WATCHED).where(WATCHED.c.hour.between(hours[0], hours[-1])))
    }
    made = []
    for hour in hours:
        seconds = (min(to_ns, (hour + 1) * HOUR_NS) - max(from_ns, hour * HOUR_NS)) / 1e9
        held = rows.get(hour, 0.0)
        made.append({"hour": hour, "seconds": min(3_600.0, held + seconds) if anew else max(held, seconds)})
    upsert(connection, WATCHED, made, replace=("seconds",))


def age(connection: Connection, after: int, days_before: int, gone_before: int) -> tuple[int, int]:
    """Join the hours of a page of series that lie before an hour to days of 24 from it, and delete what ended before another.

    The last series of the page (0: there are no more), and how many rows went. Sums stay as they are.
    """
    page = connection.scalars(
        select(SERIES.c.series_id).where(SERIES.c.series_id > after).order_by(SERIES.c.series_id).limit(PAGE)
    ).all()
    if not page:
        return 0, 0
    these = ROLLUPS.c.series_id.in_(page)
    gone = connection.execute(delete(ROLLUPS).where(these, ROLLUPS.c.hour + ROLLUPS.c.hours <= gone_before)).rowcount
    old = and_(these, ROLLUPS.c.hours == 1, ROLLUPS.c.hour < days_before)
    days: dict[tuple[int, int], Amounts] = {}
    for row in connection.execute(select(ROLLUPS).where(old).order_by(ROLLUPS.c.series_id, ROLLUPS.c.hour)).mappings():
        start = days_before + (row["hour"] - days_before) // 24 * 24
        days[row["series_id"], start] = plus(days.get((row["series_id"], start), NOTHING), _amounts(row))
    if days:
        gone += connection.execute(delete(ROLLUPS).where(old)).rowcount - len(days)
        upsert(connection, ROLLUPS, [_row(series, hour, one, 24) for (series, hour), one in days.items()], add=MEASURES)
    return page[-1], gone


def prune(connection: Connection, before_ns: int) -> None:
    """Forget series of which no roll-up is left, and when the sensor listened then."""
    connection.execute(delete(WATCHED).where(WATCHED.c.hour < before_ns // HOUR_NS))
    empty = ~exists().where(ROLLUPS.c.series_id == SERIES.c.series_id)
    connection.execute(delete(SERIES).where(SERIES.c.last_ns < before_ns, empty))


def _row(series: int, hour: int, amounts: Amounts, hours: int = 1) -> dict[str, Any]:
    named = {
        name: int(amount) if at < WHOLE else float(amount)
        for at, (name, amount) in enumerate(zip(MEASURES, amounts, strict=True))
    }
    return {"series_id": series, "hour": hour, "hours": hours, **named}


def _amounts(row: RowMapping) -> Amounts:
    return tuple(row[name] for name in MEASURES)
