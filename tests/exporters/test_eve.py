"""EVE lines: valid against the schema, the same at every replay, one ASCII line each."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms.event import dumps, encode, encode_stats, severity
from sensor.line.examples import dialogue_events
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.text import file_name
from sensor.model.time import event_text
from tests.session.dialogue import run, shipped

SCHEMA = json.loads((Path(__file__).parents[2] / "exporters" / "forms" / "eve.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
RECORDS = run(
    event
    for number, example in enumerate(example for header in shipped().headers for example in header.examples)
    for event in dialogue_events(example.dialogue, flow=number, proto=example.proto)
)[0]
FINDING = next(one for one in RECORDS if isinstance(one, Finding) and one.grade is Grade.ACCEPTED and one.coin == "BTC")
NODE = next(one for one in RECORDS if isinstance(one, Node))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_line_of_every_example_is_valid() -> None:
    assert len(RECORDS) > 20
    for record in RECORDS:
        line = dumps(encode(record))
        assert "\n" not in line
        assert line.isascii()
        VALIDATOR.validate(json.loads(line))


def test_every_member_of_an_event_is_described() -> None:
    def unknown(value: object, schema: dict[str, object], place: str) -> list[str]:
        while "$ref" in schema:
            schema = SCHEMA["$defs"][str(schema["$ref"]).rsplit("/", 1)[1]]
        if isinstance(value, dict) and "properties" in schema:
            known = schema["properties"]
            assert isinstance(known, dict)
            missing = [f"{place}.{key}" for key in value if key not in known]
            return missing + [
                one for key in value if key in known for one in unknown(value[key], known[key], f"{place}.{key}")
            ]
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            return [one for item in value for one in unknown(item, schema["items"], place)]  # type: ignore[arg-type]
        return []

    for record in (FINDING, NODE):
        assert unknown(json.loads(dumps(encode(record))), SCHEMA, "event") == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("event_type",), "mines"),
        (("src_port",), 70000),
        (("mining", "confidence"), 1.5),
        (("mining", "shares", "accepted"), -1),
        (("timestamp",), "x"),
    ],
)
def test_the_schema_refuses_what_is_wrong(place: tuple[str, ...], value: object) -> None:
    event = json.loads(dumps(encode(FINDING)))
    inner = event
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert not VALIDATOR.is_valid(event)


def test_a_mining_event_says_what_was_found() -> None:
    event = json.loads(dumps(encode(dataclasses.replace(FINDING, state="updated"))))
    assert event["event_type"] == "mining"
    assert (event["src_ip"], event["dest_port"]) == (FINDING.miner_ip, FINDING.pool_port)
    assert event["alert"]["category"] == "Crypto Currency Mining Activity Detected"
    assert event["alert"]["severity"] == 1
    assert event["mining"]["state"] == "updated"
    assert event["mining"]["pool"] == {"name": None, "operator": None, "host": None, "listed": None}
    assert event["attribution"] is None
    assert list(event)[:3] == ["timestamp", "event_type", "event_id"]
    assert event["mining"]["evidence"][0]["grade"] == "accepted"


def test_the_event_id_is_that_of_the_state_and_time() -> None:
    same = encode(FINDING)["event_id"]
    assert encode(dataclasses.replace(FINDING))["event_id"] == same
    assert encode(dataclasses.replace(FINDING, state="updated"))["event_id"] != same
    assert encode(dataclasses.replace(FINDING, last_ns=FINDING.last_ns + 1))["event_id"] != same


def test_a_node_is_no_mining() -> None:
    event = encode(NODE)
    assert event["event_type"] == "node"
    assert "mining" not in event
    assert "alert" not in event


def test_stats_are_valid_and_in_order() -> None:
    event = encode_stats({"b": 2, "a": 1}, 1_767_323_045_678_901_234, "reference")
    VALIDATOR.validate(event)
    assert dumps(event) == (
        '{"timestamp":"2026-01-02T03:04:05.678901+0000","event_type":"stats","stats":{"engine":"reference","counters":{"a":1,"b":2}}}'
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(-(1 << 63), 1 << 63))
def test_any_packet_time_is_a_timestamp(ns: int) -> None:
    VALIDATOR.validate({"timestamp": event_text(ns), "event_type": "stats", "stats": {"engine": "x", "counters": {}}})


def test_text_from_the_network_cannot_break_a_line() -> None:
    strange = dataclasses.replace(FINDING, login='a"\n\u2028\ud800\x00', agent="\x1b[31m")
    line = dumps(encode(strange))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["mining"]["login"] == strange.login


@pytest.mark.parametrize(
    ("source", "name"), [("/a/b/c.pcap", "c.pcap"), ("c:\\x\\y.pcap", "y.pcap"), ("-", "-"), ("/", "/")]
)
def test_a_source_is_told_by_its_last_part(source: str, name: str) -> None:
    assert file_name(source) == name


def test_an_interface_is_told_as_such() -> None:
    flows = [dataclasses.replace(flow, source="iface:eth0") for flow in FINDING.flows]
    event = json.loads(dumps(encode(dataclasses.replace(FINDING, flows=flows))))
    VALIDATOR.validate(event)
    assert (event["in_iface"], event["mining"]["flows"][0]["in_iface"]) == ("eth0", "eth0")
    assert "pcap_filename" not in {*event, *event["mining"]["flows"][0]}


def test_severity_follows_the_grade() -> None:
    assert [severity(grade) for grade in Grade] == [3, 3, 3, 2, 1, 1, 1]
