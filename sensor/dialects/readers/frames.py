"""Binary frames of one direction: bytes are kept until a frame is whole, and after a hole the next border is looked
for.

What a frame looks like is its framing's matter (`_frame`); this knows only where in the stream it stands.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from sensor.dialects.stream.message import Malformed, Read
from sensor.dialects.stream.reader import Left


class Frames(ABC):
    """The reader of one direction; a framing defines how the next frame is cut."""

    __slots__ = ("_buffer", "_direction", "_offset", "_ts_ns", "left")

    def __init__(self, direction: int, start: int) -> None:
        self._direction = direction
        self._buffer = bytearray()
        self._offset = start  # of the buffer's first byte
        self._ts_ns = 0
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete."""
        self._ts_ns = ts_ns
        if gap or offset != self._offset + len(self._buffer):
            if gap:
                yield self._malformed(offset - gap, "gap")
            self._lost(gap)
            self._buffer.clear()
            self._offset = offset
        self._buffer += data
        while (reads := self._frame()) is not None:
            yield from reads

    def finish(self) -> Iterator[Read]:
        """A frame that was not finished is none."""
        if self._buffer:
            yield self._malformed(self._offset, "unfinished")

    @abstractmethod
    def _frame(self) -> list[Read] | None:
        """Cut the next frame from the buffer; None if more bytes are needed, or another framing begins."""

    def _lost(self, gap: int) -> None:  # noqa: B027 (most framings know a frame by its first byte)
        """Bytes before the next ones were never seen."""

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._offset += count
        return taken

    def _malformed(self, offset: int, reason: str) -> Malformed:
        return Malformed(self._direction, self._ts_ns, offset, reason)
