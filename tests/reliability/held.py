"""How many bytes of the network's an object holds: every text and byte string that can be reached from it."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator

#: What belongs to the program, and not to one flow.
_PROGRAM = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)


def held_bytes(root: object, *, without: tuple[type, ...] = ()) -> int:
    """The lengths of all texts and byte strings, each object once; nothing behind an instance of `without`."""
    seen: set[int] = set()
    total = 0
    waiting: deque[object] = deque([root])
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, (*_PROGRAM, *without)):
            continue
        seen.add(id(value))
        if isinstance(value, str | bytes | bytearray | memoryview):
            total += len(value)
        else:
            waiting.extend(_inside(value))
    return total


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    yield from vars(value).values() if hasattr(value, "__dict__") else ()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield getattr(value, name)
