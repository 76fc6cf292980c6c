"""The wire form: what a sensor tells a ledger, as exact and versioned JSON. Findings, nodes, conditions of the sensor,
and the time it listened.

    {"v": 1, "sensor_id": "edge-1", "run_id": "…", "sent_ns": 0, "records": [{"kind": "finding", …}], "coverage": […],
     "kind": "live", "clock_offset_ns": 0, "suppressed": {}, "ended": [], "began": false, "number": 7}

A ledger that is given all reports of a sensor, in the order of their numbers, holds what the sensor's own one does.

The rule of evolution. A minor change adds fields with defaults: a reader skips fields that it does not know, and a
field that is missing has its default; a record of a kind that it does not know is refused. Anything else is a new major
version (`v`), which an older reader refuses with a sentence. Text from the network may hold lone surrogates, which
UTF-8 cannot carry; as ASCII with escapes all of it survives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import msgspec
from pydantic import TypeAdapter, ValidationError

from sensor.model.condition import Condition
from sensor.model.exact_json import ExactJson
from sensor.model.finding import Finding
from sensor.model.message import MOST_INTEGER, NewerWireError, WireError
from sensor.model.node import Node
from sensor.model.policy import REASON_CHARACTERS, STATES, PolicyState
from sensor.model.record import Record
from sensor.model.sensor import SENSOR_ID

VERSION = 1
#: What names a run: hexadecimal digits of a process, or of the captures that were read.
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
#: Begins the key of what is of the sensor itself, and of no miner.
SENSOR_KEY = "sensor:"
KINDS: dict[str, type[Record]] = {"finding": Finding, "node": Node, "condition": Condition}
NAMES = {record_type: kind for kind, record_type in KINDS.items()}
_FORMS: dict[str, ExactJson[Any]] = {kind: ExactJson(record_type) for kind, record_type in KINDS.items()}


class _RecordKind(msgspec.Struct):
    kind: str


_KIND = msgspec.json.Decoder(_RecordKind)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXTS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which a sensor really listened."""

    from_ns: int
    to_ns: int
    apart_ns: int = 0  # stretches no further apart than this are one


@dataclass(frozen=True, slots=True)
class SensorReport:
    """One message of a sensor: how its findings, its nodes and itself stand by its own count, and when it listened."""

    sensor_id: str
    run_id: str  # of the process whose totals these are
    sent_ns: int  # the wall clock when it was recorded
    records: tuple[Record, ...] = ()
    coverage: tuple[Stretch, ...] = ()
    v: int = field(default=VERSION)
    kind: Literal["live", "replay"] = "live"
    clock_offset_ns: int = 0  # the sensor's clock less the true time, as it states it
    suppressed: Mapping[str, str] = field(default_factory=dict)  # by identity of a finding: why it is not reported
    ended: tuple[str, ...] = ()  # findings of earlier runs that no run of the sensor follows any more
    began: bool = False  # the sensor's process begins
    number: int = 0  # the place in the sensor's outbox; it grows within a run. 0: not known
    policies: tuple[PolicyState, ...] | None = None  # what became of parcels there, all of them; None: not said


@dataclass(frozen=True, slots=True)
class QueuedReport:
    """A report as it waits for delivery."""

    sequence: int  # its number
    created_ns: int
    key: str  # those of one key are to keep their order: the miner's address, or the sensor
    text: str

    @property
    def is_of_sensor(self) -> bool:
        """Whether it is of the sensor itself: what it found before is to be known first."""
        return self.key.startswith(SENSOR_KEY)


#: Parcels that a sensor speaks of in one report, and the form of their kinds: a newer sensor may have more of them.
MOST_POLICIES, POLICY_KIND = 64, re.compile(r"[a-z]{1,32}")
_POLICY: TypeAdapter[PolicyState] = TypeAdapter(PolicyState)
_STRETCHES: TypeAdapter[tuple[Stretch, ...]] = TypeAdapter(tuple[Stretch, ...])


def dump_record(record: Record) -> dict[str, Any]:
    """A record as plain values, its kind first."""
    kind = NAMES[type(record)]
    return {"kind": kind, **_FORMS[kind].adapter.dump_python(record, warnings=False)}


