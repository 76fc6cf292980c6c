"""Gives memory that nothing uses any more back to the system.

The C library keeps what was freed between what is still used, and each burst of other sizes adds to it: with reloads
and floods all day a sensor would be as large as all its largest moments together. malloc_trim(3) gives whole pages
back; where the C library has none, nothing happens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

#: How often, in seconds: after each burst, and not within it.
EVERY_S = 10.0


class FreeMemory:
    """What gives back now and then; used by one thread."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def look(self, now_s: float) -> bool:
        """Give back what can be, if it is time to; whether there was anything. Takes some milliseconds."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + EVERY_S
        return bool(_trim()(0))


@cache
def _trim() -> Callable[[int], int]:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _: 0
    return lambda spare_bytes: int(trim(ctypes.c_size_t(spare_bytes)))
