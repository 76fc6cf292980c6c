"""Addresses of pools learnt from clear sessions on this link: whole for a day after the last one, then weaker by the
day, for a week at most. Bounded in number.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sensor.model.time import DAY_NS

#: A pool's server keeps its address for months; a rented one is somebody else's within days.
WHOLE_NS, MOST_NS = DAY_NS, 7 * DAY_NS
#: Addresses kept (about 1 KB each with their ports), and ports of each.
MAX_LEARNT, MAX_PORTS = 4_096, 16


@dataclass(slots=True)
class LearntAddress:
    """Where a share was accepted in clear."""

    miner: str  # whose session it was first
    first_ns: int
    last_ns: int
    ports: set[int] = field(default_factory=set)
    by_several: bool = False  # whether another miner's session was there, too

    def lost_bits(self, at_ns: int) -> float | None:
        """The bits that its weight has lost at this time; None when it is forgotten."""
        late_ns = at_ns - self.last_ns - WHOLE_NS
        if late_ns > MOST_NS - WHOLE_NS:
            return None
        return max(0, late_ns) / DAY_NS

    def is_circular(self, miner: str, port: int) -> bool:
        """Whether all that it rests on is what this miner itself did there."""
        return not self.by_several and self.miner == miner and port in self.ports


class LearntAddresses:
    """By address, those confirmed longest ago first."""

    def __init__(self, most: int = MAX_LEARNT) -> None:
        self._most = most
        self._learnt: OrderedDict[str, LearntAddress] = OrderedDict()
        self.dropped = 0  # addresses still of use that were given up for others

    def __len__(self) -> int:
        return len(self._learnt)

    def learn(self, address: str, port: int, miner: str, first_ns: int, last_ns: int) -> LearntAddress:
        """A share of a miner was accepted there in a session of this time."""
        entry = self._learnt.pop(address, None) or LearntAddress(miner, first_ns, last_ns)
        entry.first_ns, entry.last_ns = min(entry.first_ns, first_ns), max(entry.last_ns, last_ns)
        entry.by_several = entry.by_several or entry.miner != miner
        if len(entry.ports) < MAX_PORTS:
            entry.ports.add(port)
        self._learnt[address] = entry
        while len(self._learnt) > self._most:
            _, oldest = self._learnt.popitem(last=False)
            self.dropped += oldest.lost_bits(last_ns) is not None
        return entry

    def shared(self, since_ns: int, most: int) -> list[tuple[str, LearntAddress]]:
        """The newest of those that were confirmed since then and rest on several miners, so that nothing of one miner
        comes back to it from another sensor."""
        found = [(address, entry) for address, entry in self._learnt.items() if entry.by_several]
        return [(address, entry) for address, entry in found[-most:] if entry.last_ns >= since_ns]

    def find(self, address: str) -> LearntAddress | None:
        """What was learnt of an address."""
        return self._learnt.get(address)
