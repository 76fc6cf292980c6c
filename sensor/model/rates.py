"""What a miner does in a time: its hashrate, its power, its energy. The one definition that every output shares.

Two rates are easily confused, and have two names. The *hashrate* and the *power* of a miner are those of the time in
which it was watched mining. Its *mean* is over all the time in which the sensors listened, pauses of the miner
included. Energy *seen* is of what was watched; energy *projected* is of the whole period, as if the time that nobody
watched had been like the rest. What is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.range import Range

WATT_SECONDS_PER_KWH = 3_600_000.0


@dataclass(frozen=True, slots=True)
class MiningTimes:
    """The times that figures are of, in seconds."""

    mining_seconds: float  # the miner was watched mining
    observed_seconds: float  # sensors that see the miner listened
    projection: float | None = None  # the whole period over the time observed, bounded; None: nothing is projected


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
    projected = None if times.projection is None else energy_kwh.scaled(times.projection)
    return MinerRates(
        hashrate_hps=_over(hashes, times.mining_seconds),
        power_watts=_over(watt_seconds, times.mining_seconds),
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


def _or_unknown(amount: Range) -> Range | None:
    """None for an amount of which nothing is known: a range that is 0 throughout."""
    return amount if amount.most > 0.0 else None
