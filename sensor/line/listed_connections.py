"""The connections that a finding lists: so many of the newest, packed. Plain data in, the same out; no time here.

As objects a connection of forty shares takes 3.1 KB, and a finding has hundreds of them. They are looked at when the
finding is reported, minutes apart. Packed, those of one miner differ in little: each is written by what it has beyond
the first, in some 70 to 700 bytes. All of a finding stand in one block: what lasts for weeks has no block of its own
between those of a burst, which would keep a page of the heap each.
"""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise

from sensor.model.flow import FlowSummary, flow_order

#: Deflate (RFC 1951) with a window of 4 KiB, which has room for what connections have in common, and as little working
#: memory as goes with it: raw, with the parameters of zlib's manual.
WINDOW_BITS, LEVEL, MEMORY = -12, 6, 5


class ListedConnections:
    """At most so many connections, the newest by `flow_order`; they are given back as they were."""

    __slots__ = ("_ends", "_firsts", "_lasts", "_numbers", "_packed", "_pattern", "_sizes")

    def __init__(self) -> None:
        self._pattern = b""  # the first connection, which the others resemble
        self._packed, self._sizes = bytearray(), array("L")  # all of them, and how long each is
        self._firsts, self._lasts, self._numbers = array("q"), array("q"), array("q")  # their `flow_order`
        self._ends = array("q")  # hashes of their Community IDs

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[FlowSummary]:
        """All of them, in the order in which they came."""
        return map(self._unpacked, self._places())

    def add(self, flow: FlowSummary, most: int) -> None:
        """List one more; the oldest leaves where there would be more than `most`."""
        # Only what was packed here is ever unpacked: nothing of it comes from outside.
        data = pickle.dumps(flow, pickle.HIGHEST_PROTOCOL)
        self._pattern = self._pattern or data
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY, zlib.Z_DEFAULT_STRATEGY, self._pattern)
        packed = packer.compress(data) + packer.flush()
        self._packed += packed
        values = (len(packed), *flow_order(flow), hash(flow.key.community_id))
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        if len(self) > most:
            self._drop_oldest()

    def alike(self, community_id: str, most: int) -> list[FlowSummary]:
        """Of those between these ends the last `most` that came."""
        ends = hash(community_id)
        places = [place for place, other in zip(self._places(), self._ends, strict=True) if other == ends][-most:]
        found = map(self._unpacked, places)
        return [flow for flow in found if flow.key.community_id == community_id]

    def copy(self) -> ListedConnections:
        """The same, to list more in."""
        other = ListedConnections()
        other._pattern, other._packed = self._pattern, bytearray(self._packed)
        for column, mine in zip(other._columns, self._columns, strict=True):
            column.extend(mine)
        return other

    @property
    def _columns(self) -> tuple[array[int], ...]:
        return self._sizes, self._firsts, self._lasts, self._numbers, self._ends

    def _places(self) -> Iterator[tuple[int, int]]:
        """Where each begins and ends."""
        return pairwise(accumulate(self._sizes, initial=0))

    def _drop_oldest(self) -> None:
        orders = zip(self._firsts, self._lasts, self._numbers, strict=True)
        place = min(enumerate(orders), key=lambda item: item[1])[0]
        begin = sum(self._sizes[:place])
        del self._packed[begin : begin + self._sizes[place]]
        for column in self._columns:
            del column[place]

    def _unpacked(self, place: tuple[int, int]) -> FlowSummary:
        unpacker = zlib.decompressobj(WINDOW_BITS, self._pattern)
        data = unpacker.decompress(self._packed[place[0] : place[1]]) + unpacker.flush()
        flow: FlowSummary = pickle.loads(data)
        return flow
