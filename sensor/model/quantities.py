"""Counts and estimates: shares, intervals, power and energy, shares over time. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


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


class TallyRecord(NamedTuple):
    """Sums over shares of known work, in 2^-32 hashes."""

    shares: int = 0
    work: int = 0
    work_squared: int = 0
    heaviest: int = 0


class WatchedStretch(NamedTuple):
    """A stretch of time in which a miner was watched."""

    start_ns: int
    end_ns: int
    pause_ns: int  # within it, time that was not watched


NO_SHARES = TallyRecord()


class GuessRecord(NamedTuple):
    """Shares whose target was inferred from their hashes, in blocks."""

    tally: TallyRecord = NO_SHARES
    blocks: int = 0
    largest: int = 0  # shares of the fullest block


NO_GUESS = GuessRecord()


#: A mean wait that is not known, in seconds: longer than any time.
UNKNOWN_WAIT = 1e18


@dataclass(slots=True, frozen=True)
class ExposureRecord:
    """All that a hashrate is estimated from: records of one miner and algorithm are joined, and estimated anew.

    Records of before 0.3 have no `unrated`: their shares of unknown work are in `submitted` and `unknown`, and their
    time is in `stretches`.
    """

    algorithm: str | None
    stretches: tuple[WatchedStretch, ...] = ()
    credited: TallyRecord = NO_SHARES  # shares that were not rejected
    spent: TallyRecord = NO_SHARES  # all shares
    guess: GuessRecord = NO_GUESS
    submitted: int = 0
    unknown: int = 0  # submitted without known work
    missed_bytes: int = 0  # of the miner's stream
    seen_bytes: int = 0
    next_work: tuple[int, int] | None = None  # (time, work) of the latest job
    unrated: int = 0  # shares of unknown work that are in no estimate and in no count above
    unrated_stretches: tuple[WatchedStretch, ...] = ()  # when those were sent or could have been; not in `stretches`
    rated_ns: int = 0  # time of known work, of each connection by itself; 0: an older record
    unrated_ns: int = 0  # time of unknown work, likewise
    wait_seconds: float = UNKNOWN_WAIT  # mean wait of the smallest machine for a share, at the highest difficulty
