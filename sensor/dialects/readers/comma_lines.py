"""Text lines of parts between commas, as Duino-Coin's: cuts the bytes of one direction at LF and each line at its
commas.

Knows no dialect. A line that starts with a brace belongs to JSON lines. What is no text, or longer than such lines are,
becomes Malformed(reason).
"""

from __future__ import annotations

import re

from sensor.dialects.readers.frames import Frames
from sensor.dialects.stream.message import DEFAULT_FRAMING, Message, Read
from sensor.dialects.stream.reader import FramingReader, Left

FRAMING = "comma-lines"
#: The longest line, a share with the names of program and rig, has about 150 bytes.
MAX_LINE_BYTES = 1_024
MAX_PARTS = 32

#: A request for work, work (two hashes and a number), and the answers to a share.
_LINE = rb"JOB(?:XX)?,|[0-9a-f]{40},[0-9a-f]{40},[0-9]{1,9}\r?\n|(?:GOOD|BLOCK)\r?\n"
_ANYWHERE = re.compile(rb"(?:^|\n)(?:" + _LINE + rb")")


class CommaLines(Frames):
    """The reader of one direction from a line's start on."""

    __slots__ = ("_partial", "_skipping")

    def __init__(self, direction: int, start: int, *, joined: bool) -> None:
        super().__init__(direction, start)
        self._partial = joined  # the next line may lack its start
        self._skipping = False  # inside a line that grew too long

    def _frame(self) -> list[Read] | None:
        begun = self._offset
        if self._buffer[:1] == b"{" and not self._skipping:
            self.left = Left(DEFAULT_FRAMING, begun, self._take(len(self._buffer)))
            return None
        end = self._buffer.find(b"\n")
        if end < 0 and len(self._buffer) <= MAX_LINE_BYTES:
            return None
        line = self._take(end + 1 if end >= 0 else len(self._buffer))
        partial, self._partial = self._partial, False
        skipping, self._skipping = self._skipping, end < 0
        if skipping or (end >= 0 and not line.strip()):
            return []
        if len(line) > MAX_LINE_BYTES:
            return [self._malformed(begun, "oversize")]
        text = line.strip()
        if not all(0x20 <= byte < 0x7F or byte >= 0x80 for byte in text):
            return [self._malformed(begun, "resync" if partial else "unknown_frame")]
        parts: list[object] = list(text.decode("utf-8", "replace").split(",")[:MAX_PARTS])
        value: dict[str, object] = {"method": parts[0], "parts": parts}
        return [Message(self._direction, self._ts_ns, begun, value, FRAMING, end=self._offset)]

    def _lost(self, gap: int) -> None:  # noqa: ARG002 (any hole is the same)
        self._partial, self._skipping = True, False


def _shows(head: bytes) -> bool:
    return _ANYWHERE.search(head) is not None


FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, _: CommaLines(start.direction, start.offset, joined=start.joined),
    middle=_shows,
    line=re.compile(_LINE),
    line_bytes=b"JGB0123456789abcdef",
)
