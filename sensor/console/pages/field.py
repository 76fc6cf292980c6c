"""What was found at the place beside what the sensor estimates, with the ratio of both: a check on the estimate.

Both are of different stretches of time, so the estimate is made for as many hours as were found: power times hours.
What is not known has no ratio.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.amounts import AT_LEAST, digits
from exporters.forms.documents.columns import estimated
from exporters.forms.documents.model import Cell, Column, DocumentTable
from exporters.redaction.persons import shown_work
from sensor.console.blocks import ConsoleBlock, Sayings
from sensor.console.casework.sentences import conclusion_title, machines_text, measures_title
from sensor.console.desk import Visit
from sensor.estimate.costs import estimate
from sensor.model.casework import FieldResult
from sensor.model.range import Range
from sensor.model.summary import SECONDS_PER_HOUR, Case, Line, machines

KILO = 1_000.0


def field_blocks(visit: Visit, case: Case) -> tuple[ConsoleBlock, ...]:
    """Conclusion and measures, and the comparison; nothing where nothing was concluded."""
    work, _ = shown_work(case.work, case.enterprise, case.site, persons=False), visit._
    if work.conclusion is None and not work.measures and work.field_result is None:
        return ()
    concluded = _("Conclusion: {conclusion}. Measures: {measures}.").format(
        conclusion=conclusion_title(visit, work), measures=measures_title(visit, work)
    )
    week = visit.week_to(case.last_ns)
    basis = _("Estimated from {first} to {last}, the week in which mining was last seen: watched {hours} of 168 hours.")
    text = basis.format(first=week.period.first, last=week.period.last, hours=f"{week.watched_hours:,.4g}")
    lines = [line for line in week.summary.lines if line.case_id == case.case_id]
    found = work.field_result or FieldResult()
    return (Sayings("", (concluded, text)), _table(visit, found, lines, week.summary.seconds))


def _table(visit: Visit, found: FieldResult, lines: Sequence[Line], seconds: float) -> DocumentTable:
    _, desk = visit._, visit.desk
    its = estimate(lines, seconds, desk.rates, desk.grounds) if lines else None
    watts = None if its is None else its.power_watts
    seen = machines(lines) if lines else None
    hours = max((line.times.mining_seconds for line in lines), default=0.0) / SECONDS_PER_HOUR if lines else None
    unknown = visit.cells.unknown()
    counted = found.machines_counted
    for_hours = None if watts is None or found.hours is None else found.hours
    rows: tuple[tuple[Cell, ...], ...] = (
        (
            _("Machines"),
            machines_text(visit, found) if found.machines else unknown,
            unknown if seen is None else f"{AT_LEAST}{seen:,}",
            _ratio(counted, seen),
        ),
        (
            _("Hours that they ran"),
            unknown if found.hours is None else f"{found.hours:,.10g} h",
            unknown if hours is None else _("{hours} h seen mining in that week").format(hours=digits(hours)),
            None,
        ),
        (
            _("Electricity, as metered"),
            unknown if found.kwh is None else f"{found.kwh:,.10g} kWh",
            unknown if for_hours is None else _("{kwh} kWh in as many hours").format(kwh=_range_text(watts, for_hours)),
            None if for_hours is None else _ratio(found.kwh, _best(watts, for_hours)),
        ),
        (
            _("Power"),
            unknown if found.kilowatts is None else f"{digits(found.kilowatts)} kW",
            unknown if watts is None else f"{_range_text(watts, 1.0)} kW",
            _ratio(found.kilowatts, _best(watts, 1.0)),
        ),
    )
    columns = (
        Column("what", _("What")),
        Column("found", _("Found at the place"), wide=True),
        Column("estimated", _("Estimated by the sensor"), wide=True),
        Column("ratio", _("Found by estimated")),
    )
    return DocumentTable("field", _("Field result beside the estimate"), columns, rows, "")


def _range_text(watts: Range | None, hours: float) -> str:
    """Kilowatts, or what they come to in so many hours, with bounds."""
    value = estimated(watts)
    if value is None:
        return "–"
    best, low, high = (digits(each / KILO * hours) for each in (value.best, value.low, value.high))
    return f"{AT_LEAST if value.at_least else ''}{best} ({low}–{high})"


def _best(watts: Range | None, hours: float) -> float | None:
    value = estimated(watts)
    return None if value is None else value.best / KILO * hours


def _ratio(found: float | None, estimate_of: float | None) -> Cell:
    return None if found is None or not estimate_of else digits(found / estimate_of)
