"""When shares were sent, as counts in bins of time: few enough to keep for every session, fine enough to see pauses.
Pure numbers.

Bins stand on whole multiples of their width since the epoch, and every width divides the next, so joining does not
depend on order: whatever comes first, the result has the finest width in which everything fits.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from sensor.model.quantities import ShareTimeline
from sensor.model.time import SECOND_NS

#: Bins kept; 48 bars are as many as a telephone's screen shows apart.
MAX_BINS = 48
#: Widths in seconds: times people think in; the last ones hold whatever a capture's clock may say (63 bits of
#: nanoseconds, 292 years).
WIDTHS = (
    *(1, 2, 10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200),
    *(86_400 * days for days in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)),
)
#: A bin's count stays at this.
MOST = 0xFFFFFFFF


@dataclass(slots=True, eq=False)
class Timeline:
    """Counts of shares from `first` bins of the width since the epoch on."""

    level: int = 0
    first: int = 0
    counts: array[int] = field(default_factory=lambda: array("I"))

    def put(self, ts_ns: int, count: int = 1) -> None:
        """Shares that were sent then."""
        at = ts_ns // SECOND_NS // WIDTHS[self.level] - self.first
        if not 0 <= at < len(self.counts):
            at = self._room(ts_ns // SECOND_NS)
        self.counts[at] = min(MOST, self.counts[at] + count)

    def add(self, other: Timeline) -> None:
        """All shares of another."""
        while self.level < other.level:
            self._coarsen()
        width = WIDTHS[other.level]
        for number, count in enumerate(other.counts):
            if count:
                self.put((other.first + number) * width * SECOND_NS, count)

    def record(self) -> ShareTimeline | None:
        """What leaves the line; None if no share was sent."""
        width_ns = WIDTHS[self.level] * SECOND_NS
        return ShareTimeline(self.first * width_ns, width_ns, tuple(self.counts)) if self.counts else None

    def _room(self, second: int) -> int:
        """The place of the bin of this second, after making it."""
        while True:
            at = second // WIDTHS[self.level]
            if not self.counts:
                self.first = at
            first, end = min(at, self.first), max(at + 1, self.first + len(self.counts))
            if end - first <= MAX_BINS:
                break
            self._coarsen()
        if end - first > len(self.counts):
            before, after = self.first - first, end - self.first - len(self.counts)
            self.counts = array("I", (*(0,) * before, *self.counts, *(0,) * after))
            self.first = first
        return at - first

    def _coarsen(self) -> None:
        """The same counts in bins of the next width."""
        ratio = WIDTHS[self.level + 1] // WIDTHS[self.level]
        wider: dict[int, int] = {}
        for number, count in enumerate(self.counts):
            at = (self.first + number) // ratio
            wider[at] = min(MOST, wider.get(at, 0) + count)
        self.level += 1
        self.first = min(wider, default=0)
        self.counts = array("I", wider.values())


def joined(first: ShareTimeline | None, other: ShareTimeline | None) -> ShareTimeline | None:
    """The shares of two records in one; a record of a width that is not known here stays apart, and the newer one
    counts.
    """
    if first is None or other is None:
        return first or other
    seconds = (first.bin_ns // SECOND_NS, other.bin_ns // SECOND_NS)
    if not set(seconds) <= set(WIDTHS):
        return other
    whole = Timeline()
    for part, width in zip((first, other), seconds, strict=True):
        whole.add(Timeline(WIDTHS.index(width), part.start_ns // part.bin_ns, array("I", part.counts)))
    return whole.record()


def signed_sum(first: ShareTimeline | None, other: ShareTimeline | None, sign: int = 1) -> ShareTimeline | None:
    """Two records added, or with sign -1 the second taken off; counts may be below 0. None where all are 0. A record of
    a width that is not known here is left out."""
    lines = [(line, by) for line, by in ((first, 1), (other, sign)) if line is not None and _seconds(line) in WIDTHS]
    if not lines:
        return None
    level = max(WIDTHS.index(_seconds(line)) for line, _ in lines)
    while True:
        bins: dict[int, int] = {}
        for line, by in lines:
            for at, count in _bins(line, level).items():
                bins[at] = bins.get(at, 0) + by * count
        filled = [at for at, count in bins.items() if count]
        if not filled:
            return None
        if max(filled) - min(filled) < MAX_BINS:
            return _line_of(bins, range(min(filled), max(filled) + 1), level)
        level += 1


def positive(line: ShareTimeline | None) -> ShareTimeline | None:
    """A record without counts below 0; None if nothing is left."""
    if line is None or not any(count > 0 for count in line.counts):
        return None
    return ShareTimeline(line.start_ns, line.bin_ns, tuple(max(0, count) for count in line.counts))


def counted_again(before: ShareTimeline | None, line: ShareTimeline | None, shares: int) -> ShareTimeline | None:
    """So many shares of a record, from where the one before has some too: those that both counted."""
    if line is None or _seconds(line) not in WIDTHS or shares <= 0:
        return None
    level = WIDTHS.index(_seconds(line))
    if before is not None and _seconds(before) in WIDTHS:
        level = max(level, WIDTHS.index(_seconds(before)))
    its, others = _bins(line, level), {} if before is None else _bins(before, level)
    both = {at: min(count, others.get(at, 0)) for at, count in its.items()}
    weights = both if any(both.values()) else its
    total, so_far, given = sum(weights.values()), 0, 0
    dealt: dict[int, int] = {}
    for at in sorted(weights):
        so_far += weights[at]
        dealt[at] = shares * so_far // total - given
        given += dealt[at]
    return _line_of(dealt, range(min(dealt), max(dealt) + 1), level)


def _seconds(line: ShareTimeline) -> int:
    return line.bin_ns // SECOND_NS


def _bins(line: ShareTimeline, level: int) -> dict[int, int]:
    """The counts in bins of a width that is a multiple of the record's, by number since the epoch."""
    width_ns = WIDTHS[level] * SECOND_NS
    bins: dict[int, int] = {}
    for number, count in enumerate(line.counts):
        at = (line.start_ns + number * line.bin_ns) // width_ns
        bins[at] = bins.get(at, 0) + count
    return bins


def _line_of(bins: dict[int, int], numbers: range, level: int) -> ShareTimeline:
    width_ns = WIDTHS[level] * SECOND_NS
    return ShareTimeline(numbers.start * width_ns, width_ns, tuple(bins.get(at, 0) for at in numbers))
