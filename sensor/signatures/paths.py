"""Where a value stands in a message of JSON.

A path is names and list indices joined by dots (`params.0`, `result.job.target`, `params.-1`); `.` is the whole
message and a leading dot starts at the element of `each`. Nothing here can raise on any JSON value.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Final


class _Missing:
    """The value of a path that leads nowhere; not equal to JSON's null."""

    def __repr__(self) -> str:
        return "absent"


MISSING: Final = _Missing()
Parts = tuple[str | int, ...]


def parse_path(text: str) -> Parts:
    """The steps of a path; `.` and the empty text are the whole value. A name with dots stands in double quotes."""
    steps: list[str | int] = []
    for quoted, part in re.findall(r'"([^"]+)"|([^."]+)', text):
        steps.append(int(part) if re.fullmatch(r"-?\d+", part) else quoted or part)
    return tuple(steps)


def look(value: object, parts: Parts) -> object:
    """What stands at the path, or MISSING."""
    for part in parts:
        if type(value) is dict:  # JSON gives no subclasses, and this runs for every path, rule and message
            value = value.get(part if type(part) is str else str(part), MISSING)
        elif type(value) is list and type(part) is int and -len(value) <= part < len(value):
            value = value[part]
        else:
            return MISSING
    return value


def place_of(place: str | int) -> tuple[int, int, str]:
    """A place in a list, the length that the list needs for it, and the same place in a map."""
    if isinstance(place, str):
        return 0, sys.maxsize, place
    return place, place + 1 if place >= 0 else -place, str(place)


def lookup(parts: Parts) -> Callable[[object], object]:
    """`look` with this path; for one of one name, or of a name and a place or a name in it, in a single step."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return _member(parts[0])
    if len(parts) == 2 and isinstance(parts[0], str):
        return _inner(parts[0], parts[1])
    return lambda value: look(value, parts)


def _member(name: str) -> Callable[[object], object]:
    return lambda value: value.get(name, MISSING) if type(value) is dict else MISSING


def _inner(name: str, place: str | int) -> Callable[[object], object]:
    number, length, text = place_of(place)

    def inner(value: object) -> object:
        outer = value.get(name, MISSING) if type(value) is dict else MISSING
        if type(outer) is list:
            return outer[number] if len(outer) >= length else MISSING
        return outer.get(text, MISSING) if type(outer) is dict else MISSING

    return inner
