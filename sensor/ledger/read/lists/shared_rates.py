"""Hashrates of findings that belong together, added where they may be. Pure; knows no SQL.

Never across algorithms. At one address rates of the same time are added, and what follows one another is averaged over
the time: sum of rate * length over the length of the union. Then addresses are added. A finding has what all sensors
saw of it already, each connection once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensor.model.exact_json import MOST_FLOAT
from sensor.model.range import Range


class RatedSpan(NamedTuple):
    """A finding: at which address, from when until when, and how fast it mined."""

    address: str
    algorithm: str | None
    work_unit: str
    first_ns: int
    last_ns: int
    rate: Range | None  # None: not known


class SharedRate(NamedTuple):
    """The hashrate of one algorithm."""

    algorithm: str | None  # None: not known
    work_unit: str  # "hashes" or "solutions"
    hashrate_hps: Range | None  # while mining; None: of no finding is it known
    unrated: int  # findings of which it is not: above 0 the rate is a lower bound


def measured(low: float | None, best: float | None, high: float | None) -> Range | None:
    """A hashrate as it is stored; None where it is not known (all of it is 0), or is no measure of anything, as a
    ledger that another release wrote may have it."""
    if low is None or best is None or high is None or not all(abs(end) <= MOST_FLOAT for end in (low, best, high)):
        return None
    return Range(low, best, high) if high > 0.0 else None


def shared_rates(spans: Iterable[RatedSpan]) -> tuple[SharedRate, ...]:
    """One for each algorithm and unit, by name."""
    groups: dict[tuple[str, str], list[RatedSpan]] = defaultdict(list)
    for span in spans:
        groups[span.algorithm or "", span.work_unit].append(span)
    return tuple(_added(algorithm or None, unit, groups[algorithm, unit]) for algorithm, unit in sorted(groups))


def _added(algorithm: str | None, unit: str, group: Sequence[RatedSpan]) -> SharedRate:
    addresses: dict[str, list[RatedSpan]] = defaultdict(list)
    for span in group:
        if span.rate is not None:
            addresses[span.address].append(span)
    means = [_mean(addresses[address]) for address in sorted(addresses)]
    ends = (math.fsum(means) for means in zip(*means, strict=True))
    return SharedRate(algorithm, unit, Range(*ends) if means else None, sum(span.rate is None for span in group))


def _mean(spans: Sequence[RatedSpan]) -> tuple[float, float, float]:
    """Low, best and high of one address, over the time in which there was any of them."""
    together = _union_ns(spans)
    weighted = [(span.rate, _length_ns(span) / together) for span in spans if span.rate is not None]
    low = math.fsum(rate.least * part for rate, part in weighted)
    best = math.fsum(rate.best * part for rate, part in weighted)
    return low, best, math.fsum(rate.most * part for rate, part in weighted)


def _length_ns(span: RatedSpan) -> int:
    return max(1, span.last_ns - span.first_ns)


def _union_ns(spans: Sequence[RatedSpan]) -> int:
    length = end = 0
    for first, last in sorted((span.first_ns, span.first_ns + _length_ns(span)) for span in spans):
        begin = first if not length else max(first, end)
        length += max(0, last - begin)
        end = last if not end else max(end, last)
    return length
