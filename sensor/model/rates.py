"""What a miner does in a time: its hashrate, its power, its energy. The one definition that every output shares.

Two rates are easily confused, and have two names. The *hashrate* and the *power* of a miner are those of the time in
which it was watched mining, and of which they are known. Its *mean* is over all the time in which the sensors listened,
pauses of the miner included. Energy *seen* is of what was watched; energy *projected* is of the whole period, as if the
time that nobody watched had been like the rest. What is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sensor.model.range import Range

WATT_SECONDS_PER_KWH = 3_600_000.0


class AssumedParts(NamedTuple):
    """What work is at least and at most, as parts of the best, because some of its time is assumed to have been at a
    rate of other times. That leaves sums of work open, and no rate: the rate is that of the other times."""

    least: float = 1.0
    most: float = 1.0


NO_ASSUMPTION = AssumedParts()


@dataclass(frozen=True, slots=True)
class MiningTimes:
    """The times that figures are of, in seconds."""

    mining_seconds: float  # the miner was watched mining
    observed_seconds: float  # sensors that see the miner listened
    projection: float | None = None  # the whole period over the time observed, bounded; None: nothing is projected
    powered_seconds: float | None = None  # of the mining, that whose energy is known; None: all of it
    unpriced_seconds: float = 0.0  # mining at known work whose energy is not known; it may be beside the powered time
    assumed: AssumedParts = NO_ASSUMPTION


@dataclass(frozen=True, slots=True)
class MinerRates:
    """What one miner, or several together, did."""

    hashrate_hps: Range | None  # while mining
    power_watts: Range | None  # while mining
    mean_hashrate_hps: Range | None  # of the time observed
    mean_power_watts: Range | None  # of the time observed
    energy_kwh: Range | None  # seen
    projected_kwh: Range | None


def rates(hashes: Range, energy_kwh: Range, times: MiningTimes) -> MinerRates:
    """The figures of work and energy seen within some time."""
    watt_seconds = energy_kwh.scaled(WATT_SECONDS_PER_KWH)
    observed = max(times.observed_seconds, times.mining_seconds)
    powered = times.mining_seconds if times.powered_seconds is None else times.powered_seconds
    projected = None if times.projection is None else energy_kwh.scaled(times.projection)
    return MinerRates(
        hashrate_hps=_over(_at_rate(hashes, times.assumed), times.mining_seconds),
        power_watts=_over(_at_rate(watt_seconds, times.assumed), powered),
        mean_hashrate_hps=_over(hashes, observed),
        mean_power_watts=_over(watt_seconds, observed),
        energy_kwh=_or_unknown(energy_kwh),
        projected_kwh=None if projected is None else _or_unknown(projected),
    )


def projection(period_seconds: float, observed_seconds: float, most: float) -> float:
    """By what the energy seen becomes that of the whole period: never less than 1, never more than `most`."""
    if observed_seconds <= 0.0:
        return 1.0
    return max(1.0, min(period_seconds / observed_seconds, most))


def _over(amount: Range, seconds: float) -> Range | None:
    return amount.scaled(1.0 / seconds) if seconds > 0.0 and amount.most > 0.0 else None


def _at_rate(amount: Range, assumed: AssumedParts) -> Range:
    """The amount as if the rate of its assumed time were as well known as that of the rest."""
    return Range(amount.least / assumed.least, amount.best, amount.most / assumed.most, amount.variance, amount.level)


def _or_unknown(amount: Range) -> Range | None:
    """None for an amount of which nothing is known: a range that is 0 throughout."""
    return amount if amount.most > 0.0 else None
