"""The shares of one connection as several saw them, each counted once: by their place in the miner's stream. Pure.

The newest shares of a record stand one by one, older ones as counts in bins. Where both sides have single shares they
are united exactly, and what one lost the other supplies; of bins that both saw the fuller counts. What was answered for
one is answered.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sensor.model.trace import SEQUENCES, FlowTrace, Outcome, ShareMark, StreamRange

#: The better known outcome first.
OUTCOMES: tuple[Outcome, ...] = ("a", "r", "u")


class BinCounts(NamedTuple):
    """Shares of one bin."""

    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    work: int = 0


class MarkKey(NamedTuple):
    """One share: the message's position, and which of those that came in one message."""

    position: int
    number: int


@dataclass(frozen=True)
class ShareUnion:
    """Shares of one connection, all positions on one scale."""

    seen: tuple[StreamRange, ...] = ()  # parts of the miner's stream that anybody saw, in order and apart
    bits: int = 0
    bins: dict[int, BinCounts] = field(default_factory=dict)
    marks: dict[MarkKey, ShareMark] = field(default_factory=dict)
    floor: int | None = None  # shares before this position are in bins; None: there are no bins

    @property
    def counts(self) -> BinCounts:
        """All of them."""
        marks = self.marks.values()
        accepted = [mark for mark in marks if mark.outcome == "a"]
        bins = self.bins.values()
        return BinCounts(
            len(marks) + sum(some.submitted for some in bins),
            len(accepted) + sum(some.accepted for some in bins),
            sum(mark.outcome == "r" for mark in marks) + sum(some.rejected for some in bins),
            sum(mark.work or 0 for mark in accepted) + sum(some.work for some in bins),
        )


def shares_of(trace: FlowTrace, near: int | None = None) -> ShareUnion:
    """The shares of one record; positions are moved by whole turns of the sequence numbers to be near one."""
    start = trace.miner.start if trace.miner is not None else 0
    turns = 0 if near is None else round((near - start) / SEQUENCES)
    by = turns * SEQUENCES
    met: Counter[int] = Counter()
    marks: dict[MarkKey, ShareMark] = {}
    for mark in trace.marks:
        position = mark.position + by
        marks[MarkKey(position, met[position])] = mark._replace(position=position)
        met[position] += 1
    bins = {binned.number + (by >> trace.bin_bits): BinCounts(*binned[1:]) for binned in trace.bins}
    floor = min(met, default=1 << 63) if bins else None
    seen = () if trace.miner is None else (StreamRange(trace.miner.start + by, trace.miner.end + by),)
    return ShareUnion(seen, trace.bin_bits, bins, marks, floor)


def united(first: ShareUnion, other: ShareUnion) -> ShareUnion:
    """The shares that either saw."""
    seen = _join_ranges((*first.seen, *other.seen))
    floors = [floor for floor in (first.floor, other.floor) if floor is not None]
    if not floors:
        return ShareUnion(seen, marks=_unite_marks(first.marks, other.marks))
    floor, bits = max(floors), max(first.bits, other.bits)
    left, right = _lowered(first, floor, bits), _lowered(other, floor, bits)
    both = _common(first.seen, other.seen)
    bins = {
        number: _unite_bin(
            left.bins.get(number, BinCounts()), right.bins.get(number, BinCounts()), _meets(both, number, bits)
        )
        for number in {*left.bins, *right.bins}
    }
    return ShareUnion(seen, bits, bins, _unite_marks(left.marks, right.marks), floor)


def length(ranges: tuple[StreamRange, ...]) -> int:
    """Bytes in ranges that lie apart."""
    return sum(part.end - part.start for part in ranges)


def _join_ranges(ranges: tuple[StreamRange, ...]) -> tuple[StreamRange, ...]:
    joined: list[StreamRange] = []
    for part in sorted(ranges):
        if joined and part.start <= joined[-1].end:
            joined[-1] = joined[-1]._replace(end=max(joined[-1].end, part.end))
        else:
            joined.append(part)
    return tuple(joined)


def _common(left: tuple[StreamRange, ...], right: tuple[StreamRange, ...]) -> tuple[StreamRange, ...]:
    pairs = ((max(a.start, b.start), min(a.end, b.end)) for a in left for b in right)
    return tuple(StreamRange(start, end) for start, end in pairs if start < end)


def _meets(ranges: tuple[StreamRange, ...], number: int, bits: int) -> bool:
    """Whether a bin holds any of these ranges."""
    return any(part.start < (number + 1) << bits and part.end > number << bits for part in ranges)


def _unite_bin(left: BinCounts, right: BinCounts, both: bool) -> BinCounts:
    """Where both saw the stretch the fuller counts, else the sum."""
    if not both:
        return BinCounts(*(a + b for a, b in zip(left, right, strict=True)))
    return BinCounts(*(max(a, b) for a, b in zip(left, right, strict=True)))


def _unite_marks(left: dict[MarkKey, ShareMark], right: dict[MarkKey, ShareMark]) -> dict[MarkKey, ShareMark]:
    marks = dict(left)
    for key, mark in right.items():
        other = marks.get(key)
        if other is not None:
            outcome = min(mark.outcome, other.outcome, key=OUTCOMES.index)
            works = [work for work in (mark.work, other.work) if work is not None]
            mark = mark._replace(outcome=outcome, work=max(works, default=None))
        marks[key] = mark
    return marks


def _lowered(shares: ShareUnion, floor: int, bits: int) -> ShareUnion:
    """The same shares, those before a position in bins of so many bits."""
    bins: dict[int, BinCounts] = {}
    for number, counts in shares.bins.items():
        _count(bins, number >> (bits - shares.bits), counts)
    for key, mark in shares.marks.items():
        if key.position < floor:
            accepted, rejected = mark.outcome == "a", mark.outcome == "r"
            counts = BinCounts(1, accepted, rejected, (mark.work or 0) if accepted else 0)
            _count(bins, key.position >> bits, counts)
    marks = {key: mark for key, mark in shares.marks.items() if key.position >= floor}
    return replace(shares, bits=bits, bins=bins, marks=marks, floor=floor)


def _count(bins: dict[int, BinCounts], number: int, counts: BinCounts) -> None:
    before = bins.get(number, BinCounts())
    bins[number] = BinCounts(*(a + b for a, b in zip(before, counts, strict=True)))
