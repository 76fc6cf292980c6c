"""Reads a period out of the ledger as a `Summary`. Knows SQL and plain data; formats nothing.

A roll-up belongs to the period in which it begins; periods that begin and end at full hours are exact, and add up in any case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, func, select

from sensor.cases.site_class import site_class
from sensor.ledger.amounts import HOUR_NS, MEASURES
from sensor.ledger.database import reading
from sensor.ledger.ledger import Ledger
from sensor.ledger.read.casefile import case_files
from sensor.ledger.read.facts import Seen, facts, seen
from sensor.ledger.schema import FINDINGS, ROLLUPS, SERIES, WATCHED
from sensor.ledger.write.owners import sites
from sensor.model.attribution import Enterprise, Site
from sensor.model.evidence import Grade
from sensor.model.summary import NS, Case, Line, Range, SiteSummary, Summary

Place = tuple[str, int, str]  # address, site, algorithm


@dataclass(frozen=True)
class _Period:
    from_ns: int
    to_ns: int

    @property
    def hours(self) -> tuple[int, int]:
        """The first hour that begins in the period, and the first that begins after it."""
        return -(-self.from_ns // HOUR_NS), -(-self.to_ns // HOUR_NS)

    @property
    def seconds(self) -> float:
        return (self.to_ns - self.from_ns) / NS


def summary(ledger: Ledger, from_ns: int, to_ns: int) -> Summary:
    """What the ledger says of [from_ns, to_ns). Raises LedgerError, or ValueError if the period has no length."""
    if to_ns <= from_ns:
        raise ValueError("a period must end after it begins")
    now, before = _Period(from_ns, to_ns), _Period(2 * from_ns - to_ns, from_ns)
    with reading(ledger.engine) as connection:
        cases = case_files(connection, from_ns, to_ns)
        lines, hours = _lines(connection, now, cases)
        earlier, hours_before = _lines(connection, before, cases)
        there = {_place(line) for line in lines}
        gone = tuple(line for line in earlier if _place(line) not in there)
        known = sites(connection, [line.site_id for line in (*lines, *gone) if line.site_id])
        about = seen(connection, before.from_ns, to_ns)
        first, last = now.hours
        listened = select(func.sum(WATCHED.c.seconds)).where(WATCHED.c.hour >= first, WATCHED.c.hour < last)
        watched = float(connection.scalar(listened) or 0.0)
    classed = {**_classed(gone, known, about, hours_before), **_classed(lines, known, about, hours)}
    seconds = sum(line.seconds for line in lines)
    lost = sum(line.capture_loss * line.seconds for line in lines)
    relevant = {line.case_id for line in (*lines, *gone)}
    shown = tuple(one for one in cases.values() if one.case_id in relevant or _touches(one, from_ns))
    return Summary(
        from_ns, to_ns, lines, gone, classed, shown, watched, lost / seconds if seconds else 0.0, _notes(now)
    )


def _notes(period: _Period) -> tuple[str, ...]:
    odd = period.from_ns % HOUR_NS or period.to_ns % HOUR_NS
    return (
        ("the period does not begin and end at full hours; what is shown is of the hours that begin in it",)
        if odd
        else ()
    )


def _touches(case: Case, from_ns: int) -> bool:
    """Whether a case was open at any time of the period."""
    return case.state not in ("closed", "false-alarm") or case.since_ns >= from_ns


def _place(line: Line) -> Place:
    return line.address, line.site_id or 0, line.algorithm or ""


def _lines(
    connection: Connection, period: _Period, cases: dict[tuple[int, str], Case]
) -> tuple[tuple[Line, ...], dict[int, int]]:
    """The lines of a period, and by site how many hours had mining."""
    groups: dict[Place, list[RowMapping]] = defaultdict(list)
    hours: dict[int, int] = {}
    for row in _rows(connection, period):
        groups[row["miner_ip"], row["site_id"], row["algorithm"]].append(row)
        hours[row["site_id"]] = max(hours.get(row["site_id"], 0), int(row["active"]))
    machines = _machines(connection, period)
    first = _first(connection)
    made = []
    for place, rows in groups.items():
        case = cases.get((place[1], "")) or cases.get((0, place[0]))
        if case is None or case.state != "false-alarm":
            line = _line(place, rows, period, machines.get(place))
            made.append(
                replace(
                    line,
                    first_ns=first[place],
                    new=first[place] >= period.from_ns,
                    case_id=None if case is None else case.case_id,
                )
            )
    return tuple(sorted(made, key=lambda one: (one.site_id or 1 << 62, one.address, one.algorithm or ""))), hours


def _rows(connection: Connection, period: _Period) -> Sequence[RowMapping]:
    """Sums by series."""
    first, last = period.hours
    sums = [func.sum(ROLLUPS.c[name]).label(name) for name in MEASURES]
    edges = [func.sum(ROLLUPS.c.hours).label("active"), func.max(ROLLUPS.c.hour + ROLLUPS.c.hours).label("end")]
    within = (SERIES.c.muted == 0, SERIES.c.last_ns >= period.from_ns, ROLLUPS.c.hour >= first, ROLLUPS.c.hour < last)
    totals = select(SERIES.c.series_id, *sums, *edges).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
    inner = totals.where(*within).group_by(SERIES.c.series_id).subquery()
    return (
        connection.execute(
            select(SERIES, *(inner.c[one.name] for one in (*sums, *edges)))
            .join(inner, inner.c.series_id == SERIES.c.series_id)
            .order_by(SERIES.c.series_id)
        )
        .mappings()
        .all()
    )


def _first(connection: Connection) -> dict[Place, int]:
    """When each was first seen, ever."""
    place = (SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.algorithm)
    query = select(*place, func.min(SERIES.c.first_ns)).where(SERIES.c.muted == 0).group_by(*place)
    return {(address, site, algorithm): first for address, site, algorithm, first in connection.execute(query)}


def _machines(connection: Connection, period: _Period) -> dict[Place, int]:
    """At least so many machines: those at one pool are added, those at several pools may be the same."""
    place = (FINDINGS.c.miner_ip, FINDINGS.c.site_id, FINDINGS.c.algorithm)
    at = (FINDINGS.c.pool_ip, FINDINGS.c.pool_port)
    within = (FINDINGS.c.muted.is_(None), FINDINGS.c.last_ns >= period.from_ns, FINDINGS.c.first_ns < period.to_ns)
    found: dict[Place, int] = {}
    query = select(*place, func.sum(FINDINGS.c.machines)).where(*within).group_by(*place, *at)
    for address, site, algorithm, count in connection.execute(query):
        key = (address, site or 0, algorithm or "")
        found[key] = max(found.get(key, 0), int(count or 0))
    return found


def _line(place: Place, rows: Sequence[RowMapping], period: _Period, machines: int | None) -> Line:
    address, site, algorithm = place
    sums = {name: sum(row[name] for row in rows) for name in MEASURES}
    hashes = Range(sums["hashes_low"], sums["hashes_best"], sums["hashes_high"])
    return Line(
        address=address,
        site_id=site or None,
        algorithm=algorithm or None,
        work_unit=rows[0]["work_unit"],
        coins=_distinct(row["coin"] for row in rows),
        pools=_distinct(row["pool_name"] or row["pool"] for row in rows),
        dialects=_distinct(row["dialect"] for row in rows),
        grade=Grade(max(row["grade"] for row in rows)),
        machines=machines or max(row["machines"] for row in rows),
        first_ns=min(row["first_ns"] for row in rows),
        last_ns=max(min(row["last_ns"], row["end"] * HOUR_NS) for row in rows),
        seconds=float(sums["seconds"]),
        sessions=int(sums["sessions"]),
        shares=int(sums["shares"]),
        accepted=int(sums["accepted"]),
        work_hashes=float(sums["work_hashes"]),
        hashes=hashes,
        hashrate_hps=hashes.scaled(1.0 / period.seconds),
        energy_kwh=Range(sums["energy_low"], sums["energy_best"], sums["energy_high"]),
        stream_bytes=int(sums["stream_bytes"]),
        capture_loss=sums["lost_seconds"] / sums["seconds"] if sums["seconds"] else 0.0,
        new=False,
        case_id=None,
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))


def _classed(
    lines: Iterable[Line], known: dict[int, tuple[Enterprise | None, Site | None]], about: Seen, hours: dict[int, int]
) -> dict[int, SiteSummary]:
    """The sites of lines with their class."""
    groups: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.site_id is not None:
            groups[line.site_id].append(line)
    made = {}
    for site_id, group in groups.items():
        enterprise, site = known[site_id]
        found = site_class(facts(site_id, group, about, enterprise, hours))
        first, last = min(line.first_ns for line in group), max(line.last_ns for line in group)
        made[site_id] = SiteSummary(site_id, enterprise, site, found, first, last)
    return made
