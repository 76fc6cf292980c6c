"""Findings while mining goes on: told at once when certain, then at a bounded rate, closed by silence; in the end
what a replay says.
"""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensor.estimate import Assumptions
from sensor.line.examples import dialogue_events
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.time import SECOND_NS as NS
from sensor.session.verify import Sampling
from sensor.signatures.model import DialogueLine
from sensor.wallets import donation_login
from tests.dialects.test_wrappings import P2POOL
from tests.session.dialogue import events, run, shipped
from tests.session.test_pipeline import SHARE, example_flows, interleaved, moved

REPORTING = ReportingSettings(update_ns=300 * NS, close_ns=1_800 * NS, attempt_ns=60 * NS)
LOGIN = SHARE.splitlines()[:2]
SENT, ACCEPTED = len(SHARE.splitlines()) - 1, len(SHARE.splitlines())


def live(reporting: ReportingSettings = REPORTING) -> Pipeline:
    return Pipeline(shipped(), reporting=reporting)


def told(records: list[Finding | Node]) -> list[tuple[str, str]]:
    return [(one.state, one.grade.label) for one in records if isinstance(one, Finding)]


def later(stream: list[Event], seconds: int) -> list[Event]:
    return moved(stream, seconds * NS)


def submits(count: int, begun: int) -> str:
    """Shares of a session that has begun, and their answers."""
    share, answer = SHARE.splitlines()[-2:]
    text = ""
    for number in range(begun, begun + count):
        text += share.replace('"id":2', f'"id":{number}').replace("0a1b2c3d", f"{number:08x}") + "\n"
        text += answer.replace('"id":2', f'"id":{number}') + "\n"
    return text


def test_a_finding_is_opened_when_both_sides_have_spoken_and_updated_when_a_share_counts() -> None:
    pipeline, stream = live(), events(SHARE)
    states = [told(pipeline.step([event])) for event in stream[:-1]]
    assert [one for one in states if one] == [[("opened", "speaks")], [("updated", "accepted")]]
    assert states.index([("opened", "speaks")]) == SENT  # with its first share: until then it may only look
    assert pipeline.step(stream[-1:]) == []
    assert (pipeline.counters["findings_opened"], pipeline.counters["findings_updated"]) == (1, 1)


