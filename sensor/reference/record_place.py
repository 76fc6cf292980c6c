"""Where a direction stands in its row of TLS records (RFC 8446 section 5.1). Knows lengths and no content."""

from __future__ import annotations

from typing import NamedTuple

from sensor.reference.assembler import SEQUENCE_MASK

HEADER_BYTES, OPENING_BYTES = 5, 6
ALERT, HANDSHAKE, APPLICATION_DATA, HIGHEST_TYPE = 21, 22, 23, 24
CHANGE_CIPHER_SPEC = 20
#: 2^14 and what encryption may add.
MAX_LENGTH, MIN_OPENING_LENGTH = 16_640, 4
#: Bytes at a payload's end by which text is told: so many random ones are text once in 7 million times.
TAIL_BYTES = 16
TEXT = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))


class RecordHeader(NamedTuple):
    content_type: int
    length: int


def read_header(data: bytes) -> RecordHeader | None:
    if len(data) < HEADER_BYTES:
        return None
    length = int.from_bytes(data[3:5], "big")
    fits = CHANGE_CIPHER_SPEC <= data[0] <= HIGHEST_TYPE and data[1] == 3 and data[2] <= 4
    return RecordHeader(data[0], length) if fits and 1 <= length <= MAX_LENGTH else None


def is_chain(payload: bytes, wire_bytes: int) -> bool:
    """Whether a payload begins with headers that lead from one to the next, or to the segment's end."""
    found = read_header(payload)
    if found is None or payload[2] != 3:
        return False
    end = HEADER_BYTES + found.length
    return end == wire_bytes or (read_header(payload[end:]) is not None and payload[end + 2] == 3)


def is_opening(payload: bytes) -> bool:
    """Whether a payload begins as a hello does, as far as it goes; nothing does not."""
    length = int.from_bytes(payload[3:5], "big")
    fits = [
        payload[:1] == bytes([HANDSHAKE]),
        payload[1:2] == b"\x03",
        payload[2:3] <= b"\x04",
        payload[3:4] <= bytes([MAX_LENGTH >> 8]),
        MIN_OPENING_LENGTH <= length <= MAX_LENGTH,
        payload[5:6] in (b"\x01", b"\x02"),
    ]
    return bool(payload) and all(fits[: len(payload)])


def is_text(payload: bytes) -> bool:
    """Whether the last bytes of a payload are text: what is encrypted is none."""
    return TEXT.issuperset(payload[-TAIL_BYTES:])


class RecordPlace:
    """One direction: its next sequence number, the header's bytes so far, what is left of the record at hand."""

    __slots__ = ("gap", "header", "is_placed", "left", "next", "stashed", "was_placed")

    def __init__(self) -> None:
        self.next: int | None = None  # where it is, or how far it came without a place
        self.is_placed = False
        self.was_placed = False
        self.gap = False  # the next record that is handed on comes after a gap
        self.stashed = False  # a header was read, and is not reported yet
        self.header = b""
        self.left = 0

    @property
    def content_type(self) -> int:
        return self.header[0] if self.header else 0

    def ahead(self, seq: int) -> int:
        """How far a number lies after the next expected."""
        distance = (seq - (self.next or 0)) & SEQUENCE_MASK
        return distance - (1 << 32) if distance >= 1 << 31 else distance

    def put(self, seq: int) -> bool:
        """Stand at the front of a record; true if it is not the first place there was."""
        again, self.was_placed = self.was_placed, True
        self.gap = self.gap or again
        self.is_placed, self.next, self.header, self.left = True, seq, b"", 0
        return again

    def lose(self, end: int) -> None:
        self.is_placed = self.stashed = False
        self.next, self.header, self.left = end, b"", 0

    def pass_over(self, count: int) -> None:
        """Bytes of the record at hand that are not looked at."""
        self.left -= count

    def add_to_header(self, payload: bytes) -> bytes:
        """Take what the header needs; gives the rest."""
        if len(self.header) == HEADER_BYTES:
            self.header = b""
        needed = HEADER_BYTES - len(self.header)
        self.header += payload[:needed]
        return payload[needed:]
