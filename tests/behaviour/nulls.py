"""Traffic without structure: five ways in which records come, with lengths that know nothing of times."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from sensor.behaviour.trace import Trace
from tests.behaviour.plans import bursts, every, poisson


def day_and_night(rng: random.Random, until_s: float) -> Iterator[float]:
    """Ten times as much in one half as in the other."""
    turn = rng.uniform(0.2, 0.8) * until_s
    for at in poisson(rng, until_s, 8):
        if at < turn or rng.random() < 0.1:
            yield at


MODELS: dict[str, Callable[[random.Random, float], Iterator[float]]] = {
    "poisson": lambda rng, until_s: poisson(rng, until_s, 15),
    "every 30 s": lambda rng, until_s: every(rng, until_s, 30),
    "every 10 s": lambda rng, until_s: every(rng, until_s, 10, 0.02),
    "bursts": lambda rng, until_s: bursts(rng, until_s, 60, 8),
    "day and night": day_and_night,
}
LEVELS = (0.05, 0.01, 0.001, 0.0001)


def structureless(rng: random.Random, model: str, until_s: float = 3_600.0) -> Trace:
    """Records at the model's times, each of the client, of the server, or of both right after each other; lengths of
    each direction drawn from a few of its own.
    """
    own = [_few(rng), _few(rng)]
    back, times, sides = rng.uniform(0.1, 0.9), [], []
    for at in MODELS[model](rng, until_s):
        side = int(rng.random() < 0.5)
        times.append(at)
        sides.append(side)
        if rng.random() < back:
            times.append(at + rng.uniform(0.02, 0.3))
            sides.append(1 - side)
    order = sorted(range(len(times)), key=lambda i: times[i])
    return Trace(
        tuple(int(times[i] * 1e9) for i in order),
        tuple(sides[i] for i in order),
        tuple(rng.choice(own[sides[i]]) for i in order),
    )


def _few(rng: random.Random) -> list[int]:
    """Lengths of a direction, some of them as short as answers; some grow by a digit, but at any time."""
    lengths = []
    for _ in range(rng.randrange(1, 6)):
        length = rng.choice([rng.randrange(20, 80), rng.randrange(20, 800)])
        lengths += [length] * rng.randrange(1, 6)
        lengths += [length + 1] * rng.choice([0, 0, 1, 4])
    return lengths


def excess(chances: list[float], level: float) -> float:
    """By how many standard errors more chances than their level lie at or below it."""
    expected = level * len(chances)
    return (sum(p <= level for p in chances) - expected) / (expected * (1 - level)) ** 0.5
