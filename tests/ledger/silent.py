"""Miners simulated by the hour: how many shares each sends in it. For the tests of silence and their long version."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from sensor.cases import silence

#: Within how many days of silence 95 % of true exits are closed; the README states it.
STATED_DAYS = 10.0
#: Shares an hour while it mines, and how it pauses.
KINDS = {
    "farm": (400.0, "never"),
    "rig": (12.0, "never"),
    "slow": (0.7, "never"),
    "nights off": (20.0, "nights"),
    "nights on": (20.0, "days"),
    "working days": (8.0, "weekends"),
    "cheap power": (60.0, "cheap power"),
    "bad line": (15.0, "bad line"),
}
HOURS = 24


def mining_hours(generator: random.Random, kind: str, days: int) -> dict[int, int]:
    """Shares by hour. Besides what its kind does, any miner has a pool outage of hours now and then, and a power cut of
    up to two days."""
    per_hour, pause = KINDS[kind]
    per_hour *= math.exp(generator.gauss(0.0, 0.5))
    off = set(_off(generator, pause, days))
    shares: dict[int, int] = {}
    for hour in range(days * HOURS):
        if hour % (7 * HOURS) == 0:  # another pool, another vardiff: the rate of shares is another
            rate = per_hour * generator.choice((0.5, 1.0, 1.0, 2.0))
        if hour not in off and (count := _poisson(generator, rate)):
            shares[hour] = count
    return shares


def wrongly_closed(shares: dict[int, int]) -> bool:
    """Whether a miner that is there is closed at any of its pauses, judged by what was known when each began."""
    hours = sorted(shares)
    for at in range(1, len(hours)):
        silent = hours[at] - hours[at - 1] - 1
        if silent >= HOURS and silence.probability(_known(shares, hours[at - 1]), silent) <= silence.IMPROBABLE:
            return True
    return False


def closed_after(shares: dict[int, int]) -> float:
    """Days of silence after which a miner that is gone is closed."""
    return max(HOURS, silence.hours_needed(_known(shares, max(shares)))) / HOURS


def _known(shares: dict[int, int], until: int) -> silence.History:
    since = until - silence.HISTORY_HOURS
    return silence.history_of({hour: count for hour, count in shares.items() if since <= hour <= until})


def _off(generator: random.Random, pause: str, days: int) -> Iterator[int]:
    """The hours without mining."""
    for day in range(days):
        start = day * HOURS
        late, early = 20 + generator.randrange(3), 6 + generator.randrange(3)
        if pause == "nights" or (pause == "weekends" and day % 7 < 5):
            yield from range(start, start + early)
            yield from range(start + late, start + HOURS)
        elif pause == "days":
            yield from range(start + early, start + late)
        elif pause == "weekends":
            yield from range(start, start + HOURS)
        elif pause == "cheap power" and generator.random() < 0.4:
            yield from range(start + 8, start + 8 + generator.randrange(4, 14))
        elif pause == "bad line" and generator.random() < 0.5:
            begin = start + generator.randrange(HOURS)
            yield from range(begin, begin + 1 + int(generator.expovariate(1 / 4)))
        if generator.random() < 0.03:  # the pool, or its name, is not there
            begin = start + generator.randrange(HOURS)
            yield from range(begin, begin + generator.randrange(1, 9))
        if generator.random() < 0.007:  # a power cut, a move, a repair
            begin = start + generator.randrange(HOURS)
            yield from range(begin, begin + generator.randrange(6, 49))


def _poisson(generator: random.Random, mean: float) -> int:
    """Knuth's method, in pieces so that no exponential underflows; above 50 its normal approximation."""
    if mean > 50.0:
        return max(0, round(generator.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), generator.random(), 0
    while product > limit:
        product *= generator.random()
        count += 1
    return count
