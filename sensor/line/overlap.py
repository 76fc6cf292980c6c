"""What of a finding was counted more than once: the same connection in two sensors, two runs, or two captures. Pure.

A finding is the sum of what each counted, less the overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sensor.estimate.timeline import positive, signed_sum
from sensor.model.quantities import NO_GUESS, NO_SHARES, ExposureRecord, GuessRecord, Shares, ShareTimeline, TallyRecord


@dataclass(frozen=True, slots=True)
class DoubleCount:
    """Amounts to take from the sum of what the runs counted. Any of them may be negative: what one sensor saw
    unanswered, and the other accepted, is one more acceptance than the sum less the shares seen twice."""

    sessions: int = 0
    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    unanswered: int = 0
    verified: int = 0
    work: int = 0  # of accepted shares, in 2^-32 hashes
    jobs: int = 0
    stream_bytes: int = 0
    missed_bytes: int = 0
    credited: TallyRecord = NO_SHARES  # this and the rest are parts of exposures
    spent: TallyRecord = NO_SHARES
    guess: GuessRecord = NO_GUESS
    shares: int = 0
    unknown: int = 0
    miner_missed_bytes: int = 0
    miner_seen_bytes: int = 0
    unrated: int = 0
    timeline: ShareTimeline | None = None  # when the shares were sent; its counts may be negative, too

    def __bool__(self) -> bool:
        return self != NO_OVERLAP

    def plus(self, other: DoubleCount, sign: int = 1) -> DoubleCount:
        """The sum; with sign -1 the difference."""
        sums: dict[str, Any] = {
            name: _add(getattr(self, name), getattr(other, name), sign) for name in DoubleCount.__dataclass_fields__
        }
        return DoubleCount(**sums)


NO_OVERLAP = DoubleCount()


def less(record: ExposureRecord, overlap: DoubleCount) -> ExposureRecord:
    """An exposure without what was counted more than once."""
    guess = GuessRecord(
        tally_sum(record.guess.tally, overlap.guess.tally, -1),
        max(0, record.guess.blocks - overlap.guess.blocks),
        record.guess.largest,
    )
    return replace(
        record,
        credited=tally_sum(record.credited, overlap.credited, -1),
        spent=tally_sum(record.spent, overlap.spent, -1),
        guess=guess,
        submitted=max(0, record.submitted - overlap.shares),
        unknown=max(0, record.unknown - overlap.unknown),
        missed_bytes=max(0, record.missed_bytes - overlap.miner_missed_bytes),
        seen_bytes=max(0, record.seen_bytes - overlap.miner_seen_bytes),
        unrated=max(0, record.unrated - overlap.unrated),
    )


def shares_less(shares: Shares, overlap: DoubleCount) -> Shares:
    """Shares without those that were counted more than once; none is below 0."""
    names = ("submitted", "accepted", "rejected", "unanswered", "verified")
    return Shares(*(max(0, getattr(shares, name) - getattr(overlap, name)) for name in names))


def timeline_less(line: ShareTimeline | None, overlap: DoubleCount) -> ShareTimeline | None:
    """A timeline without the shares that were counted more than once; none is below 0."""
    return line if overlap.timeline is None or line is None else positive(signed_sum(line, overlap.timeline, -1))


def tally_sum(left: TallyRecord, right: TallyRecord, sign: int = 1) -> TallyRecord:
    """The sum of two tallies, or their difference; the heaviest share stays."""
    return TallyRecord(
        left.shares + sign * right.shares,
        left.work + sign * right.work,
        left.work_squared + sign * right.work_squared,
        max(left.heaviest, right.heaviest),
    )


_Amount = int | TallyRecord | GuessRecord | ShareTimeline | None


def _add(left: _Amount, right: _Amount, sign: int) -> object:
    if left is None or right is None or isinstance(left, ShareTimeline) or isinstance(right, ShareTimeline):
        assert left is None or isinstance(left, ShareTimeline)
        assert right is None or isinstance(right, ShareTimeline)
        return signed_sum(left, right, sign)
    if isinstance(left, TallyRecord) and isinstance(right, TallyRecord):
        return tally_sum(left, right, sign)
    if isinstance(left, GuessRecord) and isinstance(right, GuessRecord):
        blocks = left.blocks + sign * right.blocks
        return GuessRecord(tally_sum(left.tally, right.tally, sign), blocks, max(left.largest, right.largest))
    assert isinstance(left, int)
    assert isinstance(right, int)
    return left + sign * right
