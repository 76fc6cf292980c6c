"""From counted work and observed time to a hashrate with bounds. Pure formulas; knows nothing of flows or dialects.

Shares are a Poisson process: while each costs H hashes on average, a miner of R hashes a second finds R/H of them a
second. So the sum of their work grows by R a second whatever the pool does to the difficulty, and best = sum H / T
without bias, vardiff or not. For n shares of one work the bounds are Garwood's exact ones (Biometrika 28, 1936): low
= chi2(alpha/2; 2n)/2, high = chi2(1-alpha/2; 2n+2)/2 shares' worth. For unequal work they are those of Fay and Feuer
for weighted sums of Poisson counts (Statistics in Medicine 16, 1997): the sum is matched to a gamma variable of the
same mean and variance, and the high end assumes that one more share of the heaviest work was about to come. With
equal work that is Garwood again; the effective count is (sum H)^2 / sum H^2.
"""

from __future__ import annotations

import math

from sensor.estimate.tally import Tally
from sensor.model.gamma import gamma_quantile
from sensor.model.quantities import Interval
from sensor.signatures.work import UNITS

LEVEL = 0.95


def work_bounds(tally: Tally, next_work: int, level: float = LEVEL) -> tuple[float, float]:
    """Bounds of the expected work, in hashes, behind a tally; `next_work` (2^-32 hashes) is what one more share
    would weigh at least.
    """
    tail = (1.0 - level) / 2.0
    total, squared = tally.work / UNITS, tally.work_squared / UNITS / UNITS
    more = max(tally.heaviest, next_work) / UNITS
    low = squared / total * gamma_quantile(total * total / squared, tail) if tally.count > 0 else 0.0
    total, squared = total + more, squared + more * more
    if not total:
        return 0.0, 0.0
    return low, squared / total * gamma_quantile(total * total / squared, 1.0 - tail)


def rate(
    tally: Tally, seconds: float, *, seen: float = 1.0, next_work: int = 0, level: float = LEVEL
) -> Interval | None:
    """Hashes a second; None if no share's work is known.

    `seen` is the part of the miner's shares that reached the tally: the rest is made up for in all three figures,
    and because the bounds rest on the fewer shares that were seen they are wider than without loss.
    """
    if seconds <= 0.0 or seen <= 0.0 or (not tally.count and not next_work):
        return None
    low, high = work_bounds(tally, next_work, level)
    scale = 1.0 / (seconds * seen)
    return Interval(low * scale, tally.work / UNITS * scale, high * scale, level)


def widened(interval: Interval, low_factor: float, high_factor: float) -> Interval:
    """An interval with a second, independent uncertainty: relative distances (in logarithms) add in quadrature."""
    if interval.best <= 0.0 or interval.low <= 0.0:
        return Interval(interval.low * low_factor, interval.best, interval.high * high_factor, interval.level)
    down = math.hypot(math.log(interval.best / interval.low), math.log(low_factor))
    up = math.hypot(math.log(interval.high / interval.best), math.log(high_factor))
    return Interval(interval.best * math.exp(-down), interval.best, interval.best * math.exp(up), interval.level)
