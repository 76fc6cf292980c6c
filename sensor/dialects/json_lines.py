"""One JSON object a line: cuts the bytes of one direction at LF and parses each line. Total: hostile bytes become Malformed(reason).

Knows nothing of mining. Tolerates CR LF, empty lines, several objects a line, a missing start (after a gap or when joined mid-stream)
and text that is not UTF-8; keeps integers exact. A document spread over several lines is not this framing and yields no message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

#: A line may not grow past this: jobs are a few kilobytes, and every candidate of the network could hold as much.
MAX_LINE_BYTES = 65_536
#: Objects in one line; real pools send one, a few forget a line feed between two.
MAX_OBJECTS = 64

#: Reasons that say "this direction is not JSON lines", as opposed to bytes that were cut by the capture.
FOREIGN = frozenset({"not_json", "not_object", "trailing", "constant", "nesting", "number"})


class Message(NamedTuple):
    """One decoded object of one direction."""

    direction: int
    ts_ns: int  # of the chunk that completed it
    offset: int  # of its first byte in the direction's stream
    value: dict[str, object]


class Malformed(NamedTuple):
    """Bytes that gave no message, and why."""

    direction: int
    ts_ns: int
    offset: int
    reason: str


Read = Message | Malformed


class _ConstantError(ValueError):
    """NaN and Infinity are not JSON."""


def _refuse_constant(text: str) -> object:
    raise _ConstantError(text)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse_constant)


class JsonLines:
    """The reader of one direction."""

    __slots__ = ("_buffer", "_direction", "_fresh", "_midstream", "_offset", "_searched", "_skipping", "_ts_ns")

    def __init__(self, direction: int, midstream: bool = False) -> None:
        self._direction = direction
        self._midstream = midstream  # the first line may lack its start even at offset 0
        self._buffer = bytearray()
        self._offset = 0  # stream offset of the buffer's first byte
        self._searched = 0  # bytes of the buffer known to hold no LF
        self._skipping = False  # inside a line that grew too long
        self._fresh = True  # the line's start may not have been seen
        self._ts_ns = 0

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete."""
        if gap or (not self._buffer and offset != self._offset):
            self._drop()
            if gap:
                yield Malformed(self._direction, ts_ns, offset - gap, "gap")
            self._fresh = gap > 0 or offset > 0
            self._skipping = False
            self._offset = offset
        self._ts_ns = ts_ns
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\n", max(start, self._searched))) >= 0:
            yield from self._line(bytes(self._buffer[start:end]), self._offset + start)
            start = end + 1
        del self._buffer[:start]
        self._offset += start
        self._searched = len(self._buffer)
        if len(self._buffer) > MAX_LINE_BYTES:
            yield from self._overflow()

    def finish(self) -> Iterator[Read]:
        """What is left when the flow ends: a last line without LF counts if it is whole."""
        left, self._buffer, self._searched = bytes(self._buffer), bytearray(), 0
        if left.strip() and not self._skipping:
            reads = list(self._objects(left, self._offset))
            whole = all(isinstance(read, Message) for read in reads)
            yield from reads if whole else [Malformed(self._direction, self._ts_ns, self._offset, "unfinished")]

    def _drop(self) -> None:
        self._buffer.clear()
        self._searched = 0

    def _overflow(self) -> Iterator[Read]:
        if not self._skipping:
            yield Malformed(self._direction, self._ts_ns, self._offset, "oversize")
        self._skipping = True
        self._offset += len(self._buffer)
        self._buffer.clear()
        self._searched = 0

    def _line(self, line: bytes, offset: int) -> Iterator[Read]:
        fresh, self._fresh = self._fresh, False
        if self._skipping:
            self._skipping = False
            return
        if not line.strip():
            return
        if len(line) > MAX_LINE_BYTES:
            yield Malformed(self._direction, self._ts_ns, offset, "oversize")
            return
        reads = list(self._objects(line, offset))
        # Only the tail of an object is excused: what does not end like one is another protocol's line.
        tail = fresh and (offset > 0 or self._midstream) and line.rstrip().endswith(b"}")
        if tail and any(isinstance(read, Malformed) for read in reads):
            yield Malformed(self._direction, self._ts_ns, offset, "resync")
            return
        yield from reads

    def _objects(self, line: bytes, offset: int) -> Iterator[Read]:
        body = line.lstrip(b" \t\r\n\xef\xbb\xbf")
        offset += len(line) - len(body)
        if not body.startswith(b"{"):
            yield self._malformed(offset, "not_object" if body.startswith(b"[") else "not_json")
            return
        text = body.decode("utf-8", "replace")
        at = 0
        for _ in range(MAX_OBJECTS):
            try:
                value, end = _DECODER.raw_decode(text, at)
            except _ConstantError:
                yield self._malformed(offset, "constant")
                return
            except RecursionError:
                yield self._malformed(offset, "nesting")
                return
            except json.JSONDecodeError:
                yield self._malformed(offset, "trailing" if at else "not_json")
                return
            except ValueError:  # an integer of more digits than Python converts
                yield self._malformed(offset, "number")
                return
            yield Message(self._direction, self._ts_ns, offset + len(text[:at].encode()), value)
            at = end + len(text[end:]) - len(text[end:].lstrip(" \t\r\n"))
            if at >= len(text):
                return
        yield self._malformed(offset, "trailing")

    def _malformed(self, offset: int, reason: str) -> Malformed:
        return Malformed(self._direction, self._ts_ns, offset, reason)
