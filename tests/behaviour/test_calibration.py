"""Chances are counted by level; what is called uniform is, and what is not is not."""

from __future__ import annotations

import random

import pytest

from sensor.behaviour.calibration import ENOUGH, LEVELS, Calibration, ChanceCounts, poisson_tail, rate_bound


def counted(chances: list[float]) -> ChanceCounts:
    counts = ChanceCounts()
    for p in chances:
        counts.add(p)
    return counts


def test_uniform_chances_are_not_above_chance() -> None:
    rng = random.Random(1)
    assert sum(counted([rng.random() for _ in range(20_000)]).is_uniform for _ in range(20)) >= 19


@pytest.mark.parametrize("power", [1.5, 2, 4])
def test_chances_that_are_too_small_too_often_are_found(power: float) -> None:
    rng = random.Random(2)
    assert not counted([rng.random() ** power for _ in range(20_000)]).is_uniform


def test_chances_that_are_too_large_are_no_fault() -> None:
    assert counted([1.0] * 1_000).is_uniform


def test_one_small_chance_of_few_sessions_is_no_proof() -> None:
    assert counted([1.0] * 50 + [0.009]).is_uniform


def test_a_chance_counts_at_every_level_that_it_reaches() -> None:
    counts = counted([0.05, 0.02, 0.001, 5e-5])
    assert (counts.tested, counts.at_most) == (4, [4, 2, 2, 1])
    assert len(counts.at_most) == len(LEVELS)


def test_nothing_tested_says_nothing() -> None:
    assert ChanceCounts().excess(0) is None
    assert rate_bound(0, 0) is None


def test_two_processes_count_as_one() -> None:
    both, first, second = Calibration(), Calibration(), Calibration()
    for n, half in enumerate((first, second) * 5):
        half.add(0.3 / (n + 1), [0.01 * n], 0.5 if n % 2 else None)
        both.add(0.3 / (n + 1), [0.01 * n], 0.5 if n % 2 else None)
    first.join(second.counters())
    assert first.counters() == both.counters()
    assert both.counters()["chances_synchrony_1"] == 5


def test_the_bound_of_a_rate_is_that_of_poisson() -> None:
    bound = rate_bound(0, ENOUGH)
    assert bound == pytest.approx(1e-4, rel=1e-4)
    assert rate_bound(3, 1_000) == pytest.approx(7.754e-3, rel=1e-3)  # chi-squared, 95 %, 8 degrees of freedom / 2
    assert poisson_tail(1, 2.995732) == pytest.approx(0.95, rel=1e-4)
