"""The bulletin as a document: key figures, then enterprises, changes, cases, evidence, method, coverage.

Pure: figures in, a document out, in one of the languages. It adds nothing up; every figure comes with its bounds
from `sensor/bulletin`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from exporters.forms.documents import lists, unproven
from exporters.forms.documents.basis import opening, percent_text
from exporters.forms.documents.columns import Cells, change, opened, part
from exporters.forms.documents.headline import Headline, nothing
from exporters.forms.documents.labels import GRADES, METHOD
from exporters.forms.documents.model import (
    Cell,
    Column,
    Document,
    DocumentSection,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    Sentences,
)
from exporters.forms.documents.translations import BABEL_LOCALES, translator
from sensor.model.audit_head import AuditHead
from sensor.model.figures import Figures, Turnover

FORM = "minewatch-bulletin/1"


def document(
    figures: Figures, language: str, version: str, written: datetime | None = None, audit: AuditHead | None = None
) -> Document:
    """The whole bulletin; `written` is when it was written, left out where bulletins are compared. The head of the
    audit's chain is printed on it, so that what is cut off the chain later can be found."""
    return _Bulletin(figures, language, audit).document(version, written)


class _Bulletin:
    """One bulletin in one language."""

    def __init__(self, figures: Figures, language: str, audit: AuditHead | None) -> None:
        self.figures, self.language, self.audit = figures, language, audit
        self._ = translator(language)
        self.zone = ZoneInfo(figures.timezone)
        self.cells = Cells(self._, self.zone)

    def document(self, version: str, written: datetime | None) -> Document:
        _, figures = self._, self.figures
        region = figures.region_name or figures.region or _("everywhere")
        meta = [(_("Region"), region), (_("Time zone"), figures.timezone)]
        if written is not None:
            meta.append((_("Made"), written.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")))
        sections = [
            Headline(figures, _, self.cells).section(),
            self._enterprises(),
            self._changes(),
            self._cases(),
            self._evidence(),
        ]
        to_check = unproven.section(figures, _, self.cells)
        if to_check is not None:
            sections.append(to_check)
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
            opening(figures, _, self.cells),
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

    def _enterprises(self) -> DocumentSection:
        _, figures = self._, self.figures
        ranked = lists.HolderTables(figures, _, self.cells)
        holders = ranked.table("holders", _("Enterprises and persons by electricity"), figures.holders)
        introduction = _("Addresses whose holder is not known: {count}. They stand in the list of addresses only.")
        return DocumentSection(
            "enterprises",
            _("Who mines"),
            (holders, lists.mines(figures, _, self.cells)),
            introduction.format(count=f"{figures.addresses_unowned:,}") if figures.addresses_unowned else "",
        )

    def _changes(self) -> DocumentSection:
        _, figures, cells = self._, self.figures, self.cells
        counts = figures.address_turnover
        unseen = figures.coverage.part <= 0.0
        growth: Cell = cells.not_observed() if self._incomparable() else change(figures.growth)
        note = _("of the energy projected, against the period before")
        if self._incomparable():
            note = _(
                "compared only where both periods were watched: this one {part} %, the one before {before} %"
            ).format(part=percent_text(figures.coverage.part), before=percent_text(figures.coverage_before.part))
        new: Cell = cells.not_observed() if unseen and not counts.now else counts.new
        facts = (
            KeyFigure("addresses_new", _("New addresses"), new, note=_("never seen before")),
            KeyFigure(
                "addresses_gone",
                _("Addresses gone"),
                counts.gone if figures.watched or counts.gone else cells.not_observed(),
                note=_("seen in the period before; the sensors that saw them listened, and heard nothing"),
            ),
            KeyFigure(
                "addresses_unobserved",
                _("Addresses not observed"),
                counts.unobserved,
                note=_("seen in the period before; too little was watched to say that they are gone"),
            ),
            KeyFigure("energy_growth", _("Growth of electricity"), growth, "change", note=note),
            KeyFigure("addresses_before", _("Addresses in the period before"), self._before(counts)),
            KeyFigure(
                "addresses_back",
                _("Addresses back"),
                cells.not_observed() if unseen and not counts.now else counts.back,
                note=_("seen before, but not in the period before"),
            ),
        )
        ranked = lists.HolderTables(figures, _, cells)
        fresh = ranked.table("new", _("New"), tuple(holder for holder in figures.holders if holder.new))
        gone = ranked.table("gone", _("Gone; figures are of the period before"), figures.gone, earlier=True)
        unobserved = ranked.table(
            "unobserved", _("Not observed; figures are of the period before"), figures.unobserved, earlier=True
        )
        blocks = (KeyFigures("changes", "", facts), self._turnover(), fresh, gone, unobserved)
        return DocumentSection("changes", _("New and gone"), blocks)

    def _before(self, counts: Turnover) -> Cell:
        """How many there were in the period before; nobody knows if nobody listened."""
        unseen = self.figures.coverage_before.part <= 0.0 and not counts.before
        return self.cells.not_observed() if unseen else counts.before

    def _incomparable(self) -> bool:
        """Whether one of the periods was watched too little to be compared."""
        before = self.figures.coverage_before.part
        return not self.figures.watched or before <= 0.0 or before < self.figures.grounds.least_watched

    def _turnover(self) -> DocumentTable:
        """The counts from the period before to this one, so that anybody can add them up."""
        _ = self._
        columns = (
            Column("what", _("What")),
            Column("before", _("Period before"), "count"),
            Column("new", _("New, +"), "count"),
            Column("back", _("Back, +"), "count"),
            Column("gone", _("Gone, −"), "count"),
            Column("unobserved", _("Not observed, −"), "count"),
            Column("now", _("Now"), "count"),
        )
        unseen: Cell = self.cells.not_observed() if self.figures.coverage.part <= 0.0 else 0
        rows = tuple(
            (
                name,
                self._before(counts),
                *(count or unseen for count in (counts.new, counts.back, counts.gone)),
                counts.unobserved,
                counts.now or unseen,
            )
            for name, counts in (
                (_("Addresses"), self.figures.address_turnover),
                (_("Enterprises"), self.figures.enterprise_turnover),
            )
        )
        note = _("Back: seen before, but not in the period before. Enterprises are counted beside their addresses.")
        return DocumentTable("turnover", _("From the period before to this one"), columns, rows, notes=(note,))

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
        table = DocumentTable("grades", _("Evidence by grade"), columns, rows, nothing(self.figures, _))
        return DocumentSection("evidence", _("How sure this is"), (table,), introduction)

    def _method(self) -> DocumentSection:
        _, figures = self._, self.figures
        factors = {
            "co2": f"{figures.rates.co2_kg_per_kwh:g}",
            "yuan": f"{figures.rates.surcharge_yuan_per_kwh:.2f}",
            "most": f"{figures.grounds.most_projection:g}",
            "least": f"{100 * figures.grounds.least_watched:g}",
        }
        sentences = [_(sentence).format(**factors) for sentence in METHOD]
        if not figures.persons_named:
            sentences.append(_("Private persons are counted, and named nowhere."))
        if self.audit is not None:
            sentences.append(_("Head of the audit: {line}").format(line=self.audit.text))
        blocks = (Sentences("method", "", tuple(sentences)), self._openness())
        return DocumentSection("method", _("Method and error bounds"), blocks)

    def _openness(self) -> DocumentTable:
        """What the bounds are made of: chance, and everything else."""
        _, figures = self._, self.figures
        columns = (
            Column("figure", _("Figure")),
            Column("chance_down", _("Chance, down"), "part"),
            Column("chance_up", _("Chance, up"), "part"),
            Column("rest_down", _("Efficiency and loss, down"), "part"),
            Column("rest_up", _("Efficiency and loss, up"), "part"),
        )
        ranges = [(_("Electricity seen"), figures.estimate.energy_kwh)]
        for row in figures.by_algorithm:
            name = row.algorithm or _("algorithm not known")
            ranges.append((_("Electricity seen, {algorithm}").format(algorithm=name), row.estimate.energy_kwh))
            if row.hashrate_hps is not None:
                ranges.append((_("Hashrate, {algorithm}").format(algorithm=name), row.hashrate_hps))
        rows = tuple((name, *opened(value.chance), *opened(value.rest)) for name, value in ranges if value.best > 0.0)
        return DocumentTable("openness", _("What leaves the figures open"), columns, rows, nothing(figures, _))

    def _coverage(self) -> DocumentSection:
        _, figures = self._, self.figures
        watched = figures.coverage.seconds
        facts = (
            KeyFigure(
                "watched_hours",
                _("Time watched"),
                self.cells.hours(watched) or self.cells.not_observed(),
                "figure",
                "h",
            ),
            KeyFigure(
                "watched_part",
                _("Part of the sensors' hours"),
                part(figures.coverage.part) if watched else self.cells.not_observed(),
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
        if figures.region and figures.elsewhere:
            sentences.append(
                _("{count} addresses are left out: they lie elsewhere, or their place is not known.").format(
                    count=f"{figures.elsewhere:,}"
                )
            )
        sentences += [_(note) for note in figures.notes]
        more = (Sentences("notes", "", tuple(sentences)),) if sentences else ()
        return DocumentSection("coverage", _("Capture coverage and loss"), (KeyFigures("coverage", "", facts), *more))
