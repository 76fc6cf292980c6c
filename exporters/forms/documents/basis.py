"""What a bulletin rests on, before anything else in it: warnings, and what was watched by day and sensor. Pure.

Time in which nobody listened is "not observed": neither a zero nor a silence from which anything follows.
"""

from __future__ import annotations

from exporters.forms.documents.columns import Cells
from exporters.forms.documents.model import (
    Block,
    Column,
    CoverageStrip,
    DocumentTable,
    Sentences,
    StripRow,
    rounded,
)
from exporters.forms.documents.translations import Translate, translator
from exporters.forms.fitting import visible
from sensor.model.figures import Figures
from sensor.model.summary import SECONDS_PER_HOUR


def basis_text(figures: Figures, language: str = "en") -> str:
    """What the figures rest on, as one line for a terminal."""
    return " ".join([*_warnings(figures, translator(language)), _watched(figures, translator(language))])


def opening(figures: Figures, _: Translate, cells: Cells) -> tuple[Block, ...]:
    """The blocks that a bulletin begins with."""
    warnings = _warnings(figures, _)
    return (
        *((Sentences("warning", "", tuple(warnings), warning=True),) if warnings else ()),
        Sentences("basis", "", (_watched(figures, _),)),
        _strip(figures, _),
        _days(figures, _, cells),
    )


def _warnings(figures: Figures, _: Translate) -> list[str]:
    coverage, least = figures.coverage, f"{100 * figures.grounds.least_watched:g}"
    warnings = []
    if coverage.part <= 0.0 and figures.addresses:
        warnings.append(
            _(
                "When sensors listened in this period is not recorded. Counts are lower bounds, nothing is projected, "
                "and nobody is called gone."
            )
        )
    elif coverage.part <= 0.0:
        warnings.append(
            _("This period was not observed: no sensor listened. What is not seen here is not known to be gone.")
        )
    elif not figures.watched:
        warnings.append(
            _(
                "Only {part} % of the hours of this period were watched; at least {least} % are needed. Counts are "
                "lower bounds, nothing is projected, and nobody is called gone."
            ).format(part=percent_text(coverage.part), least=least)
        )
    for seconds, sentence in (
        (
            figures.estimate.unrated_seconds,
            _("Hashrate and energy are lower bounds: of {hours} h of mining the work is not known."),
        ),
        (
            figures.estimate.missing_seconds - figures.estimate.unrated_seconds,
            _("Energy is a lower bound: of {hours} h of mining it is not known what a hash takes."),
        ),
    ):
        if seconds > 0.0:
            warnings.append(sentence.format(hours=f"{rounded(seconds / SECONDS_PER_HOUR, 3):,g}"))
    return warnings


def _watched(figures: Figures, _: Translate) -> str:
    coverage = figures.coverage
    listening = sum(sensor.seconds > 0.0 for sensor in coverage.sensors)
    return _(
        "Watched: {hours} of {whole} hours by at least one sensor; {part} % of the sensors' hours; {listening} of "
        "{sensors} sensors listened."
    ).format(
        hours=f"{rounded(coverage.seconds / SECONDS_PER_HOUR):,g}",
        whole=f"{rounded(figures.seconds / SECONDS_PER_HOUR):,g}",
        part=percent_text(coverage.part),
        listening=f"{listening:,}",
        sensors=f"{len(coverage.sensors):,}",
    )


def percent_text(part: float) -> str:
    """A part of the hours as per cent: never 0 for some, never 100 for not all."""
    text = f"{100 * part:.3g}"
    return "99.9" if text == "100" and part < 1.0 else text


def _strip(figures: Figures, _: Translate) -> CoverageStrip:
    names = [first.strftime("%m-%d") for first, _last, _coverage in figures.watched_days]
    rows = [
        StripRow(
            visible(sensor.sensor_id),
            tuple(
                rounded(each.seconds / coverage.period_seconds)
                for _first, _last, coverage in figures.watched_days
                for each in coverage.sensors
                if each.sensor_id == sensor.sensor_id
            ),
            rounded(sensor.seconds / figures.coverage.period_seconds),
        )
        for sensor in figures.coverage.sensors
    ]
    if not rows:
        rows = [StripRow(_("no sensor"), tuple(0.0 for _name in names), 0.0)]
    return CoverageStrip(
        "watched",
        _("What was watched, by day and sensor; hatched: not observed"),
        tuple(names),
        tuple(rows),
        _("The same figures stand in the table below."),
    )


def _days(figures: Figures, _: Translate, cells: Cells) -> DocumentTable:
    """The same as numbers: of each day and sensor the hours in which it listened."""
    columns = (
        Column("day", _("Day")),
        Column("sensor", _("Sensor")),
        Column("hours", _("Hours watched"), "figure", "h"),
        Column("part", _("Part watched"), "part"),
    )
    rows = []
    for first, last, coverage in figures.watched_days:
        day = first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
        for sensor in coverage.sensors:
            seconds = sensor.seconds
            watched = (rounded(seconds / SECONDS_PER_HOUR), rounded(seconds / coverage.period_seconds))
            rows.append((day, visible(sensor.sensor_id), *(watched if seconds else (cells.not_observed(),) * 2)))
    title = _("What was watched, by day and sensor")
    return DocumentTable("watched", title, columns, tuple(rows), _("No sensor listened."), most=62, folded=True)
