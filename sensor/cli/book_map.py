"""`minewatch books map`: the `columns` section of the configuration for a book, as far as its headings and cells tell.

What is only suggested stands there with a remark: whoever takes it over is to look at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sensor.attribution.books.columns import SheetColumn, SheetLayout
from sensor.attribution.formats.layout import (
    HEADINGS_WITHIN,
    SAMPLE_ROWS,
    find_layout,
    layout_by_looks,
)
from sensor.attribution.sources.inventory import Config
from sensor.sheets.sheet import SheetError, lines


def sections(configs: list[tuple[str, Config]]) -> Iterator[str]:
    """The lines of the section `attribution` for these books, each with its path as the section is to name it.

    SheetError or OSError where a file cannot be read.
    """
    yield "attribution:"
    yield "  sources:"
    for path, config in configs:
        head = list(
            islice(
                lines(Path(config.path), config.sheet, config.encoding, lambda *_: None), HEADINGS_WITHIN + SAMPLE_ROWS
            )
        )
        try:
            layout = find_layout(head, config.columns)
        except SheetError:
            layout = layout_by_looks(head)
        yield f"    - kind: {config.kind}"
        yield f"      path: {_quoted(path)}"
        if config.sheet is not None:
            yield f"      sheet: {_quoted(config.sheet)}"
        if not layout.headings:
            yield f"      first_row: {layout.last_line + 1}"
        yield from _columns(layout)


def _columns(layout: SheetLayout) -> Iterator[str]:
    taken = {column.field for column in layout.columns if column.field}
    rows: list[tuple[str, SheetColumn, str]] = []
    for column in layout.columns:
        if column.field:
            rows.append(("", column, column.field))
        elif column.suggestion and column.suggestion not in taken:
            taken.add(column.suggestion)
            rows.append(("suggested: look at it", column, column.suggestion))
    yield "      columns:" if rows else "      columns: {}"
    for remark, column, field in rows:
        name = _name(column, layout)
        comment = ", ".join(filter(None, (f"column {column.letter}", remark)))
        yield f"        {field}: {_quoted(name)}  # {comment}"
    for column in layout.columns:
        if column.field is None and not any(column is row[1] for row in rows):
            yield f"        # not used: column {column.letter} {_quoted(column.heading)}, {column.looks or 'empty'}" + (
                f": {column.warning}" if column.warning else ""
            )


def _name(column: SheetColumn, layout: SheetLayout) -> str:
    """The heading, or the letter where the heading is missing or stands there twice."""
    same = [other for other in layout.columns if other.heading == column.heading]
    return column.heading if column.heading and len(same) == 1 else f"={column.letter}"


def _quoted(value: str | int) -> str:
    return json.dumps(value, ensure_ascii=False)
