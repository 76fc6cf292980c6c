"""The section of a bulletin that lists what is to be checked: findings that no figure rests on. Pure."""

from __future__ import annotations

from exporters.forms.documents.columns import Cells
from exporters.forms.documents.model import Block, Cell, Column, DocumentSection, DocumentTable, Sentences, rounded
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import visible
from sensor.model.figures import CheckRow, Figures

#: Rows that a page shows; spreadsheets have all.
MOST_CHECKS = 25


def section(figures: Figures, _: Translate, cells: Cells) -> DocumentSection | None:
    """What is listed, and how much more there is; None where there is neither."""
    blocks: list[Block] = []
    if figures.to_check:
        blocks.append(_table(figures.to_check, _, cells))
    if figures.unlisted:
        sentence = _(
            "{count} more were seen with weaker evidence than findings.least_grade asks for; they are not listed"
        )
        blocks.append(Sentences("unlisted", "", (sentence.format(count=f"{figures.unlisted:,}"),), counts=True))
    if not blocks:
        return None
    introduction = _(
        "One side of a mining dialect alone, or the lengths and times of an encrypted session: probable, not certain. "
        "None of it is in any other figure."
    )
    return DocumentSection("to_check", _("To be checked"), tuple(blocks), introduction)


def _table(checks: tuple[CheckRow, ...], _: Translate, cells: Cells) -> DocumentTable:
    columns = (
        Column("address", _("Address")),
        Column("name", _("Name")),
        Column("city", _("Place")),
        Column("pool_end", _("Pool's address")),
        Column("pool_name", _("Pool's name")),
        Column("dialect", _("Rests on")),
        Column("confidence", _("Confidence"), "figure"),
        Column("p", _("Chance alone (p)")),
        Column("first_seen", _("First seen"), "moment"),
        Column("last_seen", _("Last seen"), "moment"),
    )
    rows = tuple(_row(check, _, cells) for check in checks)
    return DocumentTable("to_check", _("Findings to be checked"), columns, rows, most=MOST_CHECKS)


def _row(check: CheckRow, _: Translate, cells: Cells) -> tuple[Cell, ...]:
    return (
        check.address,
        cells.owner(check.owner),
        cells.place(check.owner),
        check.pool,
        visible(check.pool_name) if check.pool_name else None,
        visible(check.dialect) if check.dialect else _("lengths of an encrypted session"),
        rounded(check.confidence),  # it orders findings, and is no measured probability
        None if check.p is None else f"{check.p:.2g}",  # a text: figures have six places, and it may be far less
        cells.moment(check.first_ns),
        cells.moment(check.last_ns),
    )
