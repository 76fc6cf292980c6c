"""What was lost of each direction of a flow between two messages, and whether it can have held a new difficulty.

Where the messages before and after a gap say where they end and begin, the bytes between them are whole messages;
`PoolSizes` knows what those can be. Where they do not, any gap may have held a difficulty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sensor.dialects.stream.message import Message
from sensor.session.pending_requests import PendingRequests, Request
from sensor.session.reading import Reading

T = TypeVar("T")


class PoolGaps:
    """The gaps of one flow."""

    __slots__ = ("_digits", "_ends", "_owed", "answered", "holes")

    def __init__(self) -> None:
        self.holes = (False, False)  # something was lost since the latest message, by direction
        self._ends = [-1, -1]  # where the latest message ended, by direction
        self._owed = (0, 0)  # shares whose answer is taken to be lost, by the answers' direction
        self._digits = (0, 0)  # characters of the latest answered share's id, likewise
        self.answered: Request | None = None  # the request that the present message answers

    def lose(self, direction: int) -> None:
        """Bytes of a direction were never seen."""
        self.holes = _changed(self.holes, direction, True)

    def meet(self, read: Message, readings: Iterable[Reading], requests: PendingRequests) -> None:
        """A message comes after a hole, and is not read yet; `requests` are those of the other side that wait for an
        answer. Where the hole's length does not explain it, a difficulty may have been lost.
        """
        side = read.direction
        self.holes = _changed(self.holes, side, False)
        lost = read.offset - self._ends[side] if self._ends[side] >= 0 and read.end >= 0 else -1
        waiting = requests.waiting("submit")
        answers = max(0, len(waiting) - self._owed[side]) + 1
        id_digits = {self._digits[side], *(digits(request.key) for request in waiting[-3:])}
        for reading in readings:
            if reading.miner == side:
                continue
            if lost > 0 and reading.sizes.rules_out_target(lost, answers, id_digits):
                reading.jobs.check()
                continue
            reading.jobs.doubt(reading.logins.accounts, read.ts_ns)
        self._owed = _changed(self._owed, side, len(waiting))

    def pass_on(self, read: Message, readings: Sequence[Reading]) -> None:
        """The message was read: note when it came, and how long it was."""
        side, answered = read.direction, self.answered
        self._ends[side] = read.end
        if answered is None and len(readings) == 1 and readings[0].miner == side:
            return  # as every share of a settled session
        size, id_digits = read.end - read.offset, None
        if size <= 0:
            size = -1
        if answered is not None:
            self.answered = None
            id_digits = digits(answered.key)
            if answered.kind == "submit":
                self._digits = _changed(self._digits, side, id_digits)
            elif size > 0:  # the reply to what is asked but once
                size = 0
        for reading in readings:
            if reading.miner != side:
                reading.hear(read.ts_ns, size, id_digits)


def digits(key: tuple[str, object]) -> int:
    """How many characters an id takes in a message; 0 where it has none or one of fixed length."""
    return len(str(key[1])) if key[0] in ("text", "number") else 0


def _changed(pair: tuple[T, T], at: int, value: T) -> tuple[T, T]:
    return (value, pair[1]) if at == 0 else (pair[0], value)
