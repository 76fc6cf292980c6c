"""What a share of each of a connection's last jobs is worth, by the job's name. Knows numbers and names only."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable
from functools import lru_cache

from sensor.signatures.message_values import MessageValues
from sensor.signatures.work import compact

#: Jobs whose difficulty is remembered; miners submit to the last few, and a chain-group pool pushes 16 at a time.
MAX_JOBS = 32
#: Hexadecimal digits of a compact target.
NBITS_DIGITS = 8


class JobWorks:
    """What a share of each of the last jobs is worth. Of names only a 32-bit mark is kept: texts would be most of a
    session's memory, and two of a few dozen jobs meet once in many million sessions.
    """

    __slots__ = ("_marks", "_works")

    def __init__(self) -> None:
        self._marks = array("I")
        self._works: tuple[int | None, ...] = ()  # oldest job first

    def put(self, name: str, work: int | None) -> None:
        """A job was given, or given again."""
        mark = _mark(name)
        if mark in self._marks:
            at = self._marks.index(mark)
            del self._marks[at]
            self._works = (*self._works[:at], *self._works[at + 1 :])
        elif len(self._marks) >= MAX_JOBS:
            del self._marks[0]
            self._works = self._works[1:]
        self._marks.append(mark)
        self._works = (*self._works, work)

    def of(self, name: str) -> int | None:
        """The work of a job's share; None for a job that was not seen, or whose difficulty was not."""
        try:
            return self._works[self._marks.index(_mark(name))]
        except ValueError:
            return None

    def has(self, name: str) -> bool:
        """Whether this job was given."""
        return _mark(name) in self._marks

    def pairs(self) -> tuple[tuple[int, int | None], ...]:
        """Marks and works, oldest job first."""
        return tuple(zip(self._marks, self._works, strict=True))

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[int, int | None]]) -> JobWorks:
        """The jobs of another process."""
        works = cls()
        for mark, work in list(pairs)[-MAX_JOBS:]:
            works._marks.append(mark)
            works._works = (*works._works, work)
        return works

    def change(self, to: Callable[[int | None], int | None]) -> None:
        """The difficulty of all jobs means something else."""
        self._works = tuple(to(work) for work in self._works)


def job_key(values: MessageValues) -> str:
    """The name of a job whose difficulty hangs on the algorithm, with that algorithm; of a share likewise."""
    return f"{values.get('job')}\0{values.get('algorithm')}"


def block_hashes(nbits: object) -> int:
    """The hashes of a block by the compact target of its header (Bitcoin's nBits: an exponent and three bytes); 0 where
    it is none."""
    return _compact_hashes(nbits) if isinstance(nbits, str) and len(nbits) == NBITS_DIGITS else 0


@lru_cache(maxsize=64)
def _compact_hashes(nbits: str) -> int:
    hashes = compact(nbits)
    return int(hashes) if hashes is not None else 0


def _mark(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "backslashreplace"))
