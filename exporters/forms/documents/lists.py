"""The long tables of a bulletin: enterprises, addresses, cases, meters. Pure: figures in, tables out."""

from __future__ import annotations

from collections import Counter

from exporters.forms.cells import printable
from exporters.forms.documents.columns import HASHES, Cells, estimated, part, rate_columns
from exporters.forms.documents.model import Cell, Column, Section, Table, ranged, rounded
from exporters.forms.documents.wording import CLASSES, GRADES, REASONS, STATES, VERDICTS
from exporters.forms.documents.words import Translate
from sensor.model.figures import CaseRow, Holder, MeterCheck, Mine, Reason

#: Rows that a page shows of each; spreadsheets have all.
MOST_HOLDERS, MOST_MINES, MOST_CASES = 25, 15, 25
KILO = 1000.0


def holders(key: str, title: str, given: tuple[Holder, ...], _: Translate, cells: Cells) -> Table:
    """Enterprises and persons, most energy first."""
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
        Column("day_kwh", _("Electricity a day"), "figure", "kWh", ranged=True, bar=True),
        Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True, aside=True),
        Column("co2_kg", _("CO2"), "figure", "kg", ranged=True, aside=True),
        Column("surcharge_yuan", _("Surcharge"), "figure", _("yuan"), ranged=True, aside=True),
        Column("growth", _("Growth"), "change"),
        Column("first_seen", _("First seen"), "moment", aside=True),
        Column("last_seen", _("Last seen"), "moment", aside=True),
        Column("state", _("Case")),
    )
    rows = tuple(_holder(one, _, cells) for one in given)
    return Table(key, title, columns, rows, _("None."), most=MOST_HOLDERS)


def _holder(one: Holder, _: Translate, cells: Cells) -> tuple[Cell, ...]:
    owner, estimate = one.owner, one.estimate
    growth = estimate.energy_kwh.best / one.before_kwh - 1 if one.before_kwh else None
    return (
        cells.owner(owner),
        owner.uscc,
        cells.category(owner.category),
        cells.place(owner),
        printable(owner.premises) if owner.premises else None,
        _(CLASSES[one.kind]),
        one.addresses,
        one.machines,
        cells.several(one.coins),
        cells.several(one.algorithms),
        _(GRADES[one.grade.label][0]),
        estimated(estimate.day_kwh),
        estimated(estimate.energy_kwh),
        estimated(estimate.co2_kg),
        estimated(estimate.surcharge_yuan),
        part(growth),
        cells.moment(one.first_ns),
        cells.moment(one.last_ns),
        _(STATES[one.state]) if one.state else None,
    )


def mines(given: tuple[Mine, ...], _: Translate, cells: Cells) -> Table:
    """Every address that mines, by algorithm: the list down to the address."""
    rates = rate_columns(_, (one.work_unit for one in given))
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
        *(column for _unit, column in rates),
        Column("day_kwh", _("Electricity a day"), "figure", "kWh", ranged=True),
        Column("first_seen", _("First seen"), "moment", aside=True),
        Column("last_seen", _("Last seen"), "moment"),
        Column("new", _("New"), aside=True),
    )
    rows = []
    for one in given:
        speed = [
            estimated(one.hashrate_hps) if (unit == HASHES) == (one.work_unit == HASHES) else None
            for unit, _column in rates
        ]
        named = (
            one.address,
            cells.owner(one.owner),
            cells.place(one.owner),
            one.algorithm or _("not known"),
            cells.several(one.coins),
        )
        seen = (cells.several(one.pools, 3), _(GRADES[one.grade.label][0]), one.shares, one.accepted)
        times = (cells.moment(one.first_ns), cells.moment(one.last_ns), cells.yes(one.new, _("newly seen")))
        rows.append((*named, *seen, *speed, estimated(one.estimate.day_kwh), *times))
    return Table("addresses", _("Addresses"), columns, tuple(rows), _("No mining was seen."), most=MOST_MINES)


def cases(given: tuple[CaseRow, ...], _: Translate, cells: Cells) -> Section:
    """How many cases are in which state, and each of them."""
    counts = Counter(one.state for one in given)
    overdue = Counter(one.state for one in given if one.overdue)
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
            str(one.case_id),
            cells.owner(one.owner) if one.owner else one.address or cells.owner(None),
            cells.place(one.owner),
            _(STATES[one.state]),
            cells.moment(one.since_ns),
            cells.moment(one.due_ns),
            cells.yes(one.overdue, _("overdue")),
            cells.moment(one.last_ns),
        )
        for one in given
    )
    by_state = Table("states", _("Cases by state"), state_columns, states, _("There is no case."), narrow=True)
    listed = (Table("cases", _("Cases, overdue ones first"), columns, rows, most=MOST_CASES),) if rows else ()
    return Section("cases", _("Cases"), (by_state, *listed))


def meters(given: tuple[MeterCheck, ...], _: Translate, cells: Cells) -> Section:
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
        Column("why", _("Why"), wide=True),
    )
    rows = tuple(
        (
            printable(one.meter),
            cells.owner(one.owner) if one.owner else None,
            _(VERDICTS[one.verdict]),
            estimated(one.expected_kwh) if one.expected_kwh else None,
            None if one.measured_kwh is None else rounded(one.measured_kwh),
            part(one.coverage),
            part(one.evenness),
            _step(one),
            _("; ").join(reason_text(reason, _) for reason in one.reasons),
        )
        for one in given
    )
    introduction = _(
        "The energy that the mining seen should take, beside what meters measured in the same time. A meter measures everything behind "
        "it, so mining that fits into its load is consistent with it, not proven by it."
    )
    table = Table("meters", _("Metered load and mining"), columns, rows, _("No meter was given."))
    return Section("electricity", _("Electricity cross-check"), (table,), introduction)


def _step(one: MeterCheck) -> Cell:
    return ranged(one.step_watts.low, one.step_watts.best, one.step_watts.high) if one.step_watts else None


def reason_text(reason: Reason, _: Translate) -> str:
    """A reason in words."""
    figures = {name: f"{rounded(value, 3):,g}" for name, value in reason.figures.items()}
    return _(REASONS[reason.code]).format(**figures)