def test_while_a_connection_lives_a_finding_is_updated_at_a_bounded_rate() -> None:
    pipeline = live()
    stream = events(SHARE + "\n" + submits(200, 3))
    opened, chunks = stream[:2], [one for one in stream[2:] if isinstance(one, Chunk)]
    moments = []
    pipeline.step(opened)
    for number, chunk in enumerate(chunks):
        now_ns = opened[0].ts_ns + number * 10 * NS if isinstance(opened[0], Open) else 0
        for record in pipeline.step([chunk._replace(ts_ns=now_ns)]):
            assert isinstance(record, Finding)
            moments.append((now_ns // NS, record.state, record.shares.accepted))
    times = [moment for moment, _, _ in moments]
    assert all(after - before >= 300 for before, after in itertools.pairwise(times[2:]))
    assert len(times) >= 10
    counts = [count for _, _, count in moments]
    assert counts == sorted(counts)
    assert counts[-1] > 150


def test_silence_closes_a_finding_and_a_new_session_opens_it_again() -> None:
    pipeline = live()
    first = told(pipeline.step(events(SHARE, flow=1)))
    assert first == [("opened", "accepted")]
    assert pipeline.step([], events(SHARE)[-1].ts_ns + 1_799 * NS) == []  # type: ignore[union-attr]
    assert told(pipeline.step([], events(SHARE)[-1].ts_ns + 1_801 * NS)) == [("closed", "accepted")]  # type: ignore[union-attr]
    assert pipeline.counters["findings"] == 0
    assert pipeline.counters["findings_closed"] == 1
    assert told(pipeline.step(later(events(SHARE, flow=2), 7_200))) == [("opened", "accepted")]


def test_a_reconnect_within_the_silence_continues_the_finding() -> None:
    pipeline = live()
    pipeline.step(events(SHARE, flow=1))
    assert pipeline.step(later(events(SHARE, flow=2), 100)) == []  # nothing new in kind: told with the next update
    records = pipeline.step([], events(SHARE)[-1].ts_ns + 301 * NS)  # type: ignore[union-attr]
    assert told(records) == [("updated", "accepted")]
    assert isinstance(records[0], Finding)
    assert (records[0].flow_count, records[0].shares.accepted) == (2, 2)


def test_an_attempt_is_told_when_its_connection_ends_or_is_old_enough_not_at_once() -> None:
    pipeline, stream = live(), events(LOGIN[0])
    assert pipeline.step(stream[:-1]) == []
    assert told(pipeline.step(stream[-1:])) == [("opened", "contacted")]
    pipeline = live()
    assert pipeline.step(stream[:-1]) == []
    assert told(pipeline.step([], stream[0].ts_ns + 61 * NS)) == [("opened", "contacted")]  # type: ignore[union-attr]


def test_a_finding_whose_only_connection_proves_to_be_nothing_is_closed_or_forgotten() -> None:
    pipeline, stream = live(), events(LOGIN[0] + "\n" + "\n".join(f"C page {n}" for n in range(60)))
    pipeline.step(stream[:2])
    assert pipeline.counters["findings"] == 1
    assert [one for one in pipeline.step(stream[2:]) if isinstance(one, Finding)] == []
    assert pipeline.counters["findings"] == 0


def test_at_the_end_of_the_run_findings_stay_open_and_what_is_new_is_told() -> None:
    pipeline, stream = live(), events(SHARE + "\n" + submits(3, 3))
    assert told(pipeline.step(stream[:-3])) == [("opened", "accepted")]
    pipeline.step(stream[-3:-1])
    last = pipeline.finish()
    assert told(last) == [("updated", "accepted")]
    assert isinstance(last[0], Finding)
    assert last[0].shares.submitted == 4


def test_a_node_is_told_when_its_flow_ends() -> None:
    pipeline = live()
    records = pipeline.step(dialogue_events([DialogueLine(side, data) for side, data in P2POOL]))
    assert [one.protocol for one in records if isinstance(one, Node)] == ["p2pool-peer"]
    assert pipeline.finish() == []


def test_a_donation_is_told_with_whose_it_is() -> None:
    job = '{"blob":"' + "ab" * 76 + '","job_id":"1","target":"b88d0600"}'
    wallet = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"

    def login(name: str) -> str:
        asked = (
            f'C {{"id":1,"jsonrpc":"2.0","method":"login","params":{{"login":"{name}","pass":"x",'
            f'"agent":"XMRig/6.22.2"}}}}\n'
        )
        return asked + f'S {{"id":1,"jsonrpc":"2.0","error":null,"result":{{"id":"a","job":{job},"status":"OK"}}}}'

    pipeline = live()
    pipeline.step(events(login(wallet), flow=1))
    found = [one for one in pipeline.step(events(login(donation_login(wallet)), flow=2)) if isinstance(one, Finding)]
    assert [one.donation for one in found] == [True]
    assert any("for whom it donates" in reason for reason in found[0].reasons)


def test_settings_that_are_replaced_hold_for_new_flows_and_old_ones_go_on() -> None:
    pipeline, stream = live(), events(SHARE)
    assert told(pipeline.step(stream[: SENT + 1])) == [("opened", "speaks")]
    pipeline.replace(shipped(), Assumptions(), Sampling(), ReportingSettings(attempt_ns=1))
    assert told(pipeline.step(stream[SENT + 1 :])) == [("updated", "accepted")]


def settled(records: list[Finding | Node], *, reported: bool) -> dict[str, Finding]:
    """The last state of each finding, as a replay would give it."""
    found = {one.finding_id: one for one in records if isinstance(one, Finding)}
    found = {name: one for name, one in found.items() if one.state != "closed" or not reported}
    return {name: dataclasses.replace(one, state="closed", corrects=None) for name, one in found.items()}


@settings(max_examples=8, deadline=None, phases=[Phase.generate])
@given(st.integers(0, 1 << 30), st.integers(1, 400))
def test_what_is_told_last_is_what_a_replay_says(seed: int, batch: int) -> None:
    flows = example_flows()
    stream = interleaved(flows, seed)
    wanted, _ = run(stream)
    pipeline = live(ReportingSettings(update_ns=1, close_ns=1 << 62, attempt_ns=1 << 62))
    records: list[Finding | Node] = []
    for at in range(0, len(stream), batch):
        records += pipeline.step(stream[at : at + batch])
    records += pipeline.finish()
    assert settled(records, reported=True) == settled(wanted, reported=False)


@pytest.mark.parametrize("kept", [1, 3])
def test_findings_over_the_bound_are_counted_and_not_followed(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.line.lifecycle.MAX_FINDINGS", kept)
    pipeline = live()
    for number in range(5):
        pipeline.step(later(events(SHARE.replace("acct.rig", f"acct{number}.rig"), flow=number), number))
    assert pipeline.counters["findings"] == kept
    assert pipeline.counters["findings_refused"] == 5 - kept


def test_of_much_that_is_due_each_step_reports_a_part_until_all_is_reported_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sensor.line.lifecycle.MAX_REPORTED", 3)
    pipeline = live()
    ended = [
        event for number in range(8) for event in events(SHARE.replace("acct.rig", f"acct{number}.rig"), flow=number)
    ]
    steps = [pipeline.step(ended), *(pipeline.step([], pipeline.now_ns + number) for number in range(4))]
    assert [len(step) for step in steps] == [3, 3, 2, 0, 0]
    reported = [(one.login, one.state) for step in steps for one in step if isinstance(one, Finding)]
    assert sorted(reported) == [(f"acct{number}.rig", "opened") for number in range(8)]


def test_one_address_takes_a_part_of_the_room_and_another_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.line.lifecycle.MAX_OF_MINER", 3)
    pipeline = live()
    for number in range(5):
        pipeline.step(later(events(SHARE.replace("acct.rig", f"acct{number}.rig"), flow=number), number))
    assert pipeline.counters["findings"] == 3
    assert pipeline.counters["findings_refused"] == 2
    others = [
        event._replace(orig_addr=b"\xc0\x00\x02\x63") if isinstance(event, Open) else event
        for event in later(events(SHARE, flow=9), 9)
    ]
    pipeline.step(others)
    assert pipeline.counters["findings"] == 4


def test_a_grade_never_falls_while_it_is_told() -> None:
    pipeline = live(ReportingSettings(update_ns=1, close_ns=1 << 62, attempt_ns=1))
    grades = [one.grade for event in events(SHARE) for one in pipeline.step([event]) if isinstance(one, Finding)]
    assert grades == sorted(grades)
    assert grades[-1] is Grade.ACCEPTED
    assert isinstance(events(SHARE)[-1], Close)


@pytest.mark.parametrize(
    ("packets", "midstream", "advances", "grade"),
    [
        ((2, 0), False, 3, "speaks"),
        ((2, 0), False, 0, "contacted"),
        ((2, 1), False, 3, "contacted"),
        ((2, 0), True, 3, "speaks"),
        ((2, 0), True, 0, "contacted"),
    ],
)
def test_a_side_that_is_not_captured_is_known_while_the_connection_lives(
    packets: tuple[int, int], midstream: bool, advances: int, grade: str
) -> None:
    """By what the other side acknowledges, of which the core tells."""
    spoken = [one for one in events(SHARE, midstream=midstream) if not (isinstance(one, Chunk) and one.direction == 1)]
    mine = [
        one._replace(ts_ns=one.ts_ns + at * 20 * NS, ack_advances=advances) if isinstance(one, Chunk) else one
        for at, one in enumerate(spoken)
    ]
    opened = mine[0]
    assert isinstance(opened, Open)
    pipeline = live()
    records = [
        *pipeline.step([opened._replace(packets=packets), *mine[1:-1]]),
        *pipeline.step([], mine[-2].ts_ns + 61 * NS),
    ]
    assert [one.grade.label for one in records if isinstance(one, Finding)] == [grade]
