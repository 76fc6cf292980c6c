"""Writes sessions as captures: Ethernet, IPv4, TCP with handshakes, acknowledgements, segments, some retransmissions;
TLS records of exact lengths with random bytes in them. Many sessions at once, in columns, for it is the evaluation's
inner loop. The sensor stands close to the clients.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.evaluation.bursts import Bursts, Session
from tests.evaluation.talk import DOWN, UP

#: pcap with nanoseconds, Ethernet (draft-ietf-opsawg-pcap).
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
FIN, SYN, PSH, ACK = 1, 2, 8, 16
HEADER_BYTES = 14 + 20 + 32
#: What a SYN has besides its timestamps: maximum segment size 1460, window scale 7, no operation.
SYN_OPTIONS = bytes((2, 4, 5, 180, 3, 3, 7, 1))
#: Parts of the data segments that are sent twice, and that come late because the first was lost before the sensor.
TWICE, LATE = 0.002, 0.001
#: The farthest off that an acknowledgement is left to the next data (RFC 1122 allows 500 ms; Linux waits 40).
DELAYED_S = 0.04

Ints = NDArray[np.int64]


class Capture:
    """The packets of a batch of sessions. `write` puts those of a mask into a file. In a smooth one nothing is late or
    sent twice."""

    def __init__(
        self, sessions: list[Session], bursts: Bursts, epoch_s: float, seed: int, smooth: bool = False
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._sessions, self._smooth = sessions, smooth
        self._epoch_ns = int(epoch_s * 1e9)
        self._columns(bursts)
        self._content(bursts)
        self._segments()
        self._controls()
        self._number()
        self._headers = self._all_headers()

    def _columns(self, bursts: Bursts) -> None:
        """Bursts in the order of their bytes: by session, side, time."""
        session, side = np.array(bursts.session), np.array(bursts.side)
        at = np.array(bursts.at_s)
        self._order = np.lexsort((at, side, session))
        self._rank = np.empty_like(self._order)
        self._rank[self._order] = np.arange(len(self._order))
        self._session, self._side, self._at = session[self._order], side[self._order], at[self._order]
        self._size = np.array(bursts.size, np.int64)[self._order]
        self._offset = np.cumsum(self._size) - self._size
        self._rtt = np.array([s.talk.rtt_s for s in self._sessions])
        self._mss = np.array([s.mss for s in self._sessions])

    def _content(self, bursts: Bursts) -> None:
        """All bytes of all sessions; behind them the options of a SYN, at an even place."""
        total = int(self._size.sum())
        content = np.frombuffer(bytearray(self._rng.bytes(total + total % 2) + SYN_OPTIONS), np.uint8)
        self._options_at = total + total % 2
        if bursts.record_burst:
            length = np.array(bursts.record_length)
            head = self._offset[self._rank[np.array(bursts.record_burst)]] + np.array(bursts.record_offset)
            content[head] = np.array(bursts.record_type)
            content[head + 1] = content[head + 2] = 3
            content[head + 3], content[head + 4] = length >> 8, length & 255
        for burst, literal in bursts.literal:
            at = int(self._offset[self._rank[burst]])
            content[at : at + len(literal)] = np.frombuffer(literal, np.uint8)
        if bursts.hello:  # a random of its own, RFC 8446 section 4.1.2
            spots = (self._offset[self._rank[np.array(bursts.hello)]] + 11)[:, None] + np.arange(32)
            content[spots] = self._rng.integers(0, 256, spots.shape, np.uint8)
        self.content = content

    def _segments(self) -> None:
        """Data packets, then acknowledgements of their own."""
        mss = self._mss[self._session]
        count = -(-self._size // mss)
        burst = np.repeat(np.arange(len(count)), count)
        index = np.arange(len(burst)) - np.repeat(np.cumsum(count) - count, count)
        skip = index * mss[burst]
        self._p_session, self._p_side = self._session[burst], self._side[burst]
        self._p_at = self._at[burst] + index * 2e-5
        self._p_from, self._p_length = self._offset[burst] + skip, np.minimum(mss[burst], self._size[burst] - skip)
        self._p_flags = np.where(index == count[burst] - 1, ACK | PSH, ACK)
        self._p_advance = self._p_length.copy()
        draw = self._rng.random(len(burst)) + self._smooth
        self._p_at = np.where(draw < LATE, self._p_at + 0.25, self._p_at)
        twice = np.flatnonzero((draw >= LATE) & (draw < LATE + TWICE))
        self._append(
            self._p_session[twice],
            self._p_side[twice],
            self._p_at[twice] + 0.3,
            flags=ACK | PSH,
            start=self._p_from[twice],
            length=self._p_length[twice],
        )
        by_time = np.lexsort((self._at, self._session))
        session, side, at = self._session[by_time], self._side[by_time], self._at[by_time]
        wait = np.where(side == UP, self._rtt[session], 4e-4)
        soon = np.zeros(len(at), bool)
        near = at[1:] <= at[:-1] + wait[:-1] + DELAYED_S
        soon[:-1] = (session[1:] == session[:-1]) & (side[1:] != side[:-1]) & near
        alone = ~soon
        self._append(session[alone], 1 - side[alone], at[alone] + wait[alone], flags=ACK)

    def _append(
        self,
        session: Ints,
        side: Ints,
        at: NDArray[np.float64],
        flags: int,
        start: Ints | int = 0,
        length: Ints | int = 0,
        advance: int = 0,
    ) -> None:
        """More packets."""
        many = len(session)
        self._p_session = np.concatenate((self._p_session, session))
        self._p_side = np.concatenate((self._p_side, side))
        self._p_at = np.concatenate((self._p_at, at))
        self._p_from = np.concatenate((self._p_from, np.broadcast_to(start, many)))
        self._p_length = np.concatenate((self._p_length, np.broadcast_to(length, many)))
        self._p_flags = np.concatenate((self._p_flags, np.full(many, flags)))
        self._p_advance = np.concatenate((self._p_advance, np.full(many, advance)))

    def _controls(self) -> None:
        """SYN, SYN and ACK, ACK; FIN from both ends, ACK."""
        numbers = np.arange(len(self._sessions))
        first = np.full(len(numbers), np.inf)
        last = np.zeros(len(numbers))
        np.minimum.at(first, self._p_session, self._p_at)
        np.maximum.at(last, self._p_session, self._p_at)
        up, down = np.full(len(numbers), UP), np.full(len(numbers), DOWN)
        syn = {"start": self._options_at, "length": len(SYN_OPTIONS), "advance": 1}
        self._append(numbers, up, first - self._rtt - 2e-3, SYN, **syn)
        self._append(numbers, down, first - 1e-3, SYN | ACK, **syn)
        self._append(numbers, up, first - 5e-4, ACK)
        self._append(numbers, up, last + 1e-3, FIN | ACK, advance=1)
        self._append(numbers, down, last + 2e-3 + self._rtt, FIN | ACK, advance=1)
        self._append(numbers, up, last + 3e-3 + self._rtt, ACK)
        self.start_s = first

    def _number(self) -> None:
        """Sequence numbers from places in the stream; acknowledgements from what passed before."""
        session, side, flags = self._p_session, self._p_side, self._p_flags
        isn = np.array([s.isn for s in self._sessions], np.int64)
        base = np.zeros((len(self._sessions), 2), np.int64)
        ends = np.zeros((len(self._sessions), 2), np.int64)
        key = self._session * 2 + self._side
        firsts = np.flatnonzero(np.diff(key, prepend=-1))
        base.reshape(-1)[key[firsts]] = self._offset[firsts]
        np.add.at(ends.reshape(-1), key, self._size)
        data = (self._p_length > 0) & (flags & SYN == 0)
        by_time = np.lexsort((np.arange(len(self._p_at)), self._p_at, session))
        passed = np.zeros((len(by_time), 2), np.int64)
        passed[np.arange(len(by_time)), side[by_time]] = self._p_advance[by_time]
        total = np.cumsum(passed, axis=0)
        ordered = session[by_time]
        edge = np.flatnonzero(np.diff(ordered, prepend=-1))
        before = np.zeros((len(self._sessions), 2), np.int64)
        before[ordered[edge]] = total[edge] - passed[edge]
        count = np.empty((len(by_time), 2), np.int64)
        count[by_time] = total - before[ordered]
        rows = np.arange(len(by_time))
        sent = count[rows, side] - self._p_advance
        place = np.where(data, 1 + self._p_from - base[session, side], np.where(flags & SYN, 0, sent))
        place = np.where(flags & FIN, 1 + ends[session, side], place)
        self._p_seq = (isn[session, side] + place) & 0xFFFFFFFF
        acked = isn[session, 1 - side] + count[rows, 1 - side]
        self._p_ack = np.where(flags & ACK, acked & 0xFFFFFFFF, 0)

    def _all_headers(self) -> NDArray[np.uint8]:
        """Ethernet, IP and TCP with timestamps, one row a packet."""
        many = len(self._p_at)
        rows = np.zeros((many, HEADER_BYTES), np.uint8)
        up = self._p_side == UP
        ends = np.array([(*s.client, *s.server) for s in self._sessions], np.int64)[self._p_session]
        rows[:, 0:12] = np.where(up[:, None], _macs(2, 1), _macs(1, 2))
        rows[:, 12] = 8
        rows[:, 14] = 0x45
        _put(rows, 16, 52 + self._p_length, 2)
        _put(rows, 18, self._rng.integers(0, 65_536, many), 2)
        rows[:, 20], rows[:, 22], rows[:, 23] = 0x40, np.where(up, 64, 52), 6
        _put(rows, 26, np.where(up, ends[:, 0], ends[:, 2]), 4)
        _put(rows, 30, np.where(up, ends[:, 2], ends[:, 0]), 4)
        _put(rows, 24, ~_folded(_words(rows[:, 14:34])) & 0xFFFF, 2)
        _put(rows, 34, np.where(up, ends[:, 1], ends[:, 3]), 2)
        _put(rows, 36, np.where(up, ends[:, 3], ends[:, 1]), 2)
        _put(rows, 38, self._p_seq, 4)
        _put(rows, 42, self._p_ack, 4)
        rows[:, 46], rows[:, 47] = np.where(self._p_flags & SYN, 0xA0, 0x80), self._p_flags
        _put(rows, 48, np.full(many, 501), 2)
        self._timestamps(rows)
        pseudo = _words(rows[:, 26:34]) + 6 + 32 + self._p_length
        _put(rows, 50, ~_folded(pseudo + _words(rows[:, 34:66]) + self._payload_sums()) & 0xFFFF, 2)
        return rows

    def _timestamps(self, rows: NDArray[np.uint8]) -> None:
        """RFC 7323: each end's own milliseconds; the echo is as old as the way is long."""
        rows[:, 54:58] = (1, 1, 8, 10)
        milliseconds = (self._p_at * 1000).astype(np.int64)
        own = self._p_session * 2 + self._p_side
        offset = self._rng.integers(0, 2**31, 2 * len(self._sessions))
        echo = milliseconds - (self._rtt[self._p_session] * 1000).astype(np.int64)
        _put(rows, 58, milliseconds + offset[own], 4)
        _put(rows, 62, np.where(self._p_flags & ACK, echo + offset[own ^ 1], 0), 4)

    def _payload_sums(self) -> Ints:
        """Sum of the 16-bit words of each payload (RFC 1071)."""
        sums = np.zeros(len(self._p_length), np.int64)
        some = np.flatnonzero(self._p_length > 0)
        start = self._p_from[some]
        end = start + self._p_length[some]
        even = _range_sums(self.content[0::2], (start + 1) // 2, (end + 1) // 2)
        odd = _range_sums(self.content[1::2], start // 2, end // 2)
        sums[some] = np.where(start % 2 == 0, even * 256 + odd, odd * 256 + even)
        return sums

    def keep(self, from_s: NDArray[np.float64], until_s: NDArray[np.float64], loss: float) -> NDArray[np.bool_]:
        """The packets between two times of each session, less a part of them that is lost."""
        kept: NDArray[np.bool_] = (self._p_at >= from_s[self._p_session]) & (self._p_at <= until_s[self._p_session])
        if loss:
            kept &= self._rng.random(len(kept)) >= loss
        return kept

    def write(self, path: Path, mask: NDArray[np.bool_] | None = None) -> int:
        """Writes a capture in order of time; returns the number of packets."""
        rows = np.arange(len(self._p_at)) if mask is None else np.flatnonzero(mask)
        rows = rows[np.argsort(self._p_at[rows], kind="stable")]
        at_ns = (self._p_at[rows] * 1e9).astype(np.int64) + self._epoch_ns
        head = np.empty((len(rows), 4), "<u4")
        head[:, 0], head[:, 1] = at_ns // 10**9, at_ns % 10**9
        head[:, 2] = head[:, 3] = HEADER_BYTES + self._p_length[rows]
        lines = np.concatenate((head.view(np.uint8).reshape(len(rows), 16), self._headers[rows]), axis=1)
        width, header = lines.shape[1], memoryview(lines.tobytes())
        content = memoryview(self.content.tobytes())
        starts, lengths = self._p_from[rows].tolist(), self._p_length[rows].tolist()
        parts: list[bytes | memoryview] = [FILE_HEADER]
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            parts.append(header[row * width : (row + 1) * width])
            if length:
                parts.append(content[start : start + length])
        path.write_bytes(b"".join(parts))
        return len(rows)


def _macs(to: int, by: int) -> NDArray[np.uint8]:
    return np.array((2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, by), np.uint8)


def _put(rows: NDArray[np.uint8], at: int, values: Ints, width: int) -> None:
    """A number in network order."""
    for byte in range(width):
        rows[:, at + byte] = (values >> (8 * (width - 1 - byte))) & 255


def _words(rows: NDArray[np.uint8]) -> Ints:
    """Sum of the 16-bit words of each row."""
    total: Ints = rows[:, 0::2].sum(axis=1, dtype=np.int64) * 256 + rows[:, 1::2].sum(axis=1, dtype=np.int64)
    return total


def _folded(sums: Ints) -> Ints:
    sums = (sums >> 16) + (sums & 0xFFFF)
    folded: Ints = (sums >> 16) + (sums & 0xFFFF)
    return folded


def _range_sums(column: NDArray[np.uint8], start: Ints, end: Ints) -> Ints:
    """Sums of ranges of a column, empty ones too."""
    padded = np.concatenate((column, np.zeros(1, np.uint8)))
    edges = np.stack((start, end), axis=1).reshape(-1)
    sums = np.add.reduceat(padded, edges, dtype=np.uint32)[::2].astype(np.int64)
    return np.where(start == end, 0, sums)
