"""Segments with wrong checksums, in directions whose checksums are otherwise right.

Their receiver throws them away, so their bytes are set aside; but where it acknowledges what nothing else brought, the
card computes the sums of its sender after the capture, and the bytes are used. Rules: docs/border.md, "Checksums".
"""

from __future__ import annotations

from enum import Enum, auto

from sensor.reference.assembler import sequence_distance
from sensor.reference.flags import FIN, RST, SYN
from sensor.reference.tables import TCP
from sensor.reference.transport import checksum_fits
from sensor.reference.walk import Segment

#: A longer packet is on no wire: a card or the kernel has put it together, and its sum is of a part or of nothing.
WIRE_BYTES = 1_500
#: Segments set aside of a direction, and their bytes; past that the oldest is given up.
ASIDE_SEGMENTS, ASIDE_BYTES = 32, 32_768


class ChecksumVerdict(Enum):
    """Whether checksums are right."""

    UNKNOWN = auto()  # not looked at, or not all of it was captured
    RIGHT = auto()
    WRONG = auto()


def sum_of(segment: Segment) -> ChecksumVerdict:
    """What the checksums say of the segment as a whole."""
    if segment.bad_ip or not checksum_fits(segment):
        return ChecksumVerdict.WRONG
    return ChecksumVerdict.UNKNOWN if segment.checked is None else ChecksumVerdict.RIGHT


def is_marked(segment: Segment) -> bool:
    """Whether it begins or ends a connection."""
    return segment.proto == TCP and bool(segment.flags & (SYN | FIN | RST))


class Doubts:
    """What is known of the checksums of a direction."""

    __slots__ = ("_aside", "_lax", "right", "right_data", "syn_right")

    def __init__(self) -> None:
        self.syn_right = False  # its SYN had a right one
        self.right = False  # some were right since the gate opened
        self.right_data = False  # some of segments with payload
        self._lax = False  # what was set aside had to be used, and no payload had a right one
        self._aside: list[tuple[int, bytes]] = []

    def of_syn(self) -> Doubts:
        """What of it is known without an open gate."""
        left = Doubts()
        left.syn_right = self.syn_right
        return left

    def doubt(self, found: ChecksumVerdict, segment: Segment, is_open: bool) -> bool:
        """Whether a wrong checksum says something in this direction."""
        judged = segment.proto == TCP and (self.syn_right or (is_open and self.right))
        return found is ChecksumVerdict.WRONG and judged and segment.ip_bytes <= WIRE_BYTES

    def note(self, found: ChecksumVerdict, segment: Segment) -> None:
        if found is ChecksumVerdict.RIGHT and segment.proto == TCP:
            self.right = True
            self.right_data = self.right_data or segment.wire_bytes > 0

    def uses(self, answered: bool) -> bool:
        """Whether a doubtful segment is used like any other."""
        return not self.right_data and (self._lax or not answered)

    def push(self, seq: int, data: bytes, following: int) -> None:
        """Set a segment's payload aside."""
        self._aside = [(at, held) for at, held in self._aside if sequence_distance(at + len(held), following) > 0]
        self._aside.append((seq, data))
        while len(self._aside) > ASIDE_SEGMENTS or self.held()[1] > ASIDE_BYTES:
            del self._aside[0]

    def take(self, following: int, ack: int) -> bytes:
        """What goes on at `following` of the first one set aside that `ack` covers."""
        for place, (seq, data) in enumerate(self._aside):
            cut, end = sequence_distance(following, seq), seq + len(data)
            if 0 <= cut < len(data) and sequence_distance(end, ack) <= 0:
                del self._aside[place]
                self._lax = True
                return data[cut:]
        return b""

    def held(self) -> tuple[int, int]:
        """Segments set aside, and their bytes."""
        return len(self._aside), sum(len(data) for _, data in self._aside)

    def stop(self) -> None:
        """Everything set aside is forgotten."""
        self._aside = []
