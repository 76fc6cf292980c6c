"""What a finding amounts to, and how an amount is spread over hours or taken out of them. Pure; knows findings and
hours, no tables.

Whole numbers stay whole: they are dealt out by rounding the running sum, so the parts always add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from sensor.model.finding import Finding
from sensor.model.work import work_of


class Amounts(NamedTuple):
    """What a roll-up counts. The fields are the columns, and their order is that of stored JSON.

    Low and high are without chance: how far efficiency, capture loss and inferred targets leave the figure open, which
    adds up linearly. Chance is the variance beside them, which adds up in quadrature. Rows of before there was a
    variance have it as 0, and their low and high hold chance too.
    """

    sessions: float = 0  # this and the next four are whole numbers
    shares: float = 0
    accepted: float = 0
    stream_bytes: float = 0
    unknown_shares: float = 0  # of the shares, those whose work is not known: they are in no estimate
    seconds: float = 0  # the connections' time
    lost_seconds: float = 0  # of it, in proportion to the bytes that were not seen
    unknown_seconds: float = 0  # watched, but of unknown work: they are in no estimate, which is a lower bound then
    assumed_seconds: float = 0  # watched at unknown work, and taken to be at the same login's rate of other times
    work_hashes: float = 0  # this and the next are estimates of the time in which the miner was watched
    hashes_low: float = 0
    hashes_best: float = 0
    hashes_high: float = 0
    hashes_variance: float = 0  # of the best one by chance, in squared hashes
    energy_low: float = 0  # kilowatt-hours
    energy_best: float = 0
    energy_high: float = 0
    energy_variance: float = 0  # of the best one by chance, in squared kilowatt-hours

    def with_estimates(self, other: Amounts) -> Amounts:
        """These counts and times, with the estimates of another."""
        return Amounts(*self[:FIRST_ESTIMATE], *other[FIRST_ESTIMATE:])

    @classmethod
    def of_stored(cls, values: Sequence[float]) -> Amounts:
        """Amounts of stored JSON, also as earlier releases wrote them."""
        if len(values) == len(FIRST_RELEASE):
            return cls(**dict(zip(FIRST_RELEASE, values, strict=True)))
        return cls(*values)


#: The columns of a roll-up. The first WHOLE are whole numbers; those from FIRST_ESTIMATE on are estimates.
MEASURES = Amounts._fields
WHOLE, FIRST_ESTIMATE = MEASURES.index("seconds"), MEASURES.index("work_hashes")
#: The columns of release 0.1, in the order in which it stored them.
FIRST_RELEASE = (
    *("sessions", "shares", "accepted", "stream_bytes", "seconds", "lost_seconds", "work_hashes"),
    *("hashes_low", "hashes_best", "hashes_high", "energy_low", "energy_best", "energy_high"),
)
#: Sums of floats in another order differ by less than this part of them.
ROUNDING = 1e-9

ByHour = dict[int, Amounts]  # by hours since the epoch
NOTHING = Amounts()


def totals(finding: Finding) -> Amounts:
    """What one run has seen of a finding."""
    shares, seconds = finding.shares, finding.active_seconds
    hashes, kwh = work_of(finding)
    return Amounts(
        sessions=finding.flow_count,
        shares=shares.submitted,
        accepted=shares.accepted,
        stream_bytes=finding.stream_bytes,
        unknown_shares=finding.unknown_shares,
        seconds=seconds,
        lost_seconds=(finding.capture_loss or 0.0) * seconds,
        unknown_seconds=finding.unknown_seconds,
        assumed_seconds=finding.assumed_seconds,
        work_hashes=finding.work_hashes or 0.0,
        hashes_low=hashes.least,
        hashes_best=hashes.best,
        hashes_high=hashes.most,
        hashes_variance=hashes.variance,
        energy_low=kwh.least,
        energy_best=kwh.best,
        energy_high=kwh.most,
        energy_variance=kwh.variance,
    )


def plus(left: Amounts, right: Amounts) -> Amounts:
    """The sum."""
    return Amounts(*(a + b for a, b in zip(left, right, strict=True)))


def minus(left: Amounts, right: Amounts) -> Amounts:
    """The difference."""
    return Amounts(*(a - b for a, b in zip(left, right, strict=True)))


def positive(amounts: Amounts) -> Amounts:
    """The amounts with 0 for what is below 0."""
    return Amounts(*(max(0, amount) for amount in amounts))


def negative(amounts: Amounts) -> Amounts:
    """How far each amount is below 0, as a positive number."""
    return Amounts(*(max(0, -amount) for amount in amounts))


def spread(amounts: Amounts, weights: Mapping[int, float]) -> ByHour:
    """Deal an amount out over hours in proportion to their weights, of which one at least is not 0."""
    hours = sorted(weights)
    columns = [_dealt(amount, [weights[hour] for hour in hours], at < WHOLE) for at, amount in enumerate(amounts)]
    return _by_hour(hours, columns)


def taken(amounts: Amounts, rows: Mapping[int, Amounts]) -> ByHour:
    """How much to take out of each hour so that the amount is taken in all, never more than is there."""
    hours = sorted(rows)
    columns = [_portion(amount, [rows[hour][at] for hour in hours], at < WHOLE) for at, amount in enumerate(amounts)]
    return _by_hour(hours, columns)


def shaped(amounts: Amounts, like: Mapping[int, Amounts], otherwise: Mapping[int, float]) -> ByHour:
    """Deal an amount out as another is: each measure like itself, what was not there before like the time."""
    hours = sorted(like) or sorted(otherwise)
    columns = []
    for at, amount in enumerate(amounts):
        for weights in ([like[hour][at] for hour in sorted(like)], [like[hour].seconds for hour in sorted(like)]):
            if sum(weights) > 0:
                break
        else:
            weights = [otherwise.get(hour, 0.0) for hour in hours]
        columns.append(_dealt(amount, weights if sum(weights) > 0 else [1.0] * len(hours), at < WHOLE))
    return _by_hour(hours, columns)


def _by_hour(hours: Sequence[int], columns: Sequence[Sequence[float]]) -> ByHour:
    """Rows of amounts from one column for each measure."""
    return {hour: Amounts(*row) for hour, row in zip(hours, zip(*columns, strict=True), strict=True)}


def _dealt(amount: float, weights: Sequence[float], whole: bool) -> list[float]:
    if not amount:
        return [0] * len(weights)
    total = math.fsum(weights)
    if not whole:
        return [amount * (weight / total) for weight in weights]
    ends = [math.floor(amount * (part / total) + 0.5) for part in accumulate(weights)]
    ends[-1] = round(amount)
    return [end - before for end, before in zip(ends, [0, *ends], strict=False)]


def _portion(amount: float, there: Sequence[float], whole: bool) -> list[float]:
    total = math.fsum(there)
    if amount <= 0 or total <= 0:
        return [0] * len(there)
    if amount >= total * (1.0 - ROUNDING):
        return list(there)
    return _dealt(amount, there, whole)
