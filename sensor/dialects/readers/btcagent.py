"""BTCAgent's binary frames, which follow JSON lines on the same stream: thousands of workers of one farm with shares of
15 bytes.

A frame is 0x7F, a type, a length that counts its own four bytes, and a body; all numbers are little-endian. The
difficulty in force for a worker's session is given with each share. Knows the layouts; knows nothing of logins and
grades.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sensor.dialects.readers.frames import Frames
from sensor.dialects.stream.message import DEFAULT_FRAMING, Message, Read
from sensor.dialects.stream.reader import FramingReader, Left

FRAMING = "btcagent"
MAGIC = 0x7F
HEADER_BYTES = 4
#: Sessions whose difficulty is remembered: all an agent can have.
MAX_SESSIONS = 65_536
MAX_EXPONENT = 63
#: Statuses of a share that counts: reached the job's target or the network's, each in time or stale (btcagent,
#: StratumStatus).
ACCEPTED = frozenset({0x6B2C9687, 0x38A5E21D, 0x54C96D6E, 0x662955AA})

Fields = dict[str, object]


@dataclass(slots=True)
class Uplink:
    """What both directions of a connection have shown: each session's difficulty, and who is registered."""

    difficulty: dict[int, int] = field(default_factory=dict)
    registered: set[int] = field(default_factory=set)


class BtcAgent(Frames):
    """The reader of one direction from its first frame on."""

    __slots__ = ("_uplink",)

    def __init__(self, direction: int, uplink: Uplink, start: int = 0) -> None:
        super().__init__(direction, start)
        self._uplink = uplink

    def _frame(self) -> list[Read] | None:
        begun = self._offset
        if self._buffer[:1] == b"{":  # JSON goes on between frames, a line of it
            end = self._buffer.find(b"\n")
            if end < 0 and len(self._buffer) <= 65_536:
                return None
            self.left = Left(DEFAULT_FRAMING, begun, self._take(len(self._buffer)))
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
        return [
            Message(
                self._direction, self._ts_ns, begun, {"method": layout[0], **layout[2](body, self._uplink)}, FRAMING
            )
        ]

    def _resync(self) -> list[Read]:
        """Not a frame: go on at the next magic byte."""
        begun = self._offset
        found = self._buffer.find(MAGIC, 1)
        self._take(found if found > 0 else len(self._buffer))
        return [self._malformed(begun, "resync")]


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
    fields: Fields = {
        "job": body[0],
        "session": session,
        "extranonce2": _number(body, 3, 4),
        "nonce": _number(body, 7, 4),
    }
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


def _response(body: bytes, _uplink: Uplink) -> Fields:
    """An index (which share of this connection, modulo 2^16) and a status; answers come in the order of the shares."""
    return {"accepted": _number(body, 2, 4) in ACCEPTED}


def _nothing(_body: bytes, _uplink: Uplink) -> Fields:
    return {}


#: By type: name, least length with its header, and what is taken.
LAYOUTS: dict[int, tuple[str, int, Callable[[bytes, Uplink], Fields]]] = {
    0x01: ("agent.register", 8, _register),
    0x02: ("agent.submit", 15, _submit),
    0x03: ("agent.submit", 19, _submit),
    0x04: ("agent.unregister", 6, _unregister),
    0x05: ("agent.difficulty", 7, _difficulty),
    0x10: ("agent.submit-response", 10, _response),
    0x12: ("agent.submit", 19, _submit),
    0x13: ("agent.submit", 23, _submit),
    0x14: ("agent.submit", 14, _submit_mix),
    0x22: ("agent.extranonce", 4, _nothing),
}

FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, uplink: BtcAgent(start.direction, uplink, start.offset),
    shared=Uplink,
    line=re.compile(rb"\x7f[\x01-\x05\x10-\x14\x22]"),
    line_bytes=b"\x7f",
)
