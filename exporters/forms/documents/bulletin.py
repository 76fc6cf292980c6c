"""The bulletin as a document: key figures, then enterprises, changes, cases, evidence, method, coverage.

Pure: figures in, a document out, in one of the languages. It adds nothing up; every figure comes with its bounds
from `sensor/bulletin`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from exporters.forms.amounts import rate_unit
from exporters.forms.documents import lists
from exporters.forms.documents.columns import Cells, estimated, part, rate_columns
from exporters.forms.documents.labels import CLASSES, GRADES, METHOD
from exporters.forms.documents.model import (
    Cell,
    Chart,
    ChartPoint,
    Column,
    Document,
    DocumentSection,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    Sentences,
    rounded,
)
from exporters.forms.documents.translations import BABEL_LOCALES, translator
from sensor.model.figures import Figures, Group

FORM = "minewatch-bulletin/1"


def document(figures: Figures, language: str, version: str, written: datetime | None = None) -> Document:
    """The whole bulletin; `written` is when it was written, left out where bulletins are compared."""
    return _Bulletin(figures, language).document(version, written)


class _Bulletin:
    """One bulletin in one language."""

    def __init__(self, figures: Figures, language: str) -> None:
        self.figures, self.language = figures, language
        self._ = translator(language)
        self.zone = ZoneInfo(figures.timezone)
        self.cells = Cells(self._, self.zone)

    def document(self, version: str, written: datetime | None) -> Document:
        _, figures = self._, self.figures
        region = figures.region_name or figures.region or _("everywhere")
        meta = [(_("Region"), region), (_("Time zone"), figures.timezone)]
        if written is not None:
            meta.append((_("Made"), written.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")))
        sections = [self._headline(), self._enterprises(), self._changes(), self._cases(), self._evidence()]
        if figures.meters is not None:
            sections.append(lists.meters(figures.meters, _, self.cells))
        identity: dict[str, object] = {
            "format": FORM,
            "first": figures.first.isoformat(),
            "last": figures.last.isoformat(),
            "week": figures.week,
            "timezone": figures.timezone,
            "region": figures.region,
        }
        footer = _("minewatch {version}. Figures are estimates between bounds; evidence is kept by the sensor.").format(
            version=version
        )
        sections += [self._method(), self._coverage()]
        return Document(
            self.language,
            _("Bulletin on cryptocurrency mining"),
            self._subtitle(),
            tuple(meta),
            tuple(sections),
            identity,
            footer,
        )

    def _subtitle(self) -> str:
        figures, locale = self.figures, BABEL_LOCALES[self.language]
        first, last = (format_date(day, "long", locale) for day in (figures.first, figures.last))
        if figures.first == figures.last:
            return first
        if figures.week is None:
            return self._("{first} to {last}").format(first=first, last=last)
        year, number = figures.week.split("-W")
        return self._("Week {number} of {year}: {first} to {last}").format(
            number=int(number), year=year, first=first, last=last
        )

    def _headline(self) -> DocumentSection:
        _, figures = self._, self.figures
        estimate = figures.estimate
        facts = [
            KeyFigure(
                "addresses", _("Addresses that mine"), figures.addresses, note=self._before(figures.addresses_before)
            ),
            KeyFigure(
                "enterprises", _("Enterprises"), figures.enterprises, note=self._before(figures.enterprises_before)
            ),
            KeyFigure("day_kwh", _("Electricity a day"), estimated(estimate.day_kwh), "figure", "kWh"),
            KeyFigure("egress_mbit_s", _("Traffic with pools"), rounded(figures.egress_mbit_s), "figure", "Mbit/s"),
        ]
        for row in figures.by_algorithm[:4]:
            unit = rate_unit(row.work_unit)
            name = row.algorithm or _("algorithm not known")
            title = _("Hashrate, {algorithm}").format(algorithm=name)
            facts.append(
                KeyFigure(
                    f"hashrate_{row.algorithm or 'unknown'}", title, estimated(row.hashrate_hps), "prefixed", unit
                )
            )
        facts += [
            KeyFigure("week_kwh", _("Electricity a week"), estimated(estimate.week_kwh), "figure", "kWh"),
            KeyFigure("power_watts", _("Power"), estimated(estimate.power_watts), "prefixed", "W"),
            KeyFigure("co2_kg", _("CO2 of the energy seen"), estimated(estimate.co2_kg), "figure", "kg"),
            KeyFigure(
                "surcharge_yuan",
                _("Surcharge on the energy seen"),
                estimated(estimate.surcharge_yuan),
                "figure",
                _("yuan"),
            ),
            KeyFigure("coins", _("Coins"), self.cells.several(figures.coins, 12), "text"),
            KeyFigure("machines", _("Machines, at least"), figures.machines),
        ]
        blocks = [KeyFigures("headline", "", tuple(facts)), *self._days(), self._algorithms()]
        blocks += [
            self._groups("cities", _("By city"), _("City"), figures.by_city),
            self._groups("owners", _("By kind of owner"), _("Kind of owner"), figures.by_owner),
            self._groups("coins", _("By coin"), _("Coin"), figures.by_coin),
            self._groups("classes", _("By kind of site"), _("Kind of site"), figures.by_class),
        ]
        return DocumentSection("headline", _("The period in figures"), tuple(blocks))

    def _before(self, count: int) -> str:
        return self._("{count} in the period before").format(count=f"{count:,}")

    def _days(self) -> list[Chart | DocumentTable]:
        """Energy by day, as a chart and as a table."""
        _, figures = self._, self.figures
        if len(figures.days) < 2:
            return []
        values = [(day, estimated(kwh)) for day, kwh in figures.days]
        description = _(
            "Electricity of mining seen on each day, in kWh, with its bounds; the same figures stand in the table "
            "below."
        )
        points = tuple(ChartPoint(day.strftime("%m-%d"), value) for day, value in values)
        rows = tuple((day.isoformat(), value) for day, value in values)
        columns = (Column("day", _("Day")), Column("energy_kwh", _("Electricity"), "figure", "kWh", ranged=True))
        chart = Chart("days", _("Electricity by day, kWh"), "kWh", points, description=description)
        return [chart, DocumentTable("days", _("Electricity by day"), columns, rows, folded=True)]

    def _algorithms(self) -> DocumentTable:
        _, figures = self._, self.figures
        rates = rate_columns(_, (row.work_unit for row in figures.by_algorithm))
        columns = (
            Column("algorithm", _("Algorithm")),
            Column("addresses", _("Addresses"), "count"),
            Column("machines", _("Machines, at least"), "count"),
            Column("shares", _("Shares"), "count"),
            *(column for _unit, column in rates),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
            Column("day_kwh", _("Electricity a day"), "figure", "kWh", ranged=True),
        )
        rows: list[tuple[Cell, ...]] = []
        for row in figures.by_algorithm:
            speed = [
                estimated(row.hashrate_hps) if (unit == "hashes") == (row.work_unit == "hashes") else None
                for unit, _column in rates
            ]
            energies = (estimated(row.estimate.energy_kwh), estimated(row.estimate.day_kwh))
            rows.append((row.algorithm or _("not known"), row.addresses, row.machines, row.shares, *speed, *energies))
        note = _(
            "Hashrates of different algorithms measure different work; their sum would mean nothing and is not given."
        )
        return DocumentTable("algorithms", _("By algorithm"), columns, tuple(rows), _("No mining was seen."), (note,))

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
            (self._name(key, group), group.addresses, part(group.part), group.enterprises, estimated(group.energy_kwh))
            for group in groups
        )
        return DocumentTable(key, title, columns, rows, _("No mining was seen."), most=20, narrow=True)

    def _name(self, table: str, group: Group) -> str:
        if group.key is None:
            return self._("not known")
        if table == "owners":
            return self.cells.category(group.key)
        if table == "classes":
            return self._(CLASSES.get(group.key, group.key))
        return group.name or group.key

    def _enterprises(self) -> DocumentSection:
        _, figures = self._, self.figures
        holders = lists.holders("holders", _("Enterprises and persons by electricity"), figures.holders, _, self.cells)
        introduction = _("Addresses whose holder is not known: {count}. They stand in the list of addresses only.")
        return DocumentSection(
            "enterprises",
            _("Who mines"),
            (holders, lists.mines(figures.mines, _, self.cells)),
            introduction.format(count=f"{figures.addresses_unowned:,}") if figures.addresses_unowned else "",
        )

    def _changes(self) -> DocumentSection:
        _, figures = self._, self.figures
        before = figures.before_kwh.best
        change = figures.estimate.energy_kwh.best / before - 1 if before > 0 else None
        facts = (
            KeyFigure("addresses_new", _("New addresses"), figures.addresses_new, note=_("never seen before")),
            KeyFigure(
                "addresses_gone",
                _("Addresses gone"),
                figures.addresses_gone,
                note=_("seen in the period before, not in this one"),
            ),
            KeyFigure(
                "energy_growth", _("Growth of electricity"), part(change), "change", note=_("against the period before")
            ),
        )
        new = lists.holders("new", _("New"), tuple(holder for holder in figures.holders if holder.new), _, self.cells)
        gone = lists.holders("gone", _("Gone; figures are of the period before"), figures.gone, _, self.cells)
        return DocumentSection("changes", _("New and gone"), (KeyFigures("changes", "", facts), new, gone))

    def _cases(self) -> DocumentSection:
        return lists.cases(self.figures.cases, self._, self.cells)

    def _evidence(self) -> DocumentSection:
        _ = self._
        columns = (
            Column("grade", _("Grade")),
            Column("meaning", _("What was seen")),
            Column("addresses", _("Addresses"), "count"),
            Column("part", _("Part"), "part", bar=True),
        )
        rows = tuple(
            (_(GRADES[group.key][0]), _(GRADES[group.key][1]), group.addresses, part(group.part))
            for group in self.figures.by_grade
            if group.key
        )
        introduction = _("Every address at the strongest evidence there is of it.")
        table = DocumentTable("grades", _("Evidence by grade"), columns, rows, _("No mining was seen."))
        return DocumentSection("evidence", _("How sure this is"), (table,), introduction)

    def _method(self) -> DocumentSection:
        _, figures = self._, self.figures
        factors = {"co2": f"{figures.rates.co2_kg_per_kwh:g}", "yuan": f"{figures.rates.surcharge_yuan_per_kwh:.2f}"}
        sentences = [_(sentence).format(**factors) for sentence in METHOD]
        if not figures.persons_named:
            sentences.append(_("Private persons are counted, and named nowhere."))
        return DocumentSection("method", _("Method and error bounds"), (Sentences("method", "", tuple(sentences)),))

    def _coverage(self) -> DocumentSection:
        _, figures = self._, self.figures
        watched = figures.coverage_seconds
        facts = (
            KeyFigure("watched_hours", _("Time watched"), rounded(watched / 3600) if watched else None, "figure", "h"),
            KeyFigure(
                "watched_part",
                _("Part of the period"),
                part(min(1.0, watched / figures.seconds)) if watched else None,
                "part",
            ),
            KeyFigure(
                "capture_loss",
                _("Capture loss"),
                part(figures.capture_loss),
                "part",
                note=_("of the bytes of mining connections"),
            ),
        )
        sentences = []
        if not watched:
            sentences.append(_("How long the sensor listened is not known; means are over the whole period."))
        if figures.region and figures.elsewhere:
            sentences.append(
                _("{count} addresses are left out: they lie elsewhere, or their place is not known.").format(
                    count=f"{figures.elsewhere:,}"
                )
            )
        sentences += [_(note) for note in figures.notes]
        more = (Sentences("notes", "", tuple(sentences)),) if sentences else ()
        return DocumentSection("coverage", _("Capture coverage and loss"), (KeyFigures("coverage", "", facts), *more))
