"""The operator's own allocation books: the source that reaches the enterprise.

CSV, XLS, XLSX; a range and its holder in each row.

Columns are found by their headings, by the letters of a form, or as the configuration maps them. It knows how rows are
written, not what becomes of them when an address is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sensor.attribution.books.book import HOLDERS, AttributionError, Book, Books
from sensor.attribution.books.columns import SheetLayout
from sensor.attribution.books.source import Name, SourceConfig, files
from sensor.attribution.formats import filing, presets
from sensor.attribution.formats.headings import FIELDS
from sensor.attribution.formats.inventory_row import InventoryReader
from sensor.attribution.formats.layout import (
    HEADINGS_WITHIN,
    SAMPLE_ROWS,
    find_layout,
    lettered,
    missing_fields,
)
from sensor.sheets.sheet import SheetError, SheetRow, lines

STRENGTH = 0.9


def _known_fields(columns: dict[str, str]) -> dict[str, str]:
    for name in columns:
        if name not in FIELDS:
            raise ValueError(f"{name} is no field; the fields are {', '.join(FIELDS)}")
    return columns


class Config(SourceConfig):
    """An allocation book."""

    kind: Literal["inventory"]
    preset: Literal["auto", "filing", "filing-upload", "leased-line", "minewatch", "customers"] = "auto"
    columns: Annotated[
        dict[str, Name], AfterValidator(_known_fields), Field(default_factory=dict)
    ]  # field to heading, or to a letter as "=C"
    sheet: Name | Annotated[int, Field(ge=1, le=1000)] | None = (
        None  # name or number; without it, the first with a table
    )
    first_row: Annotated[int, Field(ge=1)] | None = None  # where data begin, if not below the headings
    encoding: Literal["auto", "utf-8", "gb18030", "utf-16"] = "auto"
    vlan: Literal["match", "ignore"] = "match"  # ignore: the book's VLANs are not those that the sensor sees
    contacts: bool = False  # keep who is to be called


def load(config: Config, books: Books) -> None:
    """Read every file. AttributionError where a file is no such book."""
    problems = []
    for path in files(config.path):
        book = books.open(path, "inventory", config, HOLDERS, STRENGTH)
        try:
            read(book, path, config, books)
        except SheetError as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise AttributionError(problems)


def read(book: Book, path: Path, config: Config, books: Books) -> None:
    """Read one file into its book; SheetError if its columns cannot be found."""
    sheet = config.sheet or presets.LETTERED_SHEET.get(config.preset)
    stream = lines(path, sheet, config.encoding, lambda done, size: books.report_progress(str(path), done, size))
    layout, rest = _layout(stream, config)
    book.layout = layout
    _refuse_incomplete(layout, config)
    if "first" not in layout.plan:
        book.note(0, "there is no column of addresses: the rows are customers and their accounts")
    filings = filing.Filings(books, layout.plan, config.contacts, book)
    alone = "first" not in layout.plan or config.preset in ("customers", "minewatch") or _is_canonical(layout)
    reader = InventoryReader(book, layout, filings, vlan_counts=config.vlan == "match", accounts_alone=alone)
    for line in rest:
        reader.row(line)


def _layout(stream: Iterator[SheetRow], config: Config) -> tuple[SheetLayout, Iterator[SheetRow]]:
    """The column of each field, and the rows with data."""
    head = list(islice(stream, HEADINGS_WITHIN + SAMPLE_ROWS))
    if config.preset in presets.LETTERED:
        plan = {field: presets.column(letters) for field, letters in presets.LETTERED[config.preset].items()}
        begin = config.first_row or presets.LETTERED_ROW[config.preset]
        layout = lettered(config.columns, plan, [line for line in head if line.number >= begin])
    else:
        layout = find_layout(head, config.columns)
        begin = max(config.first_row or 0, layout.last_line + 1)
    return layout, (line for part in (head, stream) for line in part if line.number >= begin)


def _is_canonical(layout: SheetLayout) -> bool:
    """Whether the headings are the field names, as `books import` writes them: some rows are accounts alone."""
    return set(layout.headings) <= set(FIELDS)


def _refuse_incomplete(layout: SheetLayout, config: Config) -> None:
    """SheetError if the book lacks what its form needs, or if its addresses would go unread."""
    missing = [name for name in presets.NEEDED[config.preset] if name not in layout.plan]
    if missing:
        raise SheetError(
            f"no column for {', '.join(missing)} is found in the first {HEADINGS_WITHIN} rows; `columns` can name them"
            + missing_fields(layout, missing)
        )
    if "first" in layout.plan:
        return
    unread = any(column.field is None and column.looks == "addresses" for column in layout.columns)
    if "subscriber" not in layout.plan or (unread and config.preset == "auto"):
        raise SheetError(
            "no column of addresses or accounts is found; `columns` can name them" + missing_fields(layout, ["first"])
        )
