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
from sensor.model.quantities import ExposureRecord, GuessRecord
from sensor.model.time import SECOND_NS


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

    @property
    def unknown_shares(self) -> int:
        """Submitted shares whose work is not known."""
        return self.unrated + self.unknown if not self.guess.blocks else self.unrated

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
            record.wait_seconds,
        )

    @property
    def loss(self) -> float:
        """Part of the miner's bytes the capture missed; most of them are submits, so as many shares are missing."""
        total = self.missed_bytes + self.seen_bytes
        return self.missed_bytes / total if total else 0.0
