"""Records survive being text, whatever the network said."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib

import pytest
from hypothesis import given, settings

from sensor.ledger.store.amounts import totals
from sensor.ledger.store.records import dumps, load_finding, loads, packed
from sensor.model.record import Record, event_id
from sensor.model.work import watched_seconds
from tests.exporters.test_eve import RECORDS
from tests.ledger.made import any_of, finding, flow
from tests.ledger.mining import HOUR, MONDAY, mined


@settings(max_examples=60)
@given(any_of(Record))
def test_any_record_comes_back_as_it_was(record: Record) -> None:
    text = dumps(record)
    assert text.isascii()
    assert loads(text) == record
    assert event_id(loads(text)) == event_id(record)


def test_the_records_of_every_example_come_back_as_they_were() -> None:
    assert [loads(dumps(record)) for record in RECORDS] == RECORDS


def test_an_event_has_another_name_when_anything_that_is_told_changed() -> None:
    one = finding()
    more = dataclasses.replace(one.shares, submitted=one.shares.submitted + 1)
    others = [
        dataclasses.replace(one, state="closed"),
        dataclasses.replace(one, last_ns=one.last_ns + 1),
        dataclasses.replace(one, shares=more),
        dataclasses.replace(one, flow_count=2),
        dataclasses.replace(one, finding_id="another"),
    ]
    assert len({event_id(record) for record in [one, *others]}) == 6
    assert event_id(dataclasses.replace(one)) == event_id(one)


def test_a_long_record_is_kept_small_and_comes_back_as_it_was() -> None:
    one = finding(flows=tuple(flow(number, 100 * number) for number in range(256)))
    text = dumps(one)
    assert len(packed(text)) < len(text) / 4
    assert loads(packed(text)) == loads(text) == one
    assert packed("{}") == "{}"


def test_what_a_former_release_compressed_is_read() -> None:
    stored = finding()
    former = "zlib85:" + base64.b85encode(zlib.compress(dumps(stored).encode())).decode()
    assert loads(former) == stored


def test_a_record_of_an_older_release_lacks_the_watched_time_and_comes_to_the_same_amounts() -> None:
    one = dataclasses.replace(mined(1, MONDAY, MONDAY + 9 * HOUR, 40), active_seconds=40_000.0)
    stored = json.loads(dumps(one))
    del stored["watched_seconds"]
    old = load_finding(json.dumps(stored))
    assert old.watched_seconds == 0.0
    assert watched_seconds(old) == pytest.approx(watched_seconds(one)) == 9 * 3_600
    assert totals(old) == pytest.approx(totals(one))
    unpriced = dataclasses.replace(old, power_watts=None, energy_kwh=None)
    assert watched_seconds(unpriced) == 40_000.0