def record_text(record: Record, *, allow_nan: bool = True) -> str:
    """The same as one line of ASCII. Raises ValueError for a number that JSON has not (infinity), unless
    `allow_nan`."""
    kind = NAMES[type(record)]
    return f'{{"kind":"{kind}",{_FORMS[kind].dumps(record, allow_nan=allow_nan)[1:]}'


def can_add_up(record: Record) -> bool:
    """Whether every figure of a record is one that others can be added to: neither infinite nor beyond all measure."""
    return _FORMS[NAMES[type(record)]].can_add_up(record)


def load_record(values: dict[str, Any]) -> Record:
    """The record of plain values. Raises WireError."""
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in _FORMS:
        raise WireError(f"a record of the kind {kind!r} is not known here")
    fields = {name: values[name] for name in values if name != "kind"}
    with _as_sentence(kind):
        record: Record = _FORMS[kind].adapter.validate_python(fields)
    return record


def read_record(text: str | bytes | msgspec.Raw) -> Record:
    """The record of a text that `record_text` wrote. Raises WireError, and ValueError and RecursionError for what is no
    JSON."""
    try:
        kind = _KIND.decode(text).kind
    except (msgspec.DecodeError, ValueError, RecursionError):
        kind = None
    if kind not in _FORMS:
        return load_record(_object(bytes(text) if isinstance(text, msgspec.Raw) else text))
    with _as_sentence(kind):
        record: Record = _FORMS[kind].loads(text)
    return record


