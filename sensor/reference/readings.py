"""The last bytes of a direction as they were delivered, to be compared with what comes again.

And, where something came that contradicts them, the other reading, in which the later bytes count. Rules:
docs/border.md, "Assembler".
"""

from __future__ import annotations

#: Bytes remembered of what was delivered; contradictions that wait for the bytes before them.
RECENT_BYTES, WAITING_MOST = 1_024, 8


class Readings:
    """Both readings of a direction's last bytes; they end where the next byte is expected."""

    __slots__ = ("_first", "_later", "_waiting")

    def __init__(self) -> None:
        self._first = b""  # as delivered
        self._later: bytes | None = None  # of the same bytes, once they were contradicted
        self._waiting: list[tuple[int, bytes]] = []

    def extend(self, data: bytes) -> None:
        """Bytes were delivered."""
        self._first = (self._first + data)[-RECENT_BYTES:]
        if self._later is not None:
            self._later = (self._later + data)[-RECENT_BYTES:]

    def stop(self) -> None:
        """Bytes were skipped: what comes follows nothing that is known."""
        self._first, self._later, self._waiting = b"", None, []

    def waiting_bytes(self) -> int:
        """Bytes of the contradictions that wait."""
        return sum(len(data) for _, data in self._waiting)

    def contradict(self, offset: int, data: bytes, following: int) -> bool:
        """Whether bytes at `offset` differ from what was delivered, as far as it is remembered."""
        begin = following - len(self._first)
        start, end = max(offset, begin), min(offset + len(data), following)
        return start < end and self._first[start - begin : end - begin] != data[start - offset : end - offset]

    def wait(self, offset: int, data: bytes) -> None:
        """Remember bytes that contradict others, until what is before them was delivered."""
        if len(data) <= RECENT_BYTES and len(self._waiting) < WAITING_MOST:
            self._waiting.append((offset, data))

    def take(self, following: int) -> tuple[int, bytes] | None:
        """The next line of the other reading that is whole: its offset and bytes."""
        ready = [held for held in self._waiting if held[0] + len(held[1]) <= following]
        for offset, data in ready:
            self._waiting.remove((offset, data))
            line = self._overlay(offset, data, following)
            if line is not None:
                return line
        return None

    def _overlay(self, offset: int, data: bytes, following: int) -> tuple[int, bytes] | None:
        """Let later bytes count; the line that they end, from behind the LF before them, if it has its own LF."""
        later = self._first if self._later is None else self._later
        self._later = later
        begin = following - len(later)
        at = offset - begin
        if at < 0 or later[at : at + len(data)] == data:
            return None
        self._later = later = later[:at] + data + later[at + len(data) :]
        # What begins a line in the first reading does so in this one.
        start = at if self._first[:at].endswith(b"\n") else later.rfind(b"\n", 0, at) + 1
        lf = later.find(b"\n", at + len(data) - 1)
        return None if lf < 0 else (begin + start, later[start : lf + 1])
