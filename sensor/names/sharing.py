"""Addresses that answer to several unrelated names on this link: those of content networks and shared hosting. Counted
by registrable domains, from look-ups and from the names that clients send. Bounded in bytes.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from sensor.model.domain import registrable
from sensor.model.time import HOUR_NS

#: A pool's address has its own domain, and perhaps that of a friend or of its operator's shop. Three are a house with
#: many tenants.
SHARED_BY = 3
#: Bytes held of all addresses; and what one takes about.
MAX_ADDRESS_BYTES, ADDRESS_BYTES = 16 << 20, 384

#: Hours that an address is shared for after it was; a core tells of a domain once in each (docs/border.md).
DAY_HOURS = 24

Domains = tuple[tuple[int, int], ...]  # CRC-32 of a domain, and the last hour in which it was seen


class SharedAddresses:
    """Domains by address, the addresses seen longest ago first."""

    def __init__(self, max_bytes: int = MAX_ADDRESS_BYTES) -> None:
        self._most = max(1, max_bytes // ADDRESS_BYTES)
        self._domains: OrderedDict[bytes, Domains] = OrderedDict()
        self.dropped = 0  # addresses seen within a day and given up for others

    def __len__(self) -> int:
        return len(self._domains)

    def note(self, addresses: tuple[bytes, ...], host: str, at_ns: int) -> None:
        """A name was looked up as these addresses, or sent to one."""
        hour = at_ns // HOUR_NS
        domain = zlib.crc32(registrable(host).encode("utf-8", "replace"))
        for address in addresses:
            before = self._domains.pop(address, ())
            others = [item for item in before if item[0] != domain and hour - item[1] <= DAY_HOURS]
            self._domains[address] = (*others[-(SHARED_BY - 1) :], (domain, hour))
        while len(self._domains) > self._most:
            _, oldest = self._domains.popitem(last=False)
            self.dropped += hour - oldest[-1][1] <= DAY_HOURS

    def is_shared(self, address: bytes, at_ns: int) -> bool:
        """Whether an address answered to several unrelated names within a day before."""
        domains = self._domains.get(address, ())
        hour = at_ns // HOUR_NS
        return sum(hour - seen_hour <= DAY_HOURS for _, seen_hour in domains) >= SHARED_BY
