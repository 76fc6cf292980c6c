"""Records as JSON text and back, exactly. Knows the records' shape from their types and nothing else.

Not by pydantic's own JSON: text from the network may hold lone surrogates (an escaped one is valid JSON), which UTF-8 cannot carry. As
ASCII with escapes everything survives, and no database sees a NUL.
"""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from sensor.records import Finding, Node

Record = Finding | Node

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


def dumps(record: Record) -> str:
    """One record as ASCII text."""
    return json.dumps(_ADAPTER.dump_python(record, warnings=False), separators=(",", ":"))


def loads(text: str) -> Record:
    """The record of a text that `dumps` made; fields added since then have their defaults."""
    return _ADAPTER.validate_python(json.loads(text))


def identity(record: Record) -> str:
    """The name under which a record is continued."""
    return record.finding_id if isinstance(record, Finding) else record.node_id
