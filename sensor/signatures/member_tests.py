"""Tests of a message of which all must hold, put together by the member they look at, so that each is looked up once.

Knows predicates only as functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sensor.signatures.paths import MISSING, Parts, look, place_of

Predicate = Callable[[object], bool]


def every(tests: tuple[Predicate, ...]) -> Predicate:
    """Whether all hold; where there are none, they do. Two take no loop, which is faster."""
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        return _both(*tests)

    def holds(value: object) -> bool:
        for test in tests:  # noqa: SIM110 (a quarter faster than all(), and this runs for every rule and message)
            if not test(value):
                return False
        return True

    return holds


def _both(first: Predicate, second: Predicate) -> Predicate:
    return lambda value: first(value) and second(value)


def by_member(tests: tuple[tuple[Parts, Predicate], ...]) -> Iterator[Predicate]:
    """The same tests, with those of one member and of what stands in it together; last come those of deeper places."""
    own: dict[str, list[Predicate]] = {}
    inner: dict[str, list[tuple[str | int, Predicate]]] = {}
    deeper: list[Predicate] = []
    for parts, test in tests:
        name = parts[0] if 0 < len(parts) <= 2 else None
        if not isinstance(name, str):
            deeper.append(_at(parts, test))
        elif len(parts) == 1:
            own.setdefault(name, []).append(test)
        else:
            inner.setdefault(name, []).append((parts[1], test))
    for name in dict.fromkeys((*own, *inner)):
        whole = every(tuple(own[name])) if name in own else None
        if name in inner:
            yield _inside(name, whole, inner[name])
        elif whole is not None:
            yield _member(name, whole)
    yield from deeper


def _at(parts: Parts, test: Predicate) -> Predicate:
    return lambda value: test(look(value, parts))


def _member(name: str, test: Predicate) -> Predicate:
    return lambda value: test(value.get(name, MISSING) if type(value) is dict else MISSING)


def _inside(name: str, whole: Predicate | None, places: list[tuple[str | int, Predicate]]) -> Predicate:
    """A test of one member, if there is one, and tests of places in it."""
    steps = tuple((*place_of(place), test) for place, test in places)
    absent = all(test(MISSING) for _, test in places)

    def holds(value: object) -> bool:
        outer = value.get(name, MISSING) if type(value) is dict else MISSING
        if whole is not None and not whole(outer):
            return False
        if type(outer) is list:
            size = len(outer)
            for number, length, _, test in steps:  # noqa: SIM110 (as above)
                if not test(outer[number] if size >= length else MISSING):
                    return False
            return True
        if type(outer) is dict:
            for _, _, text, test in steps:  # noqa: SIM110 (as above)
                if not test(outer.get(text, MISSING)):
                    return False
            return True
        return absent

    return holds
