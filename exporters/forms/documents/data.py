"""A document as JSON, for programs: every cell by the key of its column, in base units, ranges as low, best, high.

Where there is no figure and that must be said, its code stands: unknown, not-observed, not-projected.
"""

from __future__ import annotations

import json
from datetime import datetime

from exporters.forms.documents.model import (
    Absent,
    Block,
    Cell,
    Chart,
    CoverageStrip,
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
        "opening": [block_of(block) for block in document.opening],
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
                **({"at_least": True} if figure.at_least else {}),
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
            "points": [
                {"label": point.label, "value": cell(point.value), "unseen": point.unseen} for point in block.points
            ],
        }
    if isinstance(block, CoverageStrip):
        rows = [{"name": row.name, "part": row.part, "parts": list(row.parts)} for row in block.sensors]
        return {**head, "steps": list(block.steps), "rows": rows}
    assert isinstance(block, Sentences)
    return {**head, "sentences": list(block.sentences)}


def cell(value: Cell) -> object:
    """One cell: a number, a text, null, a map of three numbers, or the code of why there is no figure."""
    if isinstance(value, Absent):
        return value.code
    if isinstance(value, RangeCell):
        more = {"at_least": True} if value.at_least else {}
        return {"low": value.low, "best": value.best, "high": value.high, **more}
    return value.isoformat() if isinstance(value, datetime) else value
