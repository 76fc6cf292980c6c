"""Time of unknown work, at the rate that the same login has when its work is known. Pure.

A miner's rate is steady where the difficulty of its shares is not. So where a login's work was known at other times,
the time in which it was not is taken to have been at that rate, give or take half: an assumption, and called one. Time
in which other connections of the login were known is left out, for there the rate of each alone is not known.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.estimate.exposure import Exposure
from sensor.estimate.windows import Windows
from sensor.model.quantities import Power
from sensor.model.time import SECOND_NS
from sensor.model.work import ASSUMED_FACTOR

SECONDS_PER_HOUR, WATTS_PER_KILOWATT = 3600.0, 1000.0


class UnknownTime(NamedTuple):
    """The time of shares of unknown work, in seconds."""

    assumed: float  # at the login's rate of other times
    unknown: float  # in no figure


def unknown_time(exposure: Exposure, rate_is_known: bool) -> UnknownTime:
    """How much of it is assumed, and how much is in no figure."""
    unrated = exposure.unrated_windows.total_ns
    if not rate_is_known:
        return UnknownTime(0.0, unrated / SECOND_NS)
    both = Windows()
    both.add(exposure.windows)
    both.add(exposure.unrated_windows)
    assumed = min(unrated, max(0, both.total_ns - exposure.windows.total_ns))
    return UnknownTime(assumed / SECOND_NS, (unrated - assumed) / SECOND_NS)


def energy_kwh(power_watts: Power, watched_seconds: float, assumed_seconds: float = 0.0) -> Power:
    """Energy over the time in which mining was seen; what was drawn unseen is not in it."""
    scale = 1.0 / SECONDS_PER_HOUR / WATTS_PER_KILOWATT
    return Power(
        power_watts.low * (watched_seconds + assumed_seconds / ASSUMED_FACTOR) * scale,
        power_watts.best * (watched_seconds + assumed_seconds) * scale,
        power_watts.high * (watched_seconds + assumed_seconds * ASSUMED_FACTOR) * scale,
        power_watts.basis,
    )
