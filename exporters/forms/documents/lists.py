"""The long tables of a bulletin: enterprises, addresses, cases, meters. Pure: figures in, tables out."""

from __future__ import annotations

import dataclasses
from collections import Counter

from exporters.forms.documents.columns import HASHES, Cells, change, estimated, mean_columns, part, rate_columns
from exporters.forms.documents.headline import nothing
from exporters.forms.documents.labels import CLASSES, GRADES, REASONS, STATES, VERDICTS
from exporters.forms.documents.model import (
    Cell,
    Column,
    DocumentSection,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    ranged,
    rounded,
)
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import visible
from sensor.model.figures import CaseRow, Figures, Holder, MeterCheck, Reason
from sensor.model.range import Range

#: Rows that a page shows of each; spreadsheets have all.
MOST_HOLDERS, MOST_MINES, MOST_CASES = 25, 15, 25
KILO = 1000.0


class HolderTables:
    """Tables of enterprises and persons of one bulletin."""

    def __init__(self, figures: Figures, translate: Translate, cells: Cells) -> None:
        self._figures, self._, self._cells = figures, translate, cells

    def table(self, key: str, title: str, ranked: tuple[Holder, ...], earlier: bool = False) -> DocumentTable:
        """Holders in their order; `earlier` ones are of the period before."""
        _ = self._
        columns = (
            Column("name", _("Name")),
            Column("uscc", _("Credit code"), aside=True),
            Column("category", _("Kind of owner")),
            Column("city", _("Place")),
            Column("premises", _("Premises"), aside=True),
            Column("site_class", _("Kind of site")),
            Column("addresses", _("Addresses"), "count"),
            Column("machines", _("Machines, at least"), "count", aside=True),
            Column("coins", _("Coins")),
            Column("algorithms", _("Algorithms"), aside=True),
            Column("grade", _("Evidence")),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True, bar=True),
            Column("day_kwh", _("Electricity a day, projected"), "figure", "kWh", ranged=True),
            Column("power_watts", _("Power while mining"), "prefixed", "W", ranged=True, aside=True),
            Column("openness", _("What leaves it open"), aside=True),
            Column("unknown_hours", _("Hours of unknown work"), "figure", "h", aside=True),
            Column("unknown_energy_hours", _("Hours of unknown energy"), "figure", "h", aside=True),
            Column("assumed_hours", _("Hours at an assumed rate"), "figure", "h", aside=True),
            Column("co2_kg", _("CO2"), "figure", "kg", ranged=True, aside=True),
            Column("surcharge_yuan", _("Surcharge"), "figure", _("yuan"), ranged=True, aside=True),
            Column("growth", _("Growth"), "change"),
            Column("first_seen", _("First seen"), "moment", aside=True),
            Column("last_seen", _("Last seen"), "moment", aside=True),
            Column("state", _("Case")),
        )
        rows = tuple(self._row(holder, earlier) for holder in ranked)
        return DocumentTable(key, title, columns, rows, self._nobody(key), most=MOST_HOLDERS)

    def _nobody(self, key: str) -> str:
        """What stands in an empty table: that there is none, only where it is known."""
        _, figures = self._, self._figures
        if key == "gone" and not figures.watched:
            return _("Too little was watched to call anybody gone.")
        if key == "unobserved" and figures.coverage_before.part <= 0.0:
            return _("The period before was not observed.")
        return nothing(figures, _) if key in ("holders", "new") and not figures.mines else _("None.")

    def _row(self, holder: Holder, earlier: bool) -> tuple[Cell, ...]:
        _, cells, owner, estimate = self._, self._cells, holder.owner, holder.estimate
        before = self._figures.coverage_before
        watched = before.part >= self._figures.grounds.least_watched if earlier else self._figures.watched
        comparable = self._figures.watched and before.part >= self._figures.grounds.least_watched
        growth: Cell = change(holder.growth) if comparable or earlier or holder.new else cells.not_observed()
        return (
            cells.owner(owner),
            owner.uscc,
            cells.category(owner.category),
            cells.place(owner),
            visible(owner.premises) if owner.premises else None,
            _(CLASSES[holder.kind]),
            holder.addresses,
            holder.machines,
            cells.several(holder.coins),
            cells.several(holder.algorithms),
            _(GRADES[holder.grade.label][0]),
            cells.seen(estimate.energy_kwh, estimate),
            cells.projected(estimate.day_kwh, estimate, watched),
            cells.seen(estimate.power_watts, estimate),
            cells.openness(estimate.energy_kwh) or None,
            *cells.unknown_hours(estimate),
            cells.seen(estimate.co2_kg, estimate),
            cells.seen(estimate.surcharge_yuan, estimate),
            growth,
            cells.moment(holder.first_ns),
            cells.moment(holder.last_ns),
            _(STATES[holder.state]) if holder.state else None,
        )


