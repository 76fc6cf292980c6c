"""One direction of a TCP candidate: segments in, bytes in order out, holes given up when they can no longer be filled.

Stream offsets count from the direction's base and do not wrap; sequence numbers do (RFC 9293 section 3.4). Knows no
flow, gate or event.
"""

from __future__ import annotations

from sensor.model.limits import CoreLimits
from sensor.reference.counters import Counters
from sensor.reference.pieces import Pieces
from sensor.reference.readings import Readings

SEQUENCE_MASK = 0xFFFF_FFFF
WINDOW_BYTES = (
    1 << 30
)  # the largest receive window there can be (RFC 7323 section 2.3): further off is no part of this stream


def sequence_distance(later: int, earlier: int) -> int:
    """later - earlier on the circle of sequence numbers, -2^31 .. 2^31-1."""
    return ((later - earlier + 0x8000_0000) & SEQUENCE_MASK) - 0x8000_0000


def is_reached(ack: int | None, reached: int | None) -> bool:
    """Whether the other side is seen up to what a segment acknowledges; None: it is not known, and nothing waits."""
    return ack is None or reached is None or not 0 < sequence_distance(ack, reached) <= WINDOW_BYTES


class Assembler:
    __slots__ = ("_base", "_counters", "_held", "next", "readings", "skipped")

    def __init__(self, base: int, start: int, skipped: int, counters: Counters) -> None:
        self._base = base
        self.next = start  # the stream offset expected
        self.skipped = skipped  # bytes between what an earlier assembler delivered and `start`: the first chunk's gap
        self._held = Pieces()
        self.readings = Readings()
        self._counters = counters

    def _offset(self, seq: int) -> int:
        return self.next + sequence_distance(seq, self._base + self.next)

    def receive(self, seq: int, data: bytes, ack: int | None = None, reached: int | None = None) -> bytes:
        """What can be delivered now, ending at `next`; later bytes are held.

        The segment acknowledges `ack`, and the other side is seen up to `reached`: what acknowledges more waits for it.
        """
        offset = self._offset(seq)
        ahead, conflict = offset - self.next, False
        if abs(ahead) > WINDOW_BYTES:
            self._counters["out_of_window"] += 1
            return b""
        if ahead < 0:
            self._counters["retransmitted_bytes"] += min(-ahead, len(data))
            conflict = self._compare(offset, data)
            data, offset = data[-ahead:], self.next
        run = b""
        if data and offset == self.next and not self._held and is_reached(ack, reached):
            run = data
            self._advance(run)
        elif data:
            if self._held.hold(offset, data, ack):
                conflict = True
                self.readings.wait(offset, data)
            run = self.take_next(reached)
        self._counters["overlap_conflicts"] += conflict
        return run

    def _advance(self, run: bytes) -> None:
        self.next += len(run)
        self.readings.extend(run)

    def _compare(self, offset: int, data: bytes) -> bool:
        """Whether bytes that come again contradict what was delivered.

        A keep-alive's byte may be any (RFC 9293 section 3.8.4).
        """
        is_alive = (offset, len(data)) == (self.next - 1, 1)
        before = max(0, -offset)  # before the stream
        offset, data = offset + before, data[before:]
        if is_alive or not self.readings.contradict(offset, data, self.next):
            return False
        self.readings.wait(offset, data)
        return True

    def acknowledged(self, ack: int) -> bool:
        """Whether the other side has everything in the hole at `next`: it will not be sent again."""
        return bool(self._held) and self._held.starts[0] > self.next and self._offset(ack) >= self._held.starts[0]

    def holds_too_much(self, limits: CoreLimits) -> bool:
        return self._held.held_bytes > limits.reorder_bytes or len(self._held) > limits.reorder_segments

    def held(self) -> tuple[int, int]:
        """Segments held, and their bytes."""
        return len(self._held), self._held.held_bytes

    def holds(self) -> bool:
        return bool(self._held)

    def give_up_hole(self) -> tuple[int, bytes]:
        """The length of the hole at `next`, and what is held after it up to the next hole. Something must be held."""
        gap = self._held.starts[0] - self.next
        if gap:
            self.readings.stop()
        run = self._held.take_run()
        self.next += gap
        self._advance(run)
        return gap, run

    def take_next(self, reached: int | None) -> bytes:
        """The held bytes at `next` that need not wait for the other side."""
        if not self._held or self._held.starts[0] != self.next:
            return b""
        run = self._held.take_run(lambda ack: is_reached(ack, reached))
        self._advance(run)
        return run

    def next_seq(self) -> int:
        """The sequence number expected."""
        return (self._base + self.next) & SEQUENCE_MASK
