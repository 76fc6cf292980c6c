"""Tables as rows of text with their line.

CSV in whichever encoding it is, and spreadsheets (XLS, XLSX, ODS) by python-calamine.

Merged cells are given to each row that they span, since that is what who reads the sheet sees. It knows no column's
meaning.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from sensor.sheets.text import short

#: Cells of one row that are read; nobody's book is wider, a damaged file may be.
MOST_CELLS = 512
#: Rows between two reports of how far a file is read.
PROGRESS_EVERY_ROWS = 2048
#: Lines by which the sign between cells is told.
_SAMPLE_LINES = 64
_FORMULA_TEXT = re.compile(r'(^|[,;\t|])"?="+([^",;\t|\r\n]*)"+(?=[,;\t|\r\n]|$)')
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|<table|<meta|<\?xml)", re.IGNORECASE)
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

#: Characters of a cell, as many as a spreadsheet's can have; a row with a longer one is none.
LONGEST_CELL = 32_767
#: What undecodable bytes become (surrogateescape), or were turned into by another program.
_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")

Progress = Callable[[int, int], None]  # how far a file is read, and its size


class SheetRow(NamedTuple):
    """One row of a table: `broken` is why it cannot be used, `filled` whether cells were filled from merged ones."""

    number: int
    cells: list[str]
    broken: str = ""
    filled: bool = False


class SheetError(Exception):
    """The file is no table that can be read."""


COMPRESSED = "is compressed: unpack it first"
#: What is mistaken for a table, by what it begins with.
NO_TABLES = (
    (b"\x1f\x8b", COMPRESSED),
    (b"\xfd7zXZ\0", COMPRESSED),
    (b"\x28\xb5\x2f\xfd", COMPRESSED),
    (b"7z\xbc\xaf\x27\x1c", COMPRESSED),
    (b"Rar!\x1a\x07", COMPRESSED),
    (b"%PDF-", "is a PDF, and no table: ask for it as XLSX or CSV"),
    (b"SQLite format 3\0", "is a database, and no table: export it as CSV"),
)


def lines(path: Path, sheet: str | int | None, encoding: str, progress: Progress) -> Iterator[SheetRow]:
    """All rows of a file. OSError if it cannot be opened, SheetError if it is no table."""
    with path.open("rb") as opened:
        start = opened.read(256)
    magic = start[:4]
    if _PAGE.match(start.removeprefix(b"\xef\xbb\xbf")):
        raise SheetError("is a web page or XML under the name of a table: open it and save it as .xlsx or .csv")
    refusal = next((reason for start_bytes, reason in NO_TABLES if start.startswith(start_bytes)), None)
    if refusal is not None:
        raise SheetError(refusal)
    return _spreadsheet(path, sheet, progress) if magic in SPREADSHEETS else _separated(path, encoding, progress)


def _separated(path: Path, encoding: str, progress: Progress) -> Iterator[SheetRow]:
    size = path.stat().st_size
    chosen = detect(path) if encoding == "auto" else encoding
    csv.field_size_limit(LONGEST_CELL)
    with path.open(
        encoding=chosen, errors="surrogateescape" if chosen.startswith("utf-8") else "replace", newline=""
    ) as opened:
        sample = opened.read(8192)
        opened.seek(0)
        text = _Text(opened)
        reader = csv.reader(text.lines(), delimiter=_delimiter(sample))
        done = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield SheetRow(reader.line_num, [], f"is no row of a table: {error}")
                continue
            done += 1
            if not done % PROGRESS_EVERY_ROWS:
                progress(position(opened), size)
            broken = ""
            if text.broken:
                text.broken, broken = False, _broken(cells)
            yield SheetRow(reader.line_num, cells[:MOST_CELLS], broken)
    progress(size, size)


class _Text:
    """The lines of a file on their way to the reader, and whether one of them held what is no text.

    Looking at each cell took too long.
    """

    def __init__(self, opened: TextIO) -> None:
        self._opened = opened
        self.broken = False

    def lines(self) -> Iterator[str]:
        """All lines, without the NULs that the reader refuses."""
        for line in self._opened:
            if not line.isascii() and _UNDECODED.search(line):
                self.broken = True
            if '="' in line:  # a spreadsheet's way to keep digits as text
                line = _FORMULA_TEXT.sub(r"\1\2", line)
            yield line.replace("\0", "") if "\0" in line else line


def position(opened: TextIO) -> int:
    """How many bytes of a text file were read; its own `tell` refuses while it is read line by line."""
    return (
        opened.buffer.raw.tell()
        if isinstance(opened, io.TextIOWrapper) and isinstance(opened.buffer, io.BufferedReader)
        else 0
    )


def _broken(cells: list[str]) -> str:
    text = ",".join(cells)
    if text.isascii() or not _UNDECODED.search(text):
        return ""
    return f"holds bytes that are no text in the encoding of the file: {short(_UNDECODED.sub('?', text))}"


def detect(path: Path) -> str:
    """The encoding of a text file: by its mark, else UTF-8 if most lines beyond ASCII are that, else GB18030."""
    with path.open("rb") as opened:
        mark = opened.read(4)
        if mark.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if len(mark) == 4 and mark.count(0) == 2:
            return "utf-16-be" if mark[0] == 0 else "utf-16-le"
        opened.seek(0)
        right = wrong = 0
        for line in opened:
            if line.isascii():
                continue
            try:
                line.decode()
                right += 1
            except UnicodeDecodeError:
                wrong += 1
    return "utf-8-sig" if right >= wrong else "gb18030"


def _delimiter(sample: str) -> str:
    """The sign between cells: the one that stands equally often in most lines; titles above have few or none."""
    whole = sample[: sample.rfind("\n")] if "\n" in sample else sample
    heads = [line for line in whole.splitlines() if line.strip()][:_SAMPLE_LINES]

    def weight(sign: str) -> int:
        counts = Counter(line.count(sign) for line in heads if sign in line)
        return max((count * number for number, count in counts.items()), default=0)

    return max(",;\t|", key=weight)


def _spreadsheet(path: Path, sheet: str | int | None, progress: Progress) -> Iterator[SheetRow]:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        if isinstance(sheet, int):
            chosen = book.get_sheet_by_index(sheet - 1)
        else:
            chosen = book.get_sheet_by_name(sheet) if sheet else _fullest(book)
    except calamine.WorksheetNotFound:
        raise SheetError(f"there is no sheet {sheet}") from None
    except (
        calamine.CalamineError,
        calamine.PasswordError,
        calamine.XmlError,
        calamine.ZipError,
        IndexError,
        OSError,
    ) as error:
        if isinstance(sheet, int) and not isinstance(error, OSError):
            raise SheetError(f"there is no sheet {sheet}: {error}") from None
        raise SheetError(f"is no spreadsheet that can be read: {error}") from None
    top, left = chosen.start or (0, 0)
    merged = _merged(chosen.merged_cell_ranges or [])
    origins: dict[tuple[int, int], str] = {}
    height = chosen.total_height
    for offset, values in enumerate(chosen.iter_rows()):
        row = top + offset
        cells = [""] * left + [cell(value) for value in values[:MOST_CELLS]]
        filled = False
        for column, origin in merged.get(row, ()):
            if origin == (row, column):
                origins[origin] = cells[column] if column < len(cells) else ""
            elif column < len(cells) and not cells[column] and origins.get(origin):
                cells[column] = origins[origin]
                filled = True
        if not offset % PROGRESS_EVERY_ROWS:
            progress(offset, height)
        yield SheetRow(row + 1, cells, "", filled)
    progress(height, height)


def _fullest(book: Any) -> Any:
    """The first sheet, unless it is empty or a cover of a few rows and another has the table."""
    names = book.sheet_names
    if not names:
        raise SheetError("has no sheet")
    sheets = [book.get_sheet_by_name(name) for name in names[:32]]
    return next((table for table in sheets if table.height > 3), sheets[0])


def _merged(ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> dict[int, list[tuple[int, tuple[int, int]]]]:
    """For each row its merged cells that span several rows, each with the cell that holds the value."""
    found: dict[int, list[tuple[int, tuple[int, int]]]] = {}
    for (first_row, first_column), (last_row, last_column) in ranges:
        if last_row > first_row:
            for row in range(first_row, min(last_row, first_row + 100_000) + 1):
                found.setdefault(row, []).extend(
                    (column, (first_row, first_column)) for column in range(first_column, last_column + 1)
                )
    return found


def cell(value: Any) -> str:
    """A cell of a spreadsheet as the text that stands in it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.time() else f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, datetime.date) else "" if value is None else str(value)
