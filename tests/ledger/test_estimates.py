"""Estimates change together: whatever a finding's figures become, what is placed is what is wanted, and low, best and
high stay in order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.ledger.store.amounts import FIRST_ESTIMATE, MEASURES, NOTHING, Amounts, minus, plus
from sensor.ledger.write.estimates import estimate_change

RATIOS = st.tuples(st.floats(0.1, 1.0), st.floats(1.0, 8.0))


def estimates(best: float, ratios: tuple[float, float], shares: float) -> Amounts:
    low, high = ratios
    return NOTHING._replace(
        work_hashes=best,
        hashes_low=best * low,
        hashes_best=best,
        hashes_high=best * high,
        hashes_variance=best * best / shares,
        energy_low=best * low / 7,
        energy_best=best / 7,
        energy_high=best * high / 7,
        energy_variance=best * best / 49 / shares,
    )


STEPS = st.lists(st.builds(estimates, st.floats(1.0, 1e20), RATIOS, st.floats(1.0, 1e6)), min_size=1, max_size=6)


@given(STEPS)
def test_what_is_placed_becomes_what_is_wanted(steps: list[Amounts]) -> None:
    placed = NOTHING
    for wanted in steps:
        added, taken, dealt = estimate_change(placed, wanted)
        assert all(amount >= 0 for amount in (*added, *taken, *dealt))
        placed = plus(minus(plus(placed, added), taken), dealt)
        for name in MEASURES[FIRST_ESTIMATE:]:  # sums of floats are exact to a part of what was summed
            summed = max(getattr(step, name) for step in steps)
            assert getattr(placed, name) == pytest.approx(getattr(wanted, name), rel=1e-6, abs=1e-8 * summed)


@given(STEPS)
def test_new_hours_and_old_ones_have_low_best_and_high_in_order(steps: list[Amounts]) -> None:
    placed = NOTHING
    for wanted in steps:
        added, taken, dealt = estimate_change(placed, wanted)
        old = plus(minus(placed, taken), dealt)
        for amounts in (added, old):
            for kind in ("hashes", "energy"):
                low, best, high = (getattr(amounts, f"{kind}_{name}") for name in ("low", "best", "high"))
                rounding = 1e-8 * max(step.hashes_high for step in steps)
                assert low <= best + rounding
                assert best <= high + rounding
        placed = plus(old, added)


def test_stored_amounts_of_the_first_release_are_read() -> None:
    assert len(MEASURES) == 18
    first = (1, 2, 3, 4, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0)
    read = Amounts.of_stored(first)
    assert (read.sessions, read.seconds, read.lost_seconds, read.work_hashes, read.energy_high) == (1, 5, 6, 7, 13)
    assert read.unknown_shares == read.energy_variance == 0
