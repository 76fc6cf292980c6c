"""Charts as inline SVG: columns over time with their bounds, a line in its band, a bar beside a figure, a strip of what
was watched. What nobody watched is hatched.

Positions across are per cent, so that a chart is as wide as its place and its letters stay readable on a phone.
Colours are classes of the style sheet, which knows light, dark and paper. Every text is escaped. Knows ranges and
labels, nothing of what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from exporters.forms.amounts import significant
from exporters.forms.documents.model import Cell, Chart, ChartPoint, CoverageStrip, RangeCell, StripRow
from exporters.forms.documents.numerals import figure, shown

#: Heights in pixels: the whole, the part above the axis, and room above the highest mark.
HEIGHT, AXIS, TOP = 208, 176, 14
#: Labels below the axis that find room on a phone.
MOST_LABELS = 7


def chart(drawing: Chart) -> Markup:
    """A chart as one <svg>, with its description for those who cannot see it."""
    values = [point.value for point in drawing.points if point.value is not None]
    highest = max((value.high for value in values), default=0.0)
    step = _step(highest)
    most = max(step * math.ceil(highest / step), step) if step else 1.0
    draw = _columns if drawing.form == "columns" else _band
    inside = [*_grid(drawing, step, most), draw(drawing, most), *_labels(drawing.points)]
    opened = Markup('<svg class="chart" role="img" width="100%" height="{}" aria-label="{}">').format(
        HEIGHT, drawing.description or drawing.title
    )
    return opened + Markup("").join(inside) + Markup("</svg>")


def bar(value: Cell, highest: float) -> Markup:
    """A bar as long as its figure is large beside the column's highest; a range's bounds are a thinner line."""
    if not isinstance(value, RangeCell | int | float) or highest <= 0:
        return Markup('<svg class="bar" aria-hidden="true" width="100%" height="10"></svg>')
    best = value.best if isinstance(value, RangeCell) else value
    inside = Markup('<rect class="mark" x="0" y="2" width="{}%" height="6" rx="1"/>').format(_percent(best / highest))
    if isinstance(value, RangeCell):
        low, high = _percent(value.low / highest), _percent(value.high / highest)
        inside += Markup('<line class="bound" x1="{}%" x2="{}%" y1="5" y2="5"/>').format(low, high)
    return Markup('<svg class="bar" aria-hidden="true" width="100%" height="10">') + inside + Markup("</svg>")


def strip(drawing: CoverageStrip, row: StripRow) -> Markup:
    """One row of a strip: of each step so much of its width is filled as was watched, and the rest hatched."""
    wide = 1 / max(len(row.parts), 1)
    step = Markup(
        '<g><title>{}: {}</title><rect class="unseen" fill="url(#hatch)" x="{}%" y="3" width="{}%" height="16"/>'
        '<rect class="mark" x="{}%" y="3" width="{}%" height="16"/></g>'
    )
    inside = Markup("").join(
        step.format(
            name,
            shown(seen, "part"),
            _percent(at * wide),
            _percent(0.96 * wide),
            _percent(at * wide),
            _percent(0.96 * wide * seen),
        )
        for at, (name, seen) in enumerate(zip(drawing.steps, row.parts, strict=True))
    )
    label = f"{row.name}: {shown(row.part, 'part')}. {drawing.description}"
    opened = Markup('<svg class="strip" role="img" width="100%" height="22" aria-label="{}">').format(label)
    return opened + inside + Markup("</svg>")


def steps(drawing: CoverageStrip) -> Markup:
    """The labels below a strip, as many as find room."""
    every = max(1, math.ceil(len(drawing.steps) / MOST_LABELS))
    text = Markup('<text class="tick" x="{}%" y="12" text-anchor="middle">{}</text>')
    inside = Markup("").join(
        text.format(_percent((at + 0.5) / len(drawing.steps)), name)
        for at, name in enumerate(drawing.steps)
        if at % every == 0
    )
    return Markup('<svg class="steps" aria-hidden="true" width="100%" height="16">') + inside + Markup("</svg>")


def _grid(drawing: Chart, step: float, most: float) -> list[Markup]:
    """Lines across, the axis first; their numbers stand left of the drawing, in the padding of the style sheet."""
    line = Markup(
        '<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text class="tick" x="-8" y="{}" text-anchor="end">{}</text>'
    )
    lines = []
    for index in range(int(most / step + 1.5) if step else 1):
        y, label = (
            _y(index * step, most),
            figure(significant(index * step), drawing.kind, drawing.unit if drawing.kind == "prefixed" else ""),
        )
        lines.append(line.format("grid" if index else "axis", y, y, y + 4, label))
    return lines


def _columns(drawing: Chart, most: float) -> Markup:
    """One column a point, its bounds as a whisker; the figures come up when pointed at."""
    column = Markup(
        '<g><title>{}: {}</title><rect class="mark" x="{}%" y="{}" width="{}%" height="{}" rx="1"/>'
        '<line class="bound" x1="{}%" x2="{}%" y1="{}" y2="{}"/></g>'
    )
    hatched = Markup(
        '<rect class="unseen" fill="url(#hatch)" x="{}%" y="{}" width="{}%" height="{}"><title>{}</title></rect>'
    )
    drawn, wide = Markup(""), 1 / max(len(drawing.points), 1)
    for index, point in enumerate(drawing.points):
        if point.unseen > 0:
            left, width = _percent((index + 0.04) * wide), _percent(0.92 * wide * point.unseen)
            drawn += hatched.format(left, TOP, width, AXIS - TOP, point.label)
        if point.value is not None:
            low, y, high = (_y(bound, most) for bound in (point.value.low, point.value.best, point.value.high))
            left, middle = _percent((index + 0.2) * wide), _percent((index + 0.5) * wide)
            text = shown(point.value, drawing.kind, drawing.unit)
            drawn += column.format(
                point.label, text, left, y, _percent(0.6 * wide), round(AXIS - y, 2), middle, middle, low, high
            )
    return drawn


def _band(drawing: Chart, most: float) -> Markup:
    """A line through the best values in the band of their bounds; a point that is not known is a gap."""
    count = max(len(drawing.points), 1)
    area = Markup(
        '<polygon class="band" points="{}"/><polyline class="line" vector-effect="non-scaling-stroke" points="{}"/>'
    )
    dot = Markup('<circle class="dot" cx="{}%" cy="{}" r="{}"><title>{}: {}</title></circle>')
    drawn = Markup('<svg viewBox="0 0 1000 {0}" width="100%" height="{0}" preserveAspectRatio="none">').format(HEIGHT)
    for run in _runs(drawing.points):
        at = [round((index + 0.5) / count * 1000, 2) for index, _ in run]
        low, best, high = (
            [f"{x},{_y(value, most)}" for x, value in zip(at, values, strict=True)]
            for values in zip(*((value.low, value.best, value.high) for _, value in run), strict=True)
        )
        drawn += area.format(" ".join(high + low[::-1]), " ".join(best))
    drawn += Markup("</svg>")
    for index, point in enumerate(drawing.points):
        if point.value is not None:
            text = shown(point.value, drawing.kind, drawing.unit)
            x, y = _percent((index + 0.5) / count), _y(point.value.best, most)
            drawn += dot.format(x, y, 2.5 if count <= 100 else 1.2, point.label, text)
    return drawn


def _runs(points: Sequence[ChartPoint]) -> list[list[tuple[int, RangeCell]]]:
    """The points without gaps between them."""
    runs: list[list[tuple[int, RangeCell]]] = [[]]
    for index, point in enumerate(points):
        if point.value is not None:
            runs[-1].append((index, point.value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _labels(points: Sequence[ChartPoint]) -> list[Markup]:
    """Labels below the axis, as many as find room."""
    every = max(1, math.ceil(len(points) / MOST_LABELS))
    text = Markup('<text class="tick" x="{}%" y="{}" text-anchor="middle">{}</text>')
    return [
        text.format(_percent((index + 0.5) / len(points)), AXIS + 20, point.label)
        for index, point in enumerate(points)
        if index % every == 0
    ]


def _y(value: float, most: float) -> float:
    return round(AXIS - (AXIS - TOP) * min(value / most, 1.0), 2) if most else float(AXIS)


def _percent(part: float) -> float:
    return round(100 * max(0.0, min(part, 1.0)), 3)


def _step(highest: float) -> float:
    """The distance of grid lines: 1, 2 or 5 times a power of ten, three to five lines."""
    if highest <= 0:
        return 0.0
    rough = highest / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999999)
