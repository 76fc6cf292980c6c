"""Records as JSON text and back, exactly. Knows the records' shape from their types and nothing else.

Not by pydantic's own JSON: text from the network may hold lone surrogates (an escaped one is valid JSON), which UTF-8 cannot carry. As
ASCII with escapes everything survives, and no database sees a NUL.
"""

from __future__ import annotations

import base64
import json
import zlib

from pydantic import TypeAdapter

from sensor.model.finding import Finding
from sensor.model.node import Node

Record = Finding | Node

#: From so many characters on a text is compressed; and what stands before it then (JSON begins otherwise).
LONG, PACKED = 8_192, "zlib85:"
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


def dumps(record: Record) -> str:
    """One record as ASCII text."""
    return json.dumps(_ADAPTER.dump_python(record, warnings=False), separators=(",", ":"))


def packed(text: str) -> str:
    """A text as it is kept: a long one is compressed, for hundreds of connections are one like the other."""
    if len(text) < LONG:
        return text
    return PACKED + base64.b85encode(zlib.compress(text.encode("ascii"), 1)).decode("ascii")


def loads(text: str) -> Record:
    """The record of a text that `dumps` made, packed or not; fields added since then have their defaults."""
    if text.startswith(PACKED):
        text = zlib.decompress(base64.b85decode(text.removeprefix(PACKED))).decode("ascii")
    return _ADAPTER.validate_python(json.loads(text))


def identity(record: Record) -> str:
    """The name under which a record is continued."""
    return record.finding_id if isinstance(record, Finding) else record.node_id
