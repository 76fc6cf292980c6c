"""Traffic without meaning, for the calibration of p-values: five models of times, lengths drawn apart from each other.

Each side has one distribution of lengths. They do not depend on order or time, nor on whether something is an answer,
and times do not depend on blocks: every p-value of it has to be at least uniform.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from tests.evaluation.talk import DOWN, UP, Talk

Times = Callable[[Talk], Iterator[float]]
#: The rate of the day's busiest hour to its mean, and how long such a session lasts.
DAY_SWING, DAY_S, DAY_HOURS = 0.9, 86_400.0, 6.0


def _drawn(rng: Random) -> Callable[[], int]:
    """A distribution of lengths of one session's side: one, few, narrow, wide or of counters."""
    base, kind = rng.randrange(30, 500), rng.randrange(5)
    if kind == 0:
        return lambda: base
    if kind == 1:
        few = [base + rng.randrange(0, 300) for _ in range(rng.randrange(2, 6))]
        return lambda: rng.choice(few)
    if kind == 2:
        return lambda: base + rng.randrange(0, 8)
    if kind == 3:
        return lambda: max(1, int(rng.lognormvariate(math.log(base), 0.6)))
    return lambda: base + len(str(int(10 ** rng.uniform(0, 4))))


def meaningless(model: str) -> Callable[[Talk], None]:
    """Sessions of a model: questions with answers, pushes, or both."""
    return partial(_play, model)


def _play(model: str, talk: Talk) -> None:
    rng = talk.rng
    up, down = _drawn(rng), _drawn(rng)
    asked = rng.choice([0.0, 0.3, 0.6, 0.9])
    talk.ask(0, up(), down())
    for at in MODELS[model](talk):
        if rng.random() < asked:
            talk.ask(at, up(), down())
        else:
            side = DOWN if rng.random() < 0.9 else UP
            talk.say(at, side, (up, down)[side]())


def _day(talk: Talk) -> Iterator[float]:
    """Poisson, thinned by the hour of the day."""
    phase_s = talk.server.world.start_s + talk.start_s
    for at in talk.poisson(40):
        rate = 1 + DAY_SWING * math.sin(2 * math.pi * (phase_s + at) / DAY_S)
        if talk.rng.random() < rate / (1 + DAY_SWING):
            yield at


MODELS: dict[str, Times] = {
    "Poisson": lambda talk: talk.poisson(talk.server.trait("mean", lambda r: 10 ** r.uniform(1.1, 1.8))),
    "every 30 s": lambda talk: talk.every(30, 0.001),
    "every 10 s +-2 %": lambda talk: talk.every(10, 0.02),
    "bursts": lambda talk: talk.bursts(120, 9, 0.7),
    "day and night": _day,
}
