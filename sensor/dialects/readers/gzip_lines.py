"""JSON lines inside one gzip stream, the switch of EthereumStratum 2: inflated within a bound, then read as lines.

Offsets are those of the compressed bytes that completed a line. Knows nothing of what the lines say.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from sensor.dialects.readers.json_lines import JsonLines
from sensor.dialects.stream.message import Malformed, Read
from sensor.dialects.stream.reader import FramingReader, Left

#: Text inflates to a few times its size; what grows a hundredfold is made to fill memory.
MAX_INFLATED_BYTES = 262_144


class GzipLines:
    """The reader of one direction from its gzip header on."""

    __slots__ = ("_direction", "_inflated", "_inflater", "_lines", "_over", "left")

    def __init__(self, direction: int) -> None:
        self._direction = direction
        self._inflater = zlib.decompressobj(31)
        self._lines = JsonLines(direction)
        self._inflated = 0
        self._over = False
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete; after a hole or damage nothing more can be read."""
        if self._over:
            return
        if gap:
            yield self._end(ts_ns, offset, "gap")
            return
        try:
            text, over = self._inflate(data)
        except zlib.error:
            yield self._end(ts_ns, offset, "deflate")
            return
        for read in self._lines.feed(ts_ns, self._inflated, 0, text):
            yield read._replace(offset=offset)
        self._inflated += len(text)
        if over:
            yield self._end(ts_ns, offset, "inflated")

    def _inflate(self, data: bytes) -> tuple[bytes, bool]:
        """The text of these bytes, and whether there would be more of it than may be. RFC 1952 section 2.2: members
        follow one another.
        """
        text = b""
        while data and len(text) < MAX_INFLATED_BYTES:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(31)
            text += self._inflater.decompress(data, MAX_INFLATED_BYTES - len(text))
            data = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return text, bool(data)

    def finish(self) -> Iterator[Read]:
        """A last line without LF."""
        return iter(()) if self._over else self._lines.finish()

    def _end(self, ts_ns: int, offset: int, reason: str) -> Malformed:
        self._over = True
        self._lines, self._inflater = JsonLines(self._direction), zlib.decompressobj(31)  # what they hold goes
        return Malformed(self._direction, ts_ns, offset, reason)


FRAMING_READER = FramingReader(
    name="gzip",
    open=lambda start, _: GzipLines(start.direction),
    line=re.compile(rb"\x1f\x8b"),
    line_bytes=b"\x1f",
)
