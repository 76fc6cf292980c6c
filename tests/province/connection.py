"""One TCP connection as frames in time order: real sequence numbers, acknowledgements, keep-alives, retransmissions.

It knows nothing of what is said, and nothing of the place of capture, where frames may be lost.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.province.frames import ACK, FIN, MSS_BYTES, PSH, RST, SYN, Direction

#: A frame and when it passed, in microseconds since the epoch.
Timed = tuple[int, bytes]
MINER, POOL = 0, 1
MILLISECOND_US = 1_000
#: One segment in so many is sent twice.
RESENT = 1_500


class Connection:
    """A connection between a miner's end and a pool's; every method yields the frames it costs and moves `now_us`."""

    def __init__(
        self, miner: tuple[str, int], pool: tuple[str, int], now_us: int, rng: random.Random, rtt_ms: int
    ) -> None:
        self.now_us, self._rng, self._rtt_us = now_us, rng, rtt_ms * MILLISECOND_US
        self._ways = (Direction.between(miner, pool, 61), Direction.between(pool, miner, 52))
        self._next = [rng.getrandbits(32), rng.getrandbits(32)]
        self._ids = [rng.getrandbits(16), rng.getrandbits(16)]

    def open(self) -> Iterator[Timed]:
        """The handshake of three."""
        yield self._frame(MINER, SYN)
        self._move(MINER, 1)
        self.now_us += self._rtt_us
        yield self._frame(POOL, SYN | ACK)
        self._move(POOL, 1)
        self.now_us += 150
        yield self._frame(MINER, ACK)

    def say(self, side: int, data: bytes, *, acknowledge: bool = True) -> Iterator[Timed]:
        """Bytes of one side; without `acknowledge` the other side's answer is what acknowledges them."""
        for at in range(0, len(data), MSS_BYTES):
            piece = data[at : at + MSS_BYTES]
            frame = self._frame(side, PSH | ACK, piece)
            yield frame
            if self._rng.randrange(RESENT) == 0:
                self.now_us += 210 * MILLISECOND_US
                yield self.now_us, frame[1]
            self._move(side, len(piece))
            self.now_us += self._rng.randrange(40, 160)
        self.now_us += self._rtt_us // 2 + self._rng.randrange(3_000)
        if acknowledge:
            yield self._frame(1 - side, ACK)

    def keep_alive(self, side: int) -> Iterator[Timed]:
        """A probe of one byte before the next, and its answer (RFC 9293, 3.8.4)."""
        frame = self._ways[side].tcp(
            (self._next[side] - 1) & 0xFFFFFFFF, self._next[1 - side], ACK, b"", self._id(side)
        )
        yield self.now_us, frame
        self.now_us += self._rtt_us
        yield self._frame(1 - side, ACK)

    def close(self) -> Iterator[Timed]:
        """FIN of the miner, FIN of the pool."""
        for side in (MINER, POOL):
            yield self._frame(side, FIN | ACK)
            self._move(side, 1)
            self.now_us += self._rtt_us // 2
        yield self._frame(MINER, ACK)

    def reset(self, side: int) -> Iterator[Timed]:
        """A reset by one side."""
        yield self._frame(side, RST | ACK)

    def _frame(self, side: int, flags: int, data: bytes = b"") -> Timed:
        acknowledged = self._next[1 - side] if flags & ACK else 0
        return self.now_us, self._ways[side].tcp(self._next[side], acknowledged, flags, data, self._id(side))

    def _id(self, side: int) -> int:
        self._ids[side] += 1
        return self._ids[side]

    def _move(self, side: int, count: int) -> None:
        self._next[side] = (self._next[side] + count) & 0xFFFFFFFF
