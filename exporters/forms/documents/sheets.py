"""A document as one CSV file: a line for each figure, so that tables of any shape fit.

Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"). UTF-8 with a
byte order mark: without it Excel reads Chinese as something else. Charts are left out, their figures stand in
tables.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from exporters.forms.documents.model import (
    Absent,
    Block,
    Cell,
    Document,
    DocumentTable,
    KeyFigures,
    RangeCell,
    Sentences,
)

SUFFIX = "csv"
HEAD = ("section", "table", "row", "name", "column", "title", "unit", "value", "low", "high", "note")
#: What a lower bound has for a note, in every language: programs look for it.
AT_LEAST_NOTE = "at least"
#: What begins a formula, in ASCII and in the full-width forms that spreadsheets of East Asia take as well.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def write(document: Document) -> bytes:
    """The file's bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for line in lines(document):
        writer.writerow([guarded(cell) for cell in line])
    return text.getvalue().encode("utf-8-sig", "replace")


def lines(document: Document) -> Iterator[tuple[Cell, ...]]:
    """Every figure: where it stands, what it is, the figure itself, its bounds, and what is to be said of it."""
    for block in document.opening:
        yield from _block("opening", block)
    for section in document.sections:
        for block in section.blocks:
            yield from _block(section.key, block)


def _block(section: str, block: Block) -> Iterator[tuple[Cell, ...]]:
    if isinstance(block, KeyFigures):
        for figure in block.figures:
            note = "; ".join(
                filter(None, (AT_LEAST_NOTE if _at_least(figure.value, figure.at_least) else "", figure.note))
            )
            head = (section, block.key, 1, figure.title, figure.key, figure.title, figure.unit)
            yield (*head, *_three(figure.value), note or None)
    elif isinstance(block, DocumentTable):
        for number, row in enumerate(block.rows, 1):
            for column, value in zip(block.columns, row, strict=True):
                if value is not None:
                    head = (section, block.key, number, _name(row[0]), column.key, column.title, column.unit)
                    yield (*head, *_three(value), AT_LEAST_NOTE if _at_least(value) else None)
    elif isinstance(block, Sentences) and (block.warning or block.counts):
        for number, sentence in enumerate(block.sentences, 1):
            yield (section, block.key, number, "", "sentence", "", "", sentence, None, None, None)


def _at_least(value: Cell, count: bool = False) -> bool:
    return count or (isinstance(value, RangeCell) and value.at_least)


def guarded(value: Cell) -> str:
    """A cell as a spreadsheet may read it: numbers as they are, text never as a formula."""
    if value is None:
        return ""
    if isinstance(value, Absent):
        return value.text
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _three(value: Cell) -> tuple[Cell, Cell, Cell]:
    return (value.best, value.low, value.high) if isinstance(value, RangeCell) else (value, None, None)


def _name(value: Cell) -> str:
    return value if isinstance(value, str) else guarded(value) if not isinstance(value, RangeCell) else ""