def mines(figures: Figures, _: Translate, cells: Cells) -> DocumentTable:
    """Every address that mines, by algorithm: the list down to the address."""
    units = [mine.work_unit for mine in figures.mines]
    rates, means = rate_columns(_, units), mean_columns(_, units)
    columns = (
        Column("address", _("Address")),
        Column("name", _("Name")),
        Column("city", _("Place")),
        Column("algorithm", _("Algorithm")),
        Column("coins", _("Coins")),
        Column("pools", _("Pools")),
        Column("grade", _("Evidence")),
        Column("shares", _("Shares"), "count", aside=True),
        Column("accepted", _("Accepted shares"), "count", aside=True),
        Column("hours_mining", _("Hours seen mining"), "figure", "h"),
        Column("hours_observed", _("Hours observed"), "figure", "h", aside=True),
        *(column for _unit, column in rates),
        *(dataclasses.replace(column, aside=True) for _unit, column in means),
        Column("power_watts", _("Power while mining"), "prefixed", "W", ranged=True, aside=True),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
        Column("projected_kwh", _("Electricity projected"), "figure", "kWh", ranged=True, aside=True),
        Column("day_kwh", _("Electricity a day, projected"), "figure", "kWh", ranged=True, aside=True),
        Column("unknown_hours", _("Hours of unknown work"), "figure", "h", aside=True),
        Column("unknown_energy_hours", _("Hours of unknown energy"), "figure", "h", aside=True),
        Column("assumed_hours", _("Hours at an assumed rate"), "figure", "h", aside=True),
        Column("first_seen", _("First seen"), "moment", aside=True),
        Column("last_seen", _("Last seen"), "moment"),
        Column("new", _("New"), aside=True),
    )
    rows = []
    for mine in figures.mines:
        estimate = mine.estimate
        speeds = [
            cells.rate(value, estimate) if (unit == HASHES) == (mine.work_unit == HASHES) else None
            for given, value in ((rates, mine.hashrate_hps), (means, mine.mean_hashrate_hps))
            for unit, _column in given
        ]
        named = (
            mine.address,
            cells.owner(mine.owner),
            cells.place(mine.owner),
            mine.algorithm or _("not known"),
            cells.several(mine.coins),
        )
        seen = (cells.several(mine.pools, 3), _(GRADES[mine.grade.label][0]), mine.shares, mine.accepted)
        hours = (cells.hours(mine.mining_seconds), cells.hours(mine.observed_seconds))
        energies = (
            cells.seen(estimate.power_watts, estimate),
            cells.seen(estimate.energy_kwh, estimate),
            cells.projected(estimate.projected_kwh, estimate, figures.watched),
            cells.projected(estimate.day_kwh, estimate, figures.watched),
            *cells.unknown_hours(estimate),
        )
        times = (cells.moment(mine.first_ns), cells.moment(mine.last_ns), cells.flag(mine.new, _("newly seen")))
        rows.append((*named, *seen, *hours, *speeds, *energies, *times))
    return DocumentTable("addresses", _("Addresses"), columns, tuple(rows), nothing(figures, _), most=MOST_MINES)


