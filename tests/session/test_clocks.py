"""TCP timestamp clocks: a rate is told or nothing is, machines that share an address are told apart, and nothing
makes one machine two.
"""

from __future__ import annotations

import dataclasses
import random

import pytest

from sensor.line.machines import machines
from sensor.line.tcp_clocks import MIN_SPAN_NS, machine_clock, same
from sensor.model.events import Clock, Close
from sensor.model.flow import FlowKey, FlowSummary, MachineClock
from sensor.model.quantities import Shares
from tests.session.dialogue import events, run
from tests.session.test_marks import START, share

S = 1_000_000_000
T0 = 1_700_000_000 * S


def ticking(zero_ns: int, first_ns: int, last_ns: int, hertz: int = 1000, ppm: int = 0) -> Clock:
    """The samples of a clock of `hertz` that stood at 0 at `zero_ns` and runs fast by `ppm`."""

    def value(at_ns: int) -> int:
        return (at_ns - zero_ns) * (1_000_000 + ppm) * hertz // (S * 1_000_000) & 0xFFFFFFFF

    return Clock(first_ns, value(first_ns), last_ns, value(last_ns))


def flow(
    zero_s: float | None, first_s: float, last_s: float, *, hertz: int = 1000, ppm: int = 0, pool: str = "192.0.2.2"
) -> FlowSummary:
    first, last = T0 + int(first_s * S), T0 + int(last_s * S)
    key = FlowKey("192.0.2.1", 40_000, pool, 3333, "TCP", int(first_s * 1000), "1:")
    clock = None if zero_s is None else machine_clock(ticking(T0 - int(zero_s * S), first, last, hertz, ppm))
    return FlowSummary(key, first, last, "stratum-v1", "x", "w", "a", Shares(), (), False, "syn", "", clock=clock)


@pytest.mark.parametrize("hertz", [100, 250, 1000])
@pytest.mark.parametrize("span_s", [10, 3_600, 60 * 86_400])
@pytest.mark.parametrize("ppm", [-90, 0, 90])
def test_rate_and_zero_are_told_also_past_a_turn_of_the_counter(hertz: int, span_s: int, ppm: int) -> None:
    clock = machine_clock(ticking(T0 - 1_000 * S, T0, T0 + span_s * S, hertz, ppm))
    assert clock is not None
    assert (clock.first_ns, clock.last_ns, clock.hertz) == (T0, T0 + span_s * S, hertz)


def test_no_clock_is_told_from_close_samples_or_a_rate_that_nobody_uses() -> None:
    assert machine_clock(None) is None
    assert machine_clock(ticking(T0, T0, T0 + MIN_SPAN_NS - 1)) is None
    assert machine_clock(ticking(T0, T0, T0 + 600 * S, hertz=137)) is None
    jumped = ticking(T0, T0, T0 + 600 * S)
    assert machine_clock(jumped._replace(last_tsval=jumped.last_tsval + 60_000)) is None
    assert machine_clock(Clock(T0, 5, T0 + 600 * S, 5)) is None


def test_random_values_are_no_clock() -> None:
    rng = random.Random(1)
    told = [machine_clock(Clock(T0, rng.getrandbits(32), T0 + 600 * S, rng.getrandbits(32))) for _ in range(2_000)]
    assert sum(clock is not None for clock in told) <= 2


def test_one_machine_keeps_its_zero_and_two_differ() -> None:
    one, again, other = flow(500, 0, 60), flow(500, 4_000, 4_100, ppm=50), flow(900, 0, 60)
    assert one.clock
    assert again.clock
    assert other.clock
    assert same(one.clock, again.clock)
    assert not same(one.clock, other.clock)
    assert not same(one.clock, MachineClock(one.clock.first_ns, one.clock.last_ns, 100, one.clock.zero_ns))


