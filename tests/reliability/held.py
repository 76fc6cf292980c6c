"""How many bytes of the network's an object holds: every text and byte string that can be reached from it."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator, Set

#: What belongs to the program, and not to one flow.
_PROGRAM = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)


def held_bytes(root: object, *, without: Set[int] = frozenset()) -> int:
    """The lengths of all texts and byte strings, each object once; without those of these identities."""
    texts = (value for value in _reachable(root, set(without)) if isinstance(value, str | bytes | bytearray))
    return sum(map(len, texts))


def identities(root: object) -> frozenset[int]:
    """Of everything that can be reached from an object that outlives the flows."""
    seen: set[int] = set()
    for _ in _reachable(root, seen):
        pass
    return frozenset(seen)


def _reachable(root: object, seen: set[int]) -> Iterator[object]:
    waiting: deque[object] = deque([root])
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, _PROGRAM):
            continue
        seen.add(id(value))
        yield value
        if not isinstance(value, str | bytes | bytearray | int | float):
            waiting.extend(_inside(value))


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    yield from vars(value).values() if hasattr(value, "__dict__") else ()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        compiled = [name for name in kind.__dict__.get("__mypyc_attrs__", ()) if name != "__dict__"]
        for name in (slots,) if isinstance(slots, str) else (*slots, *compiled):
            if hasattr(value, name):
                yield getattr(value, name)
