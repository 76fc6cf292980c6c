"""A flow that follows blocks is found; one that does not is below a level as often as the level says."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from sensor.behaviour.block_beat import BeatFollower, BlockBeat, beats_of, with_all_tried
from tests.behaviour.nulls import LEVELS, MODELS, excess
from tests.behaviour.plans import every, poisson

SHARED_BLOCKS = Path(__file__).parents[3] / "shared" / "hidden" / "monero_blocks_2020.csv.gz"
DAY_S = 86_400.0


def ns(times_s: list[float]) -> list[int]:
    return [int(at * 1e9) for at in times_s]


def unrelated(model: str, seed: int, blocks_s: Callable[[random.Random], list[float]], hours: float) -> BlockBeat:
    rng = random.Random(f"{model} {seed}")
    records = sorted(MODELS[model](rng, hours * 3_600))
    return beats_of(ns(records), {"XMR": ns(blocks_s(rng))})[0]


def simulated(rng: random.Random) -> list[float]:
    return list(poisson(rng, 3_600, 120))


def pushes(rng: random.Random, blocks_s: list[float], refresh_s: float) -> list[float]:
    """A pool's pushes: half a second to two after a block, and on a timer."""
    times = [at + rng.gammavariate(2, 0.4) for at in blocks_s]
    return sorted(times + list(every(rng, blocks_s[-1], refresh_s, 0.01)))


@pytest.mark.parametrize("model", MODELS)
def test_unrelated_flows_are_below_a_level_no_more_often_than_it_says(model: str) -> None:
    chances = [unrelated(model, seed, simulated, 1.0).p for seed in range(1_000)]
    assert sum(p < 1 for p in chances) > 500
    for level in LEVELS:
        assert excess(chances, level) <= 3, (level, sum(p <= level for p in chances))


def test_the_chances_are_uniform_and_not_only_conservative() -> None:
    chances = [unrelated("every 10 s", seed, simulated, 1.0).p for seed in range(600)]
    assert sum(p <= 0.5 for p in chances) / len(chances) == pytest.approx(0.5, abs=0.08)


@pytest.mark.shared
@pytest.mark.parametrize("model", MODELS)
def test_unrelated_flows_do_not_follow_real_blocks_of_monero(model: str) -> None:
    with gzip.open(SHARED_BLOCKS, "rt") as file:
        times = sorted(int(row[0]) for row in csv.reader(file) if row)

    def real(rng: random.Random) -> list[float]:
        start = rng.randrange(times[0], times[-1] - 3_600)
        return [at - start + rng.random() for at in times if start <= at < start + 3_600]

    chances = [unrelated(model, seed, real, 1.0).p for seed in range(400)]
    for level in LEVELS:
        assert excess(chances, level) <= 3, (level, sum(p <= level for p in chances))


def test_an_hour_of_pushes_names_the_coin() -> None:
    rng = random.Random(4)
    blocks = {"XMR": list(poisson(rng, 3_600, 120)), "BTC": list(poisson(rng, 3_600, 600))}
    records = pushes(rng, blocks["XMR"], 30)
    beats = with_all_tried(beats_of(ns(records), {coin: ns(times) for coin, times in blocks.items()}))
    by_coin = {beat.coin: beat for beat in beats}
    assert by_coin["XMR"].answer == "follows"
    assert by_coin["XMR"].p < 1e-6
    assert by_coin["BTC"].answer in ("does not", "not enough blocks")
    assert by_coin["XMR"].waits_s is not None
    assert by_coin["XMR"].waits_s[1] < 3


def test_few_blocks_are_not_enough() -> None:
    beat = beats_of(ns([float(at) for at in range(0, 3_000, 10)]), {"BTC": ns([601.0, 1_202.0])})[0]
    assert beat.answer == "not enough blocks"
    assert beat.p == 1.0


def test_blocks_closer_than_gaps_cannot_be_tested() -> None:
    beat = beats_of(ns([float(at) for at in range(0, 3_600, 30)]), {"KAS": ns([float(at) for at in range(3_600)])})[0]
    assert beat.answer == "not testable"


def test_a_clock_that_is_set_back_raises_nothing() -> None:
    follower = BeatFollower()
    rng = random.Random(6)
    for n in range(200):
        at = rng.randrange(10**12)
        if n % 3:
            follower.note_record(at)
        else:
            follower.note_block("XMR", at)
    assert 0 <= follower.beat("XMR").p <= 1


def test_coins_without_end_take_no_more_room() -> None:
    follower = BeatFollower()
    follower.note_record(0)
    for n in range(1_000):
        follower.note_block(f"coin {n}", n)
    assert follower.beat("coin 999").blocks == 0
    assert len(follower._coins) == 32


def test_many_flows_and_coins_are_paid_for() -> None:
    """The least of a thousand unrelated ones follows nothing."""
    rng = random.Random(9)
    beats = [BlockBeat("XMR", "does not", 30, rng.random()) for _ in range(999)]
    beats.append(BlockBeat("XMR", "follows", 30, 5e-5))
    adjusted = with_all_tried(beats)
    assert [beat.answer for beat in adjusted] == ["does not"] * 1_000
    assert with_all_tried([BlockBeat("XMR", "follows", 30, 5e-9), *beats[:99]])[0].answer == "follows"
