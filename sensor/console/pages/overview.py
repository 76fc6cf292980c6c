"""The overview: how bad it is, whether better or worse, what is due."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from exporters.forms.documents.columns import estimated
from exporters.forms.documents.model import (
    Cell,
    Chart,
    ChartPoint,
    Column,
    CoverageStrip,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    StripRow,
    rounded,
)
from exporters.forms.fitting import visible
from sensor.console.address_bar import LANGUAGE, WEEK
from sensor.console.blocks import ConsoleBlock, ConsolePage, Listing, PagePart, Sayings
from sensor.console.desk import Visit
from sensor.console.figures import rate_text
from sensor.console.listing import basis_sentence, empty_sentence, filters
from sensor.console.pages.cases import ME, case_columns, case_row
from sensor.console.pages.division_map import division_map
from sensor.console.pages.visit import changed_part, views_part
from sensor.console.week import LineSums, WeekFigures
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.records import AskedCases
from sensor.ledger.read.lists.weeks import PeriodEnergy
from sensor.model.coverage import Coverage
from sensor.model.summary import Summary
from sensor.model.time import DAY_NS

OVERVIEW_ASKED = (WEEK, LANGUAGE)
WEEKS, WEEK_NS = 12, 7 * DAY_NS
#: Due cases, and divisions, that are named.
MOST_DUE, MOST_DIVISIONS = 10, 30


def overview(visit: Visit) -> ConsolePage:
    """The page."""
    _ = visit._
    parts = (
        *changed_part(visit),
        PagePart("now", _("The week that is shown"), (_tiles(visit), _algorithms(visit))),
        PagePart("weeks", _("Twelve weeks"), _weeks(visit)),
        PagePart("divisions", _("Where"), (*division_map(visit, _barred(visit)), _divisions(visit))),
        PagePart("due", _("Due"), _due(visit)),
        *views_part(visit),
    )
    opening = (*_warnings(visit), Sayings("", (basis_sentence(visit),)), coverage_strip(visit))
    first, last = visit.period.first, visit.period.last
    return ConsolePage(
        "overview",
        _("Overview"),
        _("{first} to {last}").format(first=first, last=last),
        opening=(filters(visit, (WEEK,)), *opening),
        parts=parts,
    )


def _warnings(visit: Visit) -> tuple[ConsoleBlock, ...]:
    _, week = visit._, visit.week
    if visit.scope.stems == ():
        return (Sayings("", (_("No division was granted to you, so nothing is shown."),)),)
    if week.coverage.part <= 0.0:
        return (Sayings("", (empty_sentence(visit, ""),)),)
    if not week.summary.watched:
        sentence = _("Too little of this week was watched: counts are lower bounds, and nothing is projected.")
        return (Sayings("", (sentence,)),)
    return ()


def coverage_strip(visit: Visit) -> CoverageStrip:
    """What was watched, by day and sensor."""
    _, coverage = visit._, visit.week.coverage
    days = [(day.first, coverage.within(day.from_ns, day.to_ns)) for day in visit.period.days()]
    rows = [
        StripRow(
            visible(sensor.sensor_id), _parts(sensor.sensor_id, [its for _day, its in days]), _part(coverage, number)
        )
        for number, sensor in enumerate(coverage.sensors)
    ]
    if not rows:
        rows = [StripRow(_("no sensor"), tuple(0.0 for _each in days), 0.0)]
    title = _("What was watched, by day and sensor; hatched: not observed")
    description = _("{hours} hours were watched.").format(hours=f"{visit.week.watched_hours:,.4g}")
    return CoverageStrip("watched", title, tuple(f"{day:%m-%d}" for day, _its in days), tuple(rows), description)


def _parts(sensor_id: str, days: list[Coverage]) -> tuple[float, ...]:
    return tuple(
        rounded(sensor.seconds / coverage.period_seconds)
        for coverage in days
        for sensor in coverage.sensors
        if sensor.sensor_id == sensor_id
    )


def _part(coverage: Coverage, number: int) -> float:
    return rounded(coverage.sensors[number].seconds / coverage.period_seconds)


class OwnersCounted(NamedTuple):
    """Whose mining was seen in a week."""

    organisations: int
    persons: int
    sites: int


def owners_counted(summary: Summary) -> OwnersCounted:
    """Count them."""
    owners = {line.site_id: summary.about(line) for line in summary.lines if line.site_id is not None}
    persons = {
        site.enterprise.enterprise_id
        for site in owners.values()
        if site is not None and site.enterprise is not None and site.enterprise.individual
    }
    return OwnersCounted(summary.enterprises - len(persons), len(persons), len(owners))


def by_division(week: WeekFigures) -> list[tuple[str, LineSums]]:
    """The week's sums by division, most electricity first, "" (not known) last."""
    groups = week.by_division.items()
    return sorted(groups, key=lambda group: (not group[0], -group[1].estimate.energy_kwh.best, group[0]))


