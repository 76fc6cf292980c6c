"""The map above the ranked divisions: the same figures as their bars, and no other.

A shape has the figure of the bar of its division: a county that of its city, where bars are of cities. What belongs to
others is drawn empty. Names are those of the table of divisions, never the file's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from exporters.forms.documents.model import Cell, RangeCell
from exporters.forms.documents.numerals import best, shown
from sensor.console.atlas.plate import WIDTH, PlateShape
from sensor.console.blocks import DivisionMap
from sensor.console.desk import Visit
from sensor.console.week import COUNTY, LineSums

#: Classes of electricity, and tones of the style sheet, which are as many.
MOST_CLASSES = 5
#: Units around the picture, and below it for the approval number.
MARGIN, FOOT = 6, 64
#: Looks of a division that has no tone; all but the first are patterns, so that no colour is needed to tell them apart.
FOREIGN, UNFIGURED, QUIET, UNWATCHED = "foreign", "unfigured", "quiet", "unwatched"
PATTERNS = Markup(
    '<defs><pattern id="map-unfigured" width="14" height="14" patternUnits="userSpaceOnUse">'
    '<rect class="sheet" width="14" height="14"/><path class="weave" d="M0 7h14M7 0v14"/></pattern>'
    '<pattern id="map-quiet" width="18" height="18" patternUnits="userSpaceOnUse">'
    '<rect class="sheet" width="18" height="18"/><circle class="speck" cx="9" cy="9" r="2.5"/></pattern>'
    '<pattern id="map-unwatched" width="16" height="16" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="sheet" width="16" height="16"/>'
    '<line class="stripe" x1="0" y1="0" x2="0" y2="16"/></pattern></defs>'
)


@dataclass(frozen=True)
class MapClasses:
    """The figures on the map in classes: of each bar its tone, and of each tone its least and most figure."""

    tones: Mapping[str, int]
    ends: Sequence[tuple[int, RangeCell, RangeCell]]


def division_map(visit: Visit, barred: Sequence[tuple[str, LineSums]]) -> tuple[DivisionMap, ...]:
    """The map with the figures of these bars; nothing without one, and where none of its shapes can have a figure."""
    plate, _ = visit.desk.plate, visit._
    if plate is None:
        return ()
    own, foreign, frame = _sorted(visit, plate.shapes)
    if not own:
        return ()
    figures = {code: visit.cells.seen(its.estimate.energy_kwh, its.estimate) for code, its in barred if code in own}
    classes = _classes(figures)
    looks = {code: _look(visit, code, classes) for code in own}
    inside = [
        Markup('<g class="foreign">{}</g>').format(_paths(foreign, FOREIGN)),
        *(_division(visit, code, own[code], looks[code], figures.get(code)) for code in sorted(own)),
        Markup('<g class="frame">{}</g>').format(_paths(frame, "none")),
    ]
    title = _("Map of the divisions by the electricity seen")
    description = _("{count} divisions have a figure. All figures of the map stand in the list below.").format(
        count=len(classes.tones)
    )
    approval = _("Map approval number: {number}").format(number=plate.approval)
    high = plate.height + 2 * MARGIN + FOOT
    drawing = Markup(
        '<svg class="map" role="img" aria-labelledby="map-title map-description" viewBox="{} {} {} {}">'
        '<title id="map-title">{}</title><desc id="map-description">{} {}</desc>{}{}'
        '<text class="approval" x="0" y="{}">{}</text></svg>'
    ).format(
        *(-MARGIN, -MARGIN, WIDTH + 2 * MARGIN, high),
        *(title, description, approval, PATTERNS, Markup("").join(inside)),
        *(plate.height + FOOT - MARGIN, approval),
    )
    used = {*looks.values(), *([FOREIGN] if foreign else [])}
    return (DivisionMap(title, drawing, _legend(visit, classes, used)),)


def _sorted(
    visit: Visit, shapes: Sequence[PlateShape]
) -> tuple[dict[str, list[PlateShape]], list[PlateShape], list[PlateShape]]:
    """The viewer's shapes by the code of their bar, those of others, and outlines that have no bar of their own."""
    digits, scope = visit.week.division_digits, visit.scope
    own: dict[str, list[PlateShape]] = defaultdict(list)
    foreign, frame = [], []
    for shape in shapes:
        if shape.is_of_country or not shape.code[digits - 2 : digits].strip("0"):
            frame.append(shape)
        elif scope.holds(shape.code):
            own[shape.code[:digits].ljust(COUNTY, "0")].append(shape)
        else:
            foreign.append(shape)
    return own, foreign, frame


