"""How many different names there were, in bounded memory. The count is the same whichever order names come in."""

from __future__ import annotations

import hashlib
from bisect import bisect_left

#: Marks kept: exact up to here, beyond it an estimate with a standard error of 1/sqrt(512), 4.4 % (k minimum values).
MAX_MARKS = 512
MARK_BITS = 64


class Distinct:
    """Counts different names: of their hashes the smallest are kept."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: tuple[int, ...] = ()  # in order

    def add(self, name: str) -> None:
        """Count a name, once."""
        digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=MARK_BITS // 8).digest()
        mark, marks = int.from_bytes(digest, "big"), self._marks
        at = bisect_left(marks, mark)  # names without end cost no sorting each
        if at < MAX_MARKS and marks[at : at + 1] != (mark,):
            self._marks = (*marks[:at], mark, *marks[at : MAX_MARKS - 1])

    def merge(self, other: Distinct) -> None:
        """Count what another has counted."""
        self._marks = tuple(sorted({*self._marks, *other._marks})[:MAX_MARKS])

    def copy(self) -> Distinct:
        """The same count, to merge more into."""
        same = Distinct()
        same._marks = self._marks
        return same

    @property
    def count(self) -> int:
        """How many different names there were."""
        marks = self._marks
        if len(marks) < MAX_MARKS:
            return len(marks)
        return max(MAX_MARKS, (MAX_MARKS - 1 << MARK_BITS) // marks[-1])
