"""Bounds against values of public tables, and against their own definitions."""

from __future__ import annotations

import math

import pytest

from tests.evaluation.bounds import binomial_at_most, clopper_pearson, poisson_at_most, standard_error


def test_none_in_29957_bounds_the_rate_by_one_in_ten_thousand() -> None:
    assert poisson_at_most(0) == pytest.approx(-math.log(0.05))
    assert 1e4 * poisson_at_most(0) / 29_957 <= 1.00005
    assert 1e4 * poisson_at_most(0) / 29_950 > 1.0


@pytest.mark.parametrize(("events", "bound"), [(1, 4.744), (2, 6.296), (5, 10.513), (10, 16.962)])
def test_poisson_bounds_are_those_of_the_tables(events: int, bound: float) -> None:
    assert poisson_at_most(events) == pytest.approx(bound, abs=1e-3)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (95, 100, 0.8872, 0.9836)],
)
def test_clopper_pearson_is_that_of_the_tables(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), abs=1e-4)


def test_the_interval_holds_every_share_with_its_chance() -> None:
    for chance in (0.02, 0.5, 0.97):
        held = 0.0
        for hits in range(41):
            low, high = clopper_pearson(hits, 40)
            exactly = binomial_at_most(hits, 40, chance) - (binomial_at_most(hits - 1, 40, chance) if hits else 0.0)
            held += exactly * (low <= chance <= high)
        assert held >= 0.95


def test_of_nothing_nothing_is_certain() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert standard_error(0.05, 0) == math.inf
