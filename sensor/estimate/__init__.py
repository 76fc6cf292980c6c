"""From counted shares to hashrate, power and energy, each as a range. Pure numbers: no clock, no file, no messages.

`ShareBook` takes the shares of one login as they come, `Exposure` joins them with the time they were watched in,
`estimate` makes the interval, `watts` and `energy_kwh` go on from there. `Timeline` counts when shares were sent.
"""

from sensor.estimate.assumed import UnknownTime, energy_kwh, unknown_time
from sensor.estimate.book import ShareBook
from sensor.estimate.exposure import Exposure
from sensor.estimate.hashrate import DISPUTED, HashrateEstimate, estimate
from sensor.estimate.job_times import JobTimes
from sensor.estimate.power import PUE, Assumptions, watts
from sensor.estimate.tally import Share
from sensor.estimate.target import hash_value
from sensor.estimate.timeline import Timeline
from sensor.estimate.windows import Windows

__all__ = [
    "DISPUTED",
    "PUE",
    "Assumptions",
    "Exposure",
    "HashrateEstimate",
    "JobTimes",
    "Share",
    "ShareBook",
    "Timeline",
    "UnknownTime",
    "Windows",
    "energy_kwh",
    "estimate",
    "hash_value",
    "unknown_time",
    "watts",
]
