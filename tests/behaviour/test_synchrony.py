"""Flows that get their pushes from one loop are told from flows that merely have much traffic."""

from __future__ import annotations

import random

from sensor.behaviour.synchrony import synchrony_of
from tests.behaviour.plans import every, poisson


def flow(rng: random.Random, moments: list[float]) -> list[int]:
    """The moments as one client has them, each a little later, and records of its own."""
    own = [at + rng.uniform(0, 0.1) for at in moments] + list(poisson(rng, 3_600, 60))
    return sorted(int(at * 1e9) for at in own)


def others(rng: random.Random, number: int) -> dict[str, list[list[int]]]:
    return {f"other {n}": [flow(rng, list(every(rng, 3_600, 30, 0.02)))] for n in range(number)}


def test_two_miners_of_one_pool_are_pushed_at_once() -> None:
    rng = random.Random(1)
    moments = list(poisson(rng, 3_600, 40))
    found = synchrony_of("pool", {"pool": [flow(rng, moments), flow(rng, moments)], **others(rng, 20)})
    assert found.untestable is None
    assert found.p < 0.02
    assert found.shared > 0.5


def test_flows_of_one_server_that_share_nothing_are_as_any() -> None:
    low = 0
    for seed in range(40):
        rng = random.Random(seed)
        pair = [flow(rng, list(poisson(rng, 3_600, 40))) for _ in range(2)]
        low += synchrony_of("pool", {"pool": pair, **others(rng, 12)}).p <= 0.05
    assert low <= 6


def test_servers_that_all_keep_to_the_minute_are_no_evidence() -> None:
    """Every server speaks on the minute, this one too."""
    low = 0
    for seed in range(40):
        rng = random.Random(seed)
        minutes = [60.0 * n for n in range(60)]
        flows = {f"server {n}": [flow(rng, minutes) for _ in range(2)] for n in range(6)}
        low += synchrony_of("server 0", flows).p <= 0.05
    assert low <= 6


def test_without_others_to_compare_with_nothing_is_said() -> None:
    rng = random.Random(2)
    pair = [flow(rng, [1.0, 9.0]), flow(rng, [1.0, 9.0])]
    assert synchrony_of("pool", {"pool": pair}).untestable == "too few flows of other servers"
    assert synchrony_of("pool", {"pool": pair[:1], **others(rng, 20)}).untestable == "one flow of this server"
