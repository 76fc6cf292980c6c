"""What a finding amounts to, and how an amount is spread over hours or taken out of them. Pure; knows findings and hours, no tables.

Whole numbers stay whole: they are dealt out by rounding the running sum, so the parts always add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

from sensor.model.finding import Finding
from sensor.model.quantities import Interval, Power

#: What a roll-up counts. The first WHOLE are whole numbers; those from ESTIMATES on are estimates of the time that was watched.
MEASURES = (
    "sessions",
    "shares",
    "accepted",
    "stream_bytes",
    "seconds",
    "lost_seconds",
    "work_hashes",
    "hashes_low",
    "hashes_best",
    "hashes_high",
    "energy_low",
    "energy_best",
    "energy_high",
)
WHOLE, SECONDS, ESTIMATES = 4, 4, 6
HOUR_NS = 3_600 * 1_000_000_000
JOULES_PER_KWH = 3_600_000.0
#: Sums of floats made in another order differ by less than this part of them.
ROUNDING = 1e-9

Amounts = tuple[float, ...]
ByHour = dict[int, Amounts]  # by hours since the epoch
NOTHING: Amounts = (0,) * len(MEASURES)


def totals(finding: Finding) -> Amounts:
    """What one run has seen of a finding, in the order of MEASURES."""
    shares, seconds = finding.shares, finding.active_seconds
    hashes = _times(finding.hashrate_hps, _watched_s(finding))
    energy = finding.energy_kwh or Power(0.0, 0.0, 0.0, "algorithm")
    counts = (finding.flow_count, shares.submitted, shares.accepted, finding.stream_bytes)
    return (
        *counts,
        seconds,
        finding.capture_loss * seconds,
        finding.work_hashes or 0.0,
        *hashes,
        energy.low,
        energy.best,
        energy.high,
    )


def plus(one: Amounts, other: Amounts) -> Amounts:
    """The sum."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def minus(one: Amounts, other: Amounts) -> Amounts:
    """The difference."""
    return tuple(a - b for a, b in zip(one, other, strict=True))


def hours_of(finding: Finding, after_ns: int | None = None) -> dict[int, float]:
    """The hours in which a finding was there (since a moment), with the nanoseconds of each: those of its listed connections."""
    start = finding.first_ns if after_ns is None else max(after_ns, finding.first_ns)
    found: dict[int, float] = {}
    end = start
    for flow in sorted(finding.flows, key=lambda one: one.first_ns):
        first, last = max(flow.first_ns, end), min(flow.last_ns, finding.last_ns)
        if last > first:
            _cover(found, first, last)
            end = last
    if not found:
        _cover(found, start, max(finding.last_ns, start + 1))
    return found


def _cover(found: dict[int, float], first: int, last: int) -> None:
    for hour in range(first // HOUR_NS, (last - 1) // HOUR_NS + 1):
        covered = min(last, (hour + 1) * HOUR_NS) - max(first, hour * HOUR_NS)
        found[hour] = found.get(hour, 0.0) + covered


def spread(amounts: Amounts, weights: Mapping[int, float]) -> ByHour:
    """Deal an amount out over hours in proportion to their weights, of which one at least is not 0."""
    hours = sorted(weights)
    columns = [_dealt(amount, [weights[hour] for hour in hours], at < WHOLE) for at, amount in enumerate(amounts)]
    return dict(zip(hours, zip(*columns, strict=True), strict=True))


def taken(amounts: Amounts, rows: Mapping[int, Amounts]) -> ByHour:
    """How much to take out of each hour so that the amount is taken in all, never more than is there."""
    hours = sorted(rows)
    columns = [_portion(amount, [rows[hour][at] for hour in hours], at < WHOLE) for at, amount in enumerate(amounts)]
    return dict(zip(hours, zip(*columns, strict=True), strict=True))


def shaped(amounts: Amounts, like: Mapping[int, Amounts], otherwise: Mapping[int, float]) -> ByHour:
    """Deal an amount out as another is: each measure like itself, what was not there before like the time."""
    hours = sorted(like) or sorted(otherwise)
    columns = []
    for at, amount in enumerate(amounts):
        for weights in ([like[hour][at] for hour in sorted(like)], [like[hour][SECONDS] for hour in sorted(like)]):
            if sum(weights) > 0:
                break
        else:
            weights = [otherwise.get(hour, 0.0) for hour in hours]
        columns.append(_dealt(amount, weights if sum(weights) > 0 else [1.0] * len(hours), at < WHOLE))
    return dict(zip(hours, zip(*columns, strict=True), strict=True))


def _dealt(amount: float, weights: Sequence[float], whole: bool) -> list[float]:
    if not amount:
        return [0] * len(weights)
    total = math.fsum(weights)
    if not whole:
        return [amount * weight / total for weight in weights]
    ends = [math.floor(amount * part / total + 0.5) for part in accumulate(weights)]
    ends[-1] = round(amount)
    return [end - before for end, before in zip(ends, [0, *ends], strict=False)]


def _portion(amount: float, there: Sequence[float], whole: bool) -> list[float]:
    total = math.fsum(there)
    if amount <= 0 or total <= 0:
        return [0] * len(there)
    if amount >= total * (1.0 - ROUNDING):
        return list(there)
    return _dealt(amount, there, whole)


def _times(rate: Interval | None, seconds: float) -> tuple[float, float, float]:
    return (0.0, 0.0, 0.0) if rate is None else (rate.low * seconds, rate.best * seconds, rate.high * seconds)


def _watched_s(finding: Finding) -> float:
    """The time an estimate speaks of: energy over power tells it; else the connections' time."""
    power, energy = finding.power_watts, finding.energy_kwh
    if power is None or energy is None or power.high <= 0.0:
        return finding.active_seconds
    return energy.high * JOULES_PER_KWH / power.high
