"""Messages become reports or letters with a reason; of a finding's reports by one run the last is enough; nothing that
a message may hold raises.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.collect.messages import MessageFold, TopicMessage, batch_of, read_message, replaces
from sensor.collect.plausible import MOST_COUNT, why_impossible
from sensor.ledger.central import CollectBatch, DeadLetter, PlacedReport, TopicPlace
from sensor.model.finding import Finding
from sensor.model.message import MOST_INTEGER
from sensor.model.policy import PolicyState
from sensor.model.quantities import Interval, Shares
from sensor.model.wire import SensorReport, Stretch, dumps
from tests.ledger.made import SECOND, any_of, finding, flow

#: In seconds.
YEAR_S = 366 * 86_400.0
TOPIC = "minewatch.reports.v1"


class Taken(NamedTuple):
    """A batch that was read whole."""

    batch: CollectBatch
    reports: list[PlacedReport]
    letters: list[DeadLetter]


def batch(*bodies: bytes | str, partition: int = 0) -> tuple[Taken, Counter[str]]:
    counters: Counter[str] = Counter()
    fold = MessageFold()
    for number, body in enumerate(bodies):
        raw = body.encode() if isinstance(body, str) else body
        fold.add(TopicMessage(TopicPlace(TOPIC, partition, 7 + number), raw))
    messages = fold.messages()
    assert fold.count == len(messages)
    assert fold.size_bytes == sum(len(message.body) for message in messages)
    counters["reports_replaced"] = fold.replaced
    whole = batch_of(messages, {(TOPIC, partition): 7}, lambda message: read_message(message, counters))
    pages = list(whole.pages)
    reports = [report for page in pages for report in page.reports]
    return Taken(whole, reports, [letter for page in pages for letter in page.letters]), counters


def text(one: Finding, sensor_id: str = "edge-1", run_id: str = "run-1", **more: object) -> str:
    return dumps(dataclasses.replace(SensorReport(sensor_id, run_id, 5, (one,)), **more))


def offsets(taken: Taken) -> list[int]:
    return [placed.place.offset for placed in taken.reports]


def test_the_last_report_of_a_finding_by_a_run_stands_for_those_before() -> None:
    taken, counters = batch(text(finding(1)), text(finding(2)), text(finding(1)), text(finding(1)))
    assert offsets(taken) == [8, 10]
    assert counters["reports_replaced"] == 2
    assert taken.batch.next_offsets == {(TOPIC, 0): 11}
    assert taken.batch.from_offsets == {(TOPIC, 0): 7}


def test_other_sensors_and_other_runs_stand_for_themselves() -> None:
    taken, _ = batch(text(finding(1)), text(finding(1), "edge-2"), text(finding(1), run_id="run-2"))
    assert offsets(taken) == [7, 8, 9]


def test_a_finding_that_was_over_counts_beside_the_one_that_began_after_it() -> None:
    over = finding(1, state="closed")
    anew = finding(1, (flow(9, 10_000),))
    taken, _ = batch(text(over), text(anew))
    assert offsets(taken) == [7, 8]


def test_what_says_more_than_a_finding_is_never_left_out() -> None:
    began = dumps(SensorReport("edge-1", "run-1", 5, began=True))
    listened = text(finding(1), coverage=(Stretch(1, SECOND),))
    replayed = text(finding(1), kind="replay")
    taken, counters = batch(began, listened, replayed, replayed, text(finding(1)))
    assert offsets(taken) == [7, 8, 9, 10, 11]
    assert counters["reports_replaced"] == 0


def test_a_newer_version_is_put_aside_and_an_older_one_is_read() -> None:
    newer = json.dumps({**json.loads(text(finding(1))), "v": 2})
    older = json.loads(text(finding(1)))
    for name in ("kind", "clock_offset_ns", "suppressed", "ended", "began"):
        del older[name]  # as the first release of the form had none of them
    taken, counters = batch(newer, json.dumps(older))
    assert offsets(taken) == [8]
    assert (counters["letters_newer"], counters["letters_unreadable"]) == (1, 0)
    assert "made by a newer minewatch" in taken.letters[0].reason
    assert taken.reports[0].report.kind == "live"


def test_what_cannot_be_read_and_may_have_replaced_others_is_told_from_other_rubbish() -> None:
    broken = json.loads(text(finding(1)))
    broken["records"][0]["shares"] = "many"
    taken, _ = batch(text(finding(1)), json.dumps(broken), "{")
    assert [replaces(TopicMessage(letter.place, letter.body)) for letter in taken.letters] == [True, False]


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"[" * 100_000, b"null", b'{"v":1}', b"\xff"]), max_size=6))
def test_nothing_that_a_message_may_hold_raises(bodies: list[bytes]) -> None:
    taken, counters = batch(*bodies)
    assert len(taken.letters) == counters["letters_unreadable"] + counters["letters_newer"] == len(bodies)
    assert taken.reports == []


@given(any_of(Finding))
def test_any_finding_is_read_as_it_was_where_nothing_speaks_against_it(one: Finding) -> None:
    taken, _ = batch(text(one))
    if why_impossible(SensorReport("edge-1", "run-1", 5, (one,))) is None:
        assert [placed.report.records for placed in taken.reports] == [(one,)]
    assert len(taken.reports) + len(taken.letters) == 1


def test_a_farm_of_many_long_connections_at_one_time_is_taken() -> None:
    flows = tuple(flow(number, lasted_s=4 * YEAR_S) for number in range(256))
    assert not batch(text(finding(1, flows)))[0].letters


def test_connections_in_more_hours_than_anybody_watched_are_put_aside() -> None:
    """One from 1970 to 2262 had 2.5 million roll-ups, and took a minute."""
    one_after_another = tuple(flow(number, began_s=5 * number * YEAR_S, lasted_s=4 * YEAR_S) for number in range(3))
    for one in (
        finding(1, (flow(1, lasted_s=6 * YEAR_S),)),
        finding(1, one_after_another),
        dataclasses.replace(finding(1), first_ns=0, last_ns=MOST_INTEGER, flows=[]),
    ):
        (letter,) = batch(text(one))[0].letters
        assert letter.reason == "its connections lasted longer than any"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"finding_id": "f\0"}, "it has a name that is no text"),
        ({"finding_id": "f" * 2_000}, "it has a name that is no text"),
        ({"coin": "\ud800"}, "it has a name that is no text"),
        ({"miner_ip": "edge"}, "an address is none"),
        ({"pool_ip": ""}, "an address is none"),
        ({"pool_port": 1 << 20}, "a port is out of range"),
        ({"machines_seen": 1 << 31}, "a count is beyond all measure"),
        ({"flow_count": MOST_COUNT}, "a count is beyond all measure"),
        ({"stream_bytes": -1}, "a count is beyond all measure"),
        ({"shares": Shares(1 << 62, 0, 0, 1 << 62)}, "a count is beyond all measure"),
        ({"last_ns": 1 << 63}, "a time is out of range"),
        ({"first_ns": -1}, "a time is out of range"),
        ({"flows": [dataclasses.replace(flow(1), first_ns=-1)]}, "a time is out of range"),
        ({"flows": [flow(1 << 64)]}, "the number of a connection is out of range"),
    ],
)
def test_what_cannot_be_is_put_aside(changes: dict[str, object], reason: str) -> None:
    taken, counters = batch(text(finding(1, **changes)))
    assert [letter.reason for letter in taken.letters] == [reason]
    assert counters["letters_unreadable"] == 1


def test_a_name_of_another_finding_that_is_no_text_is_put_aside() -> None:
    for more in ({"ended": ("f\0",)}, {"suppressed": {"\ud800": "allowed"}}):
        (letter,) = batch(text(finding(1), **more))[0].letters
        assert letter.reason == "it has a name that is no text"


@pytest.mark.parametrize("rate", [1e308, -1e200, math.inf, math.nan])
def test_a_figure_beyond_all_measure_is_put_aside(rate: float) -> None:
    one = finding(1, hashrate_hps=Interval(1.0, 2.0, 3.0, 0.95))
    message = json.loads(text(one))
    message["records"][0]["hashrate_hps"]["best"] = rate
    taken, counters = batch(text(one), json.dumps(message))
    assert counters["letters_unreadable"] == len(taken.letters) == 1


def test_what_is_sent_again_takes_nothing_newer_with_it() -> None:
    sent = [text(finding(1), number=number) for number in (1, 2)] + [text(finding(2), number=3)]
    taken, _ = batch(*sent, sent[0])  # the sensor died before its note, and the batch ends within what it sends again
    assert [placed.report.number for placed in taken.reports] == [2, 3, 1]
    taken, _ = batch(*sent, *sent[:2])
    assert [placed.report.number for placed in taken.reports] == [2, 3, 1, 2]


def test_a_report_that_speaks_of_parcels_is_never_left_out() -> None:
    spoken = text(finding(1), policies=(PolicyState("tables", 1, "", "refused", "x", 5),))
    taken, _ = batch(spoken, text(finding(1)))
    assert offsets(taken) == [7, 8]
