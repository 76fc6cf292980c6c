"""The promise of the interval: in 93 to 97 of 100 runs the true hashrate lies in it, whatever the pool does and some
packets missing.

1,000 farms for each condition, of rates over two decades, each through the whole line as messages of a Bitcoin-style
pool.
"""

from __future__ import annotations

import functools
import random

import pytest

from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet, load
from tests.estimate.farm import HASHES_AT_ONE, Farm, captured, conversation

RUNS = 1_000
SPACING_S = 10.0


@functools.cache
def stratum() -> SignatureSet:
    """One dialect only: what others would read into the messages is tested elsewhere and costs time."""
    known = load()
    dialects = tuple(one for one in known.dialects if one.name == "stratum-v1")
    return SignatureSet(dialects, (), known.framings, agents=known.agents, devices=known.devices, weights=known.weights)


def mined(vardiff: bool, loss: float, seed: int) -> tuple[float, Finding]:
    """A true rate and what was found of it."""
    rng = random.Random(seed)
    rate_hps = 10 ** rng.uniform(13, 15)
    fitting = rate_hps * SPACING_S / HASHES_AT_ONE
    farm = Farm(
        rate_hps=rate_hps,
        seconds=rng.uniform(200, 560),
        difficulty=fitting * 10 ** rng.uniform(-1.2, 0.5) if vardiff else fitting,
        spacing_s=SPACING_S if vardiff else 0.0,
        rejected=0.0,
    )
    pipeline = Pipeline(stratum())
    pipeline.step(captured(conversation(farm, rng), rng, loss))
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    return rate_hps, found


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("vardiff", [False, True])
def test_the_truth_lies_in_the_interval(vardiff: bool, loss: float) -> None:
    inside = told = 0
    ratios = 0.0
    for run in range(RUNS):
        truth, found = mined(vardiff, loss, run * 10 + vardiff * 5 + int(loss * 100))
        if found.hashrate_hps is None:  # what says the difficulty or the machine was lost, and came only once
            assert loss
            continue
        told += 1
        inside += found.hashrate_hps.low <= truth <= found.hashrate_hps.high
        ratios += found.hashrate_hps.best / truth
    assert told >= RUNS * (1 - 3 * loss) - 10
    print(f"vardiff {vardiff}, loss {loss}: {inside / told:.1%} of {told}, mean ratio {ratios / told:.4f}")
    assert 0.93 <= inside / told <= 0.97
    assert ratios / told == pytest.approx(1.0, abs=0.02)  # no bias


def test_a_capture_that_ends_with_a_share_is_not_biased() -> None:
    ratios = []
    for seed in range(300):
        rng = random.Random(seed)
        farm = Farm(seconds=1e6, difficulty=1e14 * SPACING_S / HASHES_AT_ONE)
        said, shares = [], 0
        for one in conversation(farm, rng):
            said.append(one)
            shares += b"mining.submit" in one.data
            if shares == 20:
                break
        pipeline = Pipeline(stratum())
        pipeline.step(captured(iter(said), rng))
        (found,) = pipeline.finish()
        assert isinstance(found, Finding)
        assert found.hashrate_hps is not None
        ratios.append(found.hashrate_hps.best / farm.rate_hps)
    assert sum(ratios) / len(ratios) == pytest.approx(1.0, abs=0.03)
