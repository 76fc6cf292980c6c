"""Chance apart from the rest: what is taken out of an interval goes into it again, and sums have the bounds of sums."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.chance import Parts, chance_factors, effective_shares, with_chance, without_chance


@given(st.floats(1.0, 1e6), st.floats(1e-3, 1e20), st.floats(0.5, 1.0), st.floats(1.0, 2.0))
def test_an_interval_is_what_it_was_after_its_chance_was_taken_out_and_put_back(
    shares: float, best: float, narrower: float, wider: float
) -> None:
    down, up = chance_factors(shares)
    bounds = (best * down * narrower, best, best * up * wider)
    assert with_chance(without_chance(bounds, shares)) == pytest.approx(bounds, rel=1e-6)


def test_many_independent_miners_are_surer_together_than_each_is_alone() -> None:
    alone = without_chance((80.0, 100.0, 122.0), 100.0)
    together = with_chance(Parts(*(100.0 * figure for figure in alone)))
    low, best, high = together
    assert best == 10_000.0
    width, width_alone = (high - low) / best, (122.0 - 80.0) / 100.0
    down, up = chance_factors(100.0)
    open_anyway = (1.22 / up - 1.0, 1.0 - 0.8 / down)
    assert width == pytest.approx(sum(max(0.0, part) for part in open_anyway) + (up - down) / 10.0, rel=0.05)
    assert width < width_alone / 3


def test_without_a_share_nothing_is_chance_that_could_be_taken_out() -> None:
    assert without_chance((0.0, 0.0, 7.0), 0.0) == Parts(0.0, 0.0, 7.0, 0.0)
    assert with_chance(Parts(0.0, 0.0, 7.0, 0.0)) == (0.0, 0.0, 7.0)
    assert chance_factors(0.0) == (0.0, math.inf)
    assert effective_shares(0.0, 0.0) == 0.0
