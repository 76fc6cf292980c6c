"""The small language of a signature's messages: predicates over JSON values, by paths.

Predicates are compiled once to closures; none of them can raise on any JSON value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sensor.model.text import CutText
from sensor.signatures.located import YamlEntry
from sensor.signatures.member_tests import Predicate, by_member, every
from sensor.signatures.paths import MISSING, parse_path


def never(_value: object) -> bool:
    """The predicate of an entry that was refused."""
    return False


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
#: Members that most messages have: that one of the others must be there decides sooner.
_USUAL = frozenset({"id", "jsonrpc", "method", "params", "result", "error"})


class When(NamedTuple):
    """A `when`: its predicate, and the sets of members of which a message must have one for it to hold."""

    holds: Predicate
    needs: tuple[frozenset[str], ...]


NEVER = When(never, ())


def compile_when(entry: YamlEntry) -> Predicate:
    """The predicate of a `when`."""
    return conditions(entry).holds


def conditions(entry: YamlEntry) -> When:
    """`when`: a map of path to test, all of which must hold; or a list of such maps, one of which must."""
    if entry.shape == "list":
        options = [conditions(item) for item in entry.items]
        if not options:
            entry.fail("must not be empty")
        needs = tuple(need for option in options for need in option.needs)
        return When(_either([option.holds for option in options]), needs)
    if not entry.is_map():
        return NEVER
    tests = tuple((parse_path(path), compile_test(test)) for path, test in entry.keys.items())
    if not tests:
        entry.fail("must not be empty")
    needed = [parts[0] for parts, test in tests if parts and isinstance(parts[0], str) and not test(MISSING)]
    return When(_sooner(every(tuple(by_member(tests))), needed), (frozenset(needed),))


def _sooner(holds: Predicate, needed: list[str]) -> Predicate:
    """The same, decided at once where a member is not there that few messages have."""
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
    return every(tests)


def _equal(wanted: object) -> Predicate:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: value == wanted
    return lambda value: value == wanted and not isinstance(value, bool)


def _one_of(values: list[object]) -> Predicate:
    """Whether a value equals any of these."""
    if any(isinstance(value, bool) or not isinstance(value, _SCALARS) for value in values):
        return _either([_equal(value) for value in values])
    wanted = frozenset(values)
    return lambda value: isinstance(value, _SCALARS) and not isinstance(value, bool) and value in wanted


def _one_test(key: str, entry: YamlEntry) -> Predicate:
    if key == "is":
        return _is(entry)
    if key == "equals":
        return _equal(entry.scalar)
    if key == "one_of":
        return _one_of([item.scalar for item in entry.each()])
    if key == "matches":
        return _matches(entry)
    if key in ("hex", "length"):
        return _sized(key, entry)
    if key in ("every", "some"):
        return _elements(key, compile_test(entry))
    if key == "where":
        return conditions(entry).holds
    if key == "not":
        inner = compile_test(entry)
        return lambda value: not inner(value)
    if key == "either":
        return _either([compile_test(item) for item in entry.each()])
    return _bound(key, entry)


def _either(options: list[Predicate]) -> Predicate:
    if len(options) == 1:
        return options[0]
    if len(options) == 2:
        first, second = options
        return lambda value: first(value) or second(value)

    def holds(value: object) -> bool:
        for option in options:  # noqa: SIM110 (as in member_tests)
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
