"""Columns that lists share: what the shown week says of one enterprise, site or address, each figure with its bounds
and what it rests on. What is not known is said, and is never 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.amounts import AT_LEAST, bounds, digits_of, prefixed, quantity, rate_unit
from exporters.forms.documents.columns import estimated
from exporters.forms.documents.labels import CLASSES, GRADES, STATES
from exporters.forms.documents.model import Absent, Cell, Column, DocumentTable, rounded
from exporters.forms.fitting import visible
from sensor.console.desk import Visit
from sensor.estimate.costs import estimate
from sensor.ledger.read.lists.owners import Seen
from sensor.model.attribution import Enterprise, Site
from sensor.model.range import Range
from sensor.model.summary import SECONDS_PER_HOUR, Case, Line, SiteSummary, machines, totals

#: Algorithms whose rate stands in one cell.
MOST_RATES = 4


def figure_columns(visit: Visit) -> tuple[Column, ...]:
    """Of `figure_cells`."""
    _ = visit._
    return (
        Column("machines", _("Machines, at least"), "count"),
        Column("hashrate", _("Hashrate while mining")),
        Column("power_watts", _("Power while mining"), "prefixed", "W", ranged=True),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
        Column("projected_kwh", _("Electricity of the week, projected"), "figure", "kWh", ranged=True),
        Column("mining_hours", _("Hours seen mining"), "figure", "h"),
    )


def figure_cells(visit: Visit, lines: Sequence[Line]) -> tuple[Cell, ...]:
    """What the week says. Without a line nothing was seen in it: while it was watched, or for it was not."""
    cells, week = visit.cells, visit.week
    if not lines:
        absent = not_seen(visit)
        return (absent,) * 6
    desk = visit.desk
    its = estimate(lines, week.summary.seconds, desk.rates, desk.grounds)
    return (
        machines(lines),
        rates_text(visit, lines),
        cells.seen(its.power_watts, its) or cells.unknown(),
        cells.seen(its.energy_kwh, its) or cells.unknown(),
        cells.projected(its.projected_kwh, its, week.summary.watched) or cells.unknown(),
        rounded(max(line.times.mining_seconds for line in lines) / SECONDS_PER_HOUR),
    )


def week_table(visit: Visit, lines: Sequence[Line], seen: Seen | None = None) -> DocumentTable:
    """The figures of one thing as a table of one row."""
    _, period = visit._, visit.period
    columns = (Column("week", _("Week")), *figure_columns(visit))
    row: tuple[Cell, ...] = (f"{period.first:%m-%d} – {period.last:%m-%d}", *figure_cells(visit, lines))
    if seen is not None:
        columns, row = (*columns, *seen_columns(visit)), (*row, *seen_cells(visit, seen))
    return DocumentTable("figures", _("The week that is shown"), columns, (row,), "")


def not_seen(visit: Visit) -> Cell:
    """Why there is no figure of the week where nothing was seen in it."""
    if visit.week.coverage.part <= 0.0:
        return visit.cells.not_observed()
    return Absent("not-observed", visit._("not seen this week")) if not visit.week.summary.watched else visit._("none")


def rates_text(visit: Visit, lines: Sequence[Line]) -> str:
    """The hashrate of each algorithm with its bounds; they are never added."""
    found = []
    for total in totals(lines)[:MOST_RATES]:
        name = visible(total.algorithm or visit._("algorithm not known"))
        rate = rate_text(visit, total.hashrate_hps, total.work_unit, at_least=total.unrated_seconds > 0)
        found.append(f"{name} {rate}")
    return "; ".join(found)


def rate_text(visit: Visit, rate: Range | None, work_unit: str, *, at_least: bool) -> str:
    """A hashrate with its bounds, or that it is not known."""
    value, unit = estimated(rate), rate_unit(work_unit)
    if value is None:
        return visit.cells.unknown().text
    (scale, _), count = prefixed(value.best), digits_of(value.low, value.best, value.high)
    ends = bounds(value.low, value.high, scale, count)
    return f"{AT_LEAST if at_least else ''}{quantity(value.best, unit, count)} ({ends})"


def seen_columns(visit: Visit) -> tuple[Column, ...]:
    """Of `seen_cells`."""
    _ = visit._
    return (
        Column("grade", _("Evidence")),
        Column("first_seen", _("First seen"), "moment"),
        Column("last_seen", _("Last seen"), "moment"),
    )


def seen_cells(visit: Visit, seen: Seen) -> tuple[Cell, ...]:
    """How sure it is, and from when to when it was seen, ever."""
    return (grade_text(visit, seen.grade.label), visit.cells.moment(seen.first_ns), visit.cells.moment(seen.last_ns))


def grade_text(visit: Visit, label: str) -> str:
    """A grade in the visit's language."""
    return visit._(GRADES[label][0])


def state_text(visit: Visit, state: str) -> str:
    """A state of a case."""
    return visit._(STATES[state])


def kind_text(visit: Visit, site: SiteSummary | None) -> Cell:
    """The kind of a site with how sure that is; of one that was not seen this week it is not known."""
    if site is None:
        return visit.cells.unknown()
    return f"{visit._(CLASSES[site.site_class.kind])} ({100 * site.site_class.confidence:.0f} %)"


def owner_text(visit: Visit, enterprise: Enterprise | None, site: Site | None) -> str:
    """Whose it is; a person has no name here."""
    return visit.cells.owner(visit.owners.owner(enterprise, site))


def place_text(visit: Visit, enterprise: Enterprise | None, site: Site | None) -> Cell:
    """The division; of a person the city."""
    if enterprise is None:
        name = visit.owners.name(site.division) if site else None
        return visible(name or (site.division_name or site.division or "") if site else "") or None
    return visit.cells.place(visit.owners.owner(enterprise, site))


def premises_text(enterprise: Enterprise | None, site: Site | None) -> Cell:
    """The street; of a person none."""
    if site is None or site.address is None or (enterprise is not None and enterprise.individual):
        return None
    return visible(site.address)


def case_subject_text(visit: Visit, case: Case) -> str:
    """Whom a case is about: enterprise, person or address."""
    if case.enterprise is not None:
        return owner_text(visit, case.enterprise, case.site)
    return visible(case.address or "") or visit._("holder not known")


def due_cell(visit: Visit, case: Case) -> Cell:
    """When the next step is due."""
    return visit._("nothing awaited") if case.due_ns is None else visit.cells.moment(case.due_ns)


def days_over(visit: Visit, case: Case) -> Cell:
    """Whole days since a step was due; nothing where none is late."""
    if not case.overdue(visit.now_ns) or case.due_ns is None:
        return None
    return int((visit.now_ns - case.due_ns) // (24 * 3_600 * 1_000_000_000))
