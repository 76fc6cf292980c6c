"""How the columns of a book were taken: plain data, made by `formats/layout.py` and shown by `books check`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.sheets.text import short


def letters(position: int) -> str:
    """The letters of a column: 0 is `A`, 27 is `AB`."""
    text, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


@dataclass(frozen=True)
class SheetColumn:
    """A column: its letter, its heading, the field it is taken for (None: not used), and what is to be said of it."""

    letter: str
    heading: str
    field: str | None
    looks: str
    sample: str
    suggestion: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class SheetLayout:
    """The column of each field, the columns that contradict one another, and the last line of the headings."""

    plan: Mapping[str, int]
    rivals: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    begins: bool = False  # the column of addresses holds the first ones of ranges
    headings: tuple[str, ...] = ()
    last_line: int = 0
    columns: tuple[SheetColumn, ...] = ()

    def place(self, name: str) -> str:
        """The column of a field as a sentence names it: `column D (证照号码)`."""
        position = self.plan[name]
        heading = self.headings[position] if position < len(self.headings) else ""
        return f"column {letters(position)}" + (f" ({short(heading, 20)})" if heading else "")
