"""A figure with its bounds, which may be added to others. Plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sensor.model.chance import LEVEL, Parts, chance_factors, with_chance


class Openness(NamedTuple):
    """How far a figure is open, as parts of it: downwards (0 to 1) and upwards."""

    down: float
    up: float


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate that is open for two reasons, which add up differently.

    `least` and `most` are how far efficiency, capture loss and inferred targets leave it open: for all figures alike,
    so they add linearly. `variance` is that of the best value by chance (the number of shares): independent from
    figure to figure, so variances add. `low` and `high` are the bounds with both. A range that is given as three
    figures alone has no chance apart, and its bounds add linearly.
    """

    least: float = 0.0
    best: float = 0.0
    most: float = 0.0
    variance: float = 0.0
    level: float = LEVEL  # how often chance keeps the figure within its bounds

    def __add__(self, other: Range) -> Range:
        return Range(
            self.least + other.least,
            self.best + other.best,
            self.most + other.most,
            self.variance + other.variance,
            self.level if self.variance else other.level,
        )

    def scaled(self, factor: float) -> Range:
        """Every figure times the factor."""
        return Range(
            self.least * factor, self.best * factor, self.most * factor, self.variance * factor * factor, self.level
        )

    @property
    def low(self) -> float:
        """The lower bound."""
        return with_chance(self._parts, self.level)[0]

    @property
    def high(self) -> float:
        """The upper bound."""
        return with_chance(self._parts, self.level)[2]

    @property
    def chance(self) -> Openness | None:
        """How far chance alone leaves it open; None where chance is not apart from the rest."""
        if self.best <= 0.0 or self.variance <= 0.0:
            return None
        down, up = chance_factors(float(f"{self.best / self.variance * self.best:.10g}"), self.level)
        return Openness(1.0 - down, up - 1.0)

    @property
    def rest(self) -> Openness | None:
        """How far everything but chance leaves it open; None where there is no figure."""
        return Openness(1.0 - self.least / self.best, self.most / self.best - 1.0) if self.best > 0.0 else None

    @property
    def _parts(self) -> Parts:
        return Parts(self.least, self.best, self.most, self.variance)


def total(ranges: Iterable[Range | None]) -> Range:
    """The sum of those that are known."""
    return sum((figure for figure in ranges if figure is not None), Range())


def sum_of(ranges: Iterable[Range | None]) -> Range | None:
    """The same; None where none is known."""
    present = [figure for figure in ranges if figure is not None]
    return total(present) if present else None
