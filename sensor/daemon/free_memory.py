"""Gives memory that nothing uses any more back to the system.

The C library keeps what was freed between what is still used, and each burst of other sizes adds to it: with reloads
and floods all day a sensor would be as large as all its largest moments together. malloc_trim(3) gives whole pages
back. Heaps of which each thread has its own keep theirs, and a block just above what was freed once is no longer given
back by itself: so there is one heap, and large blocks have pages of their own. Where the C library has none of this,
nothing happens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

#: How often, in seconds: after each burst, and not within it.
EVERY_S = 10.0
#: Parameters of mallopt(3), of glibc's malloc.h: how many heaps there are, and from how many bytes on a block has pages
#: of its own (its beginning value; set, it stays).
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
HEAPS, LARGE_BYTES = 1, 128 << 10


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


def keep_one_heap() -> bool:
    """Let all threads share one heap, before there is a second thread; whether the C library does so. Packets are not
    what is allocated: a replay with one and with two workers takes as long with it as without."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return all([mallopt(M_ARENA_MAX, HEAPS) == 1, mallopt(M_MMAP_THRESHOLD, LARGE_BYTES) == 1])


@cache
def _trim() -> Callable[[int], int]:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _: 0
    return lambda spare_bytes: int(trim(ctypes.c_size_t(spare_bytes)))
