"""From counts to bounds: the factors everybody quotes, unequal work, loss, and no share at all."""

from __future__ import annotations

import math

import pytest

from sensor.estimate.interval import rate, widened, work_bounds
from sensor.estimate.tally import Tally
from sensor.model.quantities import Interval
from sensor.signatures.work import UNITS

HASHES = 4_295_032_833 * 8192


def tally(*hashes: int) -> Tally:
    result = Tally()
    for one in hashes:
        result.put(one * UNITS)
    return result


@pytest.mark.parametrize(
    ("count", "low", "high"), [(10, 0.48, 1.84), (30, 0.67, 1.43), (100, 0.81, 1.22), (1000, 0.94, 1.06)]
)
def test_the_bounds_are_garwoods(count: int, low: float, high: float) -> None:
    found = rate(tally(*[HASHES] * count), 60.0)
    assert found is not None
    assert found.best == pytest.approx(count * HASHES / 60.0)
    assert found.low / found.best == pytest.approx(low, abs=0.005)
    assert found.high / found.best == pytest.approx(high, abs=0.005)
    assert found.level == 0.95


def test_no_share_has_an_upper_bound_of_some_shares_worth() -> None:
    found = rate(Tally(), 100.0, next_work=HASHES * UNITS)
    assert found is not None
    assert (found.low, found.best) == (0.0, 0.0)
    assert found.high == pytest.approx(3.689 * HASHES / 100.0, rel=1e-3)


def test_without_any_known_work_there_is_no_figure() -> None:
    assert rate(Tally(), 100.0) is None
    assert rate(tally(HASHES), 0.0) is None


def test_a_level_is_an_argument() -> None:
    wide, narrow = rate(tally(*[HASHES] * 50), 60.0, level=0.99), rate(tally(*[HASHES] * 50), 60.0, level=0.8)
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.best < narrow.high < wide.high


def test_unequal_shares_count_as_fewer_and_equal_ones_as_they_are() -> None:
    equal = work_bounds(tally(*[1000] * 40), 0)
    mixed = work_bounds(tally(*[1900] * 20, *[100] * 20), 0)  # the same sum
    assert mixed[0] < equal[0] < 40_000 < equal[1] < mixed[1]
    effective = (20 * 1900 + 20 * 100) ** 2 / (20 * 1900**2 + 20 * 100**2)
    assert mixed[0] / 40_000 == pytest.approx(
        work_bounds(tally(*[1000] * round(effective)), 0)[0] / 1000 / round(effective), rel=0.02
    )


def test_a_heavier_next_share_raises_the_upper_bound_only() -> None:
    plain, heavier = work_bounds(tally(*[1000] * 10), 0), work_bounds(tally(*[1000] * 10), 4000 * UNITS)
    assert heavier[0] == plain[0]
    assert heavier[1] > plain[1]


def test_loss_is_made_up_for_and_widens() -> None:
    whole, lossy = rate(tally(*[HASHES] * 100), 60.0), rate(tally(*[HASHES] * 80), 60.0, seen=0.8)
    assert whole is not None
    assert lossy is not None
    assert lossy.best == pytest.approx(whole.best)
    assert lossy.low < whole.low
    assert lossy.high > whole.high


def test_independent_uncertainties_add_in_quadrature() -> None:
    found = widened(Interval(50.0, 100.0, 200.0, 0.95), 0.5, 2.0)
    assert found.low == pytest.approx(100 / 2 ** (2**0.5))
    assert found.high == pytest.approx(100 * 2 ** (2**0.5))
    assert widened(Interval(0.0, 0.0, 10.0, 0.95), 0.5, 2.0) == Interval(0.0, 0.0, 20.0, 0.95)


@pytest.mark.parametrize("level", [0.4, 0.95])
def test_a_single_share_has_the_bounds_of_an_exponential_time(level: float) -> None:
    low, _ = work_bounds(tally(1000), 0, level)
    assert low == pytest.approx(-1000 * math.log((1 + level) / 2))


def test_of_nothing_seen_and_nothing_to_come_nothing_is_expected() -> None:
    assert work_bounds(Tally(), 0) == (0.0, 0.0)


def test_figures_grow_with_the_work_also_below_one_hash() -> None:
    small, large = Tally(), Tally()
    for weight in (1, 2, 5):
        small.put(weight * UNITS // 16)
        large.put(weight * UNITS)
    for next_work in (0, 3, 9):
        found, times_16 = (
            rate(small, 3.0, next_work=next_work * UNITS // 16),
            rate(large, 3.0, next_work=next_work * UNITS),
        )
        assert found is not None
        assert times_16 is not None
        assert [16 * one for one in (found.low, found.best, found.high)] == pytest.approx(
            [times_16.low, times_16.best, times_16.high]
        )


def test_a_time_and_a_part_seen_have_to_be_more_than_nothing() -> None:
    for seconds, seen in ((-3.0, 1.0), (60.0, 0.0), (60.0, -0.5), (60.0, -2.0)):
        assert rate(tally(HASHES), seconds, seen=seen) is None
    short = rate(tally(HASHES), 0.25, seen=0.5)
    assert short is not None
    assert short.best == pytest.approx(HASHES * 8)


def test_an_interval_is_widened_by_the_same_factors_whatever_its_size() -> None:
    for size in (1e-3, 1.0, 1e12):
        found = widened(Interval(40.0 * size, 100.0 * size, 270.0 * size, 0.9), 0.5, 3.0)
        assert found.low / size == pytest.approx(100 * math.exp(-math.hypot(math.log(2.5), math.log(2))))
        assert found.high / size == pytest.approx(100 * math.exp(math.hypot(math.log(2.7), math.log(3))))
        assert (found.best, found.level) == (100.0 * size, 0.9)


def test_where_an_end_is_nothing_the_factors_alone_widen() -> None:
    assert widened(Interval(0.0, 5.0, 10.0, 0.95), 0.5, 2.0) == Interval(0.0, 5.0, 20.0, 0.95)
    assert widened(Interval(3.0, 0.0, 10.0, 0.95), 0.3, 2.0) == Interval(3.0 * 0.3, 0.0, 20.0, 0.95)