def test_machines_that_take_turns_are_told_apart_by_their_clocks() -> None:
    assert machines([flow(500, 0, 60), flow(900, 70, 120), flow(500, 130, 190)], 1) == 2
    turns = [flow(500 + 100 * (n % 3), 70 * n, 70 * n + 60) for n in range(12)]
    assert machines(turns, 1) == 3
    assert machines([one for one in turns if one.key.flow_id == 0], 1) == 1


def test_two_connections_of_one_clock_are_one_machine() -> None:
    assert machines([flow(500, 0, 60), flow(500, 30, 90)], 1) == 1
    assert machines([flow(500, 0, 60), flow(900, 30, 90)], 1) == 2
    assert machines([flow(None, 0, 60), flow(None, 30, 90)], 1) == 2


def test_a_connection_whose_agent_was_not_seen_is_no_other_machine() -> None:
    joined, opened, later = flow(None, 0, 60), flow(None, 70, 120), flow(None, 130, 190)
    unnamed = dataclasses.replace(joined, agent=None)
    assert machines([unnamed, opened, later], 1) == 1
    assert machines([unnamed, dataclasses.replace(opened, agent="another/1.0")], 1) == 1
    assert machines([opened, dataclasses.replace(later, agent="another/1.0"), unnamed], 1) == 2


def test_connections_whose_agents_were_not_seen_count_where_they_are_there_at_once() -> None:
    unnamed = [dataclasses.replace(flow(None, 10 * n, 100), agent=None) for n in range(3)]
    assert machines(unnamed, 1) == 3
    assert machines([*unnamed, flow(None, 110, 200)], 1) == 3
    assert machines([*unnamed, flow(None, 50, 200)], 1) == 4
    others = [dataclasses.replace(each, worker="rig2") for each in unnamed]
    assert machines([*unnamed, *others], 2) == 6


def test_a_machine_that_restarts_stays_one() -> None:
    assert machines([flow(500 + 7_777 * n, 100 * n, 100 * n + 60) for n in range(50)], 1) == 1
    assert machines([flow(500 + 7_777 * (n // 4), 100 * n, 100 * n + 60) for n in range(50)], 1) == 1


@pytest.mark.parametrize("seed", range(5))
def test_clocks_of_their_own_for_each_connection_count_as_connections_do(seed: int) -> None:
    rng = random.Random(seed)
    zeros = [rng.uniform(0, 4e6) for _ in range(256)]
    zeros[200] = zeros[3]  # by chance: that is no life of 20,000 seconds
    flows = [flow(zero, 100 * n, 100 * n + 90) for n, zero in enumerate(zeros)]
    assert machines(flows, 1) == 1
    assert machines([*flows, flow(None, 0, 90)], 1) == 2


def test_stripped_timestamps_count_as_before() -> None:
    assert machines([flow(None, 0, 60), flow(None, 70, 120), flow(None, 130, 190)], 1) == 1


def test_clocks_of_different_pools_are_not_compared() -> None:
    assert machines([flow(500, 0, 60), flow(500, 30, 90, pool="192.0.2.3")], 1) == 2


def test_a_drifting_machine_stays_one_over_many_days() -> None:
    assert machines([flow(500, 3_600 * n, 3_600 * n + 3_000, ppm=90) for n in range(24 * 9)], 1) == 1


def test_a_close_carries_the_clock_into_the_finding() -> None:
    stream = events(START.replace("AGENT", "cgminer/4.11.1") + share(5, "acct.rig1"))
    closed = stream[-1]
    assert isinstance(closed, Close)
    clock = ticking(closed.last_ns - 500 * S, closed.last_ns, closed.last_ns + 90 * S)
    (found,) = run([*stream[:-1], closed._replace(clocks=(clock, None), last_ns=clock.last_ns)])[0]
    (seen,) = found.flows  # type: ignore[union-attr]
    assert seen.clock == machine_clock(clock)
    assert found.machines_seen == 1  # type: ignore[union-attr]
