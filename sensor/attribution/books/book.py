"""What sources fill while they are read.

Rows, holders, customers, tables, and a remark on every row that was refused or corrected.

A book is one file of one source. Nothing is dropped in silence: rows = rows taken + rows refused, and each refusal has
its line. It knows no format, and answers no question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sensor.attribution.books.columns import SheetLayout
from sensor.attribution.books.divisions import Divisions
from sensor.attribution.books.holder import Customer, LookupTable, RowHolder, Translation
from sensor.attribution.books.register import Register
from sensor.attribution.books.source import SourceConfig
from sensor.attribution.index.rows import Allocation, Columns, RowPoint
from sensor.model.time import SECOND_NS
from sensor.sheets.dates import first_ns, offset_seconds

#: What a kind of source knows: who holds an address; whose block it is; which network routes it; where it may be.
HOLDERS, REGISTRY, ROUTES, GEO = 0, 1, 2, 3

Progress = Callable[[str, int, int], None]  # a file, how far it is read, its size


class AttributionError(Exception):
    """Books or their configuration cannot be used; `problems` has one sentence for each reason, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Remark:
    """A remark about one line of a book."""

    line: int
    text: str


@dataclass
class Book:
    """One file of one source."""

    number: int
    kind: str
    path: str
    rank: int
    strength: float
    as_of_ns: int | None
    utc_offset_s: int
    vrf: str
    shrink_key: str
    allow_shrink: bool
    books: Books
    rows: int = 0
    refused: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    left_out: list[Remark] = field(default_factory=list)
    layout: SheetLayout | None = None  # how the columns were taken, of books that have columns

    def add(self, row: Allocation) -> None:
        """Take a row."""
        self.books.columns.add(row, self.number)
        self.rows += 1

    def refuse(self, line: int, text: str) -> None:
        """Note why a row was not taken."""
        self.refused.append(Remark(line, text))

    def leave_out(self, line: int, text: str) -> None:
        """Note a cell that is wrong, and without which its row was taken."""
        self.left_out.append(Remark(line, text))

    def note(self, line: int, text: str) -> None:
        """Note what was corrected, or left out, in a row that was taken."""
        self.notes.append(Remark(line, text))

    def point(self, vrf: str = "", vlan: int | None = None, interface: str | None = None) -> int:
        """The number of a point of observation; the book's own VRF where none is given."""
        return self.books.point(RowPoint(vrf or self.vrf, vlan, interface))

    def place(self, line: int) -> str:
        """Where a row stands."""
        return f"{self.path}:{line}" if line else self.path


class Books:
    """All books while they are read."""

    def __init__(self, divisions: Divisions, progress: Progress | None = None) -> None:
        self.divisions = divisions
        self.progress = progress
        self.register = Register()
        self.columns = Columns()
        self.books: list[Book] = []
        self.holders: list[RowHolder] = []
        self.customers: dict[str, list[Customer]] = {}
        self.tables: list[LookupTable] = []
        self.translations: list[Translation] = []
        self.points: list[RowPoint] = [RowPoint()]
        self._holder_numbers: dict[RowHolder, int] = {}
        self._point_numbers: dict[RowPoint, int] = {RowPoint(): 0}

    def open(self, path: Path, kind: str, config: SourceConfig, rank: int, strength: float) -> Book:
        """Begin the book of a file. OSError if it is not there."""
        changed_ns = int(path.stat().st_mtime) * SECOND_NS
        book = self.computed(kind, str(path), config, (rank, strength))
        book.as_of_ns = book.as_of_ns or changed_ns
        return book

    def computed(self, kind: str, name: str, config: SourceConfig, weight: tuple[int, float]) -> Book:
        """Begin a book that has no file; `weight` is its rank and the strength of its kind."""
        offset = offset_seconds(config.utc_offset)
        book = Book(
            number=len(self.books),
            kind=kind,
            path=name,
            rank=weight[0],
            strength=weight[1] if config.strength is None else config.strength,
            as_of_ns=first_ns(config.as_of, offset) if config.as_of else None,
            utc_offset_s=offset,
            vrf=config.vrf or "",
            shrink_key=f"{kind} {name}",
            allow_shrink=config.allow_shrink,
            books=self,
        )
        self.books.append(book)
        return book

    def holder(self, holder: RowHolder) -> int:
        """The number of a holder."""
        number = self._holder_numbers.get(holder)
        if number is None:
            number = self._holder_numbers[holder] = len(self.holders)
            self.holders.append(holder)
        return number

    def point(self, point: RowPoint) -> int:
        """The number of a point of observation."""
        number = self._point_numbers.get(point)
        if number is None:
            number = self._point_numbers[point] = len(self.points)
            self.points.append(point)
        return number

    def customer(self, subscriber: str, customer: Customer) -> None:
        """Add whose an account is."""
        self.customers.setdefault(subscriber, []).append(customer)

    def report_progress(self, path: str, done: int, size: int) -> None:
        """Report how far a file is read."""
        if self.progress:
            self.progress(path, done, size)


def today_year() -> int:
    """The current year, for rows without a date: divisions are those of now."""
    return datetime.now(UTC).year
