"""A map of a country that is nowhere: squares in a row, with real codes. No real map is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sensor.attribution.books.divisions import Divisions
from sensor.console.atlas.plate import MapPlate, read_plate

YEAR, APPROVAL = 2023, "GS(2099)0001号"
HOSTILE_NAME = "<script>alert(1)</script>"


def square(east: float, north: float, size: float = 1.0) -> list[list[float]]:
    ends = ((0, 0), (size, 0), (size, size), (0, size), (0, 0))
    return [[east + x, north + y] for x, y in ends]


def feature(code: Any, *rings: Any, **properties: Any) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": list(rings) or [square(110, 30)]}
    return {"type": "Feature", "properties": {"adcode": code, **properties}, "geometry": shape}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def squares(*codes: str) -> dict[str, Any]:
    """An invented country: squares in a row, one a division, and an outline of all."""
    outline = feature("100000_JD", square(110, 30, len(codes)))
    its = [feature(code, square(110 + at, 30), name=HOSTILE_NAME) for at, code in enumerate(codes)]
    return collection(*its, outline)


def written(folder: Path, content: Any) -> Path:
    path = folder / "map.geojson"
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def plate(folder: Path, *codes: str) -> MapPlate:
    return read_plate(written(folder, squares(*codes)), APPROVAL, Divisions(), YEAR)
