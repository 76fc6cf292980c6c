"""What one login did while it was watched, as sums: its shares, and the time in which shares could have been seen.
Sans-IO; knows no messages.

Which shares count: `credited` has all that were not rejected. An unanswered share is taken as accepted: its answer
was lost by the capture, or is just under way at the end, or (one direction captured) no answer could be seen; pools
refuse a percent or two. `spent` has the rejected ones too: they are no proof for the pool but cost the same
electricity, so power rests on it.

Shares whose work is not known, and the time in which work was not known, are in neither: a connection's first
difficulty says nothing about its later ones, so they are no sample of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sensor.estimate.tally import Tally
from sensor.estimate.target import Guess
from sensor.estimate.windows import Windows
from sensor.model.quantities import UNKNOWN_WAIT, ExposureRecord, GuessRecord
from sensor.model.time import SECOND_NS
from sensor.model.trace import WindowEdge


@dataclass(slots=True)
class Exposure:
    """Shares and watched time, ready for the estimate; joins with others of the same miner."""

    windows: Windows = field(default_factory=Windows)
    credited: Tally = field(default_factory=Tally)
    spent: Tally = field(default_factory=Tally)
    guess: Guess = field(default_factory=Guess)
    submitted: int = 0  # of any kind, those of unknown work included
    unknown: int = 0  # submitted without known work
    missed_bytes: int = 0  # of the miner's stream
    seen_bytes: int = 0
    next_work: tuple[int, int] | None = None  # (time, work) of the latest job
    unrated: int = 0  # shares of unknown work, left out of all the above together with their time
    unrated_windows: Windows = field(default_factory=Windows)
    rated_ns: int = 0  # the time of its windows, of each connection by itself
    unrated_ns: int = 0  # the time left out, likewise
    edge: WindowEdge | None = None  # of one connection's; not summed
    wait_seconds: float = 0.0  # the longest mean wait of the smallest machine for a share; 0: there was no session

    def add(self, other: Exposure) -> None:
        """Join another: work adds up, and time seen twice counts once, so rigs at the same time add their rates."""
        self.windows.add(other.windows)
        self.credited.add(other.credited)
        self.spent.add(other.spent)
        self.guess.add(other.guess)
        self.submitted += other.submitted
        self.unknown += other.unknown
        self.missed_bytes += other.missed_bytes
        self.seen_bytes += other.seen_bytes
        self.next_work = max(filter(None, (self.next_work, other.next_work)), default=None)
        self.unrated += other.unrated
        self.unrated_windows.add(other.unrated_windows)
        self.wait_seconds = max(self.wait_seconds, other.wait_seconds)
        self.rated_ns += other.rated_ns
        self.unrated_ns += other.unrated_ns

    @property
    def guess_alone(self) -> bool:
        """Whether the guess has the shares that count; else those of its shares are among the spent."""
        return self.guess.tally.count > self.spent.count

    def without_work(self) -> Exposure:
        """The same shares and time where it is not known what a share is worth. How long one would be waited for
        stays, if the difficulty was known all the time.
        """
        unrated = Windows()
        unrated.add(self.windows)
        unrated.add(self.unrated_windows)
        return Exposure(
            missed_bytes=self.missed_bytes,
            seen_bytes=self.seen_bytes,
            unrated=self.submitted + self.unrated,
            unrated_windows=unrated,
            wait_seconds=UNKNOWN_WAIT if self.unrated_windows.total_ns else self.wait_seconds,
        )

    @property
    def unknown_shares(self) -> int:
        """Submitted shares whose work is not known."""
        return self.unrated if self.guess_alone else self.unrated + self.unknown

    @property
    def unknown_seconds(self) -> float:
        """The time that those left out stand for."""
        return self.unrated_windows.total_ns / SECOND_NS

    def record(self, algorithm: str | None) -> ExposureRecord:
        """All of it as plain data."""
        guess = self.guess.finished()
        return ExposureRecord(
            algorithm,
            self.windows.record(),
            self.credited.record(),
            self.spent.record(),
            GuessRecord(guess.tally.record(), guess.blocks, guess.largest),
            self.submitted,
            self.unknown,
            self.missed_bytes,
            self.seen_bytes,
            self.next_work,
            self.unrated,
            self.unrated_windows.record(),
            self.rated_ns,
            self.unrated_ns,
            self.wait_seconds,
        )

    @classmethod
    def of(cls, record: ExposureRecord) -> Exposure:
        """The exposure of a record."""
        guess = Guess(Tally(*record.guess.tally), record.guess.blocks, record.guess.largest)
        return cls(
            Windows.of(record.stretches),
            Tally(*record.credited),
            Tally(*record.spent),
            guess,
            record.submitted,
            record.unknown,
            record.missed_bytes,
            record.seen_bytes,
            record.next_work,
            record.unrated,
            Windows.of(record.unrated_stretches),
            record.rated_ns,
            record.unrated_ns,
            wait_seconds=record.wait_seconds,
        )

    @property
    def beside(self) -> float:
        """Connections of unknown work beside known ones of the same miner: their time, as a part of that of those."""
        both = Windows()
        both.add(self.windows)
        both.add(self.unrated_windows)
        apart_ns = both.total_ns - self.windows.total_ns
        return max(0.0, (self.unrated_ns - apart_ns) / self.rated_ns) if self.rated_ns else 0.0

    @property
    def loss(self) -> float:
        """Part of the miner's bytes the capture missed; most of them are submits, so as many shares are missing."""
        total = self.missed_bytes + self.seen_bytes
        return self.missed_bytes / total if total else 0.0
