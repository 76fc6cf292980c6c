"""The shares of one login by their place in the miner's stream: the newest one by one, older ones as counts in bins.

By it the ledger counts a share once that two sensors saw. Bins stand on whole multiples of their width, a power of two,
so that those of two sensors meet. Bounded: MAX_MARKS shares, MAX_BINS bins. Knows positions and no messages.
"""

from __future__ import annotations

from array import array
from fractions import Fraction

from sensor.estimate import Share
from sensor.model.trace import Outcome, ShareBin, ShareMark, ShareMarks

#: Shares kept one by one, ten bytes each: more than a miner sends between two records of its finding.
MAX_MARKS = 128
#: Bins kept, and the width they begin with: 4 KiB of stream are some twenty shares.
MAX_BINS, FIRST_BITS = 32, 12
#: Different works of the shares kept one by one; others are not known. 0 stands for that.
MAX_WORKS = 255
OUTCOMES: tuple[Outcome, ...] = ("u", "a", "r")
UNANSWERED, ACCEPTED, REJECTED = range(3)


class ShareTrail:
    """Shares in the order in which they were sent."""

    __slots__ = ("_bins", "_bits", "_first", "_outcomes", "_positions", "_work_at", "_works")

    def __init__(self) -> None:
        self._first = 0  # number of the first share that is kept by itself
        self._positions = array("Q")
        self._outcomes = bytearray()
        self._work_at = bytearray()  # into _works, from 1 on
        self._works: list[int] = []
        self._bits = FIRST_BITS
        self._bins: dict[int, list[int]] = {}  # submitted, accepted, rejected, work

    def put(self, share: Share) -> None:
        """A share was sent; it gets its number."""
        share.number = self._first + len(self._positions)
        self._positions.append(share.position)
        self._outcomes.append(UNANSWERED)
        self._work_at.append(self._place(share.work))
        if len(self._positions) > MAX_MARKS:
            self._bin_oldest()

    def settle(self, share: Share, *, accepted: bool, work: int | None) -> None:
        """A share was answered; its work may be known only now."""
        at = share.number - self._first
        if at >= 0:
            self._outcomes[at] = ACCEPTED if accepted else REJECTED
            if work is not None:
                self._work_at[at] = self._place(work)
            return
        counts = self._bin(share.position)
        counts[ACCEPTED if accepted else REJECTED] += 1
        counts[3] += (work or 0) if accepted else 0

    def unrate(self, first: int) -> None:
        """The work of this share and all after it is not known. Of those in bins it stays: they are too old."""
        for at in range(max(0, first - self._first), len(self._work_at)):
            self._work_at[at] = 0

    def rescale(self, factor: Fraction) -> None:
        """The algorithm proved to be another than assumed: every share so far means this many times the work."""
        self._works = [int(work * factor) for work in self._works]
        for counts in self._bins.values():
            counts[3] = int(counts[3] * factor)

    @property
    def bin_bits(self) -> int:
        """The width of the bins is 2 to this power."""
        return self._bits

    def bins(self) -> tuple[ShareBin, ...]:
        """The older shares, in order of the stream."""
        return tuple(ShareBin(number, *self._bins[number]) for number in sorted(self._bins))

    def marks(self) -> ShareMarks:
        """The newest shares, in order of the stream."""
        works = (None, *self._works)
        return ShareMarks(
            ShareMark(position, OUTCOMES[outcome], works[work_at])
            for position, outcome, work_at in zip(self._positions, self._outcomes, self._work_at, strict=True)
        )

    def _place(self, work: int | None) -> int:
        """Where a work stands; room is made by forgetting what no share has any more."""
        if work is None:
            return 0
        if work in self._works:
            return self._works.index(work) + 1
        if len(self._works) >= MAX_WORKS:
            used = sorted(set(self._work_at) - {0})
            places = {old: new for new, old in enumerate(used, 1)} | {0: 0}
            self._works = [self._works[old - 1] for old in used]
            self._work_at = bytearray(places[old] for old in bytes(self._work_at))  # mypyc walks no bytearray
            if len(self._works) >= MAX_WORKS:
                return 0
        self._works.append(work)
        return len(self._works)

    def _bin_oldest(self) -> None:
        outcome, work_at = self._outcomes.pop(0), self._work_at.pop(0)
        counts = self._bin(self._positions.pop(0))
        self._first += 1
        counts[0] += 1
        if outcome != UNANSWERED:
            counts[outcome] += 1
        if outcome == ACCEPTED and work_at:
            counts[3] += self._works[work_at - 1]

    def _bin(self, position: int) -> list[int]:
        """The counts of the bin that holds a position; wider bins are made where there would be too many."""
        counts = self._bins.setdefault(position >> self._bits, [0, 0, 0, 0])
        while len(self._bins) > MAX_BINS:
            self._bits += 1
            narrow, self._bins = self._bins, {}
            for number, some in narrow.items():
                wide = self._bins.setdefault(number >> 1, [0, 0, 0, 0])
                for at, count in enumerate(some):
                    wide[at] += count
            counts = self._bins[position >> self._bits]
        return counts
