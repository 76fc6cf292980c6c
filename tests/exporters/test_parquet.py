"""The table of Parquet: each row is the event that EVE has, its columns say what the event says, and what an event does
not say is null."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from exporters.forms import parquet
from exporters.forms.event import dumps, encode, encode_stats
from exporters.forms.parquet import COLUMNS, TIME_FORM, WHOLE_EVENT, ParquetError, schema, write
from sensor.model.finding import Finding
from sensor.model.node import Node
from tests.exporters.test_eve import FINDING, NODE, RECORDS, SCHEMA
from tests.ledger.made import any_of

pyarrow_parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
EVENTS = [*map(encode, RECORDS), encode_stats({"packets": 3}, 1, "reference")]
Row = dict[str, Any]


def written(events: list[dict[str, object]]) -> bytes:
    file = io.BytesIO()
    write(file, events)
    return file.getvalue()


def rows(data: bytes) -> list[Row]:
    found: list[Row] = pyarrow_parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


def place_of(event: object, place: str) -> object:
    for name in place.split("."):
        event = event.get(name) if isinstance(event, Mapping) else None
    return event


def test_the_rows_are_the_events_of_eve_in_their_order() -> None:
    found = rows(written(EVENTS))
    assert [row[WHOLE_EVENT] for row in found] == [dumps(event) for event in EVENTS]
    assert {row["event_type"] for row in found} == {"mining", "node", "stats"}


def test_each_column_says_what_its_event_says() -> None:
    for row in rows(written(EVENTS)):
        event = json.loads(row[WHOLE_EVENT])
        for column in COLUMNS:
            there = [value for place in column.places if (value := place_of(event, place)) is not None]
            wanted: Any = there[0] if there else None
            if column.kind == "time" and wanted is not None:
                wanted = datetime.strptime(wanted, TIME_FORM)
            assert row[column.name] == wanted, column


def test_an_amount_that_is_not_known_is_null_and_never_nought() -> None:
    unspoken = dataclasses.replace(
        FINDING, dialect=None, hashrate_hps=None, spent_hashrate_hps=None, power_watts=None, energy_kwh=None,
        work_hashes=None, claimed_hashrate_hps=None, nominal_hashrate_hps=None, capture_loss=None,
    )  # fmt: skip
    amounts = [
        column.name
        for column in COLUMNS
        if column.name.startswith(
            ("hashrate", "spent", "power", "energy", "work_hashes", "shares", "claimed", "nominal")
        )
    ]
    assert len(amounts) > 15
    for row in rows(written([encode(unspoken), encode(NODE), encode_stats({}, 0, "reference")])):
        assert {row[name] for name in (*amounts, "capture_loss")} == {None}


def test_the_same_events_give_the_same_bytes() -> None:
    assert written(EVENTS) == written([dict(event) for event in EVENTS])


def test_groups_of_rows_change_nothing_but_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(written(EVENTS))
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2)
    data = written(EVENTS)
    assert rows(data) == whole
    assert pyarrow_parquet.ParquetFile(io.BytesIO(data)).num_row_groups == (len(EVENTS) + 1) // 2


def test_nothing_found_is_a_table_without_rows() -> None:
    table = pyarrow_parquet.read_table(io.BytesIO(written([])))
    assert table.num_rows == 0
    assert table.schema.equals(schema())
    assert table.schema.metadata == {b"minewatch.schema": b"1"}


def test_the_columns_stay_as_they_are() -> None:
    """A column may be added at the end of this list; nobody's queries may break."""
    assert [f"{column.name} {column.kind}" for column in COLUMNS] == STABLE.split("\n")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_place_is_one_of_the_events_schema(column: parquet.EventColumn) -> None:
    def inner(definition: Any, name: str) -> Any:
        for part in (definition, *definition.get("oneOf", ()), *definition.get("anyOf", ())):
            while "$ref" in part:
                part = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]
            if name in part.get("properties", {}):
                return part["properties"][name]
        raise AssertionError(name)

    for place in column.places:
        definition: Any = SCHEMA
        for name in place.split("."):
            definition = inner(definition, name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(any_of(Finding) | any_of(Node))
def test_whatever_the_network_put_into_a_record_is_written(record: Finding | Node) -> None:
    event = encode(record)
    (row,) = rows(written([event]))
    assert row[WHOLE_EVENT] == dumps(event)
    assert row["event_id"] == event["event_id"]


def test_text_that_is_no_text_is_marked_and_whole_in_the_event() -> None:
    strange = dataclasses.replace(FINDING, login="a\ud800\x00b", workers=("\udfff",))
    (row,) = rows(written([encode(strange)]))
    assert (row["login"], row["workers"]) == ("a?\x00b", ["?"])
    assert json.loads(row[WHOLE_EVENT])["mining"]["login"] == strange.login


def test_a_number_too_large_for_a_column_is_null_there_and_whole_in_the_event() -> None:
    event = encode(dataclasses.replace(FINDING, flow_count=1 << 70))
    (row,) = rows(written([event]))
    assert row["flow_count"] is None
    assert json.loads(row[WHOLE_EVENT])["mining"]["flow_count"] == 1 << 70


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetError, match=r"pip install 'minewatch\[parquet\]'"), (tmp_path / "x").open("wb") as file:
        write(file, EVENTS)


STABLE = """\
event_id text
event_type text
timestamp time
record_id text
state text
first_seen time
last_seen time
src_ip text
src_port whole
dest_ip text
dest_port whole
proto text
community_id text
flow_id whole
vlan wholes
in_iface text
pcap_filename text
signature_id whole
severity whole
activity text
grade text
confidence number
dialect text
framing text
transport text
coin text
agent text
proxy text
algorithm text
algorithm_basis text
login text
wallet_address text
wallet_verdict text
donation truth
worker text
workers texts
machines_seen whole
aggregator text
software text
device text
device_class text
agent_role text
pool_name text
pool_operator text
pool_host text
pool_listed truth
node_protocol text
node_network text
shares_submitted whole
shares_accepted whole
shares_rejected whole
shares_unanswered whole
shares_verified whole
work_hashes number
work_unit text
hashrate_hps_low number
hashrate_hps_best number
hashrate_hps_high number
spent_hashrate_hps_low number
spent_hashrate_hps_best number
spent_hashrate_hps_high number
power_watts_low number
power_watts_best number
power_watts_high number
energy_kwh_low number
energy_kwh_best number
energy_kwh_high number
claimed_hashrate_hps number
nominal_hashrate_hps number
active_seconds number
capture_loss number
flow_count whole
midstream truth
merged_into text
attribution_result text
enterprise_id text
enterprise text
enterprise_uscc text
division text
site_address text"""
