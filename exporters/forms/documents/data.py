"""A document as JSON, for programs: every cell by the key of its column, in base units, ranges as low, best, high."""

from __future__ import annotations

import json
from datetime import datetime

from exporters.forms.documents.model import (
    Block,
    Cell,
    Chart,
    Document,
    DocumentTable,
    KeyFigures,
    RangeCell,
    Sentences,
)

SUFFIX = "json"


def write(document: Document) -> bytes:
    """The JSON text, in UTF-8; what is no valid text becomes a question mark."""
    value = {
        **document.identity,
        "language": document.language,
        "title": document.title,
        "subtitle": document.subtitle,
        "meta": [{"name": name, "value": text} for name, text in document.meta],
        "sections": [
            {
                "key": section.key,
                "title": section.title,
                "introduction": section.introduction,
                "blocks": [block_of(block) for block in section.blocks],
            }
            for section in document.sections
        ],
        "footer": document.footer,
    }
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8", "replace")


def block_of(block: Block) -> dict[str, object]:
    """One block as a map."""
    head: dict[str, object] = {"type": block.block_type, "key": block.key, "title": block.title}
    if isinstance(block, KeyFigures):
        facts = [
            {
                "key": figure.key,
                "title": figure.title,
                "unit": figure.unit,
                "value": cell(figure.value),
                "note": figure.note,
            }
            for figure in block.figures
        ]
        return {**head, "facts": facts}
    if isinstance(block, DocumentTable):
        columns = [
            {"key": column.key, "title": column.title, "kind": column.kind, "unit": column.unit}
            for column in block.columns
        ]
        keys = [column.key for column in block.columns]
        rows = [{key: cell(value) for key, value in zip(keys, row, strict=True)} for row in block.rows]
        return {**head, "columns": columns, "rows": rows, "notes": list(block.notes)}
    if isinstance(block, Chart):
        return {
            **head,
            "unit": block.unit,
            "points": [{"label": point.label, "value": cell(point.value)} for point in block.points],
        }
    assert isinstance(block, Sentences)
    return {**head, "sentences": list(block.sentences)}


def cell(value: Cell) -> object:
    """One cell: a number, a text, null, or a map of three numbers."""
    if isinstance(value, RangeCell):
        return {"low": value.low, "best": value.best, "high": value.high}
    return value.isoformat() if isinstance(value, datetime) else value
