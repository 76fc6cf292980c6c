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
