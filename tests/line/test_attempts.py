"""Attempts by the thousand: a few are judged one by one, the others counted; no count is lost, whatever the order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from sensor.line.attempts import (
    FLOOD,
    MAX_PAIRS,
    MAX_POOLS,
    MOST_HELD,
    MOST_JUDGED,
    MOST_OF_A_POOL,
    SEVERAL,
    AttemptCount,
    AttemptInterval,
    Ends,
)
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.model.finding import Finding
from sensor.model.time import MINUTE_NS, SECOND_NS
from tests.bench.beginnings import KINDS, START_NS, closed, session
from tests.line.test_held_bytes import MINER
from tests.session.dialogue import events, shipped

LONE, ANSWERED, JUNK = KINDS["subscribe"], KINDS["short"], KINDS["junk"]
MANY = FLOOD + 200


def flood(count: int, *, pools: int = 1, kind: str = "subscribe") -> list[list[Event]]:
    """Whole sessions, each of another source."""
    return [[*session(number, KINDS[kind], pools=pools), closed(number)] for number in range(count)]


def findings(flows: Sequence[Sequence[Event]], pipeline: Pipeline | None = None, **options: object) -> list[Finding]:
    """All that is reported of these flows, the last state of each."""
    pipeline = pipeline or Pipeline(shipped(), **options)  # type: ignore[arg-type]
    records = [record for flow in flows for record in pipeline.step(flow)]
    return [record for record in [*records, *pipeline.finish()] if isinstance(record, Finding)]


def live(**options: object) -> Pipeline:
    return Pipeline(shipped(), reporting=ReportingSettings(), **options)  # type: ignore[arg-type]


def connections(found: Sequence[Finding]) -> int:
    """Those of the last record of each finding."""
    return sum({one.finding_id: one.flow_count for one in found}.values())


@pytest.mark.parametrize("kind", ["subscribe", "short", "login"])
@pytest.mark.parametrize("make", [live, lambda: Pipeline(shipped())], ids=["live", "replay"])
def test_a_flood_is_few_events_and_no_connection_is_lost(kind: str, make: Callable[[], Pipeline]) -> None:
    for pools in (1, MANY):
        found = findings(flood(MANY, pools=pools, kind=kind), make())
        assert len(found) <= 100
        assert connections(found) == MANY
        assert any(one.attempts is not None for one in found)


@pytest.mark.parametrize("make", [live, lambda: Pipeline(shipped())], ids=["live", "replay"])
def test_what_is_no_flood_is_told_one_by_one(make: Callable[[], Pipeline]) -> None:
    found = findings(flood(MOST_HELD, pools=86, kind="subscribe"), make())
    assert len({one.finding_id for one in found}) == MOST_HELD
    assert all(one.attempts is None for one in found)


def test_what_ends_late_is_of_the_flood_it_came_in() -> None:
    pipeline = live()
    flows = flood(MANY + 50)
    found = findings(flows[:MANY], pipeline)
    for flow in flows[MANY:]:
        pipeline.step(flow[:-1])
    at_ns = START_NS + 21 * MINUTE_NS
    pipeline.step([*session(10 * MANY, LONE)[:1]])
    opened, *chunks = session(10 * MANY, LONE)
    later = [opened._replace(ts_ns=at_ns, first_ns=at_ns), *(chunk._replace(ts_ns=at_ns) for chunk in chunks)]
    found = [one for one in pipeline.step(later) if isinstance(one, Finding)]
    for flow in flows[MANY:]:
        found += [one for one in pipeline.step(flow[-1:]) if isinstance(one, Finding)]
    found += [one for one in pipeline.finish() if isinstance(one, Finding)]
    assert len({one.finding_id for one in found if one.attempts is None}) <= MOST_JUDGED


def test_a_flood_whose_flows_end_after_their_interval_is_few_events() -> None:
    pipeline = live()
    flows = flood(MANY + 200)
    found: list[Finding] = []
    for flow in flows:
        pipeline.step(flow[:-1])
    for number, flow in enumerate(flows):
        now_ns = START_NS + 11 * MINUTE_NS + number * SECOND_NS // 100
        found += [one for one in pipeline.step(flow[-1:], now_ns) if isinstance(one, Finding)]
    found += [one for one in pipeline.step([], START_NS + 15 * MINUTE_NS) if isinstance(one, Finding)]
    assert len(found) <= 100
    assert connections(found) == MANY + 200


def test_a_single_attempt_is_what_it_always_was() -> None:
    (alone,) = findings(flood(1), live())
    assert (alone.state, alone.activity, alone.flow_count, alone.attempts) == ("opened", "attempt", 1, None)
    assert alone.evidence
    assert alone.flows


def test_what_is_counted_is_said_with_its_ends() -> None:
    (summed,) = (one for one in findings(flood(MANY, kind="short")) if one.attempts is not None)
    assert summed.attempts is not None
    counted = MANY - MOST_OF_A_POOL
    assert (summed.miner_ip, summed.pool_ip, summed.pool_port) == (SEVERAL, "198.18.0.0", 3_333)
    assert (summed.attempts.count, summed.attempts.sources, summed.attempts.answered) == (counted, counted, counted)
    assert (summed.state, summed.activity, summed.mines) == ("closed", "probe", False)


def test_a_replay_does_not_hang_on_the_order_in_which_flows_end() -> None:
    flows = [*flood(150, pools=3), *flood(150, pools=150, kind="short")[100:]]
    numbered = [[event._replace(flow=at) for event in flow] for at, flow in enumerate(flows)]  # type: ignore[union-attr]
    wanted = findings(numbered)
    for seed in range(3):
        random.Random(seed).shuffle(numbered)
        assert findings(numbered) == wanted


def test_who_tries_again_and_again_has_one_finding_with_the_count() -> None:
    again = [[*session(number, LONE), closed(number)] for number in range(MANY)]
    for flow in again:
        flow[0] = flow[0]._replace(orig_addr=bytes([10, 0, 0, 1]))  # type: ignore[call-arg]
    for pipeline in (live(), Pipeline(shipped())):
        found = findings(again, pipeline)
        assert {one.finding_id for one in found} == {found[0].finding_id}
        assert (found[-1].flow_count, found[-1].attempts) == (MANY, None)
        assert not any("estimate" in reason for reason in found[-1].reasons)


def test_connections_that_are_alike_in_everything_are_each_counted() -> None:
    alike = [
        [event._replace(flow=at) for event in (*session(0, LONE), closed(0))]  # type: ignore[union-attr]
        for at in range(MANY)
    ]
    pipeline = Pipeline(shipped())
    for flow in alike:
        pipeline.step(flow)
    pipeline.finish()
    assert pipeline.counters["attempts_counted"] == MANY - MOST_OF_A_POOL


def test_who_is_refused_again_and_again_is_no_probe() -> None:
    refused = ((0, KINDS["login"][0][1]), (1, b'{"id":1,"result":null,"error":{"code":-1,"message":"no"}}\n'))
    flows = [[*session(number, refused), closed(number)] for number in range(MANY)]
    assert {one.activity for one in findings(flows)} == {"attempt"}


def test_an_attempt_of_one_who_is_watched_is_told_in_the_midst_of_a_flood() -> None:
    watched = "10.0.1.44"  # the 300th
    for pipeline in (live(watches=lambda address: address == watched), Pipeline(shipped(), watches=watched.__eq__)):
        (own,) = (one for one in findings(flood(MANY), pipeline) if one.miner_ip == watched)
        assert (own.flow_count, own.attempts) == (1, None)


def test_after_a_while_there_is_room_again() -> None:
    pipeline = live()
    findings(flood(MANY), pipeline)
    opened, *chunks, ended = (*session(MANY - 1, LONE), closed(MANY - 1))
    at_ns = START_NS + 11 * MINUTE_NS
    later = [opened._replace(ts_ns=at_ns, first_ns=at_ns), *(chunk._replace(ts_ns=at_ns) for chunk in chunks)]
    later.append(ended._replace(ts_ns=at_ns, first_ns=at_ns, last_ns=at_ns + 1))
    found = [one for one in pipeline.step(later) if isinstance(one, Finding)]
    assert any(one.attempts is None and one.first_ns > START_NS + 10 * MINUTE_NS for one in found)


def test_ends_past_the_bound_are_counted_together() -> None:
    interval: AttemptInterval[None] = AttemptInterval()
    many = MAX_PAIRS + 2 * MAX_POOLS
    for number in range(many):
        interval.count(Ends(f"10.{number >> 8}.{number & 255}.1", "192.0.2.1", number), AttemptCount(count=1))
    assert len(interval.counts) == MAX_PAIRS + MAX_POOLS + 1
    assert interval.overflow == many - MAX_PAIRS
    assert sum(group.counts.count for group in interval.groups()) == many


def test_what_is_counted_moves_a_counter() -> None:
    pipeline = live()
    findings(flood(MANY), pipeline)
    assert pipeline.counters["attempts_counted"] == MANY - MOST_OF_A_POOL
    findings(flood(MAX_PAIRS + 200, pools=MAX_PAIRS + 200)[MANY:], pipeline)
    assert pipeline.counters["attempts_ends_forgotten"] > 0


def test_what_is_no_attempt_is_not_counted_as_one() -> None:
    pipeline = live()
    assert findings(flood(MANY, kind="junk"), pipeline) == []
    assert "attempts_counted" not in pipeline.counters


def test_a_run_that_must_end_gives_up_what_only_begins_first() -> None:
    pipeline = live()
    for number in range(2 * MOST_JUDGED):
        pipeline.step(session(number, ANSWERED))
    turns = iter([True] * 10)
    pipeline.finish(lambda: next(turns, False))
    assert pipeline.given_up >= 2 * MOST_JUDGED - 10


def test_of_a_flood_that_goes_on_as_a_run_ends_nothing_that_only_begins_is_judged() -> None:
    pipeline = live()
    for number in range(MANY):
        pipeline.step(session(number, ANSWERED))
    assert (pipeline.finish(), pipeline.given_up) == ([], MANY)


def test_a_run_that_must_end_tells_first_of_who_has_shares() -> None:
    pipeline = live()
    for number in range(MOST_JUDGED):
        pipeline.step(session(number, ANSWERED))
    miner = [event._replace(flow=1_000_000) for event in events(MINER)][:-1]  # type: ignore[union-attr]
    pipeline.step(miner[:-4])
    pipeline.step(miner[-4:])
    turns = iter([True] * 3)
    findings_told = [one for one in pipeline.finish(lambda: next(turns, False)) if isinstance(one, Finding)]
    assert [(one.shares.submitted, one.shares.accepted) for one in findings_told if one.shares.submitted] == [(2, 2)]
