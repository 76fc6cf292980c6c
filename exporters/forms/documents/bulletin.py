"""The bulletin as a document: the headline figures that regulators publish, then enterprises, changes, cases, evidence, method, coverage.

Pure: figures in, a document out, in one of the languages. It adds nothing up; every figure comes with its bounds from `sensor/bulletin`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from exporters.forms.documents import lists
from exporters.forms.documents.columns import Cells, estimated, part, rate_columns
from exporters.forms.documents.model import (
    Cell,
    Chart,
    Column,
    Document,
    Fact,
    Facts,
    Point,
    Section,
    Sentences,
    Table,
    rounded,
)
from exporters.forms.documents.wording import CLASSES, GRADES, METHOD
from exporters.forms.documents.words import BABEL_LOCALES, translator
from sensor.model.figures import Figures, Group

FORM = "minewatch-bulletin/1"


def document(figures: Figures, language: str, version: str, made: datetime | None = None) -> Document:
    """The whole bulletin; `made` is when it was made, left out where bulletins are compared."""
    return _Bulletin(figures, language).document(version, made)


class _Bulletin:
    """One bulletin in one language."""

    def __init__(self, figures: Figures, language: str) -> None:
        self.figures, self.language = figures, language
        self._ = translator(language)
        self.zone = ZoneInfo(figures.timezone)
        self.cells = Cells(self._, self.zone)

    def document(self, version: str, made: datetime | None) -> Document:
        _, given = self._, self.figures
        region = given.region_name or given.region or _("everywhere")
        meta = [(_("Region"), region), (_("Time zone"), given.timezone)]
        if made is not None:
            meta.append((_("Made"), made.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")))
        sections = [self._headline(), self._enterprises(), self._changes(), self._cases(), self._evidence()]
        if given.meters is not None:
            sections.append(lists.meters(given.meters, _, self.cells))
        identity: dict[str, object] = {
            "format": FORM,
            "first": given.first.isoformat(),
            "last": given.last.isoformat(),
            "week": given.week,
            "timezone": given.timezone,
            "region": given.region,
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
        given, locale = self.figures, BABEL_LOCALES[self.language]
        first, last = (format_date(day, "long", locale) for day in (given.first, given.last))
        if given.first == given.last:
            return first
        if given.week is None:
            return self._("{first} to {last}").format(first=first, last=last)
        year, number = given.week.split("-W")
        return self._("Week {number} of {year}: {first} to {last}").format(
            number=int(number), year=year, first=first, last=last
        )

    def _headline(self) -> Section:
        _, given = self._, self.figures
        estimate = given.estimate
        facts = [
            Fact("addresses", _("Addresses that mine"), given.addresses, note=self._before(given.addresses_before)),
            Fact("enterprises", _("Enterprises"), given.enterprises, note=self._before(given.enterprises_before)),
            Fact("day_kwh", _("Electricity a day"), estimated(estimate.day_kwh), "figure", "kWh"),
            Fact("egress_mbit_s", _("Traffic with pools"), rounded(given.egress_mbit_s), "figure", "Mbit/s"),
        ]
        for one in given.by_algorithm[:4]:
            unit = "H/s" if one.work_unit == "hashes" else "Sol/s"
            name = one.algorithm or _("algorithm not known")
            title = _("Hashrate, {algorithm}").format(algorithm=name)
            facts.append(
                Fact(f"hashrate_{one.algorithm or 'unknown'}", title, estimated(one.hashrate_hps), "prefixed", unit)
            )
        facts += [
            Fact("week_kwh", _("Electricity a week"), estimated(estimate.week_kwh), "figure", "kWh"),
            Fact("power_watts", _("Power"), estimated(estimate.power_watts), "prefixed", "W"),
            Fact("co2_kg", _("CO2 of the energy seen"), estimated(estimate.co2_kg), "figure", "kg"),
            Fact(
                "surcharge_yuan",
                _("Surcharge on the energy seen"),
                estimated(estimate.surcharge_yuan),
                "figure",
                _("yuan"),
            ),
            Fact("coins", _("Coins"), self.cells.several(given.coins, 12), "text"),
            Fact("machines", _("Machines, at least"), given.machines),
        ]
        blocks = [Facts("headline", "", tuple(facts)), *self._days(), self._algorithms()]
        blocks += [
            self._groups("cities", _("By city"), _("City"), given.by_city),
            self._groups("owners", _("By kind of owner"), _("Kind of owner"), given.by_owner),
            self._groups("coins", _("By coin"), _("Coin"), given.by_coin),
            self._groups("classes", _("By kind of site"), _("Kind of site"), given.by_class),
        ]
        return Section("headline", _("The period in figures"), tuple(blocks))

    def _before(self, count: int) -> str:
        return self._("{count} in the period before").format(count=f"{count:,}")

    def _days(self) -> list[Chart | Table]:
        """Energy by day, as a chart and as a table."""
        _, given = self._, self.figures
        if len(given.days) < 2:
            return []
        values = [(day, estimated(kwh)) for day, kwh in given.days]
        description = _(
            "Electricity of mining seen on each day, in kWh, with its bounds; the same figures stand in the table below."
        )
        points = tuple(Point(day.strftime("%m-%d"), value) for day, value in values)
        rows = tuple((day.isoformat(), value) for day, value in values)
        columns = (Column("day", _("Day")), Column("energy_kwh", _("Electricity"), "figure", "kWh", ranged=True))
        chart = Chart("days", _("Electricity by day, kWh"), "kWh", points, description=description)
        return [chart, Table("days", _("Electricity by day"), columns, rows, folded=True)]

    def _algorithms(self) -> Table:
        _, given = self._, self.figures
        rates = rate_columns(_, (one.work_unit for one in given.by_algorithm))
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
        for one in given.by_algorithm:
            speed = [
                estimated(one.hashrate_hps) if (unit == "hashes") == (one.work_unit == "hashes") else None
                for unit, _column in rates
            ]
            energies = (estimated(one.estimate.energy_kwh), estimated(one.estimate.day_kwh))
            rows.append((one.algorithm or _("not known"), one.addresses, one.machines, one.shares, *speed, *energies))
        note = _(
            "Hashrates of different algorithms measure different work; their sum would mean nothing and is not given."
        )
        return Table("algorithms", _("By algorithm"), columns, tuple(rows), _("No mining was seen."), (note,))

    def _groups(self, key: str, title: str, head: str, groups: tuple[Group, ...]) -> Table:
        _ = self._
        columns = (
            Column(key, head),
            Column("addresses", _("Addresses"), "count"),
            Column("part", _("Part"), "part", bar=True),
            Column("enterprises", _("Enterprises"), "count", spare=True),
            Column("energy_kwh", _("Electricity seen"), "figure", "kWh", ranged=True),
        )
        rows = tuple(
            (self._name(key, one), one.addresses, part(one.part), one.enterprises, estimated(one.energy_kwh))
            for one in groups
        )
        return Table(key, title, columns, rows, _("No mining was seen."), most=20, narrow=True)

    def _name(self, table: str, group: Group) -> str:
        if group.key is None:
            return self._("not known")
        if table == "owners":
            return self.cells.category(group.key)
        if table == "classes":
            return self._(CLASSES.get(group.key, group.key))
        return group.name or group.key

    def _enterprises(self) -> Section:
        _, given = self._, self.figures
        holders = lists.holders("holders", _("Enterprises and persons by electricity"), given.holders, _, self.cells)
        introduction = _("Addresses whose holder is not known: {count}. They stand in the list of addresses only.")
        return Section(
            "enterprises",
            _("Who mines"),
            (holders, lists.mines(given.mines, _, self.cells)),
            introduction.format(count=f"{given.addresses_unowned:,}") if given.addresses_unowned else "",
        )

    def _changes(self) -> Section:
        _, given = self._, self.figures
        before = given.before_kwh.best
        change = given.estimate.energy_kwh.best / before - 1 if before > 0 else None
        facts = (
            Fact("addresses_new", _("New addresses"), given.addresses_new, note=_("never seen before")),
            Fact(
                "addresses_gone",
                _("Addresses gone"),
                given.addresses_gone,
                note=_("seen in the period before, not in this one"),
            ),
            Fact(
                "energy_growth", _("Growth of electricity"), part(change), "change", note=_("against the period before")
            ),
        )
        new = lists.holders("new", _("New"), tuple(one for one in given.holders if one.new), _, self.cells)
        gone = lists.holders("gone", _("Gone; figures are of the period before"), given.gone, _, self.cells)
        return Section("changes", _("New and gone"), (Facts("changes", "", facts), new, gone))

    def _cases(self) -> Section:
        return lists.cases(self.figures.cases, self._, self.cells)

    def _evidence(self) -> Section:
        _ = self._
        columns = (
            Column("grade", _("Grade")),
            Column("meaning", _("What was seen")),
            Column("addresses", _("Addresses"), "count"),
            Column("part", _("Part"), "part", bar=True),
        )
        rows = tuple(
            (_(GRADES[one.key][0]), _(GRADES[one.key][1]), one.addresses, part(one.part))
            for one in self.figures.by_grade
            if one.key
        )
        introduction = _("Every address at the strongest evidence there is of it.")
        table = Table("grades", _("Evidence by grade"), columns, rows, _("No mining was seen."))
        return Section("evidence", _("How sure this is"), (table,), introduction)

    def _method(self) -> Section:
        _, given = self._, self.figures
        factors = {"co2": f"{given.rates.co2_kg_per_kwh:g}", "yuan": f"{given.rates.surcharge_yuan_per_kwh:.2f}"}
        sentences = [_(sentence).format(**factors) for sentence in METHOD]
        if not given.persons_named:
            sentences.append(_("Private persons are counted, and named nowhere."))
        return Section("method", _("Method and error bounds"), (Sentences("method", "", tuple(sentences)),))

    def _coverage(self) -> Section:
        _, given = self._, self.figures
        watched = given.watched_seconds
        facts = (
            Fact("watched_hours", _("Time watched"), rounded(watched / 3600) if watched else None, "figure", "h"),
            Fact(
                "watched_part",
                _("Part of the period"),
                part(min(1.0, watched / given.seconds)) if watched else None,
                "part",
            ),
            Fact(
                "capture_loss",
                _("Capture loss"),
                part(given.capture_loss),
                "part",
                note=_("of the bytes of mining connections"),
            ),
        )
        sentences = []
        if not watched:
            sentences.append(_("How long the sensor listened is not known; means are over the whole period."))
        if given.region and given.elsewhere:
            sentences.append(
                _("{count} addresses are left out: they lie elsewhere, or their place is not known.").format(
                    count=f"{given.elsewhere:,}"
                )
            )
        sentences += [_(note) for note in given.notes]
        more = (Sentences("notes", "", tuple(sentences)),) if sentences else ()
        return Section("coverage", _("Capture coverage and loss"), (Facts("coverage", "", facts), *more))
