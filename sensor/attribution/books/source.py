"""What every source of claims is configured with, and what a source is: a file of `sources` with `Config` and `load`.

It knows no source. A `load(config, books)` reads local files only, gives each row to `books`, and names each row that
it refuses.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from sensor.model.section import Section
from sensor.sheets.dates import first_ns, offset_seconds


def _offset(text: str) -> str:
    offset_seconds(text)
    return text


#: Hours and minutes east of Greenwich, as books state local dates: `+08:00`.
UtcOffset = Annotated[str, AfterValidator(_offset)]
Strength = Annotated[float, Field(ge=0.0, le=1.0)]


def _readable_name(text: str) -> str:
    if re.search(r"[\x00-\x1f]", text):
        raise ValueError("must be one line of text")
    return text


Name = Annotated[str, Field(min_length=1), AfterValidator(_readable_name)]


def _text(value: object) -> object:
    """YAML makes a date of `2026-01-01`; here it is the text that it was."""
    return str(value) if isinstance(value, datetime.date) else value


def _date(text: str) -> str:
    try:
        first_ns(text, 0)
    except ValueError as error:
        raise ValueError(f"{text} {error}") from None
    return text


Date = Annotated[Name, AfterValidator(_date), BeforeValidator(_text)]


class SourceConfig(Section):
    """The keys that all sources share."""

    #: Keys that name files: relative ones are meant from the folder of the configuration.
    FILE_KEYS: ClassVar[tuple[str, ...]] = ("path",)
    path: Annotated[str, Field(min_length=1)]  # a file, or a pattern of files
    strength: Strength | None = None  # 0 to 1; without it, that of its kind
    as_of: Date | None = None  # the date the source is of; without it, when the file was changed
    utc_offset: UtcOffset = "+08:00"
    vrf: Name | None = None  # the VRF of rows that name none; "*": any
    allow_shrink: bool = False  # take the book even if it lost more than half of its rows


def files(pattern: str) -> list[Path]:
    """The files that a path or a pattern names, in order; empty if there are none."""
    given = Path(pattern)
    if given.is_file():
        return [given]
    if not re.search(r"[*?\[]", pattern):
        return []
    root = Path(given.anchor) if given.is_absolute() else Path()
    return sorted(
        path
        for path in root.glob(str(given.relative_to(given.anchor) if given.is_absolute() else given))
        if path.is_file()
    )
