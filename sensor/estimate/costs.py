"""What mining stands for: power, kilowatt-hours a day and a week, CO2, the surcharge on it, and growth. Pure.

CO2 and surcharge follow the energy seen in proportion. A day and a week follow the projected energy, and go no further
beyond the period than the bound of projections. Factors are the operator's.
"""

from __future__ import annotations

from collections.abc import Iterable

from sensor.model.coverage import Grounds
from sensor.model.figures import Estimate, Rates
from sensor.model.range import Range, sum_of
from sensor.model.summary import Line, energy

SECONDS_PER_DAY = 86_400.0
SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY


def estimate(lines: Iterable[Line], period_seconds: float, prices: Rates, grounds: Grounds) -> Estimate:
    """The sums over lines of a period of so many seconds, and everything that follows from them."""
    group = list(lines)
    kwh, figures = energy(group), [line.rates for line in group]
    projected = sum_of(each.projected_kwh for each in figures)
    return Estimate(
        energy_kwh=kwh,
        power_watts=sum_of(each.power_watts for each in figures),
        mean_power_watts=sum_of(each.mean_power_watts for each in figures),
        projected_kwh=projected,
        day_kwh=over(projected, SECONDS_PER_DAY, period_seconds, grounds),
        week_kwh=over(projected, SECONDS_PER_WEEK, period_seconds, grounds),
        co2_kg=kwh.scaled(prices.co2_kg_per_kwh),
        surcharge_yuan=kwh.scaled(prices.surcharge_yuan_per_kwh),
        missing_seconds=sum(line.missing_seconds for line in group),
        unrated_seconds=sum(line.unrated_seconds for line in group),
        assumed_seconds=sum(line.assumed_seconds for line in group),
    )


def over(projected_kwh: Range | None, seconds: float, period_seconds: float, grounds: Grounds) -> Range | None:
    """The energy of a whole period as that of so many seconds; None if that is too much longer than the period."""
    if projected_kwh is None or period_seconds <= 0.0 or seconds / period_seconds > grounds.most_projection:
        return None
    return projected_kwh.scaled(seconds / period_seconds)


def growth(now: float, before: float | None) -> float | None:
    """The change as a part of what was before; None where nothing was."""
    return now / before - 1.0 if before else None
