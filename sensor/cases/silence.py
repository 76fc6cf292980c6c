"""How improbable a silence is for a miner that is still there. Pure: hours and shares in, a probability out.

A miner that is there is silent for two reasons, and the probabilities of both are added.

*Chance*: n shares in T mining hours came as a Poisson process of unknown rate. With the rate's uncertainty (a gamma
posterior), the probability of none in the next s hours is (T/(T+s))^n. The pool's control of the difficulty keeps the
rate of shares where it was.

*A pause*: nights, weekends, cheap power, a broken line. Of pauses whose mean m is known from k of them only, one of s
hours or more has probability (km/(km+s))^k (a Lomax tail: exponential pauses whose rate is uncertain). A few pauses
that nobody saw are counted with them, so that a miner who never paused may begin to, and k is bounded: pauses have
several causes. Up to half more than the longest pause seen, one more such pause stays as likely as it was: one of k+1.

The tests simulate what comes of it. A pause for a new cause that lasts weeks does close a case; mining again opens it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from sensor.model.text import N_

#: A silence less probable than this is taken as the end.
IMPROBABLE = 0.001
#: Pauses counted besides those that were seen, and their hours in all: power cuts, moves, repairs of a working week.
UNSEEN_PAUSES, UNSEEN_HOURS = 3, 24.0
#: Shorter ones are no pauses but chance, and would hide how long the long ones are.
SHORTEST_PAUSE_HOURS = 6
#: Pauses have more than one cause, so that many of one kind say little about the longest of another: the tail never
#: falls off faster.
MOST_SHAPE = 8
#: The present rate of shares is that of so many of the last mining hours.
RECENT_HOURS = 24
#: How much longer than any before a pause must be before it is judged by their mean.
LONGER = 1.5
#: Hours of history that are looked at: pauses of the last months.
HISTORY_HOURS = 60 * 24


@dataclass(frozen=True)
class History:
    """What is known of a miner before it fell silent."""

    shares: int  # in its last mining hours
    hours: int  # how many those are
    pauses: tuple[int, ...]  # hours without a share between hours with one


def history_of(shares_by_hour: Mapping[int, int]) -> History:
    """From shares by the hour; hours that are not in it had none."""
    active = sorted(hour for hour, shares in shares_by_hour.items() if shares > 0)
    recent = active[-RECENT_HOURS:]
    pauses = tuple(later - earlier - 1 for earlier, later in itertools.pairwise(active) if later - earlier > 1)
    return History(sum(shares_by_hour[hour] for hour in recent), len(recent), pauses)


def probability(history: History, silent_hours: float) -> float:
    """How probable it is that one who is still there is silent for so long; 1 if it never mined."""
    if not history.shares or silent_hours <= 0.0:
        return 1.0
    by_chance = (history.hours / (history.hours + silent_hours)) ** history.shares
    long = [hours for hours in history.pauses if hours >= SHORTEST_PAUSE_HOURS]
    mean = (sum(long) + UNSEEN_HOURS) / (len(long) + UNSEEN_PAUSES)
    shape = min(len(long) + UNSEEN_PAUSES, MOST_SHAPE)
    by_pause = (mean * shape / (mean * shape + silent_hours)) ** shape
    if silent_hours <= LONGER * max(long, default=0):
        by_pause = max(by_pause, 1.0 / (len(long) + 1))
    return min(1.0, by_chance + by_pause)


def hours_needed(history: History, level: float = IMPROBABLE) -> float:
    """How many hours of silence are improbable."""
    if not history.shares:
        return float("inf")
    low, high = 0.0, 1.0
    while probability(history, high) > level:
        low, high = high, high * 2.0
    while high - low > 0.5:
        middle = (low + high) / 2.0
        low, high = (middle, high) if probability(history, middle) > level else (low, middle)
    return high


def explain(history: History, silent_hours: float) -> str:
    """Why a case is closed, in a sentence."""
    rate = history.shares / history.hours if history.hours else 0.0
    form = (
        N_(
            "no share for {hours} h in which the sensor listened; at the earlier rate ({rate} shares an hour, {count} "
            "pauses before, the longest of {longest} h) a miner that is still there is silent for so long with "
            "probability {p}"
        )
        if history.pauses
        else N_(
            "no share for {hours} h in which the sensor listened; at the earlier rate ({rate} shares an hour, no pause "
            "before) a miner that is still there is silent for so long with probability {p}"
        )
    )
    return form.format(
        hours=f"{silent_hours:.0f}",
        rate=f"{rate:.3g}",
        count=len(history.pauses),
        longest=max(history.pauses, default=0),
        p=f"{probability(history, silent_hours):.2g}",
    )
