"""Scrolls: `%SCR`, four hex digits of length, and an object of JSON. The framing that the test of the recipes adds."""

from __future__ import annotations

import json
import re

from sensor.dialects.readers.frames import Frames
from sensor.dialects.stream.message import Message, Read
from sensor.dialects.stream.reader import FramingReader

FRAMING = "scroll"
MAGIC = b"%SCR"
HEADER_BYTES = 8


class Scroll(Frames):
    """The reader of one direction."""

    def _frame(self) -> list[Read] | None:
        begun = self._offset
        if len(self._buffer) < HEADER_BYTES:
            return None
        try:
            length = int(self._buffer[len(MAGIC) : HEADER_BYTES], 16)
        except ValueError:
            length = -1
        if length < 0 or self._buffer[: len(MAGIC)] != MAGIC:
            self._take(1)
            return [self._malformed(begun, "bad_frame")]
        if len(self._buffer) < HEADER_BYTES + length:
            return None
        body = self._take(HEADER_BYTES + length)[HEADER_BYTES:]
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            return [self._malformed(begun, "not_object")]
        return [Message(self._direction, self._ts_ns, begun, value, FRAMING)]


FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, _: Scroll(start.direction, start.offset),
    start=re.compile(re.escape(MAGIC)),
    start_bytes=MAGIC[:1],
    middle=lambda head: MAGIC in head,
    foreign=frozenset({"bad_frame"}),
)
