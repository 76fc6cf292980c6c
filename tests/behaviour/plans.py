"""Session plans, and the records they give: rows of (time in s or None for an answer, direction, lengths of lines
written at once, the row it answers). Lengths are of plaintext.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from sensor.behaviour.trace import Trace

UP, DOWN = 0, 1
#: A hole in so much of a session's beginning makes it one that was joined.
OPENING_S = 10.0


class Row(NamedTuple):
    at_s: float | None
    side: int
    lengths: tuple[int, ...]
    answers: int | None = None


class Plan:
    """Rows in order; `say` and `answer` add them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def say(self, at_s: float, side: int, *lengths: int) -> int:
        self.rows.append(Row(at_s, side, lengths))
        return len(self.rows) - 1

    def answer(self, row: int, side: int, *lengths: int) -> int:
        self.rows.append(Row(None, side, lengths, row))
        return len(self.rows) - 1

    def ask(self, at_s: float, question: int, *answer: int) -> None:
        self.answer(self.say(at_s, UP, question), DOWN, *answer)


def traces_of(
    plan: Plan,
    rng: random.Random,
    *,
    joined_s: float = 0.0,
    until_s: float = 1e9,
    loss: float = 0.0,
    merge: float = 0.7,
) -> Trace:
    """What a sensor has of the plan between two times; `merge` is how often several lines leave as one record."""
    rtt, times, out = rng.uniform(0.02, 0.3), [], []
    opening = joined_s == 0.0
    latest: dict[int | None, float] = {}
    for row in plan.rows:
        at = row.at_s if row.at_s is not None else times[row.answers or 0] + rtt + rng.gammavariate(1.5, 0.01)
        if row.at_s is None:  # answers to one question stay in order
            at = latest[row.answers] = max(at, latest.get(row.answers, 0.0) + 2e-4)
        times.append(at)
        lengths = row.lengths if len(row.lengths) == 1 or rng.random() >= merge else (sum(row.lengths),)
        for number, length in enumerate(lengths):
            while length > 0:
                piece = min(length, 16_384)
                length -= piece
                lost = rng.random() < loss
                opening = opening and not (lost and at < OPENING_S)
                if not lost and joined_s <= at <= until_s:
                    out.append((int((at + number * 1e-4 + rng.uniform(0, 5e-5)) * 1e9), row.side, piece))
    out.sort(key=lambda record: record[0])
    return Trace(tuple(o[0] for o in out), tuple(o[1] for o in out), tuple(o[2] for o in out), 0, opening=opening)


def poisson(rng: random.Random, until_s: float, mean_s: float) -> Iterator[float]:
    at = rng.expovariate(1 / mean_s)
    while at < until_s:
        yield at
        at += rng.expovariate(1 / mean_s)


def every(rng: random.Random, until_s: float, period_s: float, jitter: float = 0.0) -> Iterator[float]:
    at = rng.uniform(0, period_s)
    while at < until_s:
        yield at
        at += period_s * (1 + rng.uniform(-jitter, jitter))


def bursts(rng: random.Random, until_s: float, mean_s: float, most: int) -> Iterator[float]:
    for start in poisson(rng, until_s, mean_s):
        at = start
        for _ in range(rng.randrange(1, most)):
            if at < until_s:
                yield at
            at += rng.lognormvariate(0, 1)


def mixed(**sources: Iterator[float]) -> list[tuple[float, str]]:
    """Events of several sources in order of time."""
    return sorted((at, name) for name, source in sources.items() for at in source)
