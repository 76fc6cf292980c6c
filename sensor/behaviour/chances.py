"""The chances that relations are judged by: exact where they can be, never from fitted weights.

Every function gives a p-value: under its null at most a share `a` of them lies at or below `a`. Knows numbers only.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

#: p-values smaller than this are not told apart.
LEAST = 1e-300
#: Logarithms of products nearer than this are one.
ROUNDING = 1e-6


def hypergeometric_tails(total: int, marked: int, drawn: int) -> tuple[float, ...]:
    """The chances of at least x marked among those drawn, for every x that there can be: the most first, so that they
    rise; the last is 1.
    """
    least, most = max(0, drawn + marked - total), min(drawn, marked)
    log_p = _log_choose(marked, most) + _log_choose(total - marked, drawn - most) - _log_choose(total, drawn)
    found, whole = [], 0.0
    for x in range(most, least, -1):
        whole += math.exp(log_p)
        found.append(min(1.0, max(LEAST, whole)))
        log_p += math.log(x * (total - marked - drawn + x) / ((marked - x + 1) * (drawn - x + 1)))
    return (*found, 1.0)


def hypergeometric_tail(total: int, marked: int, drawn: int, hits: int) -> float:
    """The chance of at least `hits` marked among `drawn` of `total`, of which `marked` are: one of all those tails."""
    tails, most = hypergeometric_tails(total, marked, drawn), min(drawn, marked)
    return tails[min(most - hits, len(tails) - 1)] if hits <= most else LEAST


def _log_choose(n: int, k: int) -> float:
    if k < 0 or k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def chance_of_order(lengths: Sequence[int]) -> float:
    """1 over the number of orders of these lengths, if they never fall; 1 if they do."""
    if any(after < before for before, after in pairwise(lengths)):
        return 1.0
    log_orders = math.lgamma(len(lengths) + 1) - sum(math.lgamma(n + 1) for n in Counter(lengths).values())
    return max(LEAST, math.exp(-log_orders))


def ladder_levels(lengths: Iterable[int], step: int) -> tuple[int, int]:
    """The residue (that and the next count as one) which holds most lengths, and how many levels of it there are."""
    counts = Counter(lengths)
    by_residue: Counter[int] = Counter()
    for length, number in counts.items():
        by_residue[length % step] += number
    best = max(range(step), key=lambda r: (by_residue[r] + by_residue[(r + 1) % step], by_residue[r]), default=0)
    return best, len({(length - best) // step for length in counts if (length - best) % step <= 1})


def chance_of_ladder(levels: int, step: int) -> float:
    """The chance that levels drawn anywhere all lie in one residue class or the next: the first one chooses it."""
    return min(1.0, step * (2 / step) ** levels) if levels >= 3 else 1.0


def product_tail(levels: Sequence[Sequence[float]], product_log: float) -> float:
    """The chance that independent p-values, which can have these levels only, multiply to this logarithm or less.

    Levels rise to 1, and each is its own chance to be reached, as those of an exact test are. Fisher's law takes them
    as continuous; where most can be little else than 1, that gives away two or three orders of magnitude.
    """
    rows = sorted(([math.log(max(LEAST, p)) for p in row], row) for row in levels if len(row) > 1)
    rows.sort(key=lambda row: len(row[0]))
    return min(1.0, max(LEAST, _below(rows, product_log + ROUNDING))) if rows else 1.0


def _below(rows: Sequence[tuple[list[float], Sequence[float]]], bound_log: float) -> float:
    if bound_log >= 0:
        return 1.0
    logs, chances = rows[0]
    if len(rows) == 1:
        place = bisect_right(logs, bound_log)
        return chances[place - 1] if place else 0.0
    total, before = 0.0, 0.0
    for log, chance in zip(logs, chances, strict=True):
        total += (chance - before) * _below(rows[1:], bound_log - log)
        before = chance
    return total


def fisher(chances: Sequence[float]) -> float:
    """Independent p-values in one (Fisher 1932): the tail of chi-squared with two degrees of freedom for each."""
    if not chances:
        return 1.0
    half = -math.fsum(math.log(max(LEAST, p)) for p in chances)
    if half <= 0:
        return 1.0
    terms = [k * math.log(half) - math.lgamma(k + 1) - half for k in range(len(chances))]
    return min(1.0, max(LEAST, math.fsum(math.exp(term) for term in terms)))


def gamma_share(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function (Numerical Recipes, 6.2: series, or fraction)."""
    if x <= 0:
        return 0.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for n in range(1, 10_000):
            term *= x / (shape + n)
            total += term
            if term < total * 1e-14:
                break
        return min(1.0, total * front)
    b, c = x + 1 - shape, 1e300
    d = h = 1 / b
    for n in range(1, 10_000):
        factor = -n * (n - shape)
        b += 2
        d = 1 / (factor * d + b or 1e-300)
        c = b + factor / c or 1e-300
        h *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return max(0.0, 1 - front * h)


def gaps_look_exponential(gaps: Sequence[float]) -> tuple[float, float]:
    """Bartlett's test of exponential gaps: the chance of gaps at least as even as these, and of as uneven ones."""
    n = len(gaps)
    if n < 2:
        return 1.0, 1.0
    held = [max(gap, 1e-6) for gap in gaps]
    mean = math.fsum(held) / n
    statistic = 2 * n * (math.log(mean) - math.fsum(map(math.log, held)) / n) / (1 + (n + 1) / (6 * n))
    even = gamma_share((n - 1) / 2, statistic / 2)
    return even, 1 - even


def binomial_tail(n: int, hits: int, share: float) -> float:
    """The chance of at least `hits` in `n` trials of this share."""
    if hits <= 0 or share >= 1:
        return 1.0
    if share <= 0:
        return LEAST
    terms = (_log_choose(n, x) + x * math.log(share) + (n - x) * math.log1p(-share) for x in range(hits, n + 1))
    return min(1.0, max(LEAST, math.fsum(math.exp(term) for term in terms)))
