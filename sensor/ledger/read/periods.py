"""Reads a period as a `Summary`. Knows SQL and plain data; formats nothing.

A roll-up belongs to the period in which it begins; periods that begin and end at full hours are exact, and add up in
any case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from sqlalchemy import Connection, RowMapping, func, select

from sensor.cases.site_class import site_class
from sensor.ledger.read.cases import cases
from sensor.ledger.read.facts import PeriodFacts, period_facts, site_facts
from sensor.ledger.read.finding_times import TimesMemory
from sensor.ledger.read.hours import HourRange
from sensor.ledger.read.machine_counts import machine_counts
from sensor.ledger.read.owners import SiteOwner, site_owners
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.read.unproven import to_check
from sensor.ledger.read.watching import Watching, coverage, mining_time
from sensor.ledger.store.amounts import MEASURES, NOTHING, WHOLE, Amounts, plus
from sensor.ledger.store.schema import COUNTED, COUNTED_SERIES, FINDINGS, ROLLUPS, SERIES
from sensor.model.coverage import DEFAULT_GROUNDS, Coverage, Grounds
from sensor.model.evidence import Grade
from sensor.model.range import Range
from sensor.model.summary import Case, CaseSubject, Line, Place, SiteSummary, Summary
from sensor.model.time import HOUR_NS, SECOND_NS
from sensor.signatures.sites import SiteWeights


@dataclass(frozen=True)
class _Window:
    """A period of the packet clock."""

    from_ns: int
    to_ns: int

    @property
    def hours(self) -> HourRange:
        """The hours that begin in it."""
        return HourRange.beginning_in(self.from_ns, self.to_ns)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.to_ns - self.from_ns) / SECOND_NS

    @property
    def before(self) -> _Window:
        """The one of the same length that ends where this begins."""
        return _Window(2 * self.from_ns - self.to_ns, self.from_ns)


@dataclass(frozen=True)
class SeriesSums:
    """One series with its roll-ups of a period added up."""

    place: Place
    pool: str
    pool_name: str | None
    dialect: str
    coin: str
    work_unit: str
    grade: int
    machines: int
    first_ns: int
    last_ns: int
    amounts: Amounts
    hours: int  # with mining
    end_hour: int  # the last of them ends there


@dataclass(frozen=True)
class _PeriodLines:
    """The lines of a period, and by site how many hours had mining."""

    lines: tuple[Line, ...]
    site_hours: dict[int, int]


def newest_ns(connection: Connection, chosen: Selection = ALL) -> int | None:
    """When the last of all mining was seen; None in an empty ledger."""
    newest: int | None = connection.scalar(select(func.max(SERIES.c.last_ns)).where(COUNTED_SERIES, chosen.series))
    return newest


def summary(
    connection: Connection,
    from_ns: int,
    to_ns: int,
    weights: SiteWeights,
    grounds: Grounds = DEFAULT_GROUNDS,
    chosen: Selection = ALL,
    memory: TimesMemory | None = None,
) -> Summary:
    """What the ledger has of [from_ns, to_ns), the kinds of sites by `weights`. A place of the period before of which
    nothing is seen any more is gone only if the sensors that saw it listened since, and enough of all did; else it was
    not observed. All of it is of what was chosen, the kinds of sites too; only when sensors listened belongs to no
    place. `memory` is of the same database.
    """
    window, memory = _Window(from_ns, to_ns), memory or TimesMemory()
    before = window.before
    known_cases = cases(connection, from_ns, to_ns, chosen=chosen)
    mining = mining_time(connection, before.from_ns, to_ns, chosen, memory)
    watched = _coverage(connection, window)
    now = _lines(connection, window, known_cases, Watching(mining, watched, grounds), chosen, memory)
    then = Watching(mining, _coverage(connection, before), grounds)
    earlier = _lines(connection, before, known_cases, then, chosen, memory)
    present = {line.place for line in now.lines}
    absent = [line for line in earlier.lines if line.place not in present]
    least = max(grounds.least_watched, 1e-9)
    silent = absent if watched.part >= least else ()  # of a period that was watched too little nothing follows
    gone = tuple(line for line in silent if watched.least_part(line.sensors) >= least)
    shown = (*now.lines, *absent)
    owners = site_owners(connection, (line.site_id for line in shown if line.site_id))
    facts = period_facts(connection, before.from_ns, to_ns, chosen)
    sites = {
        **_site_summaries(absent, owners, facts, earlier.site_hours, weights),
        **_site_summaries(now.lines, owners, facts, now.site_hours, weights),
    }
    checks = to_check(connection, from_ns, to_ns, known_cases, chosen)
    seconds = sum(line.seconds for line in now.lines)
    lost_seconds = sum(line.capture_loss * line.seconds for line in now.lines)
    case_ids = {line.case_id for line in shown}
    return Summary(
        from_ns=from_ns,
        to_ns=to_ns,
        lines=now.lines,
        gone=gone,
        sites=sites,
        cases=tuple(case for case in known_cases.values() if case.case_id in case_ids or _open_within(case, from_ns)),
        coverage=watched,
        capture_loss=lost_seconds / seconds if seconds else 0.0,
        notes=_notes(window),
        unobserved=tuple(line for line in absent if line not in gone),
        grounds=grounds,
        to_check=checks.listed,
        unlisted=checks.unlisted,
    )


def _coverage(connection: Connection, window: _Window) -> Coverage:
    """When sensors listened in the hours that begin in it."""
    hours = window.hours
    return coverage(connection, hours.first * HOUR_NS, hours.end * HOUR_NS)


def _notes(window: _Window) -> tuple[str, ...]:
    if window.from_ns % HOUR_NS or window.to_ns % HOUR_NS:
        return ("the period does not begin and end at full hours; what is shown is of the hours that begin in it",)
    return ()


def _open_within(case: Case, from_ns: int) -> bool:
    """Whether a case was open at any time since the period began."""
    return case.state not in ("closed", "false-alarm") or case.since_ns >= from_ns


def _lines(
    connection: Connection,
    window: _Window,
    known_cases: Mapping[CaseSubject, Case],
    watching: Watching,
    chosen: Selection,
    memory: TimesMemory,
) -> _PeriodLines:
    groups: dict[Place, list[SeriesSums]] = defaultdict(list)
    site_hours: dict[int, int] = {}
    for series in _series_sums(connection, window, chosen):
        groups[series.place].append(series)
        site_id = series.place.site_id
        site_hours[site_id] = max(site_hours.get(site_id, 0), series.hours)
    within = (COUNTED, chosen.findings, FINDINGS.c.last_ns >= window.from_ns, FINDINGS.c.first_ns < window.to_ns)
    machines = machine_counts(connection, within, (window.from_ns, window.to_ns), memory)
    first_ns = _first_ns(connection, chosen)
    of_address: dict[str, int] = {}
    for place, first in first_ns.items():
        of_address[place.address] = min(first, of_address.get(place.address, first))
    lines = []
    for place, group in groups.items():
        case = known_cases.get(CaseSubject(place.site_id, "") if place.site_id else CaseSubject(0, place.address))
        if case is not None and case.state == "false-alarm":
            continue
        lines.append(
            replace(
                _line(place, group, machines.places.get(place), watching),
                address_machines=machines.addresses.get((place.address, place.algorithm)),
                first_ns=first_ns[place],
                new=first_ns[place] >= window.from_ns,
                address_new=of_address[place.address] >= window.from_ns,
                case_id=None if case is None else case.case_id,
            )
        )
    lines.sort(key=lambda line: (line.site_id or 1 << 62, line.address, line.algorithm or ""))
    return _PeriodLines(tuple(lines), site_hours)


def _series_sums(connection: Connection, window: _Window, chosen: Selection) -> list[SeriesSums]:
    sums = [func.sum(ROLLUPS.c[name]).label(name) for name in MEASURES]
    edges = [func.sum(ROLLUPS.c.hours).label("active"), func.max(ROLLUPS.c.hour + ROLLUPS.c.hours).label("end")]
    its = (COUNTED_SERIES, chosen.series, SERIES.c.last_ns >= window.from_ns)
    within = (*its, *window.hours.contain(ROLLUPS.c.hour))
    totals = select(SERIES.c.series_id, *sums, *edges).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
    inner = totals.where(*within).group_by(SERIES.c.series_id).subquery()
    query = select(SERIES, *(inner.c[column.name] for column in (*sums, *edges)))
    query = query.join(inner, inner.c.series_id == SERIES.c.series_id).order_by(SERIES.c.series_id)
    return [_series(row) for row in connection.execute(query).mappings()]


def _series(row: RowMapping) -> SeriesSums:
    # PostgreSQL answers the sum of whole numbers as a decimal.
    values = ((int if at < WHOLE else float)(row[name]) for at, name in enumerate(MEASURES))
    return SeriesSums(
        place=Place(row["miner_ip"], row["site_id"], row["algorithm"]),
        pool=row["pool"],
        pool_name=row["pool_name"],
        dialect=row["dialect"],
        coin=row["coin"],
        work_unit=row["work_unit"],
        grade=row["grade"],
        machines=row["machines"],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        amounts=Amounts(*values),
        hours=int(row["active"]),
        end_hour=row["end"],
    )


def _first_ns(connection: Connection, chosen: Selection) -> dict[Place, int]:
    """When each place was first seen, ever."""
    place = (SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.algorithm)
    query = select(*place, func.min(SERIES.c.first_ns)).where(COUNTED_SERIES, chosen.series).group_by(*place)
    rows = connection.execute(query)
    return {Place(address, site_id, algorithm): first_ns for address, site_id, algorithm, first_ns in rows}


def _line(place: Place, group: Sequence[SeriesSums], machines: int | None, watching: Watching) -> Line:
    """The line of a place; when it was first seen and its case are added by `_lines`."""
    amounts = reduce(plus, (series.amounts for series in group), NOTHING)
    level = watching.grounds.level
    return Line(
        address=place.address,
        site_id=place.site_id or None,
        algorithm=place.algorithm or None,
        work_unit=group[0].work_unit,
        coins=_distinct(series.coin for series in group),
        pools=_distinct(series.pool_name or series.pool for series in group),
        dialects=_distinct(series.dialect for series in group),
        grade=Grade(max(series.grade for series in group)),
        machines=machines or max(series.machines for series in group),
        first_ns=min(series.first_ns for series in group),
        last_ns=max(min(series.last_ns, series.end_hour * HOUR_NS) for series in group),
        seconds=float(amounts.seconds),
        sessions=int(amounts.sessions),
        shares=int(amounts.shares),
        accepted=int(amounts.accepted),
        work_hashes=float(amounts.work_hashes),
        hashes=Range(amounts.hashes_low, amounts.hashes_best, amounts.hashes_high, amounts.hashes_variance, level),
        energy_kwh=Range(amounts.energy_low, amounts.energy_best, amounts.energy_high, amounts.energy_variance, level),
        stream_bytes=int(amounts.stream_bytes),
        capture_loss=amounts.lost_seconds / amounts.seconds if amounts.seconds else 0.0,
        new=False,
        case_id=None,
        times=watching.times(place, amounts),
        sensors=watching.mining.sensors_of(place),
        unknown_shares=int(amounts.unknown_shares),
        unknown_seconds=float(amounts.unknown_seconds),
        assumed_seconds=float(amounts.assumed_seconds),
    )


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))


def _site_summaries(
    lines: Iterable[Line],
    owners: Mapping[int, SiteOwner],
    facts: PeriodFacts,
    site_hours: Mapping[int, int],
    weights: SiteWeights,
) -> dict[int, SiteSummary]:
    """The sites of lines with their class."""
    groups: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.site_id is not None:
            groups[line.site_id].append(line)
    sites = {}
    for site_id, group in groups.items():
        enterprise, site = owners[site_id]
        found = site_class(site_facts(site_id, group, facts, enterprise, site_hours.get(site_id, 0)), weights)
        first_ns, last_ns = min(line.first_ns for line in group), max(line.last_ns for line in group)
        sites[site_id] = SiteSummary(site_id, enterprise, site, found, first_ns, last_ns)
    return sites
