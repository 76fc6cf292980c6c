"""A sensor of a newer release with this collector, and one of an older release: what both know is taken as it is, what
only one of them knows is skipped or has its default, and what means something else is put aside and stops nothing.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.collect.messages import MessageFold, TopicMessage, batch_of, read_message
from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger, TopicPlace
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record
from sensor.model.wire import VERSION, SensorReport, Stretch, dumps, loads, schema
from tests.exporters.test_eve import RECORDS
from tests.ledger.made import SECOND, any_of, finding, flow
from tests.ledger.test_central import rows

TOPIC = "minewatch.reports.v1"
NOW = 1_900_000_000 * SECOND
#: What the first release of the form had, and so whatever came since may lack: all else has a default. A name that is
#: added here shuts out every sensor that runs now.
ALWAYS_THERE = {
    "report": {"v", "sensor_id", "run_id", "sent_ns"},
    "finding": {
        *("finding_id", "state", "grade", "confidence", "signature_id", "signature_rev", "signature", "dialect"),
        *("framing", "transport", "coin", "algorithm", "login", "worker", "workers", "agent", "software", "pool_ip"),
        *("pool_port", "miner_ip", "shares", "hashes_per_share", "work_hashes", "claimed_hashrate_hps", "first_ns"),
        *("last_ns", "active_seconds", "jobs", "flows", "flow_count", "evidence", "midstream", "capture_loss"),
        "reasons",
    },
}
MESSAGES = [
    SensorReport("edge-1", "run-1", NOW - SECOND, (record,), (Stretch(SECOND, 9 * SECOND),), number=at)
    for at, record in enumerate(RECORDS, 1)
]


def taken(ledger: Ledger, bodies: list[str]) -> Counter[str]:
    """Bring messages into a ledger as a collector does; what was counted."""
    counters: Counter[str] = Counter()
    fold = MessageFold()
    for at, body in enumerate(bodies):
        fold.add(TopicMessage(TopicPlace(TOPIC, 0, at), body.encode()))
    counters["reports_replaced"] = fold.replaced
    batch = batch_of(fold.messages(), {(TOPIC, 0): 0}, lambda message: read_message(message, counters))
    CentralLedger(ledger, 10).take(batch, NOW)
    return counters


def opened(folder: Path, name: str) -> Ledger:
    return Ledger.open(f"sqlite:///{folder}/{name}.db")


def widened(value: Any, dumped: Any) -> Any:
    """What a newer release would send: another field in every object, at its end and at its beginning."""
    if dataclasses.is_dataclass(value) and isinstance(dumped, dict):
        inner = {name: widened(getattr(value, name, None), part) for name, part in dumped.items()}
        return {"a_newer_field": {"of": ["any", {"kind": 1}]}, **inner, "zz_newer": None}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields") and isinstance(dumped, list):
        return [widened(each, part) for each, part in zip(value, dumped, strict=True)]
    return dumped


def newer(report: SensorReport) -> str:
    message = json.loads(dumps(report))
    wide = widened(report, message)
    wide["suppressed"] = message["suppressed"]  # reasons by finding: a name there is data
    return json.dumps(wide)


def test_what_a_newer_sensor_says_beside_is_skipped(tmp_path: Path) -> None:
    plain, wide = opened(tmp_path, "plain"), opened(tmp_path, "wide")
    assert taken(plain, [dumps(report) for report in MESSAGES]) == Counter()
    assert taken(wide, [newer(report) for report in MESSAGES]) == Counter()
    assert rows(wide) == rows(plain)
    assert len(plain.reader.findings()) >= 1
    plain.close()
    wide.close()


@given(any_of(Finding) | any_of(Node) | any_of(Condition))
def test_any_record_is_read_whatever_stands_beside_its_fields(record: Record) -> None:
    report = SensorReport("edge-1", "run-1", 5, (record,))
    assert loads(newer(report)) == report


def test_a_later_report_of_a_newer_sensor_still_replaces_the_one_before(tmp_path: Path) -> None:
    ledger = opened(tmp_path, "replaced")
    reports = [SensorReport("edge-1", "run-1", 5 + at, (finding(1),), number=at + 1) for at in range(3)]
    assert taken(ledger, [newer(report) for report in reports])["reports_replaced"] == 2
    ledger.close()


def without(value: Any, names: tuple[str, ...]) -> Any:
    """The dumped value without a field."""
    left = copy.deepcopy(value)
    at = left
    for name in names[:-1]:
        at = at[int(name)] if isinstance(at, list) else at[name]
    del at[names[-1]]
    return left


def optional_fields(value: Any, dumped: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a field stands that an older release may not have had: one that has a default."""
    if dataclasses.is_dataclass(value) and isinstance(dumped, dict):
        for each in dataclasses.fields(value):
            if each.name not in dumped:
                continue
            has_none = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
            if not has_none and each.name != "v":
                yield (*place, each.name)
            yield from optional_fields(getattr(value, each.name), dumped[each.name], (*place, each.name))
    elif isinstance(value, list | tuple) and isinstance(dumped, list) and not hasattr(value, "_fields"):
        for at, (each, part) in enumerate(zip(value, dumped, strict=True)):
            yield from optional_fields(each, part, (*place, str(at)))


