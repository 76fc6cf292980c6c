"""One JSON object a line: cuts the bytes of one direction at LF (or NUL, or CR) and parses each line. Total: hostile
bytes become Malformed(reason).

Knows nothing of mining. Tolerates CR LF, empty lines, several objects a line, a missing start (after a gap or when
joined mid-stream) and text that is not UTF-8; keeps integers exact. Of a line that is longer than the bound head and
tail are read. A document spread over several lines is not this framing and yields no message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sensor.dialects.readers.json_document import BLANKS, decode, parsed, quick
from sensor.dialects.readers.long_line import LongLine
from sensor.dialects.readers.long_line_head import CUT
from sensor.dialects.stream.message import DEFAULT_FRAMING, Malformed, Message, Read
from sensor.dialects.stream.reader import FramingReader, Left, LineExits
from sensor.model.text import CutText

#: A line that grows past this is cut: jobs are a few kilobytes, and every candidate of the network could hold as much.
MAX_LINE_BYTES = 65_536
#: What is held back of such a line before it is read past, beside its head and its tail.
LONG_STEP_BYTES = 4_096
#: A bracket and the NUL or CR behind it, which end a line as well as LF does.
END_BYTES = 2
#: Objects in one line; real pools send one, a few forget a line feed between two.
MAX_OBJECTS = 64

_EMPTY_LINES = re.compile(rb"\n++")
_BRACE = ord("{")


def cut_object(line: LongLine) -> tuple[dict[str, object], int] | None:
    """The one object that a long document is, without its middle, and the bytes that are left out; else None."""
    documents = line.finish()
    value = decode(documents[0].data) if len(documents) == 1 and documents[0].is_cut else None
    return (_without_marks(value), line.skipped_bytes) if isinstance(value, dict) else None


class JsonLines:
    """The reader of one direction."""

    __slots__ = (
        *("_buffer", "_direction", "_exits", "_fresh", "_long", "_midstream", "_offset", "_searched", "_start"),
        *("_ts_ns", "left"),
    )

    def __init__(self, direction: int, midstream: bool = False, start: int = 0, exits: LineExits | None = None) -> None:
        self._direction = direction
        self._midstream = midstream  # the first line may lack its start even at offset 0
        self._buffer = bytearray()
        self._start = self._offset = start  # stream offset of the buffer's first byte
        self._exits = exits
        self.left: Left | None = None
        self._searched = 0  # bytes of the buffer known to hold no LF
        self._long: LongLine | None = None  # the line that the buffer goes on with, if it is too long to be held
        self._fresh = True  # the line's start may not have been seen
        self._ts_ns = 0

    def whole(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Message | None:
        """The message if the bytes are just one line with one object, as nearly always, and nothing waits; else None,
        and they are to be fed.
        """
        if gap or self._buffer or offset != self._offset or self._long is not None or data[:1] != b"{":
            return None
        size = len(data)
        if size > MAX_LINE_BYTES or data.find(b"\n") != size - 1 or data.find(b"\r", 0, -END_BYTES) >= 0:
            return None
        value = quick(data) if self._exits is None or _BRACE not in self._exits.first_bytes else None
        if type(value) is not dict:
            return None
        self._ts_ns, self._offset, self._fresh = ts_ns, offset + size, False
        return Message(self._direction, ts_ns, offset, value, DEFAULT_FRAMING, None, offset + size)

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete."""
        if gap or (not self._buffer and offset != self._offset):
            self._drop()
            if gap:
                yield Malformed(self._direction, ts_ns, offset - gap, "gap")
            self._fresh = gap > 0 or offset > self._start
            self._long = None
            self._offset = offset
        self._ts_ns = ts_ns
        buffer: bytes | bytearray = data  # as nearly always: a message is not held before it is read
        if self._buffer:
            self._buffer += data
            buffer = self._buffer
        start, size = 0, len(buffer)
        while start < size and not self._exit(buffer, start) and (end := self._line_end(buffer, start)) >= 0:
            if end == start and self._long is None:
                self._fresh = False
                start = _blank_end(buffer, start)
                continue
            yield from self._line(bytes(buffer[start:end]), self._offset + start)
            start = end + 1
        if self.left is not None:
            self._drop()
            return
        self._hold(buffer, start)
        if len(self._buffer) > (MAX_LINE_BYTES if self._long is None else LONG_STEP_BYTES) + END_BYTES:
            yield from self._overflow()

    def finish(self) -> Iterator[Read]:
        """What is left when the flow ends: a last line without LF counts if it is whole."""
        left, self._buffer, self._searched = bytes(self._buffer), bytearray(), 0
        if self._long is not None:
            yield from self._long_line(left, self._offset, incomplete="unfinished")
        elif left.strip():
            reads = self._objects(left, self._offset)
            whole = all(isinstance(read, Message) for read in reads)
            yield from reads if whole else [Malformed(self._direction, self._ts_ns, self._offset, "unfinished")]

    def _line_end(self, buffer: bytes | bytearray, start: int) -> int:
        """Where the line that begins here ends: at LF; or, right behind an object, at NUL or at a CR without LF. -1 if
        that has not come.
        """
        searched = self._searched if self._searched > start else start
        end = buffer.find(b"\n", searched)
        limit = len(buffer) if end < 0 else end
        behind = searched - END_BYTES if searched - END_BYTES > start else start
        nul = buffer.find(b"}\0", behind, limit)
        if nul >= 0:
            limit = end = nul + 1
        bare = buffer.find(b"}\r", behind, limit)
        return bare + 1 if 0 <= bare < limit - END_BYTES else end

    def _exit(self, buffer: bytes | bytearray, start: int) -> bool:
        """Whether another framing starts at this line."""
        if self._exits is None or buffer[start] not in self._exits.first_bytes or self._long is not None:
            return False
        framing = self._exits.find(buffer, start)
        if framing is not None:
            self.left = Left(framing, self._offset + start, bytes(buffer[start:]))
        return framing is not None

    def _hold(self, buffer: bytes | bytearray, start: int) -> None:
        """What begins here waits for the rest of its line."""
        if buffer is self._buffer:
            del self._buffer[:start]
        elif start < len(buffer):
            self._buffer += buffer[start:]
        self._offset += start
        self._searched = len(self._buffer)

    def _drop(self) -> None:
        self._buffer.clear()
        self._searched = 0

    def _overflow(self) -> Iterator[Read]:
        piece = bytes(self._buffer[:-END_BYTES])  # the rest may be the first part of a line's end
        if self._long is None:
            self._long = LongLine(piece)
            if self._long.hopeless:
                yield self._malformed(self._offset, "oversize")
        else:
            self._long.add(piece)
        self._offset += len(piece)
        del self._buffer[:-END_BYTES]
        self._searched = END_BYTES

    def _line(self, line: bytes, offset: int) -> list[Read]:
        fresh, self._fresh = self._fresh, False
        if self._long is not None or len(line) > MAX_LINE_BYTES:
            return self._long_line(line, offset)
        if not line.strip():
            return []
        reads = self._objects(line, offset)
        # Only the tail of an object is excused: what does not end like one is another protocol's line.
        tail = fresh and (offset > self._start or self._midstream) and line.rstrip().endswith(b"}")
        if tail and any(isinstance(read, Malformed) for read in reads):
            return [self._malformed(offset, "resync")]
        return reads

    def _long_line(self, piece: bytes, offset: int, *, incomplete: str = "oversize") -> list[Read]:
        """The last piece of a line that is too long, at this offset of the stream."""
        line, self._long = self._long, None
        begun, is_reported = offset, False
        if line is None:
            line = LongLine(piece)
        else:
            begun, is_reported = offset - line.length, line.hopeless
            line.add(piece)
        reads = list(self._cut(line, begun))
        return reads if reads or is_reported else [self._malformed(begun, incomplete)]

    def _cut(self, line: LongLine, begun: int) -> Iterator[Read]:
        documents = line.finish()
        for document in documents:
            last = document is documents[-1]
            end = begun + (line.length + 1 if last else document.end)
            skipped = line.skipped_bytes if document.is_cut else 0
            for read in self._objects(document.data, begun + document.offset):
                if isinstance(read, Malformed) or not (document.is_cut or last):
                    yield read
                else:
                    value = _without_marks(read.value) if document.is_cut else read.value
                    yield read._replace(value=value, end=end, skipped_bytes=skipped)

    def _objects(self, line: bytes, offset: int) -> list[Read]:
        """The objects of a line, up to the first thing that is none."""
        line_end = offset + len(line) + 1
        body = line.lstrip(b" \t\r\n\xef\xbb\xbf")
        offset += len(line) - len(body)
        if body.startswith(b"["):
            return self._batch(body, offset, line_end)
        if not body.startswith(b"{"):
            return [self._malformed(offset, "not_json")]
        alone = quick(body)
        if type(alone) is dict:
            return [Message(self._direction, self._ts_ns, offset, alone, end=line_end)]
        text = body.decode("utf-8", "replace")
        reads: list[Read] = []
        at, begun = 0, offset
        while len(reads) < MAX_OBJECTS:
            found = parsed(text, at)
            if isinstance(found, str):
                reason = "trailing" if at and found == "not_json" else found
                return [*reads, self._malformed(offset, reason)]
            value, end = found
            if not isinstance(value, dict):  # a number, text or list behind an object
                break
            rest = text[end:].lstrip(BLANKS)
            if not rest:
                reads.append(Message(self._direction, self._ts_ns, begun, value, end=line_end))
                return reads
            before, at = at, len(text) - len(rest)
            after = begun + len(text[before:at].encode())
            reads.append(Message(self._direction, self._ts_ns, begun, value, end=after))
            begun = after
        return [*reads, self._malformed(offset, "trailing")]

    def _batch(self, body: bytes, offset: int, end: int) -> list[Read]:
        """Several messages as one list (JSON-RPC 2.0 section 6)."""
        value = decode(body)
        items = value if isinstance(value, list) else []
        messages = [item for item in items if isinstance(item, dict)]
        if not messages or len(messages) < len(items):
            return [self._malformed(offset, value if isinstance(value, str) else "not_object")]
        reads: list[Read] = [
            Message(self._direction, self._ts_ns, offset, message, end=end) for message in messages[:MAX_OBJECTS]
        ]
        return reads if len(messages) <= MAX_OBJECTS else [*reads, self._malformed(offset, "trailing")]

    def _malformed(self, offset: int, reason: str) -> Malformed:
        return Malformed(self._direction, self._ts_ns, offset, reason)


def _blank_end(buffer: bytes | bytearray, start: int) -> int:
    """Where a row of empty lines ends: nobody is to pay for each."""
    found = _EMPTY_LINES.match(buffer, start)
    return start + 1 if found is None else found.end()


def _without_marks(value: dict[str, object]) -> dict[str, object]:
    """The same with every text that ends with CUT as a CutText. Not recursive: hostile documents are nested deeply."""
    waiting: list[object] = [value]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, dict):
            inside.update({name: _unmarked(inner, waiting) for name, inner in inside.items()})
        elif isinstance(inside, list):
            inside[:] = [_unmarked(inner, waiting) for inner in inside]
    return value


def _unmarked(value: object, waiting: list[object]) -> object:
    if isinstance(value, dict | list):
        waiting.append(value)
    return CutText(value[:-1]) if isinstance(value, str) and value.endswith(CUT) else value


FRAMING_READER = FramingReader(
    name=DEFAULT_FRAMING,
    open=lambda start, _: JsonLines(start.direction, start.joined, start.offset, start.exits),
    foreign=frozenset({"not_json", "not_object", "trailing", "constant", "nesting", "number"}),
)
