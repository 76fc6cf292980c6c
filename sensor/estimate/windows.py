"""The time in which a miner was watched, as a bounded set of disjoint stretches. Knows only nanoseconds of the
packet clock.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from sensor.model.quantities import WatchedStretch

#: Stretches kept apart. Past this the two nearest become one whose pause is not counted as watched.
MAX_STRETCHES = 1_024
#: The last moment that packets can have (docs/border.md); what is reckoned beyond it is as good as at it.
MAX_NS = (1 << 63) - 1


def _column() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Windows:
    """Disjoint stretches in order of time; adding is commutative up to MAX_STRETCHES."""

    # In columns of whole numbers: a finding of months has a thousand, and lists of them would be seven times as large.
    _starts: array[int] = field(default_factory=_column)
    _ends: array[int] = field(default_factory=_column)
    _pauses: array[int] = field(default_factory=_column)  # within a stretch, that were not watched

    def put(self, start_ns: int, end_ns: int) -> None:
        """One more stretch; what was watched already is not counted again."""
        self._merge(start_ns, end_ns, 0)

    def add(self, other: Windows) -> None:
        """All stretches of another."""
        for stretch in zip(other._starts, other._ends, other._pauses, strict=True):
            self._merge(*stretch)

    def record(self) -> tuple[WatchedStretch, ...]:
        """All stretches, as plain data."""
        return tuple(map(WatchedStretch, self._starts, self._ends, self._pauses))

    @classmethod
    def of(cls, stretches: Iterable[WatchedStretch]) -> Windows:
        """The windows of a record."""
        windows = cls()
        for stretch in stretches:
            windows._merge(*stretch)
        return windows

    @property
    def total_ns(self) -> int:
        """Time covered by at least one stretch."""
        return sum(self._ends) - sum(self._starts) - sum(self._pauses)

    def _merge(self, start: int, end: int, pause: int) -> None:
        starts, ends, pauses = self._starts, self._ends, self._pauses
        at = bisect_left(starts, start)
        while at > 0 and ends[at - 1] >= start:
            at -= 1
        upto = at
        while upto < len(starts) and starts[upto] <= end:
            start, end, pause = min(start, starts[upto]), max(end, ends[upto]), max(pause, pauses[upto])
            upto += 1
        self._replace(at, upto, (start, end, pause))
        if len(starts) > MAX_STRETCHES:
            gaps = [begin - before for before, begin in zip(ends, starts[1:], strict=False)]
            near = gaps.index(min(gaps))
            pause = pauses[near] + pauses[near + 1] + gaps[near]
            self._replace(near, near + 2, (starts[near], ends[near + 1], pause))

    def _replace(self, at: int, upto: int, stretch: tuple[int, int, int]) -> None:
        """Put one stretch in the place of some."""
        for column, value in zip((self._starts, self._ends, self._pauses), stretch, strict=True):
            column[at:upto] = array("q", (max(-MAX_NS, min(MAX_NS, value)),))
