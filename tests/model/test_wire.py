"""The wire form: exact there and back, read by older and newer releases by its rule, or refused in one sentence."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
from hypothesis import given

from sensor.model import wire
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.flow import FlowKey
from sensor.model.message import NewerWireError, WireError
from sensor.model.node import Node
from sensor.model.record import Record
from sensor.model.wire import SensorReport, Stretch, dumps, loads, numbered, schema
from tests.ledger.made import any_of, finding

KEY = FlowKey("192.0.2.7", 40_000, "198.51.100.9", 8333, "TCP", 7, "1:flow7")
NODE = Node("node-1", "bitcoin-p2p", "mainnet", "BTC", KEY, None, 2001, 1, "Bitcoin", 1, 2, 0.9, [], (), "lo")
CONDITION = Condition("condition-1", "emergency", "over", "edge-1", 1, 2, {"flows": 7})
REPORT = SensorReport("edge-1", "run-1", 5, (finding(), NODE, CONDITION), (Stretch(1, 9),))
WHOLE = dataclasses.replace(
    REPORT,
    coverage=(Stretch(1, 9, 3),),
    kind="replay",
    clock_offset_ns=-7,
    suppressed={"finding-1": "known \ud800"},
    ended=("finding-2",),
    began=True,
    number=12,
)


def changed(**values: object) -> str:
    return json.dumps({**json.loads(dumps(REPORT)), **values})


def test_a_report_comes_back_as_it_was() -> None:
    assert loads(dumps(REPORT)) == REPORT
    assert loads(dumps(WHOLE)) == WHOLE
    assert loads(numbered(dumps(REPORT), 7)) == dataclasses.replace(REPORT, number=7)


def test_a_report_of_the_first_release_of_the_form_is_read() -> None:
    message = json.loads(dumps(REPORT))
    for name in ("kind", "clock_offset_ns", "suppressed", "ended", "began"):
        del message[name]
    message["coverage"] = [{"from_ns": 1, "to_ns": 9}]
    assert loads(json.dumps(message)) == REPORT


def test_a_newer_version_is_told_from_what_is_no_report() -> None:
    with pytest.raises(NewerWireError):
        loads(changed(v=2))


@given(any_of(Finding) | any_of(Node) | any_of(Condition))
def test_any_record_comes_back_as_it_was(record: Record) -> None:
    line = dumps(SensorReport("s", "r", 0, (record,)))
    assert line.isascii()
    assert loads(line).records == (record,)


def test_every_message_is_valid_against_the_schema() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    validator.validate(json.loads(dumps(REPORT)))
    validator.validate(json.loads(dumps(WHOLE)))
    assert list(validator.iter_errors({"v": 2}))


def test_fields_that_are_not_known_are_skipped() -> None:
    record = {**json.loads(dumps(REPORT))["records"][0], "mood": "fine"}
    assert loads(changed(weather="rain", records=[record])).records == REPORT.records[:1]


def test_fields_that_are_missing_have_their_defaults() -> None:
    record: dict[str, object] = json.loads(dumps(REPORT))["records"][0]
    del record["stream_bytes"]
    (read,) = loads(changed(records=[record])).records
    assert getattr(read, "stream_bytes", None) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "must be an object, not int"),
        ("{}", "v: the version is missing"),
        (changed(v=2), "v: version 2 was made by a newer minewatch; this one reads up to 1"),
        (changed(v=True), "v: the version is missing"),
        (changed(sensor_id=""), "sensor_id: must be text"),
        (changed(records=[{"kind": "rumour"}]), "a record of the kind 'rumour' is not known here"),
        (changed(records=[{"kind": "node"}]), "node: node_id: field required"),
        (changed(records="all"), "records: must be a list of objects"),
        (changed(sensor_id="a b"), "sensor_id: must be text"),
        (changed(run_id="run~1"), "run_id: must be text"),
        (changed(run_id="x" * 200), "run_id: must be text"),
        (changed(sent_ns=None), "sent_ns: must be a number of 64 bits"),
        (changed(sent_ns=1 << 63), "sent_ns: must be a number of 64 bits"),
        (changed(number=True), "number: must be a number of 64 bits"),
        (changed(kind="dead"), "kind: must be live or replay"),
        (changed(suppressed={"finding-1": 7}), "suppressed: must be reasons by finding"),
        (changed(ended="finding-1"), "ended: must be a list of findings"),
        (changed(coverage=[{"from_ns": -1, "to_ns": 2}]), "coverage: a time is out of range"),
        (changed(coverage=[[1, 2, 3]]), "coverage: must be a list"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(WireError) as caught:
        loads(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_kind_of_record_has_a_name() -> None:
    assert set(wire.KINDS.values()) == set(Record.__args__)
