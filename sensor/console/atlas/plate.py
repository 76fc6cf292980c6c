"""A map made small enough for a page, once: shapes on a grid of the picture's units, with few points.

Neighbours keep a common border, as both are laid on the same grid. What stays too large is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sensor.attribution.books.divisions import Divisions
from sensor.console.atlas.geojson import COUNTRY, DivisionShape, MapError, read_shapes

#: Units across the picture, and the most and least from top to bottom.
WIDTH, MAX_HEIGHT, MIN_HEIGHT = 1_000, 1_000, 200
#: Points that all shapes of a page may have together: some 120 KB of it.
MAX_POINTS = 20_000
#: Units between lines of the grid, which is coarser until the points are few enough.
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
#: The shortest degree of longitude beside one of latitude: that of 87 degrees north.
_LEAST_COSINE = 0.05
_NARROWEST = 1e-6  # degrees

GridPoint = tuple[int, int]


@dataclass(frozen=True)
class PlateShape:
    """A division as the path of a drawing."""

    code: str
    path: str

    @property
    def is_of_country(self) -> bool:
        """Whether it is an outline that is no division's."""
        return self.code == COUNTRY


@dataclass(frozen=True)
class MapPlate:
    """All of a map that pages draw."""

    approval: str
    height: int
    shapes: tuple[PlateShape, ...]


def read_plate(path: Path, approval: str, divisions: Divisions, year: int) -> MapPlate:
    """The map of a file. Raises MapError."""
    shapes = read_shapes(path, divisions, year)
    if all(shape.code.endswith("0000") for shape in shapes):
        raise MapError("has no city and no county: figures are of these")
    return plate_of(shapes, approval)


def plate_of(shapes: Sequence[DivisionShape], approval: str) -> MapPlate:
    """Lay shapes on the finest grid that leaves few enough points. Raises MapError."""
    height, scaled = _on_picture(shapes)
    for step in STEPS:
        laid = [(shape.code, _laid(rings, step)) for shape, rings in zip(shapes, scaled, strict=True)]
        if sum(len(ring) for _code, rings in laid for ring in rings) <= MAX_POINTS:
            return MapPlate(approval, height, tuple(PlateShape(code, _path(rings)) for code, rings in laid))
    raise MapError(f"cannot be drawn with {MAX_POINTS:,} points: simplify it")


def _on_picture(shapes: Sequence[DivisionShape]) -> tuple[int, list[list[list[tuple[float, float]]]]]:
    """The picture's height, and all rings in its units: degrees of longitude are as wide as in the middle."""
    every = [position for shape in shapes for ring in shape.rings for position in ring]
    west, east = min(its[0] for its in every), max(its[0] for its in every)
    south, north = min(its[1] for its in every), max(its[1] for its in every)
    narrow = max(math.cos(math.radians((south + north) / 2)), _LEAST_COSINE)
    wide, high = max((east - west) * narrow, _NARROWEST), max(north - south, _NARROWEST)
    scale = min(WIDTH / wide, MAX_HEIGHT / high)
    height = max(MIN_HEIGHT, math.ceil(high * scale))
    left, top = (WIDTH - wide * scale) / 2, (height - high * scale) / 2
    across = narrow * scale
    rings = [
        [[(left + (x - west) * across, top + (north - y) * scale) for x, y in ring] for ring in shape.rings]
        for shape in shapes
    ]
    return height, rings


def _laid(rings: Sequence[Sequence[tuple[float, float]]], step: int) -> list[list[GridPoint]]:
    """Rings on a grid; those that vanish are left out, but a division never is: it becomes a small square."""
    laid = [_ring([(round(x / step) * step, round(y / step) * step) for x, y in ring]) for ring in rings]
    its = [ring for ring in laid if len(ring) > 2]
    if its:
        return its
    x, y = map(round, rings[0][0])
    return [[(x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1)]]


def _ring(points: list[GridPoint]) -> list[GridPoint]:
    """Without points that repeat the last one or lie on a line through their neighbours."""
    found: list[GridPoint] = []
    for point, _same in groupby(points):
        while len(found) > 1 and _straight(found[-2], found[-1], point):
            found.pop()
        if not found or found[-1] != point:
            found.append(point)
    if len(found) > 1 and found[0] == found[-1]:
        found.pop()
    return found


def _straight(first: GridPoint, middle: GridPoint, last: GridPoint) -> bool:
    (x, y), (x1, y1), (x2, y2) = first, middle, last
    return (x1 - x) * (y2 - y) == (x2 - x) * (y1 - y)


def _path(rings: Iterable[Sequence[GridPoint]]) -> str:
    """Whole numbers, each point from the one before it."""
    drawn = []
    for ring in rings:
        (x, y), *others = ring
        drawn.append(f"M{x} {y}l")
        steps = []
        for x2, y2 in others:
            steps.append(f"{x2 - x} {y2 - y}")
            x, y = x2, y2
        drawn.append(" ".join(steps) + "z")
    return "".join(drawn)
