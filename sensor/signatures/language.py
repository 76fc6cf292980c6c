"""The small language of a signature's messages: paths, predicates over JSON values, and what is taken from where.

A path is names and list indices joined by dots (`params.0`, `result.job.target`, `params.-1`); `.` is the whole
message and a leading dot starts at the element of `each`. Predicates and takes are compiled once to closures; none
of them can raise on any JSON value.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Final

from sensor.model.text import CutText
from sensor.signatures.located import YamlEntry

Predicate = Callable[[object], bool]


def never(_value: object) -> bool:
    """The predicate of an entry that was refused."""
    return False


class _Missing:
    """The value of a path that leads nowhere; not equal to JSON's null."""

    def __repr__(self) -> str:
        return "absent"


MISSING: Final = _Missing()
Parts = tuple[str | int, ...]

#: Types as JSON has them. Written out in a test, a union of types would be made anew for every message.
_NUMBERS, _SCALARS, _SIZED = (int, float), (str, int, float), (str, list, dict)
_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]*)\Z")
#: Regular expressions of signatures look at no more than this of a hostile text.
MAX_MATCHED_TEXT = 4_096

_KINDS: dict[str, Callable[[object], bool]] = {
    "text": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, _NUMBERS) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "list": lambda v: isinstance(v, list),
    "map": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
    "absent": lambda v: v is MISSING,
    "present": lambda v: v is not MISSING,
    "scalar": lambda v: isinstance(v, _SCALARS) and not isinstance(v, bool),
}
_TESTS = (
    "is",
    "equals",
    "one_of",
    "matches",
    "hex",
    "length",
    "every",
    "some",
    "where",
    "not",
    "either",
    "least",
    "most",
)


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
    text, number = str(place), place if isinstance(place, int) else 0
    length = (number + 1 if number >= 0 else -number) if isinstance(place, int) else sys.maxsize  # that a list needs

    def inner(value: object) -> object:
        outer = value.get(name, MISSING) if type(value) is dict else MISSING
        if type(outer) is list:
            return outer[number] if len(outer) >= length else MISSING
        return outer.get(text, MISSING) if type(outer) is dict else MISSING

    return inner


#: Members that most messages have: that one of the others must be there decides sooner.
_USUAL = frozenset({"id", "jsonrpc", "method", "params", "result", "error"})


def compile_when(entry: YamlEntry) -> Predicate:
    """`when`: a map of path to test, all of which must hold; or a list of such maps, one of which must."""
    if entry.shape == "list":
        options = tuple(compile_when(item) for item in entry.items)
        if not options:
            entry.fail("must not be empty")
        return _either(list(options))
    if not entry.is_map():
        return never
    tests = tuple((parse_path(path), compile_test(test)) for path, test in entry.keys.items())
    if not tests:
        entry.fail("must not be empty")
    looks = tuple((lookup(parts), test) for parts, test in tests)

    def holds(value: object) -> bool:
        for find, test in looks:  # noqa: SIM110 (a quarter faster than all(), and this runs for every rule and message)
            if not test(find(value)):
                return False
        return True

    needed = [parts[0] for parts, test in tests if parts and isinstance(parts[0], str) and not test(MISSING)]
    rare = next((name for name in needed if name not in _USUAL), None)
    if rare is None:
        return holds
    return lambda value: isinstance(value, dict) and rare in value and holds(value)


def compile_test(entry: YamlEntry) -> Predicate:
    """One test: a scalar must be equal; a map names its tests, all of which must hold."""
    if entry.shape == "scalar":
        return _equal(entry.scalar)
    if entry.shape == "list":
        entry.fail("a test is a value or a map; use one_of for alternatives")
        return never
    entry.only(_TESTS)
    tests = tuple(_one_test(key, test) for key, test in entry.keys.items() if key in _TESTS)
    if not tests:
        entry.fail("says nothing to test")
    return tests[0] if len(tests) == 1 else _every(tests)


