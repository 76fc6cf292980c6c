"""From hashes a second to watts. Pure formulas; efficiencies and their
sources are data elsewhere.

P = hashes a second x joules a hash x PUE. With a known device the joules are its maker's figure; otherwise the range
is that of all hardware of the algorithm. Low goes with low and high with high, so the range holds both
uncertainties. Without an efficiency there is no figure at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sensor.estimate.interval import LEVEL
from sensor.model.quantities import Interval, Power
from sensor.signatures.devices import Efficiency

#: Power usage effectiveness: what the site draws for each watt of the machines. 1.10 is the best guess of the Cambridge
#: Bitcoin Electricity Consumption Index (bounds there 1.01 and 1.20); an ordinary data centre is nearer to 1.5.
PUE = 1.10


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the operator may set: the site's PUE, and how often an interval shall hold the truth."""

    pue: float = PUE
    level: float = LEVEL


def watts(rate_hps: Interval, efficiency: Efficiency, pue: float = PUE) -> Power:
    """Power drawn at this hashrate."""
    basis: Literal["device", "algorithm"] = "device" if efficiency.device else "algorithm"
    return Power(
        low=rate_hps.low * efficiency.low_joules * pue,
        best=rate_hps.best * efficiency.joules * pue,
        high=rate_hps.high * efficiency.high_joules * pue,
        basis=basis,
    )
