"""What an energy stands for: power, kilowatt-hours a day and a week, CO2, the surcharge on it, and growth. Pure
formulas over ranges.

All follow the energy in proportion, so low, best and high stay what they are. Factors are the operator's.
"""

from __future__ import annotations

from sensor.model.figures import Estimate, Rates
from sensor.model.summary import SECONDS_PER_HOUR, Range

HOURS_PER_DAY = 24.0
DAYS_PER_WEEK = 7.0
WATTS_PER_KILOWATT = 1000.0


def estimate(energy_kwh: Range, watched_seconds: float, rates: Rates) -> Estimate:
    """Everything that follows from an energy; power, day and week go on at the mean of the time watched (0: none of
    them is known).
    """
    hours = watched_seconds / SECONDS_PER_HOUR
    kilowatts = energy_kwh.scaled(1 / hours) if hours > 0 else Range()
    day = kilowatts.scaled(HOURS_PER_DAY)
    return Estimate(
        energy_kwh=energy_kwh,
        power_watts=kilowatts.scaled(WATTS_PER_KILOWATT),
        day_kwh=day,
        week_kwh=day.scaled(DAYS_PER_WEEK),
        co2_kg=energy_kwh.scaled(rates.co2_kg_per_kwh),
        surcharge_yuan=energy_kwh.scaled(rates.surcharge_yuan_per_kwh),
    )


def growth(now: float, before: float | None) -> float | None:
    """The change as a part of what was before; None where nothing was."""
    return now / before - 1.0 if before else None
