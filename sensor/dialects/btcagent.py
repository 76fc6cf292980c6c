"""BTCAgent's binary frames, which follow JSON lines on the same stream: thousands of workers of one farm with shares of 15 bytes.

A frame is 0x7F, a type, a length that counts its own four bytes, and a body; all numbers are little-endian. The difficulty in force for a
worker's session is told with each share. Knows the layouts; knows nothing of logins and grades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sensor.dialects.json_lines import Left, Malformed, Message, Read

FRAMING = "btcagent"
MAGIC = 0x7F
HEADER_BYTES = 4
#: Sessions whose difficulty is remembered: all an agent can have.
MAX_SESSIONS = 65_536
MAX_EXPONENT = 63

Fields = dict[str, object]


@dataclass(slots=True)
class Uplink:
    """What both directions of a connection have told: each session's difficulty, and who is registered."""

    difficulty: dict[int, int] = field(default_factory=dict)
    registered: set[int] = field(default_factory=set)


class BtcAgent:
    """The reader of one direction from its first frame on."""

    __slots__ = ("_buffer", "_direction", "_offset", "_ts_ns", "_uplink", "left")

    def __init__(self, direction: int, uplink: Uplink, start: int = 0) -> None:
        self._direction = direction
        self._uplink = uplink
        self._buffer = bytearray()
        self._offset = start
        self._ts_ns = 0
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:
        """What these bytes complete; after a hole the next frame is looked for by its magic byte and a type with its length."""
        self._ts_ns = ts_ns
        if gap or offset != self._offset + len(self._buffer):
            if gap:
                yield Malformed(self._direction, ts_ns, offset - gap, "gap")
            self._buffer.clear()
            self._offset = offset
        self._buffer += data
        while (reads := self._frame()) is not None:
            yield from reads

    def finish(self) -> Iterator[Read]:
        """A frame that was not finished is none."""
        if self._buffer:
            yield Malformed(self._direction, self._ts_ns, self._offset, "unfinished")

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._offset += count
        return taken

    def _frame(self) -> list[Read] | None:
        begun = self._offset
        if self._buffer[:1] == b"{":  # JSON goes on between frames, a line of it
            end = self._buffer.find(b"\n")
            if end < 0 and len(self._buffer) <= 65_536:
                return None
            self.left = Left("json-lines", begun, self._take(len(self._buffer)))
            return None
        if self._buffer and self._buffer[0] != MAGIC:
            return self._resync()
        if len(self._buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[2:4], "little")
        layout = LAYOUTS.get(self._buffer[1])
        if layout is None or length < max(HEADER_BYTES, layout[1]):
            return self._resync()
        if len(self._buffer) < length:
            return None
        body = self._take(length)[HEADER_BYTES:]
        return [Message(self._direction, self._ts_ns, begun, {"method": layout[0], **layout[2](body, self._uplink)}, FRAMING)]

    def _resync(self) -> list[Read]:
        """Not a frame: go on at the next magic byte."""
        begun = self._offset
        found = self._buffer.find(MAGIC, 1)
        self._take(found if found > 0 else len(self._buffer))
        return [Malformed(self._direction, self._ts_ns, begun, "resync")]


def _number(body: bytes, at: int, size: int) -> int:
    return int.from_bytes(body[at : at + size], "little")


def _register(body: bytes, uplink: Uplink) -> Fields:
    session = _number(body, 0, 2)
    texts = [part.decode("utf-8", "replace") for part in body[2:].split(b"\0")[:2]] + ["", ""]
    uplink.registered.add(session)
    return {"session": session, "agent": texts[0], "worker": texts[1], "registered": len(uplink.registered)}


def _unregister(body: bytes, uplink: Uplink) -> Fields:
    session = _number(body, 0, 2)
    uplink.registered.discard(session)
    return {"session": session, "registered": len(uplink.registered)}


def _submit(body: bytes, uplink: Uplink) -> Fields:
    session = _number(body, 1, 2)
    fields: Fields = {"job": body[0], "session": session, "extranonce2": _number(body, 3, 4), "nonce": _number(body, 7, 4)}
    difficulty = uplink.difficulty.get(session)
    return fields if difficulty is None else {**fields, "difficulty": difficulty}


def _submit_mix(body: bytes, uplink: Uplink) -> Fields:
    session = _number(body, 0, 2)
    difficulty = uplink.difficulty.get(session)
    return {"session": session} if difficulty is None else {"session": session, "difficulty": difficulty}


def _difficulty(body: bytes, uplink: Uplink) -> Fields:
    exponent = min(body[0], MAX_EXPONENT)
    count = min(_number(body, 1, 2), (len(body) - 3) // 2)
    sessions = [_number(body, 3 + 2 * index, 2) for index in range(count)]
    uplink.difficulty |= dict.fromkeys(sessions, 1 << exponent)
    return {"difficulty": 1 << exponent, "sessions": count}


def _nothing(_body: bytes, _uplink: Uplink) -> Fields:
    return {}


#: By type: name, least length with its header, and what is taken.
LAYOUTS: dict[int, tuple[str, int, Callable[[bytes, Uplink], Fields]]] = {
    0x01: ("agent.register", 8, _register),
    0x02: ("agent.submit", 15, _submit),
    0x03: ("agent.submit", 19, _submit),
    0x04: ("agent.unregister", 6, _unregister),
    0x05: ("agent.difficulty", 7, _difficulty),
    0x10: ("agent.submit-response", 4, _nothing),
    0x12: ("agent.submit", 19, _submit),
    0x13: ("agent.submit", 23, _submit),
    0x14: ("agent.submit", 14, _submit_mix),
    0x22: ("agent.extranonce", 4, _nothing),
}