def _tiles(visit: Visit) -> KeyFigures:
    _, week, cells = visit._, visit.week, visit.cells
    summary, lines, its = week.summary, week.summary.lines, week.whole.estimate
    observed = week.coverage.part > 0.0 or bool(lines)

    def count(value: int) -> Cell:
        return value if observed else cells.not_observed()

    organisations, persons, sites = owners_counted(summary)
    nothing: Cell = cells.not_observed() if not observed else 0 if not lines else cells.unknown()
    figures = (
        KeyFigure("enterprises", _("Organisations"), count(organisations), at_least=not summary.watched),
        KeyFigure("sites", _("Sites"), count(sites), at_least=not summary.watched),
        KeyFigure("addresses", _("Addresses"), count(summary.addresses), at_least=not summary.watched),
        KeyFigure("persons", _("Private persons"), count(persons), at_least=not summary.watched),
        KeyFigure("machines", _("Machines, at least"), count(week.whole.machines)),
        KeyFigure("energy", _("Electricity seen"), cells.seen(its.energy_kwh, its) or nothing, "figure", "kWh"),
        KeyFigure(
            "day",
            _("Electricity a day, projected"),
            (cells.projected(its.day_kwh, its, summary.watched) or nothing) if lines else nothing,
            "figure",
            "kWh",
        ),
        KeyFigure(
            "new",
            _("Addresses never seen before"),
            count(len({line.address for line in lines if line.address_new})),
            at_least=not summary.watched,
        ),
    )
    return KeyFigures("figures", "", figures)


def _algorithms(visit: Visit) -> DocumentTable:
    _, week, cells = visit._, visit.week, visit.cells
    columns = (
        Column("algorithm", _("Algorithm")),
        Column("addresses", _("Addresses"), "count"),
        Column("machines", _("Machines, at least"), "count"),
        Column("hashrate", _("Hashrate while mining")),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True, bar=True),
        Column("day_kwh", _("Electricity a day, projected"), "figure", "kWh", ranged=True),
    )
    rows: list[tuple[Cell, ...]] = []
    for total in week.totals:
        its = week.by_algorithm[total.algorithm, total.work_unit].estimate
        rows.append(
            (
                visible(total.algorithm) if total.algorithm else _("algorithm not known"),
                total.addresses,
                total.machines,
                rate_text(visit, total.hashrate_hps, total.work_unit, at_least=total.unrated_seconds > 0),
                cells.seen(its.energy_kwh, its) or cells.unknown(),
                cells.projected(its.day_kwh, its, week.summary.watched) or cells.unknown(),
            )
        )
    title = _("By algorithm: hashrates of different ones are never added")
    return DocumentTable("algorithms", title, columns, tuple(rows), empty_sentence(visit, _("No mining was found.")))


