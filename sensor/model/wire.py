"""The wire form: what a sensor tells a ledger, as exact and versioned JSON. Findings, nodes, conditions of the sensor,
and the time it listened.

    {"v": 1, "sensor_id": "edge-1", "run_id": "…", "sent_ns": 0, "records": [{"kind": "finding", …}], "coverage": […]}

The rule of evolution. A minor change adds fields with defaults: a reader skips fields that it does not know, and a
field that is missing has its default; a record of a kind that it does not know is refused. Anything else is a new major
version (`v`), which an older reader refuses with a sentence. Text from the network may hold lone surrogates, which
UTF-8 cannot carry; as ASCII with escapes all of it survives.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record

VERSION = 1
KINDS: dict[str, type[Record]] = {"finding": Finding, "node": Node, "condition": Condition}
NAMES = {record_type: kind for kind, record_type in KINDS.items()}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(record_type) for kind, record_type in KINDS.items()}


class WireError(Exception):
    """A message cannot be read; one sentence."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which a sensor really listened."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class SensorReport:
    """One message of a sensor: how its findings, its nodes and itself stand by its own count, and when it listened."""

    sensor_id: str
    run_id: str  # of the process whose totals these are
    sent_ns: int
    records: tuple[Record, ...] = ()
    coverage: tuple[Stretch, ...] = ()
    v: int = field(default=VERSION)


_STRETCHES: TypeAdapter[tuple[Stretch, ...]] = TypeAdapter(tuple[Stretch, ...])


def dump_record(record: Record) -> dict[str, Any]:
    """A record as plain values, its kind first."""
    kind = NAMES[type(record)]
    return {"kind": kind, **_ADAPTERS[kind].dump_python(record, warnings=False)}


def load_record(values: dict[str, Any]) -> Record:
    """The record of plain values. Raises WireError."""
    kind = values.get("kind")
    if kind not in _ADAPTERS:
        raise WireError(f"a record of the kind {kind!r} is not known here")
    try:
        record: Record = _ADAPTERS[kind].validate_python({name: values[name] for name in values if name != "kind"})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WireError(f"{kind}: {where}: {first['msg'][0].lower()}{first['msg'][1:]}") from None
    return record


def dumps(report: SensorReport) -> str:
    """A report as one line of ASCII."""
    message = {
        "v": report.v,
        "sensor_id": report.sensor_id,
        "run_id": report.run_id,
        "sent_ns": report.sent_ns,
        "records": [dump_record(record) for record in report.records],
        "coverage": [{"from_ns": stretch.from_ns, "to_ns": stretch.to_ns} for stretch in report.coverage],
    }
    return json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def loads(text: str | bytes) -> SensorReport:
    """The report of a text that `dumps` of this or an earlier release made. Raises WireError."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError(f"must be an object, not {type(message).__name__}")
    version = message.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise WireError("v: the version is missing")
    if version > VERSION:
        raise WireError(f"v: version {version} was made by a newer minewatch; this one reads up to {VERSION}")
    texts = {name: message.get(name) for name in ("sensor_id", "run_id")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise WireError(f"{name}: must be text")
    records, sent_ns = message.get("records", []), message.get("sent_ns")
    if not isinstance(sent_ns, int) or not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise WireError("sent_ns must be a number, and records a list of objects")
    try:
        coverage = _STRETCHES.validate_python(message.get("coverage", []))
    except ValidationError:
        raise WireError("coverage: must be a list of {from_ns, to_ns}") from None
    return SensorReport(
        sensor_id=str(texts["sensor_id"]),
        run_id=str(texts["run_id"]),
        sent_ns=sent_ns,
        records=tuple(map(load_record, records)),
        coverage=coverage,
        v=version,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a message. It allows fields that are not named, as the rule of evolution has it."""
    definitions: dict[str, Any] = {}
    kinds = []
    for kind, adapter in _ADAPTERS.items():
        described = adapter.json_schema(ref_template="#/$defs/{model}")
        definitions |= described.pop("$defs", {})
        described["properties"] = {"kind": {"const": kind}, **described["properties"]}
        described["required"] = ["kind", *described["required"]]
        definitions[kind] = described
        kinds.append({"$ref": f"#/$defs/{kind}"})
    nanoseconds = {"type": "integer"}
    stretch = {
        "type": "object",
        "properties": {"from_ns": nanoseconds, "to_ns": nanoseconds},
        "required": ["from_ns", "to_ns"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://minewatch.invalid/wire.schema.json",
        "title": "What a minewatch sensor tells a ledger",
        "type": "object",
        "properties": {
            "v": {"const": VERSION},
            "sensor_id": {"type": "string", "minLength": 1},
            "run_id": {"type": "string", "minLength": 1},
            "sent_ns": nanoseconds,
            "records": {"type": "array", "items": {"oneOf": kinds}},
            "coverage": {"type": "array", "items": stretch},
        },
        "required": ["v", "sensor_id", "run_id", "sent_ns"],
        "$defs": definitions,
    }
