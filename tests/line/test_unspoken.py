"""Names and behaviour: a finding of their own where nothing was spoken, a part of each that was; live and in replay."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.line.examples import EPOCH_NS
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.line.unspoken import MAX_OBSERVATIONS, Unspoken
from sensor.model.events import Event
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.observation import Hint
from sensor.model.record import Record, event_id
from sensor.model.time import SECOND_NS as NS
from tests.line.hints import MINER, POOL, PORT, behaved, named, subject
from tests.session.dialogue import events, run, shipped
from tests.session.test_pipeline import SHARE

REPORTING = ReportingSettings(update_ns=300 * NS, close_ns=1_800 * NS, attempt_ns=60 * NS)
SUBSCRIBE = """C {"id":9,"method":"mining.subscribe","params":["cpuminer/2.5"]}
S {"id":9,"result":[[["mining.notify","ab"]],"01",4],"error":null}
"""


def live() -> Pipeline:
    return Pipeline(shipped(), reporting=REPORTING)


def at(seconds: int) -> int:
    return EPOCH_NS + seconds * NS


def mining(records: list[Record]) -> list[Finding]:
    return [record for record in records if isinstance(record, Finding)]


def told(records: list[Record]) -> list[tuple[str, str]]:
    return [(finding.state, finding.grade.label) for finding in mining(records)]


def replayed(stream: list[Event], *seen: Hint, first: bool = True) -> list[Finding]:
    """What a replay finds, the observations before or after the packets."""
    pipeline = Pipeline(shipped())
    for turn in (first, not first):
        if turn:
            pipeline.observe(seen)
        else:
            pipeline.step(stream)
    return mining(pipeline.finish())


def test_without_words_a_finding_claims_nothing_that_only_words_tell() -> None:
    (found,) = replayed([], named())
    assert (found.miner_ip, found.pool_ip, found.pool_port) == (MINER, POOL, PORT)
    unknown = ("dialect", "framing", "transport", "login", "coin", "algorithm", "signature_id", "signature_rev")
    assert {getattr(found, name) for name in unknown} == {None}
    assert {found.capture_loss, found.midstream, found.work_unit, found.hashrate_hps, found.work_hashes} == {None}
    assert (found.grade, found.state, found.flows, found.flow_count) == (Grade.NAMED, "closed", [], 0)
    assert found.confidence < 0.01
    assert found.point is not None
    assert found.point.vlans == (7,)
    assert found.reasons == ("named: pool-sni (sni xmr.pool.example)",)


def test_what_is_not_known_of_the_pool_stays_unknown() -> None:
    (looked_up,) = replayed([], named(of=subject(None, None), grade=Grade.LOOKED_UP))
    assert (looked_up.pool_ip, looked_up.pool_port, looked_up.grade) == (None, None, Grade.LOOKED_UP)
    (with_port,) = replayed([], named())
    assert looked_up.finding_id != with_port.finding_id


@pytest.mark.parametrize("first", [True, False])
def test_with_words_they_are_one_finding_and_make_it_surer(first: bool) -> None:
    ((alone,), (found,)) = replayed(events(SHARE)), replayed(events(SHARE), named(), behaved(), first=first)
    assert found.finding_id == alone.finding_id
    assert found.confidence > alone.confidence
    assert found.grade is alone.grade is Grade.ACCEPTED
    assert [(part.kind, part.bits) for part in found.observations] == [
        ("spoken", 20.0),
        ("behaved", 6.0),
        ("named", 4.1),
    ]
    assert found.reasons[2:] == alone.reasons
    assert (found.first_ns, found.last_ns, found.shares) == (alone.first_ns, alone.last_ns, alone.shares)
    assert [piece.signature for piece in found.evidence][-1] == "pool-sni"


@pytest.mark.parametrize(
    "elsewhere",
    [
        subject("203.0.113.6"),
        subject(port=443),
        subject(port=None),
        subject(None, None),
        replace(subject(), miner_ip="198.51.100.11"),
    ],
)
def test_another_miner_or_another_end_of_the_pool_says_nothing_of_this_one(elsewhere: object) -> None:
    ((alone,), found) = replayed(events(SHARE)), replayed(events(SHARE), named(of=elsewhere))  # type: ignore[arg-type]
    assert len(found) == 2
    assert alone in found


def test_names_and_behaviour_of_one_subject_are_one_finding() -> None:
    (found,) = replayed([], named(), behaved())
    assert found.finding_id == replayed([], behaved())[0].finding_id != replayed([], named())[0].finding_id
    assert (found.grade, found.signature) == (Grade.BEHAVES, "block-beat")
    assert found.reasons[-1] == "behaved: block-beat, by chance with p = 0.003 (coin XMR)"


def test_nothing_seen_is_no_finding_and_what_is_spoken_is_as_before() -> None:
    pipeline = Pipeline(shipped())
    pipeline.observe([])
    assert pipeline.finish() == []
    assert "observations" not in pipeline.counters
    assert mining(run(events(SHARE))[0]) == replayed(events(SHARE))


def test_an_observation_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="kind behaved is not named"):
        replace(named(), observation=behaved().observation)


def test_the_same_name_again_counts_once_the_strongest_and_earliest() -> None:
    (found,) = replayed([], named(at_ns=at(5)), named(at_ns=at(1)), named(at_ns=at(9), bits=3.0))
    assert [(part.bits, part.time_ns) for part in found.observations] == [(4.1, at(1))]
    assert (found.first_ns, found.last_ns) == (at(1), at(9))


@given(st.permutations(range(40)), st.randoms(use_true_random=False))
def test_what_is_kept_is_bounded_and_does_not_depend_on_the_order(order: list[int], chance: random.Random) -> None:
    seen = [named(f"pool{number}.example", at_ns=at(number), bits=number / 4) for number in range(40)]
    one, other = Unspoken(subject()), Unspoken(subject())
    for number in range(40):
        one.add(seen[number])
        other.add(seen[order[number]])
        other.add(seen[chance.choice(order)])
    assert len(one.observations) == MAX_OBSERVATIONS
    assert one.dropped == 40 - MAX_OBSERVATIONS
    assert one.finding("x", -13.0) == other.finding("x", -13.0)


def test_what_the_bound_left_out_is_counted() -> None:
    pipeline = live()
    pipeline.observe([named(f"pool{number}.example") for number in range(MAX_OBSERVATIONS + 3)])
    assert (pipeline.counters["observations"], pipeline.counters["observations_dropped"]) == (MAX_OBSERVATIONS + 3, 3)


def test_findings_over_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.line.lifecycle.MAX_FINDINGS", 1)
    pipeline = live()
    pipeline.observe([named(), named(of=subject(port=443))])
    assert (pipeline.counters["findings"], pipeline.counters["findings_refused"]) == (1, 1)


def test_live_it_is_opened_after_a_while_updated_and_closed_by_silence() -> None:
    pipeline = live()
    pipeline.observe([named()])
    assert pipeline.step([], at(59)) == []
    opened = pipeline.step([], at(61))
    assert told(opened) == [("opened", "named")]
    pipeline.observe([named("eth.pool.example", at_ns=at(100))])
    updated = pipeline.step([], at(361))
    assert told(updated) == [("updated", "named")]
    assert len(mining(updated)[0].observations) == 2
    assert pipeline.step([], at(1_899)) == []
    assert told(pipeline.step([], at(1_901))) == [("closed", "named")]
    assert pipeline.counters["findings"] == 0
    assert mining(pipeline.finish()) == []


def test_a_grade_that_rises_is_told_at_once() -> None:
    pipeline = live()
    pipeline.observe([named(grade=Grade.LOOKED_UP)])
    assert told(pipeline.step([], at(61))) == [("opened", "looked-up")]
    pipeline.observe([named("b.example", at_ns=at(62))])
    assert told(pipeline.step([], at(62))) == [("updated", "named")]


def test_at_the_end_of_a_run_it_stays_open() -> None:
    pipeline = live()
    pipeline.observe([named()])
    assert told(pipeline.finish()) == [("opened", "named")]


def test_when_a_login_is_learnt_it_becomes_that_finding_in_an_event_of_its_own() -> None:
    pipeline = live()
    pipeline.observe([named()])
    (before,) = mining(pipeline.step([], at(61)))
    heir, last = mining(pipeline.step(events(SHARE)[:-1]))
    assert (heir.state, heir.login, heir.merged_into) == ("opened", "acct.rig", None)
    assert (last.finding_id, last.state, last.merged_into) == (before.finding_id, "closed", heir.finding_id)
    assert "named" in [part.kind for part in heir.observations]
    assert "pool-sni" in [piece.signature for piece in heir.evidence]
    assert (last.flow_count, last.shares.submitted, last.work_hashes) == (0, 0, None)
    assert event_id(last) != event_id(before)
    pipeline.observe([named("b.example", at_ns=at(62))])
    assert [one.finding_id for one in mining(pipeline.step([], at(600)))] == [heir.finding_id]


def test_every_login_lists_it_and_the_first_takes_it_over() -> None:
    pipeline = live()
    pipeline.observe([named()])
    pipeline.step([], at(61))
    records = mining(pipeline.step(events(SHARE, flow=1)[:-1]))
    records += mining(pipeline.step(events(SHARE.replace("acct.rig", "other.rig"), flow=2)[:-1]))
    opened = [one for one in records if one.state == "opened"]
    assert [one.login for one in opened] == ["acct.rig", "other.rig"]
    assert all("named" in [part.kind for part in one.observations] for one in opened)
    assert [one.merged_into for one in records if one.state == "closed"] == [opened[0].finding_id]


def test_one_that_was_not_told_is_not_told_as_merged_either() -> None:
    pipeline = live()
    pipeline.observe([named()])
    records = [
        *mining(pipeline.step(events(SHARE)[:-1])),
        *mining(pipeline.step([], at(61))),
        *mining(pipeline.finish()),
    ]
    assert {one.login for one in records} == {"acct.rig"}
    assert {one.merged_into for one in records} == {None}


def test_where_the_spoken_proves_to_be_nothing_the_name_is_told() -> None:
    pipeline = live()
    stream = events(SHARE.splitlines()[0] + "\n" + "\n".join(f"C page {number}" for number in range(60)))
    pipeline.observe([named()])
    pipeline.step(stream[:2])
    pipeline.step(stream[2:])
    assert told(pipeline.step([], at(400))) == [("opened", "named")]


def test_behaviour_takes_a_name_over() -> None:
    pipeline = live()
    pipeline.observe([named()])
    (before,) = mining(pipeline.step([], at(61)))
    pipeline.observe([behaved(at_ns=at(70))])
    records = [one for second in (70, 131, 400) for one in mining(pipeline.step([], at(second)))]
    opened = next(one for one in records if one.state == "opened")
    closed = next(one for one in records if one.state == "closed")
    assert (closed.finding_id, closed.merged_into) == (before.finding_id, opened.finding_id)
    assert [part.kind for part in opened.observations] == ["behaved", "named"]


def test_a_connection_whose_login_is_learnt_late_moves_with_all_its_counts() -> None:
    pipeline, stream = live(), events(SUBSCRIBE + SHARE)
    assert pipeline.step(stream[:3]) == []
    pipeline.observe([named()])
    (nameless,) = mining(pipeline.step([], at(61)))
    assert (nameless.login, nameless.state, nameless.flow_count) == (None, "opened", 1)
    assert "named" in [part.kind for part in nameless.observations]
    heir, last = mining(pipeline.step(stream[3:-1]))
    assert (heir.login, heir.flow_count, heir.shares.accepted) == ("acct.rig", 1, 1)
    assert (last.finding_id, last.merged_into) == (nameless.finding_id, heir.finding_id)
    assert (last.state, last.flow_count, last.flows, last.shares.submitted) == ("closed", 0, [], 0)
    assert (last.hashrate_hps, last.energy_kwh, last.work_hashes, last.stream_bytes) == (None, None, 0.0, 0)
    assert last.first_ns == nameless.first_ns
    assert last.point is not None
    rest = [*mining(pipeline.step(stream[-1:])), *mining(pipeline.finish())]
    assert nameless.finding_id not in [one.finding_id for one in rest]


def test_a_connection_that_never_said_its_login_keeps_its_finding() -> None:
    pipeline = live()
    pipeline.step(events(SUBSCRIBE, flow=1))
    pipeline.step([], at(61))
    records = mining(pipeline.step(events(SHARE, flow=2)))
    assert [one.login for one in records] == ["acct.rig"]
    assert not any(one.merged_into for one in records + mining(pipeline.finish()))


def test_at_the_end_of_a_run_what_has_become_another_is_told_so() -> None:
    pipeline, stream = live(), events(SUBSCRIBE + SHARE)
    pipeline.step(stream[:3])
    (nameless,) = mining(pipeline.step([], at(61)))
    pipeline._lifecycle.settings = None  # nothing is reported until the end
    pipeline.step(stream[3:-1])
    pipeline._lifecycle.settings = REPORTING
    found = {one.finding_id: one for one in mining(pipeline.finish())}
    last = found.pop(nameless.finding_id)
    (heir,) = found.values()
    assert (last.state, last.merged_into, last.flow_count) == ("closed", heir.finding_id, 0)
    assert (heir.state, heir.flow_count) == ("opened", 1)
