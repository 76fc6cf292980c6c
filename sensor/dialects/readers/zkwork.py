"""The binary frames of zk.work's Aleo pool: a length of four bytes, a type, a body; all numbers are little-endian.

The miner's types are 128 to 131, the pool's 0 to 3. Shares get no answer in this protocol. Knows the layouts; knows
nothing of grades. Layouts: https://github.com/6block/zkwork_aleo_protocol, src/message/poolmessage.rs.
"""

from __future__ import annotations

import re

from sensor.dialects.readers.frames import Frames
from sensor.dialects.stream.message import Message, Read
from sensor.dialects.stream.reader import FramingReader
from sensor.model.five_bits import bech32m

FRAMING = "zkwork"
LENGTH_BYTES = 4
#: The protocol's own bound of a message.
MAX_FRAME_BYTES = 512
KEY_BYTES = 32

Fields = dict[str, object]


class ZkWork(Frames):
    """The reader of one direction."""

    __slots__ = ("_partial",)

    def __init__(self, direction: int, start: int, *, joined: bool) -> None:
        super().__init__(direction, start)
        self._partial = joined  # where the next frame begins is not known

    def _frame(self) -> list[Read] | None:
        if len(self._buffer) <= LENGTH_BYTES:
            return None
        begun = self._offset
        if self._partial and not _begins(self._buffer):
            waits = len(self._buffer) < LOOKED_AT_BYTES and _MIDDLE.search(self._buffer) is None
            return None if waits else self._resync()
        length = _number(self._buffer, 0, LENGTH_BYTES)
        if not 1 <= length <= MAX_FRAME_BYTES:
            return self._resync()
        if len(self._buffer) < LENGTH_BYTES + length:
            return None
        fields = _fields(bytes(self._buffer[LENGTH_BYTES : LENGTH_BYTES + length]))
        if fields is None:
            return self._resync()
        self._partial = False
        self._take(LENGTH_BYTES + length)
        return [Message(self._direction, self._ts_ns, begun, fields, FRAMING, end=self._offset)]

    def _resync(self) -> list[Read]:
        """Not a frame: the next share or job is looked for. The last bytes stay, one may begin in them."""
        begun, self._partial = self._offset, True
        found = _MIDDLE.search(self._buffer, 1)
        self._take(found.start() if found is not None else max(1, len(self._buffer) - MIDDLE_BYTES + 1))
        return [self._malformed(begun, "resync")]

    def _lost(self, gap: int) -> None:  # noqa: ARG002 (any hole is the same)
        self._partial = True


def _number(data: bytes | bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _fields(body: bytes) -> Fields | None:
    """The fields of a frame; None if it is none."""
    kind, data = body[0], body[1:]
    if kind == 128 and len(data) > 6:
        return _connect(data)
    if kind == 129 and len(data) > 12:
        return {"method": "zkwork.submit", "session": _number(data, 0, 4), "job": _number(data, 4, 8)}
    if kind == 130 and len(data) == 4:
        return {"method": "zkwork.disconnect", "session": _number(data, 0, 4)}
    if kind == 0 and len(data) > KEY_BYTES and data[0] in (0, 1):
        fields: Fields = {"method": "zkwork.connected", "accepted": data[0] == 1, "pool": _address(data[1:33])}
        return {**fields, "session": _number(data, 33, 4)} if data[0] and len(data) >= 37 else fields
    if kind == 1 and len(data) > 16:
        return {"method": "zkwork.notify", "job": _number(data, 0, 8), "target": _number(data, 8, 8)}
    names = {2: "zkwork.shutdown", 3: "zkwork.pong", 131: "zkwork.ping"}
    return {"method": names[kind]} if kind in names and not data else None


def _connect(data: bytes) -> Fields | None:
    name_end = 6 + data[5]
    name, key = data[6:name_end], data[name_end:]
    if len(data) < name_end or not key:
        return None
    version = ".".join(str(part) for part in data[2:5])
    address = _address(key) if len(key) == KEY_BYTES else key.decode("utf-8", "replace")
    return {
        "method": "zkwork.connect",
        "worker_type": data[0],
        "address_type": data[1],
        "version": version,
        "name": name.decode("utf-8", "replace"),
        "address": address,
    }


def _address(key: bytes) -> str:
    """A bare key as the address that people know."""
    return bech32m("aleo", key)


def _begins(head: bytes | bytearray) -> bool:
    """Whether a share or a job begins here."""
    return _MIDDLE.match(head) is not None


#: Bytes of a share or a job by which it is known, and bytes that wait for it.
MIDDLE_BYTES, LOOKED_AT_BYTES = 21, 32
#: A length of 13 to 512; then a share or a job: small numbers in wide fields leave zeros where they must be.
_MIDDLE = re.compile(
    rb"(?s)(?:[\x0d-\xff]\x00|.\x01|\x00\x02)\x00\x00"
    rb"(?:\x81.{8}\x00{4}.{4}|\x01.{4}\x00{4}(?!\x00{6}).{6}\x00{2})"
)
#: A sign-in; or, where the start of the stream was lost, a job or a share with a number below 2^32.
_START = re.compile(
    rb"(?s)[\x07-z|-\xff][\x00\x01]\x00\x00(?:\x80[\x00-\x0f]{2}[\x00-\x20].|\x01.{4}\x00{4}|\x81.{8}\x00{3})"
)

FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, _: ZkWork(start.direction, start.offset, joined=start.joined),
    start=_START,
    start_bytes=bytes(byte for byte in range(7, 256) if byte != ord("{")),
    middle=_begins,
    middle_rank=1,
)
