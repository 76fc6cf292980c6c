"""WebSocket frames (RFC 6455) of one direction, after the upgrade: text messages become JSON messages.

Unmasks, joins fragments, lets control frames pass between them, and inflates (RFC 7692) within a bound, with or
without context. Whether compression was agreed is not asked: the bit of the frame says it. Knows nothing of what
messages mean.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from sensor.dialects.readers.json_lines import MAX_LINE_BYTES, JsonLines
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.dialects.stream.reader import FramingReader, Left

FRAMING = "websocket"
CONTINUATION, TEXT, BINARY, CLOSE = 0, 1, 2, 8
OPCODES = frozenset({0, 1, 2, 8, 9, 10})
#: A message may not grow past this, before and after inflating.
MAX_MESSAGE_BYTES = MAX_LINE_BYTES
#: What an upgrade that was refused goes on with; as a frame's first byte each of them is invalid.
HTTP_AGAIN = frozenset(b"GPH")
_TAIL = b"\0\0\xff\xff"
#: A text frame of a server with an object in it, and within how many bytes of a joined stream it is looked for.
SERVER_FRAME = re.compile(rb"\x81(?:[\x02-\x7d]|\x7e[\s\S]{2})\{")
SERVER_FRAME_BYTES = 512


class WebSocket:
    """The reader of one direction."""

    __slots__ = (
        "_buffer",
        "_compressed",
        "_direction",
        "_inflater",
        "_joined",
        "_lost",
        "_message",
        "_offset",
        "_skip",
        "_start",
        "_ts_ns",
        "left",
    )

    def __init__(self, direction: int, start: int = 0, joined: bool = False) -> None:
        self._direction = direction
        self._joined = joined
        self._buffer = bytearray()
        self._offset = start
        self._start = start  # of the message's first frame
        self._message: bytearray | None = None  # fragments so far; None outside a message
        self._compressed = False
        self._inflater = zlib.decompressobj(-15)
        self._skip = 0  # bytes of an oversize frame still to be read past
        self._lost = False  # frame borders are not known; a segment often starts with one
        self._ts_ns = 0
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete."""
        self._ts_ns = ts_ns
        if gap or self._lost or offset != self._offset + len(self._buffer):
            if gap:
                yield Malformed(self._direction, ts_ns, offset - gap, "gap")
            self._again(offset)
        self._buffer += data
        while self.left is None and (reads := self._frame()) is not None:
            yield from reads

    def finish(self) -> Iterator[Read]:
        """A message that was not finished is none."""
        if self._message is not None or self._buffer:
            yield self._malformed("unfinished")

    def _again(self, offset: int) -> None:
        """After a hole: what was begun is lost, and so is the context of compression."""
        self._buffer.clear()
        self._offset = offset
        self._message = None
        self._skip = 0
        self._lost = False
        self._joined = True
        self._inflater = zlib.decompressobj(-15)

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(self._direction, self._ts_ns, self._offset, reason)

    def _take(self, count: int) -> None:
        del self._buffer[:count]
        self._offset += count

    def _frame(self) -> list[Read] | None:
        """One frame (section 5.2); None while it is not whole."""
        if self._skip:
            passed = min(self._skip, len(self._buffer))
            self._take(passed)
            self._skip -= passed
        head = self._buffer
        if len(head) < 2:
            return None
        opcode, rsv = head[0] & 0x0F, head[0] & 0x70
        if opcode not in OPCODES or rsv & 0x30 or (opcode >= CLOSE and (head[1] & 0x7F > 125 or not head[0] & 0x80)):
            return self._refuse()
        extended = {126: 2, 127: 8}.get(head[1] & 0x7F, 0)
        mask_at = 2 + extended
        start = mask_at + (4 if head[1] & 0x80 else 0)
        if len(head) < start:
            return None
        length = int.from_bytes(head[2:mask_at], "big") if extended else head[1] & 0x7F
        if length > MAX_MESSAGE_BYTES:
            return self._oversize(start, length)
        if len(head) < start + length:
            return None
        payload = bytes(head[start : start + length])
        if start > mask_at:
            payload = unmask(payload, bytes(head[mask_at:start]))
        begun, final = self._offset, bool(head[0] & 0x80)
        self._take(start + length)
        return [] if opcode >= CLOSE else self._part(begun, opcode, bool(rsv & 0x40), final, payload)

    def _refuse(self) -> list[Read] | None:
        if self._buffer[0] in HTTP_AGAIN and self._message is None and not self._joined:
            self.left = Left("http", self._offset, bytes(self._buffer))
            return []
        read = self._malformed("resync" if self._joined else "bad_frame")
        self._take(len(self._buffer))
        self._lost = True
        return [read]

    def _oversize(self, start: int, length: int) -> list[Read]:
        read = self._malformed("oversize")
        self._take(start)
        if length > 1 << 40:  # no such frame; the border is lost
            self._take(len(self._buffer))
            self._lost = True
        else:
            self._skip = length
        self._message = None
        self._inflater = zlib.decompressobj(-15)
        return [read]

    def _part(self, begun: int, opcode: int, compressed: bool, final: bool, payload: bytes) -> list[Read]:
        """A data frame: begins a message, or goes on with one (section 5.4)."""
        if opcode != CONTINUATION:
            self._message = bytearray()
            self._compressed = compressed
            self._start = begun
        if self._message is None:
            return [self._malformed("resync" if self._joined else "bad_frame")]
        self._message += payload
        if len(self._message) > MAX_MESSAGE_BYTES:
            self._message = None
            return [self._malformed("oversize")]
        if not final:
            return []
        whole, self._message = bytes(self._message), None
        return self._read(whole)

    def _read(self, data: bytes) -> list[Read]:
        if self._compressed:
            plain = self._inflate(data)
            if isinstance(plain, Malformed):
                return [plain]
            data = plain
        text = data.strip()
        if not text or (text[:1] != b"{" and not text.isascii()):
            return []  # binary data, or text in no need of a reader
        self._joined = False
        found: list[Read] = []
        for read in JsonLines(self._direction).feed(self._ts_ns, 0, 0, text + b"\n"):
            placed = read._replace(offset=self._start)
            found.append(placed._replace(framing=FRAMING) if isinstance(placed, Message) else placed)
        return found

    def _inflate(self, data: bytes) -> bytes | Malformed:
        """RFC 7692 section 7.2.2. One inflater serves both agreements: a message without context refers to nothing
        before it.
        """
        if self._inflater.eof:
            self._inflater = zlib.decompressobj(-15)
        try:
            plain = self._inflater.decompress(data + _TAIL, MAX_MESSAGE_BYTES)
        except zlib.error:
            self._inflater = zlib.decompressobj(-15)
            return self._malformed("deflate")
        if self._inflater.unconsumed_tail:
            self._inflater = zlib.decompressobj(-15)
            return self._malformed("inflated")
        return plain


def unmask(payload: bytes, key: bytes) -> bytes:
    """Section 5.3: each byte XOR the key's, in turn; done on whole numbers because Python is slow by the byte."""
    size = len(payload)
    if not size:
        return b""
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")


FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, _: WebSocket(start.direction, start.offset, start.joined),
    middle=lambda head: SERVER_FRAME.search(head[:SERVER_FRAME_BYTES]) is not None,
    middle_rank=1,
    foreign=frozenset({"bad_frame"}),
)
