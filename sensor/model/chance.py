"""Chance apart from everything else that leaves an estimate open, so that sums of estimates have honest bounds. Pure.

The number of shares varies by chance (a Poisson process), independently from miner to miner and hour to hour: variances
add. Efficiency, loss and targets leave figures open in one direction for all of them: low and high add as they are.
One estimate is both: its bounds are those of the sum of its work by chance (`sensor/estimate/interval.py`), times the
rest.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from sensor.model.gamma import gamma_quantile

#: How often an interval shall hold the truth, unless the configuration says otherwise.
LEVEL = 0.95


class Parts(NamedTuple):
    """An estimate with its chance apart."""

    low: float  # without chance
    best: float
    high: float  # without chance
    variance: float  # of the best by chance


def effective_shares(work: float, work_squared: float) -> float:
    """How many shares of equal work a sum is as good as: (sum w)^2 / sum w^2 (Fay and Feuer 1997); 0 for none."""
    return work * work / work_squared if work_squared else 0.0


@lru_cache(maxsize=65_536)
def chance_factors(shares: float, level: float = LEVEL) -> tuple[float, float]:
    """By which factors chance leaves a sum open that is as good as so many shares of equal work: Garwood's bounds over
    their middle. (0, inf) for none."""
    if shares <= 0.0:
        return 0.0, math.inf
    tail = (1.0 - level) / 2.0
    return gamma_quantile(shares, tail) / shares, gamma_quantile(shares + 1.0, 1.0 - tail) / shares


def without_chance(bounds: tuple[float, float, float], shares: float, level: float = LEVEL) -> Parts:
    """Take chance out of an interval (low, best, high) that rests on so many shares; without any it stays as it is."""
    low, best, high = bounds
    if shares <= 0.0 or best <= 0.0:
        return Parts(low, best, high, 0.0)
    down, up = chance_factors(shares, level)
    return Parts(min(best, low / down), best, max(best, high / up), best * best / shares)


def with_chance(parts: Parts, level: float = LEVEL) -> tuple[float, float, float]:
    """The bounds (low, best, high) of an estimate, or of a sum of them, chance included."""
    low, best, high, variance = parts
    if variance <= 0.0 or best <= 0.0:
        return low, best, high
    down, up = chance_factors(float(f"{best / variance * best:.10g}"), level)
    return low * down, best, high * up
