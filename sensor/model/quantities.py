"""Counts and estimates: shares, intervals, power and energy, shares over time. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Shares:
    """Counts of submitted proofs of work; submitted = accepted + rejected + unanswered."""

    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    unanswered: int = 0
    verified: int = 0

    def add(self, other: Shares) -> None:
        """Add another count to this one."""
        self.submitted += other.submitted
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.unanswered += other.unanswered
        self.verified += other.verified


@dataclass(slots=True, frozen=True)
class Interval:
    """An estimate with its confidence bounds."""

    low: float
    best: float
    high: float
    level: float  # how often the truth lies between low and high, 0..1


@dataclass(slots=True, frozen=True)
class Power:
    """Electrical power in watts, or energy in kilowatt-hours, as a range; `basis` says whose efficiency it rests on."""

    low: float
    best: float
    high: float
    basis: Literal["device", "algorithm"]


@dataclass(slots=True, frozen=True)
class ShareTimeline:
    """Shares that were sent, by time: as many bins as `counts` has, adjacent, empty ones included; bounded."""

    start_ns: int  # of the first bin
    bin_ns: int  # width of each
    counts: tuple[int, ...]
