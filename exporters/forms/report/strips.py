"""Small charts as inline SVG: bars over time, and a range with its best value on a logarithmic scale.

Pure: numbers in, markup out, the same for the same numbers. Text stands beside them in the page, where they
keep their size on every screen. Colours are the page's, by class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

#: Units of the drawing: it is stretched to the width of its place, so that only relations matter.
WIDTH, BAR_HEIGHT = 1000.0, 100.0
#: Stretches drawn behind bars; more would be a grey surface anyway.
MOST_STRETCHES = 64
#: A pause longer than this part of the busy time is cut out, so many at most; a cut is so wide.
LEAST_PAUSE, MOST_CUTS, CUT = 0.5, 12, 12.0
#: The scale of a range reaches this many times below and above its best value, farther if the range does.
REACH = 4.0
_OPEN = Markup('<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{}">')
_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
_CLOSE = Markup("</svg>")


@dataclass(frozen=True)
class TimeAxis:
    """The time that the width stands for: stretches in order, with what lies between them cut out."""

    stretches: tuple[tuple[int, int], ...]

    @property
    def start_ns(self) -> int:
        """The left end."""
        return self.stretches[0][0]

    @property
    def end_ns(self) -> int:
        """The right end."""
        return self.stretches[-1][1]

    def place(self, ts_ns: int) -> float:
        """Where an instant is, from 0 to the width; one that is cut out stands at the cut."""
        whole = max(1, sum(end - start for start, end in self.stretches))
        room = (WIDTH - CUT * (len(self.stretches) - 1)) / whole
        left = 0.0
        for start, end in self.stretches:
            if ts_ns <= end:
                return min(WIDTH, left + room * max(0, ts_ns - start))
            left += room * (end - start) + CUT
        return WIDTH

    @property
    def cuts(self) -> list[float]:
        """Where something is cut out."""
        return [self.place(end) + CUT / 2 for _, end in self.stretches[:-1]]


def time_axis(times: Iterable[tuple[int, int]]) -> TimeAxis:
    """The stretches that these times cover, with long pauses between them cut out; at least one, however empty."""
    merged: list[list[int]] = []
    for start, end in sorted(times):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    busy = sum(end - start for start, end in merged)
    pauses = sorted((later[0] - earlier[1] for earlier, later in pairwise(merged)), reverse=True)
    least = max([busy * LEAST_PAUSE, *pauses[MOST_CUTS : MOST_CUTS + 1]])
    stretches: list[list[int]] = []
    for start, end in merged:
        if stretches and start - stretches[-1][1] <= least:
            stretches[-1][1] = end
        else:
            stretches.append([start, end])
    return TimeAxis(tuple((start, end) for start, end in stretches) or ((0, 0),))


def bars(
    axis: TimeAxis, start_ns: int, bin_ns: int, counts: Sequence[int], stretches: Iterable[tuple[int, int]], label: str
) -> Markup:
    """Counts as bars, the tallest of full height, before pale stretches of time."""
    most = max(counts, default=0)
    parts = [_OPEN.format(label)]
    parts += [_rect("cut", place - 1.5, 0, 3, BAR_HEIGHT) for place in axis.cuts]
    for begin, end in list(stretches)[:MOST_STRETCHES]:
        left, right = axis.place(begin), axis.place(end)
        parts.append(_rect("seen", left, 0, max(right - left, 2.0), BAR_HEIGHT))
    for number, count in enumerate(counts):
        if count:
            left, right = axis.place(start_ns + number * bin_ns), axis.place(start_ns + (number + 1) * bin_ns)
            height = max(4.0, BAR_HEIGHT * count / most)
            parts.append(_rect("bar", left, BAR_HEIGHT - height, max((right - left) * 0.86, 1.5), height))
    return Markup("").join([*parts, _CLOSE])


def band(low: float, best: float, high: float, label: str, marks: Sequence[float] = ()) -> Markup:
    """A range: a band from low to high, a line at the best value, thin lines at claims. All are above zero."""
    bottom = math.log(min(low, best / REACH) if low > 0 else best / REACH)
    top = math.log(max(high, best * REACH))

    def place(value: float) -> float:
        return WIDTH * min(1.0, max(0.0, (math.log(value) - bottom) / (top - bottom))) if value > 0 else 0.0

    parts = [
        _OPEN.format(label),
        _rect("axis", 0, 46, WIDTH, 8),
        _rect("band", place(low), 20, max(place(high) - place(low), 3.0), 60),
    ]
    parts += [_rect("claim", max(0.0, place(value) - 2), 0, 4, BAR_HEIGHT) for value in marks if value > 0]
    return Markup("").join([*parts, _rect("best", max(0.0, place(best) - 3), 5, 6, 90), _CLOSE])


def split(parts: Sequence[tuple[str, int, str]]) -> Markup:
    """A whole in parts, side by side: class, count and name of each; what is there is never too thin to be seen."""
    whole = sum(count for _, count, _ in parts)
    drawn, left = [_OPEN.format(", ".join(f"{count} {label}" for _, count, label in parts))], 0.0
    shown = [(name, max(6.0, WIDTH * count / whole)) for name, count, _ in parts if count]
    scale = WIDTH / sum(width for _, width in shown) if shown else 1.0
    for name, width in shown:
        drawn.append(_rect(name, left, 0, width * scale - 2.0, BAR_HEIGHT))
        left += width * scale
    return Markup("").join([*drawn, _CLOSE])


def share(part: float) -> Markup:
    """A part of a whole, 0 to 1, as a bar; the number stands beside it."""
    bar = _rect("bar", 0, 0, max(4.0, WIDTH * part), BAR_HEIGHT) if part > 0 else Markup("")
    return Markup(
        '<svg class="share" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(bar)


def _rect(name: str, x: float, y: float, width: float, height: float) -> Markup:
    return _RECT.format(name, *(f"{value:.1f}".removesuffix(".0") for value in (x, y, width, height)))
