"""A gate that is not quite open: its flow is a candidate, but what it would tell is kept back until its first bytes, a
literal or the other side's answer say that it is one.

Rules: docs/border.md, "On trial".
"""

from __future__ import annotations

from enum import Enum, auto

from sensor.model.events import Chunk, Event
from sensor.reference.tables import START_BYTES, TCP, Opening, Tables

SEGMENT_BYTES = 64  # what a kept chunk costs besides its bytes


class Verdict(Enum):
    UNDECIDED = auto()
    PROVEN = auto()
    FAILED = auto()


class FirstBytes:
    """The first bytes of a direction, as far as they came in order."""

    def __init__(self) -> None:
        self.data = b""
        self.length = 0  # of the stream so far, from where they begin
        self._origin = 0  # past the base where what came first was never seen
        self._broken = False

    def is_whole(self) -> bool:
        """Whether nothing that comes could tell more."""
        return self._broken or self.length >= START_BYTES

    def extend(self, offset: int, data: bytes) -> bool:
        """Take bytes at an offset; whether they tell more."""
        if not self.length:
            self._origin = offset
        end = self._origin + self.length
        if self.is_whole() or offset < end:
            return False  # other readings of what came are of no interest
        self._broken = offset > end
        if not self._broken:
            self.data = (self.data + data)[:START_BYTES]
            self.length += len(data)
        return not self._broken


class Trial:
    """What is known of a flow on trial, and what it would tell."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gaps = 0
        self.kept_bytes = 0
        self._starts = (FirstBytes(), FirstBytes())
        self._spoke = [False, False]
        self._refused = [False, False]
        self._asked: tuple[int, Opening] | None = None  # the direction that opened so, and waits for its answer

    def keep(self, event: Event) -> None:
        if isinstance(event, Chunk):
            self.kept_bytes += len(event.data) + SEGMENT_BYTES
        self.events.append(event)

    def look(self, direction: int, offset: int, data: bytes, tables: Tables) -> tuple[Verdict, int]:
        """Bytes of a direction are in order from this offset on: what they say, and the least budget from now on."""
        self._spoke[direction] = True
        start = self._starts[direction]
        if start.extend(offset, data):
            opening = tables.opening(TCP, start.data, start.length)
            if opening is not None and not opening.waits():
                return Verdict.PROVEN, opening.budget_bytes
            if opening is not None and self._asked is None:
                self._refused[1 - direction] = any(
                    opening.is_refused_by(event.data)
                    for event in self.events
                    if isinstance(event, Chunk) and event.direction != direction
                )
                self._asked = (direction, opening)
        return self._verdict(direction, data), 0

    def _verdict(self, direction: int, data: bytes) -> Verdict:
        if self._asked is None:
            return Verdict.FAILED if all(start.is_whole() for start in self._starts) else Verdict.UNDECIDED
        asker, opening = self._asked
        answerer = 1 - asker
        if direction == answerer and opening.is_refused_by(data):
            self._refused[answerer] = True
        start = self._starts[answerer]
        if not self._spoke[answerer]:
            return Verdict.UNDECIDED
        if self._refused[answerer]:
            return Verdict.FAILED
        if not opening.answers or opening.is_answered_by(start.data):
            return Verdict.PROVEN
        return Verdict.FAILED if start.is_whole() else Verdict.UNDECIDED

    def holds(self, *, is_over: bool) -> bool:
        """Whether it counts as proven where nothing more is looked at.

        It has asked, and nothing that the other side has said speaks against it. Where the flow `is_over` it need not
        have been answered.
        """
        if self._asked is None:
            return False
        asker, opening = self._asked
        silent = is_over and not self._spoke[1 - asker]
        return (not opening.answers or silent) and not self._refused[1 - asker]
