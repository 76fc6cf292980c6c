"""Sums over shares that are all an interval needs: how many, their work, the squares of it, the heaviest. Exact whole
numbers.

Work is in 2^-32 hashes, as everywhere in the middle; sums are commutative, so the order in which flows end does not
matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sensor.model.quantities import TallyRecord


@dataclass(slots=True)
class Share:
    """One submitted proof of work, while what became of it is still open."""

    ts_ns: int
    work: int | None  # 2^-32 hashes; None if its difficulty was not seen
    value: int | None = None  # the upper 64 bits of its hash, where the message carries it
    rejected: bool = False
    position: int = 0  # of its message in the miner's stream
    number: int = -1  # in order of its login's shares
    doubted: bool = False  # the pool may have sent another difficulty before it
    phase: int = 0  # of its login's book when it was sent
    digests: tuple[tuple[int, str], ...] = ()  # its hash as a number, by each algorithm that it may be
    hashes: int = 0  # that tell its work; 0: the pool said it


@dataclass(slots=True)
class Tally:
    """Sums over shares of known work."""

    count: int = 0
    work: int = 0
    work_squared: int = 0
    heaviest: int = 0

    def put(self, work: int, count: int = 1) -> None:
        """Count shares of this work."""
        self.count += count
        self.work += work * count
        self.work_squared += work * work * count
        if work > self.heaviest:
            self.heaviest = work

    def remove(self, work: int) -> None:
        """Take one share back; the heaviest stays, which can only widen."""
        self.count -= 1
        self.work -= work
        self.work_squared -= work * work

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.count += other.count
        self.work += other.work
        self.work_squared += other.work_squared
        self.heaviest = max(self.heaviest, other.heaviest)

    def rescale(self, factor: Fraction) -> None:
        """The same shares, each this many times the work."""
        self.work = int(self.work * factor)
        self.work_squared = int(self.work_squared * factor * factor)
        self.heaviest = int(self.heaviest * factor)

    def without(self, part: Tally) -> Tally:
        """A copy less some of its shares; the heaviest stays."""
        return Tally(
            self.count - part.count, self.work - part.work, self.work_squared - part.work_squared, self.heaviest
        )

    def record(self) -> TallyRecord:
        """The sums as plain data."""
        return TallyRecord(self.count, self.work, self.work_squared, self.heaviest)

    def copy(self) -> Tally:
        """The same sums, to change freely."""
        return Tally(self.count, self.work, self.work_squared, self.heaviest)
