"""Quantiles of the gamma and chi-square distributions, of which the Poisson bounds are made. Pure numbers; knows
nothing of shares.

Written out because the sensor needs one function of a large numerical library. Checked in the tests against
published tables.
"""

from __future__ import annotations

import math

#: From this shape on Wilson and Hilferty's cube-root normal approximation is right to 1e-6 and the sums below get long.
LARGE_SHAPE = 20_000.0
#: Far more terms than any shape below LARGE_SHAPE needs (about 10 times its square root).
MAX_TERMS = 5_000
EPSILON = 1e-15


def gamma_cdf(shape: float, x: float) -> float:
    """P(shape, x), the regularised lower incomplete gamma function: series DLMF 8.7.1 below the mean, continued
    fraction 8.9.2 above.
    """
    if x <= 0.0:
        return 0.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1.0:
        term = total = 1.0 / shape
        for number in range(1, MAX_TERMS):
            term *= x / (shape + number)
            total += term
            if term < total * EPSILON:
                break
        return min(1.0, scale * total)
    return max(0.0, 1.0 - scale * _fraction(shape, x))


def _fraction(shape: float, x: float) -> float:
    """The continued fraction of the upper tail, by Lentz's method."""
    b = x + 1.0 - shape
    c = 1e300
    d = 1.0 / b
    result = d
    for number in range(1, MAX_TERMS):
        a = -number * (number - shape)
        b += 2.0
        d = 1.0 / (a * d + b or 1e-300)
        c = b + a / c or 1e-300
        factor = c * d
        result *= factor
        if abs(factor - 1.0) < EPSILON:
            break
    return result


def gamma_quantile(shape: float, probability: float) -> float:
    """The x with P(shape, x) = probability, for scale 1; 0 for a shape of 0."""
    if not 0.0 < probability < 1.0:
        raise ValueError("a probability must lie between 0 and 1")
    if shape <= 0.0:
        return 0.0
    guess = _wilson_hilferty(shape, probability)
    if shape >= LARGE_SHAPE:
        return guess
    low, high = 0.0, max(guess, shape, 1.0)
    while gamma_cdf(shape, high) < probability:
        low, high = high, high * 2.0
    x = guess if low < guess < high else (low + high) / 2.0
    for _ in range(200):
        excess = gamma_cdf(shape, x) - probability
        low, high = (low, x) if excess > 0.0 else (x, high)
        density = math.exp((shape - 1.0) * math.log(x) - x - math.lgamma(shape))
        step = x - excess / density if density > 0.0 else 0.0
        following = step if low < step < high else (low + high) / 2.0
        if abs(following - x) <= 1e-12 * x:
            return following
        x = following
    return x


def chi_square_quantile(freedom: float, probability: float) -> float:
    """The chi-square quantile: twice the gamma quantile of half the degrees of freedom."""
    return 2.0 * gamma_quantile(freedom / 2.0, probability)


def _wilson_hilferty(shape: float, probability: float) -> float:
    """Wilson and Hilferty 1931: the cube root of a gamma variable is nearly normal."""
    from statistics import NormalDist  # slow to import, and only an estimate asks

    ninth = 1.0 / (9.0 * shape)
    root = 1.0 - ninth + NormalDist().inv_cdf(probability) * math.sqrt(ninth)
    return shape * root**3 if root > 0.0 else 0.0
