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

from sensor.collect.messages import LONGEST_NS, MessageFold, TopicMessage, batch_of, read_message, replaces
from sensor.ledger.central import CollectBatch, DeadLetter, PlacedReport, TopicPlace
from sensor.model.finding import Finding
from sensor.model.policy import PolicyState
from sensor.model.quantities import Interval
from sensor.model.wire import SensorReport, Stretch, can_add_up, dumps
from tests.ledger.made import SECOND, any_of, finding, flow

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
def test_any_finding_is_read_as_it_was_where_its_figures_can_be_added_up(one: Finding) -> None:
    taken, _ = batch(text(one))
    if can_add_up(one) and sum(abs(each.last_ns - each.first_ns) for each in one.flows) <= LONGEST_NS:
        assert [placed.report.records for placed in taken.reports] == [(one,)]
    assert len(taken.reports) + len(taken.letters) == 1


def test_connections_that_last_longer_than_any_are_put_aside() -> None:
    """One from 1970 to 2262 had 2.5 million roll-ups, and took a minute."""
    years_s = 366 * 86_400.0
    usual = [flow(number, lasted_s=4 * years_s) for number in range(2)]
    assert not batch(text(finding(1, tuple(usual))))[0].letters
    for flows in ((flow(1, lasted_s=6 * years_s),), tuple(flow(number, lasted_s=4 * years_s) for number in range(26))):
        (letter,) = batch(text(finding(1, flows)))[0].letters
        assert letter.reason == "its connections lasted longer than any"


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
