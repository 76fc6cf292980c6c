"""Chi-square quantiles against the published tables (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4),
and their limits.
"""

from __future__ import annotations

import math

import pytest

from sensor.model.gamma import LARGE_SHAPE, chi_square_quantile, gamma_cdf, gamma_quantile

TABLE = [
    (1, 0.95, 3.841),
    (1, 0.99, 6.635),
    (2, 0.975, 7.378),
    (2, 0.025, 0.051),
    (5, 0.05, 1.145),
    (10, 0.025, 3.247),
    (10, 0.975, 20.483),
    (20, 0.025, 9.591),
    (30, 0.05, 18.493),
    (30, 0.999, 59.703),
    (60, 0.025, 40.482),
    (60, 0.975, 83.298),
    (100, 0.01, 70.065),
    (100, 0.99, 135.807),
]


@pytest.mark.parametrize(("freedom", "probability", "value"), TABLE)
def test_quantiles_are_those_of_the_table(freedom: float, probability: float, value: float) -> None:
    assert chi_square_quantile(freedom, probability) == pytest.approx(value, abs=6e-4)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.7, 31.0, 777.5, 9_000.0])
@pytest.mark.parametrize("probability", [0.001, 0.025, 0.5, 0.975, 0.999])
def test_a_quantile_is_the_inverse_of_the_distribution(shape: float, probability: float) -> None:
    assert gamma_cdf(shape, gamma_quantile(shape, probability)) == pytest.approx(probability, rel=1e-9)


def test_the_exponential_is_exact() -> None:
    assert gamma_quantile(1.0, 0.975) == pytest.approx(-math.log(0.025), rel=1e-12)


def test_large_shapes_go_on_smoothly() -> None:
    below, above = gamma_quantile(LARGE_SHAPE - 1e-6, 0.975), gamma_quantile(LARGE_SHAPE, 0.975)
    assert above == pytest.approx(below, rel=1e-7)


def test_nothing_has_no_quantile_and_nonsense_is_refused() -> None:
    assert gamma_quantile(0.0, 0.5) == 0.0
    assert gamma_cdf(3.0, -1.0) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        gamma_quantile(1.0, 1.0)
