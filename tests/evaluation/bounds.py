"""Bounds of shares and rates from counts. Plain arithmetic on exact distributions."""

from __future__ import annotations

import math
from collections.abc import Callable


def _bisected(rises: Callable[[float], bool], low: float, high: float) -> float:
    """Where something begins to hold."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if rises(middle) else (middle, high)
    return (low + high) / 2


def binomial_at_most(hits: int, trials: int, chance: float) -> float:
    """P(X <= hits)."""
    if hits >= trials or chance <= 0:
        return 1.0
    if chance >= 1:
        return 0.0
    log, other = math.log(chance), math.log1p(-chance)
    all_ways = math.lgamma(trials + 1)
    terms = (
        all_ways - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log + (trials - k) * other
        for k in range(hits + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def clopper_pearson(hits: int, trials: int, error: float = 0.05) -> tuple[float, float]:
    """The two-sided interval of a share (Clopper and Pearson, 1934)."""
    if not trials:
        return 0.0, 1.0
    low, high = 0.0, 1.0
    if hits:
        low = _bisected(lambda p: 1 - binomial_at_most(hits - 1, trials, p) >= error / 2, 0, 1)
    if hits < trials:
        high = _bisected(lambda p: binomial_at_most(hits, trials, p) <= error / 2, 0, 1)
    return low, high


def poisson_at_most(events: int, error: float = 0.05) -> float:
    """The one-sided upper bound of a Poisson mean; 3.00 (-ln 0.05) for none."""

    def rare(mean: float) -> bool:
        terms = (math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(events + 1))
        return math.fsum(terms) <= error

    return _bisected(rare, 1e-9, 20.0 + 3 * events + 10 * math.sqrt(events))


def standard_error(level: float, trials: int) -> float:
    """Of the share of uniform p-values at or below a level."""
    return math.sqrt(level * (1 - level) / trials) if trials else math.inf