@contextmanager
def _as_sentence(kind: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise WireError(f"{kind}: {where}: {first['msg'][0].lower()}{first['msg'][1:]}") from None


def dumps(report: SensorReport) -> str:
    """A report as one line of ASCII. Raises ValueError for a number that JSON has not (infinity)."""
    stretches = [
        {"from_ns": stretch.from_ns, "to_ns": stretch.to_ns, "apart_ns": stretch.apart_ns}
        for stretch in report.coverage
    ]
    message = {
        "v": report.v,
        "sensor_id": report.sensor_id,
        "run_id": report.run_id,
        "sent_ns": report.sent_ns,
        "kind": report.kind,
        "clock_offset_ns": report.clock_offset_ns,
        "suppressed": dict(report.suppressed),
        "ended": list(report.ended),
        "began": report.began,
        "coverage": stretches,
    }
    if report.policies is not None:
        message["policies"] = [asdict(state) for state in report.policies]
    if report.number:
        message["number"] = report.number
    text = json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    records = ",".join(record_text(record, allow_nan=False) for record in report.records)
    return f'{text[:-1]},"records":[{records}]}}'


def numbered(text: str, number: int) -> str:
    """The text of a report without a number, with one."""
    return f'{text[:-1]},"number":{number}}}'


def loads(text: str | bytes) -> SensorReport:
    """The report of a text that `dumps` of this or an earlier release made. Raises WireError."""
    try:
        message, records = _quickly(text)
    except (msgspec.DecodeError, WireError, ValueError, RecursionError, TypeError):
        message, records = _object(text), None
    version = message.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise WireError("v: the version is missing")
    if version > VERSION:
        raise NewerWireError(f"v: version {version} was made by a newer minewatch; this one reads up to {VERSION}")
    if records is None:
        values = message.get("records", [])
        if not isinstance(values, list) or not all(isinstance(record, dict) for record in values):
            raise WireError("records: must be a list of objects")
        records = tuple(map(load_record, values))
    try:
        coverage = _STRETCHES.validate_python(message.get("coverage", []))
    except ValidationError:
        raise WireError("coverage: must be a list of {from_ns, to_ns}") from None
    times = [number for stretch in coverage for number in (stretch.from_ns, stretch.to_ns, stretch.apart_ns)]
    if not all(0 <= number <= MOST_INTEGER for number in times):
        raise WireError("coverage: a time is out of range")
    kind = message.get("kind", "live")
    if kind not in ("live", "replay"):
        raise WireError("kind: must be live or replay")
    return SensorReport(
        sensor_id=_name(message, "sensor_id", SENSOR_ID),
        run_id=_name(message, "run_id", RUN_ID),
        sent_ns=_integer(message, "sent_ns", None),
        records=records,
        coverage=coverage,
        v=version,
        kind=kind,
        clock_offset_ns=_integer(message, "clock_offset_ns", 0),
        suppressed=_texts(message),
        ended=_ended(message),
        began=message.get("began") is True,
        number=_integer(message, "number", 0),
        policies=_policies(message),
    )


def _quickly(text: str | bytes) -> tuple[dict[str, Any], tuple[Record, ...]]:
    """The fields of a message and its records, where nothing is wrong with them. Raises anything else."""
    fields = _FIELDS.decode(text)
    records = tuple(map(read_record, _TEXTS.decode(fields.pop("records", b"[]"))))
    return {name: msgspec.json.decode(value) for name, value in fields.items()}, records


def _object(text: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError(f"must be an object, not {type(message).__name__}")
    return message


def _name(message: dict[str, Any], field_name: str, form: re.Pattern[str]) -> str:
    text = message.get(field_name)
    if not isinstance(text, str) or form.fullmatch(text) is None:
        raise WireError(f"{field_name}: must be text of letters, digits and . _ -, not too long")
    return text


def _integer(message: dict[str, Any], field_name: str, default: int | None) -> int:
    number = message.get(field_name, default)
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > MOST_INTEGER:
        raise WireError(f"{field_name}: must be a number of 64 bits")
    return number


def _texts(message: dict[str, Any]) -> dict[str, str]:
    reasons = message.get("suppressed", {})
    if not isinstance(reasons, dict) or not all(isinstance(why, str) for why in reasons.values()):
        raise WireError("suppressed: must be reasons by finding")
    return reasons


def _ended(message: dict[str, Any]) -> tuple[str, ...]:
    identities = message.get("ended", [])
    if not isinstance(identities, list) or not all(isinstance(identity, str) for identity in identities):
        raise WireError("ended: must be a list of findings")
    return tuple(identities)


def _policies(message: dict[str, Any]) -> tuple[PolicyState, ...] | None:
    given = message.get("policies")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_POLICIES:
        raise WireError(f"policies: must be a list of at most {MOST_POLICIES}")
    return tuple(map(_policy, given))


def _policy(values: object) -> PolicyState:
    try:
        state: PolicyState = _POLICY.validate_python(values)
    except ValidationError:
        raise WireError("policies: must be objects with kind, version, sha256, state, reason and at_ns") from None
    if POLICY_KIND.fullmatch(state.kind) is None or re.fullmatch(r"(?:[0-9a-f]{64})?", state.sha256) is None:
        raise WireError("policies: kind or sha256 is not of its form")
    if len(state.reason or "") > 2 * REASON_CHARACTERS:
        raise WireError("policies: a reason is too long")
    if not 0 <= state.version <= MOST_INTEGER or not 0 <= state.at_ns <= MOST_INTEGER:
        raise WireError("policies: a number is out of range")
    return state


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a message. It allows fields that are not named, as the rule of evolution has it."""
    definitions: dict[str, Any] = {}
    kinds = []
    for kind, form in _FORMS.items():
        described = form.adapter.json_schema(ref_template="#/$defs/{model}")
        definitions |= described.pop("$defs", {})
        described["properties"] = {"kind": {"const": kind}, **described["properties"]}
        described["required"] = ["kind", *described["required"]]
        definitions[kind] = described
        kinds.append({"$ref": f"#/$defs/{kind}"})
    nanoseconds = {"type": "integer"}
    stretch = {
        "type": "object",
        "properties": {"from_ns": nanoseconds, "to_ns": nanoseconds, "apart_ns": nanoseconds},
        "required": ["from_ns", "to_ns"],
    }
    policy = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "pattern": f"^{POLICY_KIND.pattern}$"},
            "version": {"type": "integer", "minimum": 0},
            "sha256": {"type": "string"},
            "state": {"enum": list(STATES)},
            "reason": {"type": ["string", "null"]},
            "at_ns": nanoseconds,
        },
        "required": ["kind", "version", "sha256", "state", "reason", "at_ns"],
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
            "kind": {"enum": ["live", "replay"]},
            "clock_offset_ns": nanoseconds,
            "suppressed": {"type": "object", "additionalProperties": {"type": "string"}},
            "ended": {"type": "array", "items": {"type": "string"}},
            "began": {"type": "boolean"},
            "number": {"type": "integer", "minimum": 0},
            "policies": {"type": "array", "items": policy, "maxItems": MOST_POLICIES},
        },
        "required": ["v", "sensor_id", "run_id", "sent_ns"],
        "$defs": definitions,
    }
