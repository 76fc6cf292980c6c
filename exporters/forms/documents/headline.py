"""The period of a bulletin in figures: key figures, energy by day, tables by algorithm and by group. Pure.

Every figure says what it is of: seen or projected, while mining or of the time watched; and where it is a lower bound.
"""

from __future__ import annotations

import dataclasses

from exporters.forms.amounts import rate_unit
from exporters.forms.documents.columns import HASHES, Cells, estimated, mean_columns, part, rate_columns
from exporters.forms.documents.labels import CLASSES
from exporters.forms.documents.model import (
    Cell,
    Chart,
    ChartPoint,
    Column,
    DocumentSection,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    rounded,
)
from exporters.forms.documents.numerals import shown
from exporters.forms.documents.translations import Translate
from sensor.model.figures import ByAlgorithm, Figures, Group, Turnover
from sensor.model.summary import SECONDS_PER_HOUR

#: Algorithms whose hashrate is a key figure.
MOST_RATES = 4


class Headline:
    """The first section of one bulletin in one language."""

    def __init__(self, figures: Figures, translate: Translate, cells: Cells) -> None:
        self.figures, self._, self.cells = figures, translate, cells

    def section(self) -> DocumentSection:
        """All of it."""
        _, figures = self._, self.figures
        facts = (*self._counts(), *self._energies(), *self._rates(), *self._costs())
        blocks = [KeyFigures("headline", "", facts), *self._days(), self._algorithms()]
        blocks += [
            self._groups("cities", _("By city"), _("City"), figures.by_city),
            self._groups("owners", _("By kind of owner"), _("Kind of owner"), figures.by_owner),
            self._groups("coins", _("By coin"), _("Coin"), figures.by_coin),
            self._groups("classes", _("By kind of site"), _("Kind of site"), figures.by_class),
        ]
        return DocumentSection("headline", _("The period in figures"), tuple(blocks))

    def _counts(self) -> list[KeyFigure]:
        _, figures = self._, self.figures
        return [
            self._count("addresses", _("Addresses that mine"), figures.address_turnover),
            self._count("enterprises", _("Enterprises"), figures.enterprise_turnover),
        ]

    def _count(self, key: str, title: str, counts: Turnover) -> KeyFigure:
        before = (
            self._("{count} in the period before").format(count=f"{counts.before:,}")
            if self.figures.coverage_before.part > 0.0 or counts.before
            else self._("the period before was not observed")
        )
        unseen = self.figures.coverage.part <= 0.0 and not counts.now
        value = self.cells.not_observed() if unseen else counts.now
        return KeyFigure(key, title, value, note=before, at_least=not self.figures.watched)

    def _energies(self) -> list[KeyFigure]:
        _, cells, estimate, watched = self._, self.cells, self.figures.estimate, self.figures.watched
        seen = cells.seen(estimate.energy_kwh, estimate) or self._unobserved()
        facts = [
            KeyFigure("day_kwh", _("Electricity a day, projected"),
                      cells.projected(estimate.day_kwh, estimate, watched), "figure", "kWh",
                      cells.openness(estimate.day_kwh)),
            KeyFigure("egress_mbit_s", _("Traffic with pools"), self._egress(), "figure", "Mbit/s"),
            KeyFigure("energy_kwh", _("Electricity seen"), seen, "figure", "kWh", cells.openness(estimate.energy_kwh)),
            KeyFigure("week_kwh", _("Electricity a week, projected"),
                      cells.projected(estimate.week_kwh, estimate, watched), "figure", "kWh"),
        ]  # fmt: skip
        for key, title, seconds in (
            ("unknown_hours", _("Mining of unknown work"), estimate.unrated_seconds),
            ("unknown_energy_hours", _("Mining of unknown energy"), estimate.missing_seconds),
            ("assumed_hours", _("Mining at an assumed rate"), estimate.assumed_seconds),
        ):
            if seconds > 0.0:
                note = {
                    "unknown_hours": _("in no figure of energy and hashrate"),
                    "unknown_energy_hours": _("in no figure of energy: work or efficiency is not known"),
                    "assumed_hours": _("of unknown work, at the same login's rate of other times"),
                }[key]
                facts.append(KeyFigure(key, title, cells.hours(seconds), "figure", "h", note))
        return facts

    def _unobserved(self) -> Cell:
        return self.cells.not_observed() if self.figures.coverage.part <= 0.0 else None

    def _egress(self) -> Cell:
        egress = self.figures.egress_mbit_s
        return self.cells.not_observed() if egress is None else rounded(egress)

    def _rates(self) -> list[KeyFigure]:
        _, cells, estimate = self._, self.cells, self.figures.estimate
        facts = []
        for row in self.figures.by_algorithm[:MOST_RATES]:
            name = row.algorithm or _("algorithm not known")
            title = _("Hashrate, {algorithm}").format(algorithm=name)
            value = cells.rate(row.hashrate_hps, row.estimate)
            unit = rate_unit(row.work_unit)
            facts.append(
                KeyFigure(
                    f"hashrate_{row.algorithm or 'unknown'}", title, value, "prefixed", unit, self._mean(row, unit)
                )
            )
        while_mining, mean = (
            cells.seen(watts, estimate) for watts in (estimate.power_watts, estimate.mean_power_watts)
        )
        note = "" if mean is None else _("mean of the time watched: {power}").format(power=shown(mean, "prefixed", "W"))
        value = while_mining or self._unobserved()
        return [*facts, KeyFigure("power_watts", _("Power while mining"), value, "prefixed", "W", note)]

    def _mean(self, row: ByAlgorithm, unit: str) -> str:
        """The other rate of an algorithm beside that of its miners while they mine."""
        mean = estimated(row.mean_hashrate_hps)
        if mean is None:
            return ""
        return self._("while mining; mean of the time watched: {rate}").format(rate=shown(mean, "prefixed", unit))

    def _costs(self) -> list[KeyFigure]:
        _, cells, figures = self._, self.cells, self.figures
        estimate = figures.estimate
        return [
            KeyFigure(
                "co2_kg",
                _("CO2 of the energy seen"),
                cells.seen(estimate.co2_kg, estimate) or self._unobserved(),
                "figure",
                "kg",
            ),
            KeyFigure(
                "surcharge_yuan",
                _("Surcharge on the energy seen"),
                cells.seen(estimate.surcharge_yuan, estimate) or self._unobserved(),
                "figure",
                _("yuan"),
            ),
            KeyFigure("coins", _("Coins"), cells.several(figures.coins, 12) or self._unobserved(), "text"),
            KeyFigure(
                "machines", _("Machines, at least"), figures.machines if figures.addresses else self._unobserved()
            ),
        ]

    def _days(self) -> list[Chart | DocumentTable]:
        """Energy by day, as a chart and as a table; days that nobody watched are no zeros."""
        _, figures = self._, self.figures
        if len(figures.days) < 2:
            return []
        parts = {first: coverage.part for first, _last, coverage in figures.watched_days}
        description = _(
            "Electricity of mining seen on each day, in kWh, with its bounds; the same figures stand in the table "
            "below."
        )
        points, rows = [], []
        for day, kwh in figures.days:
            watched = parts.get(day, 0.0)
            value: Cell = estimated(kwh) or (self.cells.not_observed() if watched <= 0.0 else None)
            points.append(ChartPoint(day.strftime("%m-%d"), estimated(kwh), rounded(1.0 - watched)))
            rows.append((day.isoformat(), value, part(watched) if watched > 0.0 else self.cells.not_observed()))
        columns = (
            Column("day", _("Day")),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
            Column("watched", _("Part watched"), "part"),
        )
        title = _("Electricity seen by day, kWh; hatched: not observed")
        chart = Chart("days", title, "kWh", tuple(points), description=description)
        missing = figures.estimate.missing_seconds > 0.0
        notes = (_("Mining of unknown energy is in no day: they are lower bounds."),) if missing else ()
        table = DocumentTable("days", _("Electricity seen by day"), columns, tuple(rows), notes=notes, folded=True)
        return [chart, table]

    def _algorithms(self) -> DocumentTable:
        _, figures, cells = self._, self.figures, self.cells
        units = [row.work_unit for row in figures.by_algorithm]
        rates, means = rate_columns(_, units), mean_columns(_, units)
        columns = (
            Column("algorithm", _("Algorithm")),
            Column("addresses", _("Addresses"), "count"),
            Column("machines", _("Machines, at least"), "count"),
            Column("shares", _("Shares"), "count"),
            *(column for _unit, column in rates),
            *(dataclasses.replace(column, aside=True) for _unit, column in means),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
            Column("day_kwh", _("Electricity a day, projected"), "figure", "kWh", ranged=True),
            Column("unknown_hours", _("Hours of unknown work"), "figure", "h", aside=True),
            Column("unknown_energy_hours", _("Hours of unknown energy"), "figure", "h", aside=True),
            Column("assumed_hours", _("Hours at an assumed rate"), "figure", "h", aside=True),
        )
        rows: list[tuple[Cell, ...]] = []
        for row in figures.by_algorithm:
            estimate = row.estimate
            speeds = [
                cells.rate(value, estimate) if (unit == HASHES) == (row.work_unit == HASHES) else None
                for given, value in ((rates, row.hashrate_hps), (means, row.mean_hashrate_hps))
                for unit, _column in given
            ]
            energies = (
                cells.seen(estimate.energy_kwh, estimate),
                cells.projected(estimate.day_kwh, estimate, figures.watched),
            )
            hours = cells.unknown_hours(estimate)
            counts = (row.addresses, row.machines, row.shares)
            rows.append((row.algorithm or _("not known"), *counts, *speeds, *energies, *hours))
        note = _(
            "Hashrates of different algorithms measure different work; their sum would mean nothing and is not given."
        )
        return DocumentTable("algorithms", _("By algorithm"), columns, tuple(rows), nothing(figures, _), (note,))

    def _groups(self, key: str, title: str, head: str, groups: tuple[Group, ...]) -> DocumentTable:
        _ = self._
        columns = (
            Column(key, head),
            Column("addresses", _("Addresses"), "count"),
            Column("part", _("Part"), "part", bar=True),
            Column("enterprises", _("Enterprises"), "count", spare=True),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
        )
        rows = tuple(
            (self._name(key, group), group.addresses, part(group.part), group.enterprises, self._energy(group))
            for group in groups
        )
        return DocumentTable(key, title, columns, rows, nothing(self.figures, _), most=20, narrow=True)

    def _energy(self, group: Group) -> Cell:
        missing = group.missing_seconds > 0.0
        return estimated(group.energy_kwh, missing) or (self.cells.unknown() if missing else None)

    def _name(self, table: str, group: Group) -> str:
        if group.key is None:
            return self._("not known")
        if table == "owners":
            return self.cells.category(group.key)
        if table == "classes":
            return self._(CLASSES.get(group.key, group.key))
        return group.name or group.key


def nothing(figures: Figures, _: Translate) -> str:
    """What stands where no mining is: what that means depends on how much was watched."""
    if figures.coverage.part <= 0.0:
        return _("Not observed: no sensor listened.")
    if not figures.watched:
        hours = f"{rounded(figures.coverage.seconds / SECONDS_PER_HOUR, 3):,g}"
        return _("No mining was seen in the {hours} hours that were watched.").format(hours=hours)
    return _("No mining was seen.")
