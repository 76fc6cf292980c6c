"""HTTP/1 (RFC 9112): requests and responses of one direction become JSON messages, with what the heads say as the
member `http`.

Tolerates what miners and pools do: a bare LF, a head and its body in different segments, long polling, and a pool
that answers a request with a JSON line and no HTTP at all. Joined in the middle it waits for the next request or
status line. Knows nothing of mining but which headers are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sensor.dialects.readers.http_body import Body, messages
from sensor.dialects.readers.http_exchange import Exchange, OutstandingRequest
from sensor.dialects.readers.http_head import MAX_HEAD_BYTES, Head, read_head, start_line
from sensor.dialects.readers.json_lines import MAX_LINE_BYTES, JsonLines
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.dialects.stream.reader import FramingReader, Left

MAX_CHUNK_LINE = 1_024
#: A request or status line may be this long; what is kept of a lost stream so that one cut in two is still found.
MAX_START_LINE = 2_400
#: How a stream begins, and what a joined or broken stream is found again by: a whole request or status line.
START = re.compile(rb"(?:GET|POST|HEAD|PUT|OPTIONS|DELETE) |HTTP/1\.")
START_LINE = re.compile(rb"(?:GET|POST) [^ \r\n]{1,2048} HTTP/1\.[01]\r?\n|HTTP/1\.[01] [1-5]\d\d[^\r\n]{0,256}\r?\n")
#: The line of a chunk's size, and before it the end of the line that the chunk before was on (RFC 9112 section 7.1).
_CHUNK_SIZE = re.compile(rb"(?:\r?\n)?[ \t]*([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
_HEAD_END = re.compile(rb"\n\r?\n")


class Http:
    """The reader of one direction, whichever side it is."""

    __slots__ = (
        "_body",
        "_buffer",
        "_direction",
        "_exchange",
        "_head",
        "_joined",
        "_offset",
        "_remaining",
        "_request",
        "_start",
        "_state",
        "_ts_ns",
        "left",
    )

    def __init__(self, direction: int, exchange: Exchange, start: int = 0, joined: bool = False) -> None:
        self._direction = direction
        self._exchange = exchange
        self._joined = joined  # the stream was met in its middle
        self._buffer = bytearray()
        self._offset = start  # of the buffer's first byte
        self._start = start  # of the message being read
        self._state = "message"
        self._head = Head()
        self._request: OutstandingRequest | None = None
        self._body = Body()
        self._remaining = 0  # bytes of the body, or of its chunk, still to come
        self._ts_ns = 0
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete."""
        self._ts_ns = ts_ns
        if gap or offset != self._offset + len(self._buffer):
            yield from self._hole(offset, gap)
        self._buffer += data
        while self.left is None and (reads := STEPS[self._state](self)) is not None:
            yield from reads

    def finish(self) -> Iterator[Read]:
        """A body without length ends with its connection (RFC 9112 section 6.3); so does a line without LF."""
        if self._state == "close":
            yield from self._complete()
        elif self._state == "line" or self._buffer[:1] == b"{":
            lines = JsonLines(self._direction, start=self._offset)
            yield from lines.feed(self._ts_ns, self._offset, 0, bytes(self._buffer))
            yield from lines.finish()
        elif self._buffer.strip() and self._state != "lost":
            yield self._malformed("unfinished")
        if self._state in ("length", "chunk_size", "chunk", "trailer") and self._head.status is None:
            facts = {**self._head.facts(), "incomplete": True}
            yield Message(self._direction, self._ts_ns, self._start, {"http": facts}, "http")

    def _hole(self, offset: int, gap: int) -> Iterator[Read]:
        if gap:
            yield Malformed(self._direction, self._ts_ns, offset - gap, "gap")
        self._exchange.outstanding.clear()  # which response belongs to which request is no longer known
        self._buffer.clear()
        self._offset = offset
        self._joined = True
        if (
            self._state == "length" and 0 < gap < self._remaining
        ):  # a hole within a body of known length costs that body only
            self._remaining -= gap
            self._body.damaged = True
        elif gap or self._state != "message":
            self._state = "lost"

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._offset += count
        return taken

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(self._direction, self._ts_ns, self._offset, reason)

    def _lost(self) -> list[Read] | None:
        """Look for the next request or status line; keep what may be the beginning of one."""
        found = START_LINE.search(self._buffer)
        if found is None:
            self._take(max(0, len(self._buffer) - MAX_START_LINE))
            return None
        self._take(found.start())
        self._state = "message"
        return []

    def _lose(self, reason: str) -> list[Read]:
        self._state = "lost"
        read = self._malformed("resync" if self._joined else reason)
        self._take(1)  # so that the line that was refused is not found again
        return [read]

    def _message(self) -> list[Read] | None:
        """A head, whole; or a line of JSON where a pool answers without HTTP."""
        if self._buffer.startswith((b"\r", b"\n")):  # empty lines between messages are ignored (RFC 9112 section 2.2)
            self._take(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))  # cgminer ends its bodies with one
        if not self._buffer:
            return None
        self._start = self._offset
        if self._buffer[0] == 0x7B:
            self._state = "line"
            return []
        end = _HEAD_END.search(self._buffer)
        first = self._buffer.find(b"\n")
        head = read_head(bytes(self._buffer[: end.start()]).split(b"\n")) if end is not None else None
        if head is None and first >= 0 and start_line(bytes(self._buffer[:first])) is None:
            return self._lose("not_http")
        if end is None:
            return self._lose("oversize") if len(self._buffer) > MAX_HEAD_BYTES else None
        if head is None or end.start() > MAX_HEAD_BYTES:
            return self._lose("bad_header")
        self._take(end.end())
        return self._begin(head)

    def _line(self) -> list[Read] | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._lose("oversize") if len(self._buffer) > MAX_LINE_BYTES else None
        lines = JsonLines(self._direction, start=self._offset)
        offset = self._offset
        self._state = "message"
        return list(lines.feed(self._ts_ns, offset, 0, self._take(end + 1)))

    def _begin(self, head: Head) -> list[Read]:
        """What follows a head: RFC 9112 section 6.3."""
        self._head, self._body, self._joined = head, Body(), False
        outstanding = self._exchange.outstanding
        if head.status is None:
            self._request = self._exchange.ask(str(head.method))
        elif head.status >= 200 or head.status == 101:
            self._request = outstanding.popleft() if outstanding else None
        else:
            return []  # 1xx: the response itself is still to come
        if head.upgrade and (head.status in (None, 101)):
            self.left = Left("websocket", self._offset, bytes(self._buffer))
            if head.status is not None:
                return []  # some servers know a miner by the target that it asks for: that is its first message
            return [Message(self._direction, self._ts_ns, self._start, {"http": head.facts()}, "websocket")]
        asked = self._request.method if self._request is not None else ""
        if head.status in (204, 304) or (head.status is not None and asked == "HEAD"):
            return self._complete()
        if head.chunked:
            self._state = "chunk_size"
        elif head.length is not None:
            self._state, self._remaining = "length", head.length
        elif head.status is not None:
            self._state = "close"
        else:
            return self._complete()
        return []

    def _fill(self) -> None:
        taken = self._take(min(self._remaining, len(self._buffer)))
        self._remaining -= len(taken)
        self._body.add(taken)

    def _length(self) -> list[Read] | None:
        self._fill()
        return self._complete() if self._remaining == 0 else None

    def _chunk_size(self) -> list[Read] | None:
        """RFC 9112 section 7.1: size in hex, extensions skipped; the last chunk has size 0."""
        size = _CHUNK_SIZE.match(self._buffer)
        end = self._buffer.find(b"\n") + 1 if size is None else size.end()
        if not end:
            return self._lose("bad_chunk") if len(self._buffer) > MAX_CHUNK_LINE else None
        if size is not None:
            self._remaining = int(size[1], 16)
            self._state = "chunk" if self._remaining else "trailer"
        elif self._buffer[:end].strip():
            return self._lose("bad_chunk")
        del size  # a match keeps the buffer from changing
        self._take(end)
        return []

    def _chunk(self) -> list[Read] | None:
        self._fill()
        if self._remaining:
            return None
        self._state = "chunk_size"  # the line end after the data is read there, with the next size or by itself
        return []

    def _trailer(self) -> list[Read] | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return self._lose("bad_chunk") if len(self._buffer) > MAX_HEAD_BYTES else None
        return [] if self._take(end + 1).strip() else self._complete()

    def _close(self) -> list[Read] | None:
        self._body.add(self._take(len(self._buffer)))
        return None

    def _complete(self) -> list[Read]:
        self._state = "message"
        return messages(self._direction, self._ts_ns, self._start, self._head, self._body, self._request)


STEPS: dict[str, Callable[[Http], list[Read] | None]] = {
    "message": Http._message,
    "line": Http._line,
    "length": Http._length,
    "chunk_size": Http._chunk_size,
    "chunk": Http._chunk,
    "trailer": Http._trailer,
    "close": Http._close,
    "lost": Http._lost,
}

FRAMING_READER = FramingReader(
    name="http",
    open=lambda start, exchange: Http(start.direction, exchange, start.offset, start.joined),
    shared=Exchange,
    start=START,
    start_bytes=b"GPHOD",
    middle=lambda head: START_LINE.search(head) is not None,
    middle_rank=2,
    line=START_LINE,
    line_bytes=b"GPH",
    line_if_joined=True,
    foreign=frozenset({"not_http", "bad_header"}),
)