def _every(tests: tuple[Predicate, ...]) -> Predicate:
    def holds(value: object) -> bool:
        for test in tests:  # noqa: SIM110 (as above)
            if not test(value):
                return False
        return True

    return holds


def _equal(wanted: object) -> Predicate:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    return lambda value: value == wanted and not isinstance(value, bool)


def _one_test(key: str, entry: YamlEntry) -> Predicate:
    if key == "is":
        return _is(entry)
    if key == "equals":
        return _equal(entry.scalar)
    if key == "one_of":
        return _either([_equal(item.scalar) for item in entry.each()])
    if key == "matches":
        return _matches(entry)
    if key in ("hex", "length"):
        return _sized(key, entry)
    if key in ("every", "some"):
        return _elements(key, compile_test(entry))
    if key == "where":
        return compile_when(entry)
    if key == "not":
        inner = compile_test(entry)
        return lambda value: not inner(value)
    if key == "either":
        return _either([compile_test(item) for item in entry.each()])
    return _bound(key, entry)


def _either(options: list[Predicate]) -> Predicate:
    def holds(value: object) -> bool:
        for option in options:  # noqa: SIM110 (as above)
            if option(value):
                return True
        return False

    return holds


def _is(entry: YamlEntry) -> Predicate:
    tests = []
    for item in entry.each():
        if item.scalar is None:  # YAML reads a bare `null` as nothing; here it names JSON's null
            tests.append(_KINDS["null"])
        elif isinstance(item.scalar, str) and item.scalar in _KINDS:
            tests.append(_KINDS[item.scalar])
        else:
            item.fail(f"must be one of {', '.join(_KINDS)}")
    return tests[0] if len(tests) == 1 else _either(list(tests))


def _matches(entry: YamlEntry) -> Predicate:
    pattern = compile_pattern(entry)
    return lambda value: isinstance(value, str) and pattern.search(value[:MAX_MATCHED_TEXT]) is not None


def compile_pattern(entry: YamlEntry) -> re.Pattern[str]:
    """The regular expression of an entry; one that never matches if it is wrong."""
    if isinstance(entry.scalar, str):
        try:
            return re.compile(entry.scalar)
        except re.error as error:
            entry.fail(f"not a regular expression: {error}")
    else:
        entry.fail("must be a regular expression in quotes")
    return re.compile(r"(?!)")


def _sizes(entry: YamlEntry) -> tuple[int, int]:
    if entry.scalar is True:
        return 1, 1 << 30
    numbers = [item.scalar for item in entry.each()]
    if all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers) and 1 <= len(numbers) <= 2:
        low, high = int(str(numbers[0])), int(str(numbers[-1]))
        if low <= high:
            return low, high
    entry.fail("must be a size, or a list of the least and the most")
    return 1, 0


def _sized(key: str, entry: YamlEntry) -> Predicate:
    low, high = _sizes(entry)
    if key == "length":
        return lambda value: (
            isinstance(value, _SIZED)
            and len(value) <= high
            and (low <= len(value) or type(value) is CutText)  # of which only the beginning is at hand
        )

    def is_hex(value: object) -> bool:
        match = _HEX.match(value) if isinstance(value, str) else None
        if match is None:
            return False
        digits = match.end() - match.start(1)
        return digits <= high and (low <= digits or type(value) is CutText)

    return is_hex


def _elements(key: str, test: Predicate) -> Predicate:
    if key == "every":
        return lambda value: isinstance(value, list) and all(test(item) for item in value)
    return lambda value: isinstance(value, list) and any(test(item) for item in value)


def _bound(key: str, entry: YamlEntry) -> Predicate:
    edge = entry.scalar
    if isinstance(edge, bool) or not isinstance(edge, int | float):
        entry.fail("must be a number")
        return never
    number = _KINDS["number"]
    if key == "least":
        return lambda value: number(value) and isinstance(value, int | float) and value >= edge
    return lambda value: number(value) and isinstance(value, int | float) and value <= edge