def cases(case_rows: tuple[CaseRow, ...], _: Translate, cells: Cells) -> DocumentSection:
    """How many cases are in which state, and each of them."""
    counts = Counter(case.state for case in case_rows)
    overdue = Counter(case.state for case in case_rows if case.overdue)
    state_columns = (
        Column("state", _("State")),
        Column("cases", _("Cases"), "count"),
        Column("overdue", _("Overdue"), "count"),
    )
    states = tuple((_(name), counts[state], overdue[state]) for state, name in STATES.items() if counts[state])  # type: ignore[index]
    columns = (
        Column("case", _("Case")),
        Column("name", _("Name")),
        Column("city", _("Place")),
        Column("state", _("State")),
        Column("since", _("Since"), "moment"),
        Column("due", _("Due"), "moment"),
        Column("overdue", _("Overdue")),
        Column("last_seen", _("Mining last seen"), "moment"),
    )
    rows = tuple(
        (
            str(case.case_id),
            cells.owner(case.owner) if case.owner else case.address or cells.owner(None),
            cells.place(case.owner),
            _(STATES[case.state]),
            cells.moment(case.since_ns),
            cells.moment(case.due_ns),
            cells.flag(case.overdue, _("overdue")),
            cells.moment(case.last_ns),
        )
        for case in case_rows
    )
    by_state = DocumentTable("states", _("Cases by state"), state_columns, states, _("There is no case."), narrow=True)
    listed = (DocumentTable("cases", _("Cases, overdue ones first"), columns, rows, most=MOST_CASES),) if rows else ()
    return DocumentSection("cases", _("Cases"), (by_state, *listed))


def meters(checks: tuple[MeterCheck, ...], _: Translate, cells: Cells) -> DocumentSection:
    """Metered load beside the load that mining should be, each with its verdict and why."""
    columns = (
        Column("meter", _("Meter")),
        Column("name", _("Name")),
        Column("verdict", _("Verdict")),
        Column("expected_kwh", _("Mining, expected"), "figure", "kWh", ranged=True),
        Column("measured_kwh", _("Metered"), "figure", "kWh"),
        Column("coverage", _("Part of the period"), "part", aside=True),
        Column("evenness", _("Mean by peak"), "part", aside=True),
        Column("step_watts", _("Rise when mining began"), "prefixed", "W", ranged=True, aside=True),
        Column("fall_watts", _("Fall when mining stopped"), "prefixed", "W", ranged=True, aside=True),
        Column("why", _("Why"), wide=True),
    )
    rows = tuple(
        (
            visible(check.meter),
            cells.owner(check.owner) if check.owner else None,
            _(VERDICTS[check.verdict]),
            estimated(check.expected_kwh) if check.expected_kwh else None,
            None if check.measured_kwh is None else rounded(check.measured_kwh),
            part(check.metered_share),
            part(check.evenness),
            _step(check.step_watts),
            _step(check.fall_watts),
            _("; ").join(reason_text(reason, _) for reason in check.reasons),
        )
        for check in checks
    )
    codes = Counter(reason.code for check in checks for reason in check.reasons)
    verdicts = Counter(check.verdict for check in checks)
    facts = (
        *(KeyFigure(f"meters_{verdict}", _(name), verdicts[verdict]) for verdict, name in VERDICTS.items()),  # type: ignore[index]
        KeyFigure("meters_even_unseen", _("Even loads without mining seen"), codes["even-unseen"]),
        KeyFigure("meters_exits_confirmed", _("Exits that a meter confirms"), codes["fell"]),
        KeyFigure("meters_exits_refuted", _("Exits that a meter refutes"), codes["did-not-fall"]),
    )
    introduction = _(
        "The energy that the mining seen should take, beside what meters measured in the same time. A meter measures "
        "everything behind it, so mining that fits into its load is consistent with it, not proven by it."
    )
    table = DocumentTable("meters", _("Metered load and mining"), columns, rows, _("No meter was given."))
    counts = KeyFigures("cross_check", "", facts)
    return DocumentSection("electricity", _("Electricity cross-check"), (counts, table), introduction)


def _step(watts: Range | None) -> Cell:
    return ranged(watts.low, watts.best, watts.high) if watts else None


def reason_text(reason: Reason, _: Translate) -> str:
    """A reason as a sentence."""
    figures = {name: f"{rounded(value, 3):,g}" for name, value in reason.figures.items()}
    return _(REASONS[reason.code]).format(**figures)