def _weeks(visit: Visit) -> tuple[ConsoleBlock, ...]:
    _, desk = visit._, visit.desk
    to_ns = visit.period.to_ns
    from_ns = to_ns - WEEKS * WEEK_NS

    def make() -> list[PeriodEnergy]:
        return visit.reader.periods(from_ns, WEEK_NS, WEEKS, desk.grounds.level)

    found = desk.cache.get(visit.scope, f"weeks to {visit.period.last}", make)
    coverage = visit.reader.coverage(from_ns, to_ns)
    points, rows = [], []
    for number, energy in enumerate(found):
        began_ns = from_ns + number * WEEK_NS
        its = coverage.within(began_ns, began_ns + WEEK_NS)
        last = visit.period.last - timedelta(days=7 * (WEEKS - 1 - number))
        first = last - timedelta(days=6)
        kwh = estimated(energy.energy_kwh)
        points.append(ChartPoint(f"{first:%m-%d}", kwh, rounded(1.0 - its.part)))
        hours: Cell = rounded(its.seconds / 3_600) if its.seconds else visit.cells.not_observed()
        seen: Cell = energy.addresses if its.seconds or energy.addresses else visit.cells.not_observed()
        figure: Cell = kwh or (
            visit.cells.unknown() if energy.addresses else 0 if its.seconds else visit.cells.not_observed()
        )
        rows.append((f"{first} – {last}", seen, figure, hours, rounded(its.part)))
    title = _("Electricity seen by the week; hatched: not observed")
    columns = (
        Column("week", _("Week")),
        Column("addresses", _("Addresses"), "count"),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
        Column("hours", _("Hours watched"), "figure", "h"),
        Column("part", _("Part watched"), "part"),
    )
    chart = Chart(
        "weeks", title, "kWh", tuple(points), "columns", "figure", _("The same figures stand in the table below.")
    )
    return chart, DocumentTable("weeks", _("The same in figures"), columns, tuple(rows), "", folded=True)


def _barred(visit: Visit) -> list[tuple[str, LineSums]]:
    """The divisions that have a bar."""
    return by_division(visit.week)[:MOST_DIVISIONS]


def _divisions(visit: Visit) -> Listing:
    """Divisions by the electricity seen: cities, or counties for whom sees no whole province."""
    _, cells = visit._, visit.cells
    columns = (
        Column("division", _("Division")),
        Column("sites", _("Sites"), "count"),
        Column("addresses", _("Addresses"), "count"),
        Column("machines", _("Machines, at least"), "count"),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True, bar=True),
    )
    rows: list[tuple[Cell, ...]] = []
    links: list[dict[str, str]] = []
    for code, sums in _barred(visit):
        lines, its = sums.lines, sums.estimate
        rows.append(
            (
                visit.owners.name(code) or code or _("division not known"),
                len({line.site_id for line in lines if line.site_id is not None}),
                len({line.address for line in lines}),
                sums.machines,
                cells.seen(its.energy_kwh, its) or cells.unknown(),
            )
        )
        links.append({"division": visit.href("/sites", division=code)} if code else {})
    title = _("Divisions by the electricity seen")
    table = DocumentTable("divisions", title, columns, tuple(rows), empty_sentence(visit, _("No mining was found.")))
    return Listing(table, tuple(links))


def _due(visit: Visit) -> tuple[ConsoleBlock, ...]:
    """The cases whose next step is due first; those of the viewer before them."""
    _ = visit._
    mine = visit.reader.cases(AskedCases(open=True, assignee=visit.viewer.login), ListCut(None, MOST_DUE))
    own = [case_row(visit, case) for case in mine]
    title = _("Open cases that are assigned to you")
    its = DocumentTable("mine", title, case_columns(visit), tuple(row.cells for row in own), "")
    all_mine = visit.href("/cases", open="yes", assigned=ME)
    first = (Listing(its, tuple(row.links for row in own), None, all_mine),) if own else ()
    found = visit.reader.cases(AskedCases(open=True), ListCut(None, MOST_DUE))
    rows = [case_row(visit, case) for case in found]
    table = DocumentTable(
        "due", _("Open cases, what is due first at the top"), case_columns(visit), tuple(row.cells for row in rows),
        _("Nothing is due."),
    )  # fmt: skip
    return (
        *first,
        Listing(table, tuple(row.links for row in rows), None, visit.href("/cases", open="yes") if rows else None),
    )
