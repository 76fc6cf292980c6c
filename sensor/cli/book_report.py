"""What `minewatch books check` says of one book: its columns, its first rows, and every remark with its line.

One report is made as plain data and then printed as text or as JSON, so the two agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sensor.attribution import Attributor, canonical
from sensor.attribution.overlaps import overlaps
from sensor.attribution.own_prefixes import OwnPrefixes
from sensor.sheets.text import short
from sensor.sheets.width import padded

if TYPE_CHECKING:
    from sensor.attribution.books.book import Book
    from sensor.attribution.books.columns import SheetColumn

#: Rows that are shown as they were understood.
SAMPLES = 5
#: Rows outside the operator's own prefixes that are named.
MOST_OUTSIDE = 8
#: The kinds of remarks, and what stands before each.
_VERDICTS = (("overlaps", "overlap"), ("notes", "note"), ("left_out", "left out"), ("refused", "refused"))
#: Columns whose first cell is not shown: it may be the name of a person.
_UNSHOWN = frozenset({"organisation", "contact", "remark", "address"})


def reports(attributor: Attributor) -> list[dict[str, Any]]:
    """A report of every book, in the order in which they were read."""
    clashes: dict[int, list[dict[str, Any]]] = {}
    for overlap in overlaps(attributor):
        clashes.setdefault(overlap.book, []).append({"line": overlap.line, "text": overlap.text})
    return [_report(attributor, book, clashes.get(book.number, [])) for book in attributor.books.books]


def _report(attributor: Attributor, book: Book, clashes: list[dict[str, Any]]) -> dict[str, Any]:
    columns = [_column(column) for column in book.layout.columns] if book.layout else []
    return {
        "path": book.path,
        "kind": book.kind,
        "rows": book.rows,
        "heading_line": book.layout.last_line if book.layout else None,
        "columns": columns,
        "samples": [
            {"line": line, **fields} for line, fields in canonical.first_rows(attributor, book.number, SAMPLES)
        ],
        "refused": _remarks(book.refused),
        "left_out": _remarks(book.left_out),
        "overlaps": sorted(clashes, key=lambda clash: int(clash["line"])),
        "notes": _remarks(book.notes),
        "warnings": [
            f"column {column['column']} ({short(column['heading'], 20)}) {column['warning']}"
            for column in columns
            if column["warning"]
        ],
    }


def _column(column: SheetColumn) -> dict[str, Any]:
    shown = column.field not in _UNSHOWN if column.field else column.looks in ("addresses", "masks", "codes")
    return {
        "column": column.letter,
        "heading": column.heading,
        "field": column.field,
        "looks": column.looks or "empty",
        "sample": column.sample if shown else None,
        "suggestion": column.suggestion,
        "warning": column.warning,
    }


def _remarks(remarks: list[Any]) -> list[dict[str, Any]]:
    return [{"line": remark.line, "text": remark.text} for remark in sorted(remarks, key=lambda item: item.line)]


def flawed(report: Mapping[str, Any]) -> bool:
    """Whether anything of a book is wrong: rows, cells, or rows that contradict each other."""
    return bool(report["refused"] or report["left_out"] or report["overlaps"])


def text_of(report: Mapping[str, Any]) -> Iterator[str]:
    """A report as lines for people."""
    path = report["path"]
    if report["columns"]:
        yield f"{path}: headings in line {report['heading_line']}" if report["heading_line"] else f"{path}: by letters"
        yield from _column_lines(report["columns"])
    if report["samples"]:
        yield f"  the first {len(report['samples'])} of {report['rows']:,} rows:"
    for sample in report["samples"]:
        yield f"  line {sample['line']}: {_sample_text(sample)}"
    for warning in report["warnings"]:
        yield f"{path}: warning: {warning}"
    remarks = [
        (remark["line"], f"{verdict}: {remark['text']}")
        for key, verdict in (
            ("overlaps", "overlap"),
            ("notes", "note"),
            ("left_out", "left out"),
            ("refused", "refused"),
        )
        for remark in report[key]
    ]
    for line, text in sorted(remarks):
        yield f"{path}:{line}: {text}" if line else f"{path}: {text}"
    yield _counts(report)


def _column_lines(columns: list[dict[str, Any]]) -> Iterator[str]:
    titles = (("column", 6), ("heading", 24), ("taken for", 16), ("looks like", 10))
    yield "  " + "  ".join(padded(title, places) for title, places in titles) + "  first"
    for column in columns:
        taken = column["field"] or "not used"
        line = (
            f"  {padded(column['column'], 6)}  {padded(short(column['heading'], 20), 24)}  {padded(taken, 16)}  "
            f"{padded(column['looks'], 10)}  {column['sample'] or ''}"
        ).rstrip()
        if column["suggestion"]:
            name = short(column["heading"], 20) or "=" + column["column"]
            line += f'  (perhaps columns: {{{column["suggestion"]}: "{name}"}})'
        yield line


def _sample_text(sample: Mapping[str, Any]) -> str:
    first, last = sample.get("first"), sample.get("last")
    parts = [f"{first}-{last}" if first != last else str(first)]
    parts += [str(sample[name]) for name in ("organisation", "certificate", "nature", "address") if name in sample]
    parts += [
        f"{name} {sample[key]}"
        for name, key in (
            ("division", "division"),
            ("VLAN", "vlan"),
            ("account", "subscriber"),
            ("from", "valid_from"),
            ("until", "valid_until"),
        )
        if key in sample
    ]
    return ", ".join(parts)


def _counts(report: Mapping[str, Any]) -> str:
    text = (
        f"{report['path']}: {report['rows']:,} rows taken, {len(report['refused']):,} refused, "
        f"{len(report['overlaps']):,} overlaps, {len(report['notes']):,} notes"
    )
    if report["left_out"]:
        text += f", {len(report['left_out']):,} cells left out"
    return text + (f", {len(report['warnings']):,} warnings" if report["warnings"] else "")


def prefixes_document(own: OwnPrefixes, attributor: Attributor) -> dict[str, Any]:
    """How much of the operator's own prefixes is covered, as plain data."""
    books = attributor.books.books
    return {
        "prefixes": [cover._asdict() for cover in own.covers],
        "outside": [{"place": books[book].place(line), "range": span} for book, line, span in own.outside],
    }


def prefixes_text(document: Mapping[str, Any]) -> Iterator[str]:
    """The same as lines for people."""
    if not document["prefixes"]:
        yield "attribution.prefixes names no prefix: how much of your own addresses the books cover is not known"
        return
    for cover in document["prefixes"]:
        share = 100 * cover["covered"] / cover["addresses"]
        gaps = ", ".join(cover["gaps"]) + (f" and {cover['more_gaps']:,} more" if cover["more_gaps"] else "")
        yield (
            f"{cover['prefix']}: {cover['covered']:,} of {cover['addresses']:,} addresses are in a row ({share:.3g} %)"
            + (f"; not covered: {gaps}" if gaps else "")
        )
    outside = document["outside"]
    for row in outside[:MOST_OUTSIDE]:
        yield f"{row['place']}: warning: {row['range']} lies outside of your own prefixes"
    if len(outside) > MOST_OUTSIDE:
        yield f"warning: {len(outside) - MOST_OUTSIDE:,} more rows lie outside of your own prefixes"
