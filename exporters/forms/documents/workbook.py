"""A document as a workbook (XLSX): a sheet of headline figures and a sheet for each table, every cell of its own type.

Text is always written as text: no formula and no link is ever made from it. A range takes three columns. Knows
nothing of bulletins.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from exporters.forms.documents.model import (
    Absent,
    Cell,
    Column,
    Document,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    Kind,
    RangeCell,
    Sentences,
)
from exporters.forms.documents.translations import Translate, translator
from sensor.model.text import valid_utf8

SUFFIX = "xlsx"
#: Of the file format: characters in a cell, characters in a sheet's name and those that must not be in it.
MOST_TEXT, MOST_NAME = 32_767, 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_FORMATS = {
    "count": "#,##0",
    "figure": "#,##0.####",
    "prefixed": "0.000E+00",
    "part": "0.00%",
    "change": "+0.00%;-0.00%;0%",
    "moment": "yyyy-mm-dd hh:mm",
}
WIDTHS = {"text": 28, "moment": 17}


def write(document: Document) -> bytes:
    """The file's bytes; the same document always gives the same bytes."""
    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties(
            {"title": _text(document.title), "subject": _text(document.subtitle), "created": datetime(2000, 1, 1)}
        )
        _Writer(book, document).write()
    return file.getvalue()


class _Writer:
    """The sheets of one document."""

    def __init__(self, book: xlsxwriter.Workbook, document: Document) -> None:
        self._book, self._document = book, document
        self._: Translate = translator(document.language)
        self._strong = book.add_format({"bold": True})
        self._large = book.add_format({"bold": True, "font_size": 16})
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._formats: dict[str, Format] = {
            kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()
        }
        self._names: set[str] = set()

    def write(self) -> None:
        """All sheets: the first has everything that is no table."""
        self._front()
        for block in self._document.blocks():
            if isinstance(block, DocumentTable):
                self._table(block)

    def _front(self) -> None:
        sheet = self._sheet(self._document.title)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 3, 18)
        self._put(sheet, 0, 0, self._document.title, form=self._large)
        self._put(sheet, 1, 0, self._document.subtitle)
        row = 2
        for name, text in self._document.meta:
            self._put(sheet, row, 0, name)
            self._put(sheet, row, 1, text)
            row += 1
        for block in self._document.opening:
            if isinstance(block, Sentences):
                for sentence in block.sentences:
                    row += 1
                    self._put(sheet, row, 0, sentence, form=self._strong if block.warning else None)
        row += 1
        for section in self._document.sections:
            blocks = [block for block in section.blocks if isinstance(block, KeyFigures | Sentences)]
            if not blocks:
                continue
            row += 1
            self._put(sheet, row, 0, section.title, form=self._strong)
            low, high = self._("low"), self._("high")
            for column, title in (
                enumerate(("", low, high, self._("unit"), self._("note"))) if isinstance(blocks[0], KeyFigures) else ()
            ):
                self._put(sheet, row, column + 1, title, form=self._strong)
            for block in blocks:
                for line in _lines(block, self._("at least")):
                    row += 1
                    for column, (value, kind) in enumerate(line):
                        self._put(sheet, row, column, value, kind)
            row += 1

    def _table(self, table: DocumentTable) -> None:
        sheet = self._sheet(table.title or table.key)
        columns = [title for column in table.columns for title in self._titles(column)]
        for index, (title, kind) in enumerate(columns):
            self._put(sheet, 0, index, title, form=self._head)
            sheet.set_column(index, index, WIDTHS.get(kind, 14))
        for number, row in enumerate(table.rows, 1):
            at = 0
            for cell, column in zip(row, table.columns, strict=True):
                for value in _three(cell) if column.ranged else (cell,):
                    self._put(sheet, number, at, value, column.kind)
                    at += 1
        sheet.freeze_panes(1, 1)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(columns) - 1)

    def _titles(self, column: Column) -> list[tuple[str, Kind]]:
        unit = f" ({column.unit})" if column.unit else ""
        if not column.ranged:
            return [(f"{column.title}{unit}", column.kind)]
        low, high = self._("low"), self._("high")
        return [
            (f"{column.title}, {low}{unit}", column.kind),
            (f"{column.title}{unit}", column.kind),
            (f"{column.title}, {high}{unit}", column.kind),
        ]

    def _sheet(self, title: str) -> Worksheet:
        """A sheet under a name that the format allows and no other has (case does not count)."""
        plain = _NOT_IN_NAMES.sub(" ", _text(title)).strip()[:MOST_NAME] or "-"
        name, number = plain, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain[: MOST_NAME - 4]} {number}"
        self._names.add(name.casefold())
        return self._book.add_worksheet(name)

    def _put(
        self, sheet: Worksheet, row: int, column: int, value: Cell, kind: Kind = "text", form: Format | None = None
    ) -> None:
        chosen = form or self._formats.get(kind)
        if isinstance(value, RangeCell):
            value = value.best
        if value is None:
            return
        if isinstance(value, Absent):
            sheet.write_string(row, column, value.text)
        elif isinstance(value, str):
            sheet.write_string(row, column, _text(value), form)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), self._formats["moment"])
        else:
            sheet.write_number(row, column, value, chosen)


def _at_least(figure: KeyFigure) -> bool:
    return figure.at_least or (isinstance(figure.value, RangeCell) and figure.value.at_least)


def _lines(block: KeyFigures | Sentences, at_least: str) -> Iterator[tuple[tuple[Cell, Kind], ...]]:
    """The lines of the first sheet: a figure with its bounds, unit and note, or a sentence."""
    if isinstance(block, Sentences):
        yield from (((sentence, "text"),) for sentence in block.sentences)
        return
    for figure in block.figures:
        low, best, high = _three(figure.value)
        note = "; ".join(filter(None, (at_least if _at_least(figure) else "", figure.note)))
        yield (
            (figure.title, "text"),
            (best, figure.kind),
            (low, figure.kind),
            (high, figure.kind),
            (figure.unit, "text"),
            (note, "text"),
        )


def _text(value: str) -> str:
    """Text that the format can hold."""
    return valid_utf8(value)[:MOST_TEXT]


def _three(value: Cell) -> tuple[Cell, Cell, Cell]:
    return (value.low, value.best, value.high) if isinstance(value, RangeCell) else (None, value, None)
