"""The operator's own allocation books: the source that reaches the enterprise.

CSV, XLS, XLSX; a range and its holder in each row.

Columns are found by their headings, by the letters of a form, or as the configuration maps them. It knows how rows are
written, not what becomes of them when an address is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sensor.attribution.books.book import HOLDERS, AttributionError, Book, Books
from sensor.attribution.books.holder import Customer
from sensor.attribution.books.source import Name, SourceConfig, files
from sensor.attribution.formats import filing, presets
from sensor.attribution.formats.codes import hide
from sensor.attribution.formats.filing import Filed
from sensor.attribution.index.ranges import AddressRange, between, parse_ranges
from sensor.attribution.index.rows import ANY_PORT_FIRST, ANY_PORT_LAST, Allocation
from sensor.sheets.dates import ALWAYS, FOREVER, end_ns, first_ns
from sensor.sheets.sheet import SheetError, SheetRow, lines
from sensor.sheets.text import heading_of, plain, short

STRENGTH = 0.9
#: Rows among which the headings are looked for: titles and notes may stand above them.
HEADINGS_WITHIN = 15


def _known_fields(columns: dict[str, str]) -> dict[str, str]:
    for name in columns:
        if name not in presets.FIELDS:
            raise ValueError(f"{name} is no field; the fields are {', '.join(presets.FIELDS)}")
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
    plan, rest = _plan(stream, config)
    missing = [name for name in presets.NEEDED[config.preset] if name not in plan]
    if missing:
        raise SheetError(
            f"no column for {', '.join(missing)} is found in the first {HEADINGS_WITHIN} rows; `columns` can name them"
        )
    if "first" not in plan and "subscriber" not in plan:
        raise SheetError("no column of addresses or accounts is found; `columns` can name them")
    if "first" not in plan:
        book.note(0, "there is no column of addresses: the rows are customers and their accounts")
    reader = _InventoryReader(book, config, plan, filing.Filings(books, plan, config.contacts, book))
    for line in rest:
        reader.row(line)


def _plan(stream: Iterator[SheetRow], config: Config) -> tuple[dict[str, int], Iterator[SheetRow]]:
    """The column of each field, and the rows with data."""
    if config.preset in presets.LETTERED:
        lettered = {field: presets.column(letters) for field, letters in presets.LETTERED[config.preset].items()}
        begin = config.first_row or presets.LETTERED_ROW[config.preset]
        return {**lettered, **_mapped(config, [])}, (line for line in stream if line.number >= begin)
    head = list(islice(stream, HEADINGS_WITHIN))
    plans = [{**presets.recognised(line.cells), **_mapped(config, line.cells)} for line in head]
    best = max(range(len(head)), key=lambda position: len(plans[position]), default=-1)
    if best < 0 or not plans[best]:
        raise SheetError(f"no headings are found in the first {HEADINGS_WITHIN} rows")
    begin = config.first_row or 0
    rest = (line for part in (head[best + 1 :], stream) for line in part if line.number >= begin)
    return plans[best], rest


def _mapped(config: Config, cells: list[str]) -> dict[str, int]:
    """The columns that the configuration names, by letter or by heading."""
    wanted = [heading_of(text) for text in cells]
    plan = {}
    for field, name in config.columns.items():
        if name.startswith("="):
            try:
                plan[field] = presets.column(name[1:])
            except ValueError as error:
                raise SheetError(str(error)) from None
        elif heading_of(name) in wanted:
            plan[field] = wanted.index(heading_of(name))
    return plan


class _InventoryReader:
    """Rows of one file, one after another."""

    def __init__(self, book: Book, config: Config, plan: dict[str, int], filings: filing.Filings) -> None:
        self.book, self.filings = book, filings
        self.vlan_counts = config.vlan == "match"
        self.first, self.last = plan.get("first", -1), plan.get("last", -1)
        self.dates = plan.get("valid_from", -1), plan.get("valid_until", -1)
        self.ports = plan.get("port_first", -1), plan.get("port_last", -1)
        self.point_cells = itemgetter(*(plan.get(name, -1) for name in ("vrf", "vlan", "interface")))
        self.subscriber = plan.get("subscriber", -1)
        self.least = max(plan.values()) + 1
        self._starts: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._points: dict[tuple[str, ...], int] = {}

    def row(self, line: SheetRow) -> None:
        """Take a row, or say why not."""
        cells = line.cells
        if line.broken:
            self.book.refuse(line.number, line.broken)
            return
        if len(cells) < self.least:
            cells = cells + [""] * (self.least - len(cells))
        cells.append("")  # the content of a column that is not there
        if not cells[self.first] and not any(map(str.strip, cells)):
            return
        try:
            found = self._spans(line.number, cells)
            when = self._when(cells)
            ports = self._ports_of(cells)
            point = self._point(cells)
            filed = self.filings.filed(cells)
        except ValueError as error:
            self.book.refuse(line.number, hide(str(error)))
            return
        if filed.notes or line.filled:
            self._remark(line, filed)
        if cells[self.subscriber]:
            place = self.book.place(line.number)
            self.book.books.customer(cells[self.subscriber].strip(), Customer(filed.holder, place, *when))
        for version, first, last in found:
            self.book.add(Allocation(version, first, last, filed.number, line.number, *when, *ports, point))
        if not found:
            self.book.rows += 1  # a customer without an address of its own

    def _remark(self, line: SheetRow, filed: Filed) -> None:
        for note in filed.notes:
            self.book.note(line.number, note)
        if line.filled:
            self.book.note(line.number, "cells were filled from merged ones above")

    def _spans(self, number: int, cells: list[str]) -> list[AddressRange]:
        first, last = cells[self.first].strip(), cells[self.last].strip()
        if not first and not last:
            if cells[self.subscriber].strip():
                return []
            raise ValueError("no address")
        try:
            if "/" not in first:
                return [between(first, last)]
        except ValueError:
            pass  # not in the plain form: look closer
        try:
            found, note = parse_ranges(first or last, last)
        except ValueError as error:
            text = first if not last or last == first else f"{first} - {last}"
            raise ValueError(f"{short(hide(text))}: {error}") from None
        if note:
            self.book.note(number, f"the remark {short(hide(note))} beside the address was left out")
        return found

    def _when(self, cells: list[str]) -> tuple[int, int]:
        begin, end = cells[self.dates[0]], cells[self.dates[1]]
        offset = self.book.utc_offset_s
        try:
            from_ns = self._starts.get(begin)
            if from_ns is None:
                from_ns = self._starts[begin] = first_ns(plain(begin), offset)
            until_ns = self._ends.get(end)
            if until_ns is None:
                until_ns = self._ends[end] = end_ns(plain(end), offset)
        except ValueError as error:
            raise ValueError(
                f"the date {short(begin)} or {short(end)}: {error}" if end else f"the date {short(begin)}: {error}"
            ) from None
        if until_ns <= from_ns:
            raise ValueError(f"ends ({short(end)}) before it begins ({short(begin)})")
        return (from_ns, until_ns) if from_ns < until_ns else (ALWAYS, FOREVER)

    def _ports_of(self, cells: list[str]) -> tuple[int, int]:
        low, high = cells[self.ports[0]], cells[self.ports[1]]
        if not low.strip() and not high.strip():
            return ANY_PORT_FIRST, ANY_PORT_LAST
        if not high and "-" in plain(low):
            low, _, high = plain(low).partition("-")
        low, high = low.strip(), high.strip()
        try:
            first, last = int(plain(low)), int(plain(high or low))
        except ValueError:
            raise ValueError(f"the ports {short(low)} {short(high)} are no numbers") from None
        if not 0 <= first <= last <= 65_535:
            raise ValueError(f"the ports {first}-{last} are no range of ports")
        return (ANY_PORT_FIRST, ANY_PORT_LAST) if (first, last) == (0, 65_535) else (first, last)

    def _point(self, cells: list[str]) -> int:
        point_cells: tuple[str, ...] = self.point_cells(cells)
        point = self._points.get(point_cells)
        if point is None:
            vrf, vlan, interface = map(str.strip, point_cells)
            tag = plain(vlan)
            if not self.vlan_counts or tag in ("", "0", "-", "/"):
                number = None
            elif tag.isdigit() and int(tag) <= 4095:
                number = int(tag)
            else:
                raise ValueError(f"the VLAN {short(vlan)} is no number from 0 to 4095")
            point = self._points[point_cells] = self.book.point(vrf, number, interface or None)
        return point
