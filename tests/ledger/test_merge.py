"""A finding that goes on after a restart has the totals of both stretches, once."""

from __future__ import annotations

import dataclasses
import itertools

from hypothesis import given
from hypothesis import strategies as st

from sensor.ledger.write.merge import sum_parts
from sensor.line.join import MAX_FLOWS
from sensor.line.overlap import NO_OVERLAP
from sensor.line.same_connection import SeenConnection, overlaps
from sensor.model.evidence import Grade
from sensor.model.quantities import Interval, Power, ShareTimeline
from tests.ledger.made import finding, flow

FLOWS = tuple(flow(number, began_s=100 * number) for number in range(12))


@given(st.lists(st.integers(1, 11), max_size=3).map(sorted))
def test_however_often_the_process_restarts_the_totals_are_those_of_one_run(cuts: list[int]) -> None:
    whole = finding(flows=FLOWS)
    edges = [0, *cuts, len(FLOWS)]
    parts = [finding(flows=FLOWS[low:high]) for low, high in itertools.pairwise(edges) if low < high]
    summed = sum_parts(parts, {})
    assert summed == dataclasses.replace(whole, evidence=summed.evidence, active=summed.active)
    assert sum_parts(parts[::-1], {}) == summed


@given(st.integers(1, 12), st.integers(1, 12))
def test_the_same_packets_again_add_nothing(some: int, others: int) -> None:
    one, other = finding(flows=FLOWS[:some]), finding(flows=FLOWS[:others])
    again = NO_OVERLAP
    for number in range(max(some, others)):
        seen = [
            SeenConnection("edge", run, FLOWS[number])
            for run, length in (("a", some), ("b", others))
            if number < length
        ]
        for overlap in overlaps(seen).values():
            again = again.plus(overlap)
    summed, fuller = sum_parts([one, other], {"": again}), max(one, other, key=lambda record: record.flow_count)
    assert (summed.flow_count, summed.shares, summed.flows) == (fuller.flow_count, fuller.shares, fuller.flows)
    assert summed.active_seconds == fuller.active_seconds


def test_the_newest_connections_are_kept_and_all_are_counted() -> None:
    many = tuple(flow(number, began_s=number) for number in range(MAX_FLOWS))
    more = tuple(flow(number, began_s=number) for number in range(MAX_FLOWS, MAX_FLOWS + 10))
    summed = sum_parts([finding(flows=many), finding(flows=more)], {})
    assert len(summed.flows) == MAX_FLOWS
    assert summed.flow_count == MAX_FLOWS + 10
    assert summed.flows[-1] == more[-1]


def test_what_was_proven_stays_proven_and_what_was_learnt_stays_known() -> None:
    before = finding(flows=FLOWS[:2], grade=Grade.VERIFIED, software="xmrig", reasons=("a share was recomputed",))
    now = finding(flows=FLOWS[2:3], grade=Grade.SPEAKS, confidence=0.8)
    summed = sum_parts([before, now], {})
    assert (summed.grade, summed.reasons, summed.software) == (Grade.VERIFIED, before.reasons, "xmrig")


def test_rates_are_those_of_the_present_and_energy_adds_up() -> None:
    rate = Interval(1.0, 2.0, 3.0, 0.95)
    before = finding(flows=FLOWS[:2], hashrate_hps=rate, energy_kwh=Power(1, 2, 3, "device"))
    now = finding(flows=FLOWS[2:3], energy_kwh=Power(10, 20, 30, "algorithm"))
    summed = sum_parts([before, now], {})
    assert summed.hashrate_hps is None
    assert summed.energy_kwh == Power(11, 22, 33, "algorithm")


def test_shares_over_time_add_up_bin_by_bin() -> None:
    second = 1_000_000_000
    before = finding(flows=FLOWS[:2], timeline=ShareTimeline(10 * second, second, (1, 2)))
    now = finding(flows=FLOWS[2:3], timeline=ShareTimeline(11 * second, second, (4, 0, 1)))
    assert sum_parts([before, now], {}).timeline == ShareTimeline(10 * second, second, (1, 6, 0, 1))


def test_work_of_different_algorithms_is_never_added() -> None:
    before, now = finding(flows=FLOWS[:2], algorithm="rx/0"), finding(flows=FLOWS[2:3], algorithm="sha256d")
    assert sum_parts([before, now], {}).work_hashes == now.work_hashes


def test_a_part_that_lacks_what_an_earlier_one_knew_joins_it() -> None:
    before = finding(flows=FLOWS[:2], timeline=ShareTimeline(0, 1_000_000_000, (1,)), capture_loss=0.5)
    now = finding(flows=FLOWS[2:3], timeline=None, capture_loss=None, midstream=None)
    summed = sum_parts([before, now], {})
    assert (summed.timeline, summed.capture_loss, summed.midstream) == (before.timeline, 0.5, False)
    assert sum_parts([now, before], {}) == summed
