"""Records and attributions as JSON text and back, exactly; and text fit for a column. Knows their shape from their
types, nothing else.

Not by pydantic's own JSON: text from the network may hold lone surrogates (an escaped one is valid JSON), which UTF-8
cannot carry. As ASCII with escapes everything survives, and no database sees a NUL.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import zstandard
from pydantic import TypeAdapter, ValidationError

from sensor.ledger.store.errors import DamagedRecordError
from sensor.line.overlap import DoubleCount
from sensor.model.attribution import Attribution, Enterprise
from sensor.model.exact_json import ExactJson
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.message import WireError
from sensor.model.record import Record
from sensor.model.wire import SensorReport, read_record, record_text
from sensor.model.wire import loads as load_wire

#: A text of so many characters or more is compressed (RFC 8878); the prefix marks it (JSON begins otherwise).
COMPRESSED_FROM, COMPRESSED_PREFIX = 8_192, "zstd64:"
#: Those of releases before.
ZLIB_PREFIX, OLDEST_PREFIX = "zlib64:", "zlib85:"
#: No text is longer: what claims to be is damaged.
MOST_CHARACTERS = 268_435_456
#: Longer text from the network or from books is cut where it stands in a column of its own; records keep it whole.
MAX_COLUMN_CHARACTERS = 240
#: How a record of the wire form begins.
OF_WIRE = '{"kind":'
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)
_ENTERPRISE: TypeAdapter[Enterprise] = TypeAdapter(Enterprise)
_FLOW: ExactJson[FlowSummary] = ExactJson(FlowSummary)
_OVERLAPS: TypeAdapter[dict[str, DoubleCount]] = TypeAdapter(dict[str, DoubleCount])
_ATTRIBUTION: TypeAdapter[Attribution] = TypeAdapter(Attribution)


@contextmanager
def readable() -> Iterator[None]:
    """What cannot be read within is damage. Raises DamagedRecordError."""
    try:
        yield
    except ValidationError as error:
        raise DamagedRecordError(f"{error.error_count()} fields are wrong") from None
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        zlib.error,
        zstandard.ZstdError,
        WireError,
    ) as error:
        raise DamagedRecordError((str(error).splitlines() or [type(error).__name__])[0][:200]) from None


def dumps(record: Record) -> str:
    """One record as ASCII text, in the wire form."""
    return record_text(record)


def packed(text: str) -> str:
    """A text as it is stored: a long one is compressed, for hundreds of connections are alike."""
    return text if len(text) < COMPRESSED_FROM else _compressed(text)


def _compressed(text: str) -> str:
    return COMPRESSED_PREFIX + base64.b64encode(zstandard.compress(text.encode("ascii"), 1)).decode("ascii")


def unpacked(text: str) -> str:
    """A text as it was before `packed`, of this or an earlier release. Raises ValueError, zlib.error or ZstdError for
    one that `packed` did not write."""
    if text.startswith(COMPRESSED_PREFIX):
        packed_bytes = base64.b64decode(text.removeprefix(COMPRESSED_PREFIX), validate=True)
        if zstandard.frame_content_size(packed_bytes) > MOST_CHARACTERS:
            raise ValueError("it claims to be longer than any record")
        return zstandard.decompress(packed_bytes).decode("ascii")
    if text.startswith(ZLIB_PREFIX):
        return zlib.decompress(base64.b64decode(text.removeprefix(ZLIB_PREFIX), validate=True)).decode("ascii")
    if text.startswith(OLDEST_PREFIX):
        return zlib.decompress(base64.b85decode(text.removeprefix(OLDEST_PREFIX))).decode("ascii")
    return text


def loads(text: str) -> Record:
    """The record of a text that `dumps` wrote, packed or not; fields added since then have their defaults. This and all
    that follows raise DamagedRecordError for any other text."""
    with readable():
        whole = unpacked(text)
        if whole.startswith(OF_WIRE) or "kind" in (values := json.loads(whole)):
            return read_record(whole)
        return _RECORD.validate_python(values)  # of a release before the wire form


def load_report(text: str) -> SensorReport:
    """The report of a text of the wire form, packed or not."""
    with readable():
        return load_wire(unpacked(text))


def load_finding(text: str) -> Finding:
    """The finding of a text that `dumps` wrote of a finding."""
    record = loads(text)
    if not isinstance(record, Finding):
        raise DamagedRecordError("it is of another kind than its table")
    return record


def dump_enterprise(enterprise: Enterprise) -> str:
    """An enterprise as ASCII text."""
    return json.dumps(_ENTERPRISE.dump_python(enterprise))


def load_enterprise(text: str) -> Enterprise:
    """The enterprise of a text that `dump_enterprise` wrote."""
    with readable():
        return _ENTERPRISE.validate_python(json.loads(text))


def dump_attribution(attribution: Attribution) -> str:
    """An attribution with its claims as ASCII text."""
    return json.dumps(_ATTRIBUTION.dump_python(attribution, warnings=False))


def load_attribution(text: str) -> Attribution:
    """The attribution of a text that `dump_attribution` wrote."""
    with readable():
        loaded: Any = json.loads(text)
        return _ATTRIBUTION.validate_python(loaded)


def dump_flow(flow: FlowSummary) -> str:
    """A connection as compressed ASCII text: there are many."""
    return _compressed(_FLOW.dumps(flow))


def load_flow(text: str) -> FlowSummary:
    """The connection of a text that `dump_flow` wrote."""
    with readable():
        return _FLOW.loads(unpacked(text))


def dump_overlaps(overlaps: Mapping[str, DoubleCount]) -> str | None:
    """Overlaps by algorithm ("": not known) as ASCII text; None where there are none."""
    some = {name: overlap for name, overlap in overlaps.items() if overlap}
    return json.dumps(_OVERLAPS.dump_python(some, exclude_defaults=True)) if some else None


def load_overlaps(text: str | None) -> dict[str, DoubleCount]:
    """The overlaps of a text that `dump_overlaps` wrote."""
    with readable():
        return {} if text is None else _OVERLAPS.validate_python(json.loads(text))


def column_text(text: str, most: int = MAX_COLUMN_CHARACTERS) -> str:
    """Text that every database takes: no NUL, no lone surrogate, at most so many characters."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:most]


def answer_details(text: str) -> list[Mapping[str, str]]:
    """The details of the claims that are the answer, of a text that `dump_attribution` wrote."""
    claims = json.loads(text)["claims"]
    return [claim["detail"] for claim in claims if claim["standing"] == "answer"]