def _classes(figures: Mapping[str, Cell]) -> MapClasses:
    """So many of the figures in each class, as far as they differ."""
    ranges = {code: its for code, its in figures.items() if isinstance(its, RangeCell)}
    ordered = sorted(ranges.values(), key=lambda its: its.best)
    ranks = {value: rank for rank, value in enumerate(sorted({its.best for its in ordered}))}
    count = min(MOST_CLASSES, len(ranks))

    def tone(its: RangeCell) -> int:
        return math.ceil(MOST_CLASSES * (ranks[its.best] * count // len(ranks) + 1) / count)

    members: dict[int, list[RangeCell]] = defaultdict(list)
    for its in ordered:
        members[tone(its)].append(its)
    ends = [(each, its[0], its[-1]) for each, its in sorted(members.items())]
    return MapClasses({code: tone(its) for code, its in ranges.items()}, ends)


def _look(visit: Visit, code: str, classes: MapClasses) -> str:
    week = visit.week
    if code in classes.tones:
        return f"tone-{classes.tones[code]}"
    if code in week.by_division:
        return UNFIGURED
    return QUIET if week.coverage.part > 0.0 else UNWATCHED


def _looks_said(visit: Visit) -> dict[str, str]:
    """What each look without a tone means."""
    _ = visit._
    return {
        UNFIGURED: _("mining was seen, no figure in the list"),
        QUIET: _("sensors listened, no mining is known there"),
        UNWATCHED: _("not watched: no sensor listened"),
        FOREIGN: _("not yours: nothing is shown"),
    }


def _division(visit: Visit, code: str, shapes: Sequence[PlateShape], look: str, figure: Cell) -> Markup:
    text = _looks_said(visit).get(look) or shown(figure, "figure", "kWh")
    title = f"{visit.owners.name(code) or code}: {text}"
    return Markup('<g class="division"><title>{}</title>{}</g>').format(title, _paths(shapes, look))


def _paths(shapes: Sequence[PlateShape], look: str) -> Markup:
    drawn = Markup("").join(Markup('<path d="{}"/>').format(shape.path) for shape in shapes)
    return Markup('<g class="{}"{}>{}</g>').format(look, _fill(look), drawn)


def _fill(look: str) -> Markup:
    return Markup(' fill="url(#map-{})"').format(look) if look in (UNFIGURED, QUIET, UNWATCHED) else Markup("")


def _legend(visit: Visit, classes: MapClasses, used: set[str]) -> tuple[tuple[Markup, str], ...]:
    """The classes, most first, by their least and most figure; then the other looks that are on the map."""
    entries = []
    for tone, least, most in reversed(classes.ends):
        low, high = best(least, "figure", "kWh"), best(most, "figure", "kWh")
        entries.append((_swatch(f"tone-{tone}"), high if low == high else f"{low} – {high}"))
    return (*entries, *((_swatch(look), text) for look, text in _looks_said(visit).items() if look in used))


def _swatch(look: str) -> Markup:
    return Markup(
        '<svg class="map swatch" aria-hidden="true" width="36" height="20" viewBox="0 0 72 40">'
        '<g class="{}"{}><rect x="2" y="2" width="68" height="36"/></g></svg>'
    ).format(look, _fill(look))
