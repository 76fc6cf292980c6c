"""Addresses that answer to several unrelated names on this link: those of content networks and shared hosting. Counted
by registrable domains, from look-ups and from the names that clients send. Bounded in bytes.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from sensor.model.domain import registrable
from sensor.model.time import DAY_NS

#: A pool's address has its own domain, and perhaps that of a friend or of its operator's shop. Three are a house with
#: many tenants.
SHARED_BY = 3
#: Bytes held of all addresses; and what one takes about.
MAX_ADDRESS_BYTES, ADDRESS_BYTES = 16 << 20, 384

Domains = tuple[tuple[int, int], ...]  # CRC-32 of a domain, and when it was seen last


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
        domain = zlib.crc32(registrable(host).encode("utf-8", "replace"))
        for address in addresses:
            before = self._domains.pop(address, ())
            others = [item for item in before if item[0] != domain and at_ns - item[1] <= DAY_NS]
            self._domains[address] = (*others[-(SHARED_BY - 1) :], (domain, at_ns))
        while len(self._domains) > self._most:
            _, oldest = self._domains.popitem(last=False)
            self.dropped += at_ns - oldest[-1][1] <= DAY_NS

    def is_shared(self, address: bytes, at_ns: int) -> bool:
        """Whether an address answered to several unrelated names within a day before."""
        domains = self._domains.get(address, ())
        return sum(at_ns - seen_ns <= DAY_NS for _, seen_ns in domains) >= SHARED_BY