def test_what_an_older_sensor_did_not_say_yet_has_its_default() -> None:
    seen = 0
    for report in MESSAGES:
        message = json.loads(dumps(report))
        for place in optional_fields(report, message):
            found = loads(json.dumps(without(message, place)))
            at: Any = found
            for name in place[:-1]:
                at = at[int(name)] if isinstance(at, list | tuple) else getattr(at, name)
            its = next(each for each in dataclasses.fields(at) if each.name == place[-1])
            default = its.default if its.default is not dataclasses.MISSING else its.default_factory()  # type: ignore[misc]
            assert getattr(at, place[-1]) == default, place
            seen += 1
    assert seen > 100


def bare(value: Any, dumped: Any) -> Any:
    """What the first release of the form would have sent: no field that has a default."""
    left = dumped
    for place in sorted(optional_fields(value, dumped), key=len):
        if present(left, place):
            left = without(left, place)
    return left


def present(dumped: Any, place: tuple[str, ...]) -> bool:
    at = dumped
    for name in place:
        if isinstance(at, list):
            at = at[int(name)]
        elif name in at:
            at = at[name]
        else:
            return False
    return True


def test_a_sensor_of_the_first_release_of_the_form_is_taken(tmp_path: Path) -> None:
    ledger = opened(tmp_path, "bare")
    records: tuple[Record, ...] = tuple(finding(number) for number in range(5))
    bodies = []
    for at, record in enumerate(records):
        report = SensorReport("edge-1", "run-1", NOW - SECOND, (record,), number=at + 1)
        message = json.loads(dumps(report))
        one = {**bare(record, message["records"][0]), "kind": "finding"}
        bodies.append(json.dumps({**{name: message[name] for name in ALWAYS_THERE["report"]}, "records": [one]}))
    assert taken(ledger, bodies) == Counter()
    assert {entry.finding.finding_id for entry in ledger.reader.findings()} == {
        record.finding_id for record in records if isinstance(record, Finding)
    }
    ledger.close()


def test_no_field_was_added_without_which_an_older_sensors_report_is_refused() -> None:
    described = schema()
    assert set(described["required"]) == ALWAYS_THERE["report"]
    assert set(described["$defs"]["finding"]["required"]) - {"kind"} == ALWAYS_THERE["finding"]


def test_a_new_meaning_is_put_aside_and_stops_nothing(tmp_path: Path) -> None:
    ledger = opened(tmp_path, "versions")
    first, second, third = (
        SensorReport("edge-1", "run-1", 5, (finding(number, (flow(number, number),)),)) for number in (1, 2, 3)
    )
    of_version_2 = json.dumps({**json.loads(newer(second)), "v": VERSION + 1})
    other_kind = json.loads(dumps(third))
    other_kind["records"][0]["kind"] = "a-newer-kind"
    bodies = [dumps(first), of_version_2, json.dumps(other_kind), dumps(third), of_version_2]
    assert taken(ledger, bodies) == Counter(letters_newer=2, letters_unreadable=1)
    assert sorted(entry.finding.finding_id for entry in ledger.reader.findings()) == ["finding-1", "finding-3"]
    central = CentralLedger(ledger, 10)
    assert central.positions(TOPIC) == {0: 5}
    letters = {letter.place.offset: letter for letter in central.letters(10)}
    assert "made by a newer minewatch" in letters[1].reason
    assert "a record of the kind 'a-newer-kind' is not known here" in letters[2].reason
    assert json.loads(letters[1].body)["v"] == VERSION + 1  # whole: a collector of that release can be given it
    ledger.close()


@pytest.mark.parametrize("version", [0, -1, True, None, "1", 1.0, 1e999])
def test_a_version_that_is_none_is_unreadable_and_not_newer(tmp_path: Path, version: object) -> None:
    ledger = opened(tmp_path, "none")
    message = {**json.loads(dumps(SensorReport("edge-1", "run-1", 5, (finding(1),)))), "v": version}
    assert taken(ledger, [json.dumps(message)]) == Counter(letters_unreadable=1)
    ledger.close()


@given(version=st.integers(VERSION + 1, 1 << 80), rest=st.dictionaries(st.text(max_size=6), st.integers(), max_size=3))
def test_whatever_a_newer_message_holds_it_is_newer(version: int, rest: dict[str, int]) -> None:
    counters: Counter[str] = Counter()
    body = json.dumps({**rest, "v": version, "records": "of another form"}).encode()
    read_message(TopicMessage(TopicPlace(TOPIC, 0, 0), body), counters)
    assert counters == Counter(letters_newer=1)
