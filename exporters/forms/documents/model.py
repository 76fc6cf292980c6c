"""What a document holds, whatever form it is written in: sections of key figures, tables, charts and plain sentences.

Cells are typed and already rounded (`rounded`), so that no form can show another number than the next. Text in it
may be anybody's: each form makes it harmless in its own way. Knows no form and no language: titles and sentences
come translated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

#: Digits that figures of estimates keep, and how far behind the point at most. Bounds are rarely nearer than some per
#: cent, so four hide nothing (people are shown three, `numerals.py`); what six places do not show (a kilowatt-hour's
#: millionth) nobody pays.
DIGITS, PLACES = 4, 6


@dataclass(frozen=True, slots=True)
class RangeCell:
    """An estimate: its best value between bounds. All three are rounded."""

    low: float
    best: float
    high: float
    at_least: bool = False  # of something that is known in part: all three are lower bounds


@dataclass(frozen=True, slots=True)
class Absent:
    """Why there is no figure, where that must be said: programs get the code, people the text."""

    code: Literal["unknown", "not-observed", "not-projected"]
    text: str


Cell = None | str | int | float | RangeCell | datetime | Absent
#: How a cell reads: free text, a count, a figure with its unit, the same with a prefix of its own (kilo, mega, ...), a
#: part of a whole (0..1), a change (as a part of what was before), or a moment.
Kind = Literal["text", "count", "figure", "prefixed", "part", "change", "moment"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` names it for programs and never changes, `title` for people."""

    key: str
    title: str
    kind: Kind = "text"
    unit: str = ""
    ranged: bool = False  # its cells are RangeCell
    bar: bool = False  # drawn as a bar below the figure, longest for the largest
    wide: bool = False  # sentences stand in it
    spare: bool = False  # left out where there is little room
    aside: bool = False  # one of many: forms that are read from left to right leave it out


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """Rows under columns. `key` names the table for programs; `empty` stands where there is no row.

    Forms for reading (page, Markdown) stop after `most` rows and leave columns aside, with a note; the others have all.
    """

    block_type: ClassVar[str] = "table"
    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""
    notes: tuple[str, ...] = ()
    most: int | None = None
    narrow: bool = False  # half a page is enough for it
    folded: bool = False  # a page shows it when asked to

    @property
    def front(self) -> tuple[tuple[int, Column], ...]:
        """The columns that such a form shows, with their places in a row."""
        return tuple((place, column) for place, column in enumerate(self.columns) if not column.aside)

    @property
    def top(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows that such a form shows."""
        return self.rows if self.most is None else self.rows[: self.most]


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A large number with its name, and a short note below it."""

    key: str
    title: str
    value: Cell
    kind: Kind = "count"
    unit: str = ""
    note: str = ""
    at_least: bool = False  # a lower bound: not all of it was watched


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """Key figures side by side."""

    block_type: ClassVar[str] = "facts"
    key: str
    title: str
    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One step of a chart: its label, the figure there (None: not known), and the part of it that nobody watched."""

    label: str
    value: RangeCell | None
    unseen: float = 0.0  # 0 to 1; it is hatched


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure over time: columns with their bounds, or a line in its band. Its numbers belong into a table, too."""

    block_type: ClassVar[str] = "chart"
    key: str
    title: str
    unit: str
    points: tuple[ChartPoint, ...]
    form: Literal["columns", "band"] = "columns"
    kind: Kind = "figure"
    description: str = ""  # the same in a sentence


@dataclass(frozen=True, slots=True)
class StripRow:
    """One row of a strip: of each step the part that was watched, 0 to 1, rounded; and of all steps together."""

    name: str
    parts: tuple[float, ...]
    part: float


@dataclass(frozen=True, slots=True)
class CoverageStrip:
    """What was watched, step by step in a row for each sensor; what was not is hatched. A table has the same numbers.

    Forms for reading stop after `most` rows.
    """

    block_type: ClassVar[str] = "strip"
    key: str
    title: str
    steps: tuple[str, ...]
    sensors: tuple[StripRow, ...]
    description: str = ""
    most: int = 12


@dataclass(frozen=True, slots=True)
class Sentences:
    """Plain sentences, each a paragraph or an item."""

    block_type: ClassVar[str] = "sentences"
    key: str
    title: str
    sentences: tuple[str, ...]
    warning: bool = False  # nobody may overlook them
    counts: bool = False  # they have a figure that stands nowhere else


#: Each has a `block_type`: its name in JSON, and of its template.
Block = KeyFigures | DocumentTable | Chart | CoverageStrip | Sentences


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """A part of a document under one heading."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """All of it. `language` is "zh" or "en"; `meta` are pairs of name and value that stand under the title, `opening`
    comes before the sections and says what all of it rests on."""

    language: str
    title: str
    subtitle: str
    meta: tuple[tuple[str, str], ...]
    sections: tuple[DocumentSection, ...]
    identity: dict[str, object] = field(default_factory=dict)  # for programs: period, time zone, version of the form
    footer: str = ""
    opening: tuple[Block, ...] = ()

    def blocks(self) -> Sequence[Block]:
        """Every block, in order."""
        return [*self.opening, *(block for section in self.sections for block in section.blocks)]


def rounded(value: float, digits: int = DIGITS) -> float:
    """A figure at the digits that documents keep; no other place rounds. What is not finite becomes 0."""
    if value != value or value in (float("inf"), float("-inf")):
        return 0.0
    return round(float(f"{value:.{digits}g}"), PLACES)


def ranged(low: float, best: float, high: float, at_least: bool = False) -> RangeCell:
    """A rounded range; low and high stay on their sides of best."""
    return RangeCell(rounded(low), rounded(best), rounded(high), at_least)
