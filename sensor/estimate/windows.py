"""The time in which a miner was watched, as a bounded set of disjoint stretches. Knows only nanoseconds of the
packet clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from sensor.model.quantities import WatchedStretch

#: Stretches kept apart. Past this the two nearest become one whose pause is not counted as watched.
MAX_STRETCHES = 1_024


@dataclass(slots=True)
class Windows:
    """Disjoint stretches in order of time; adding is commutative up to MAX_STRETCHES."""

    _stretches: list[tuple[int, int, int]] = field(
        default_factory=list
    )  # start, end, pauses within that were not watched

    def put(self, start_ns: int, end_ns: int) -> None:
        """One more stretch; what was watched already is not counted again."""
        self._merge(start_ns, end_ns, 0)

    def add(self, other: Windows) -> None:
        """All stretches of another."""
        for stretch in other._stretches:
            self._merge(*stretch)

    def record(self) -> tuple[WatchedStretch, ...]:
        """All stretches, as plain data."""
        return tuple(WatchedStretch(*stretch) for stretch in self._stretches)

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
        return sum(end - start - pause for start, end, pause in self._stretches)

    def _merge(self, start: int, end: int, pause: int) -> None:
        stretches = self._stretches
        at = bisect_left(stretches, (start, start, 0))
        while at > 0 and stretches[at - 1][1] >= start:
            at -= 1
        upto = at
        while upto < len(stretches) and stretches[upto][0] <= end:
            first, last, inner = stretches[upto]
            start, end, pause = min(start, first), max(end, last), max(pause, inner)
            upto += 1
        stretches[at:upto] = [(start, end, pause)]
        if len(stretches) > MAX_STRETCHES:
            gaps = [later[0] - earlier[1] for earlier, later in pairwise(stretches)]
            near = gaps.index(min(gaps))
            (first, middle, pause_before), (again, last, pause_after) = stretches[near : near + 2]
            stretches[near : near + 2] = [(first, last, pause_before + pause_after + again - middle)]
