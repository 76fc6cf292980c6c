"""IP fragments put together again (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds.

Takes a fragment's place and bytes, gives the whole payload when it is complete; where fragments contradict each other,
in both readings. Headers and addresses are the caller's.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.model.limits import CoreLimits
from sensor.model.time import SECOND_NS
from sensor.reference.counters import Counters
from sensor.reference.pieces import Pieces

TIMEOUT_NS = 30 * SECOND_NS  # RFC 8200 section 4.5 allows 60 s; Linux keeps them 30 s (net.ipv4.ipfrag_time)
DATAGRAM_MAX_BYTES = 65_535
SPAN_BYTES = 8  # what a fragment of the other reading costs besides its bytes

#: source, destination, identification, protocol, address length
DatagramKey = tuple[bytes, bytes, int, int, int]


class DatagramReadings(NamedTuple):
    """A payload that is whole."""

    first: bytes  # the first bytes win
    other: bytes | None  # the later ones do, where fragments contradicted each other


class _Datagram:
    __slots__ = ("first_ns", "is_over", "later", "pieces", "total")

    def __init__(self, first_ns: int) -> None:
        self.first_ns = first_ns
        self.pieces = Pieces()
        self.total: int | None = None  # known from the last fragment
        self.later: list[tuple[int, bytes]] = []  # what came since a fragment contradicted others
        self.is_over = False  # it was more than may be held

    def add(self, offset: int, data: bytes) -> bool:
        """Take a fragment; whether it contradicts others."""
        conflict = self.pieces.hold(offset, data)
        if (conflict or self.later) and not self.is_over:
            self.later.append((offset, data))
            if sum(len(data) for _, data in self.later) > DATAGRAM_MAX_BYTES:
                self.later, self.is_over = [], True
        return conflict

    def weight(self) -> int:
        """Bytes held of it."""
        return self.pieces.held_bytes + sum(len(data) + SPAN_BYTES for _, data in self.later)

    def readings(self) -> DatagramReadings:
        """The whole payload, and its other reading if there is one."""
        first = b"".join(self.pieces.datas)
        other = bytearray(first)
        for offset, data in self.later:
            other[offset : offset + len(data)] = data
        return DatagramReadings(first, None if other == first else bytes(other))


class Fragments:
    def __init__(self, limits: CoreLimits, counters: Counters) -> None:
        self._max_datagrams = limits.fragments
        self._max_bytes = limits.fragment_bytes
        self._counters = counters
        self._datagrams: dict[DatagramKey, _Datagram] = {}  # in order of their first fragment
        self._bytes = 0

    def add(self, ts_ns: int, key: DatagramKey, offset: int, more: bool, data: bytes) -> DatagramReadings | str:
        """The whole payload if this fragment completes it, else the reason to ignore the frame."""
        end = offset + len(data)
        if end > DATAGRAM_MAX_BYTES or (more and (not data or len(data) % 8)):
            return "fragment"
        datagram = self._datagrams.get(key)
        if datagram is not None and ts_ns - datagram.first_ns > TIMEOUT_NS:
            self._drop(key)
            datagram = None
        if datagram is None:
            datagram = self._datagrams[key] = _Datagram(ts_ns)
        total = datagram.total if more else end
        if datagram.total not in (None, total) or (total is not None and max(end, datagram.pieces.end()) > total):
            return "fragment"  # two ends that disagree: what is already there is believed, as with overlapping bytes
        datagram.total = total
        weight_before = datagram.weight()
        self._counters["overlap_conflicts"] += datagram.add(offset, data)
        self._bytes += datagram.weight() - weight_before
        if datagram.pieces.held_bytes == total:
            self._drop(key)
            return datagram.readings()
        while len(self._datagrams) > self._max_datagrams or self._bytes > self._max_bytes:
            self._drop(next(iter(self._datagrams)))
            self._counters["fragments_evicted"] += 1
        return "fragment_held"

    def _drop(self, key: DatagramKey) -> None:
        self._bytes -= self._datagrams.pop(key).weight()

    def sweep(self, ts_ns: int) -> None:
        for key in [key for key, datagram in self._datagrams.items() if ts_ns - datagram.first_ns > TIMEOUT_NS]:
            self._drop(key)

    def clear(self) -> None:
        self._datagrams.clear()
        self._bytes = 0
