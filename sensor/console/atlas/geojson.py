"""Reads the shapes of divisions from a GeoJSON file (RFC 7946), and refuses everything else in one sentence.

Of a feature only its code and its rings are taken: no name of the file is ever shown. Knows no drawing.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor.attribution.books.divisions import DivisionError, Divisions

#: Bounds of a file: bytes, features, positions. China has some 2,850 counties.
MAX_BYTES, MAX_FEATURES, MAX_POSITIONS = 16 << 20, 4_000, 500_000
#: Names of the property that holds a division's code, the first one that is there.
CODE_NAMES = ("adcode", "code")
#: Outlines that are no division's, such as the dashed line of the South China Sea: the code of the whole country, also
#: with an ending.
_COUNTRY = re.compile(r"100000(_\w{1,8})?", re.ASCII)
COUNTRY = "100000"
#: Longitude and latitude in degrees (RFC 7946 section 4).
_MOST_EAST, _MOST_NORTH = 180, 90
#: Positions of a ring, the last of which is the first again (RFC 7946 section 3.1.6).
_LEAST_POSITIONS = 4

Position = tuple[float, float]  # degrees east and north
Ring = list[Position]


class MapError(ValueError):
    """The file is not used; one sentence."""


@dataclass(frozen=True)
class DivisionShape:
    """A division's rings: outer ones and holes alike, which an even-odd rule tells apart."""

    code: str  # six digits
    rings: list[Ring]


def read_shapes(path: Path, divisions: Divisions, year: int) -> list[DivisionShape]:
    """The shapes of a file. Raises MapError."""
    collection = _parsed(_bytes(path))
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise MapError("is no FeatureCollection (RFC 7946)")
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise MapError("has no features")
    if len(features) > MAX_FEATURES:
        raise MapError(f"has {len(features):,} features; {MAX_FEATURES:,} are the most")
    shapes, positions = [], 0
    for number, feature in enumerate(features, 1):
        shape = _shape(feature, number, divisions, year)
        positions += sum(map(len, shape.rings))
        if positions > MAX_POSITIONS:
            raise MapError(f"has more than {MAX_POSITIONS:,} positions: simplify it")
        shapes.append(shape)
    return shapes


def _bytes(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise MapError("is no file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MapError((error.strerror or "cannot be read").lower()) from None
    except ValueError as error:  # a name with a zero byte
        raise MapError(str(error)) from None
    if len(data) > MAX_BYTES:
        raise MapError(f"is larger than {MAX_BYTES >> 20} MiB")
    return data


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_members, parse_constant=_no_number)
    except MapError:
        raise
    except RecursionError:
        raise MapError("is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise MapError(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MapError(f"is no JSON at line {error.lineno}, column {error.colno}") from None
    except ValueError:  # an integer of more digits than Python reads
        raise MapError("has a number that is too long") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MapError("has an object with two members of one name")
    return members


def _no_number(text: str) -> Any:
    raise MapError(f"has {text}, which is no number of JSON")


def _shape(feature: Any, number: int, divisions: Divisions, year: int) -> DivisionShape:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise MapError(f"feature {number} is no Feature")
    code = _code(feature.get("properties"), number)
    if code != COUNTRY:
        try:
            divisions.division(code, year)
        except DivisionError as error:
            raise MapError(f"feature {number}: {error}") from None
    rings = []
    for ring in _rings(feature.get("geometry"), code):
        if not isinstance(ring, list) or len(ring) < _LEAST_POSITIONS:
            raise MapError(f"feature {number} ({code}) has a ring of fewer than {_LEAST_POSITIONS} positions")
        positions = [_position(each, code) for each in ring]
        if positions[0] != positions[-1]:
            raise MapError(f"feature {number} ({code}) has a ring that is not closed")
        rings.append(positions)
    if not rings:
        raise MapError(f"feature {number} ({code}) has no ring")
    return DivisionShape(code, rings)


def _code(properties: Any, number: int) -> str:
    members = properties if isinstance(properties, dict) else {}
    value = next((members[name] for name in CODE_NAMES if name in members), None)
    text = str(value) if isinstance(value, str) or (type(value) is int and 0 <= value <= 999_999) else ""
    if _COUNTRY.fullmatch(text):
        return COUNTRY
    if not re.fullmatch(r"[0-9]{6}", text):
        raise MapError(f"feature {number} has no code of a division: six digits (GB/T 2260) as adcode or code")
    return text


def _rings(geometry: Any, code: str) -> Iterator[Any]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise MapError(f"the shape of {code} is no Polygon and no MultiPolygon")
    coordinates = geometry.get("coordinates")
    for polygon in [coordinates] if kind == "Polygon" else _listed(coordinates, code):
        yield from _listed(polygon, code)


def _listed(value: Any, code: str) -> list[Any]:
    if not isinstance(value, list):
        raise MapError(f"the coordinates of {code} are no lists of positions")
    return value


def _position(value: Any, code: str) -> Position:
    if not isinstance(value, list) or not 2 <= len(value) <= 4:
        raise MapError(f"{code} has a position that is no longitude and latitude")
    east, north = value[:2]
    for degrees, most in ((east, _MOST_EAST), (north, _MOST_NORTH)):
        if type(degrees) not in (int, float) or not -most <= degrees <= most:
            raise MapError(f"{code} has a position that is not on Earth (longitude, latitude in degrees)")
    return float(east), float(north)
