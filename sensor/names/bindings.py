"""Addresses bound to pools' hosts by the look-ups of their clients: for the answer's lifetime and an hour, then weaker
by the hour, for a day at most. Bounded in bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from sensor.names.catalogue import ListedHost

#: Clients and resolvers go on using an answer past its lifetime: browsers for up to a minute, long-lived programs until
#: they connect again.
GRACE_NS = HOUR_NS
#: Nothing is bound for longer past that, and no lifetime counts for more (RFC 8767 section 4 has three days at most).
MOST_NS = DAY_NS
#: Workers hand over what they see within this of each other.
DISORDER_NS = 2 * SECOND_NS
#: Bytes held of all bindings; and what one takes about, with its host.
MAX_BINDING_BYTES, BINDING_BYTES = 4 << 20, 512


class Binding(NamedTuple):
    """A host whose look-up gave an address to a client, from when on, and until when for certain."""

    found: ListedHost
    bound_ns: int
    until_ns: int


class BoundHost(NamedTuple):
    """The host an address is bound to, and the bits that its weight has lost by now."""

    found: ListedHost
    lost_bits: float


class Bindings:
    """By client and address, the oldest first."""

    def __init__(self, max_bytes: int = MAX_BINDING_BYTES) -> None:
        self._most = max(1, max_bytes // BINDING_BYTES)
        self._bound: OrderedDict[tuple[bytes, bytes], Binding] = OrderedDict()
        self.dropped = 0  # bindings that still held and were given up for others

    def __len__(self) -> int:
        return len(self._bound)

    def bind(self, client: bytes, address: bytes, found: ListedHost, at_ns: int, ttl_s: int) -> None:
        """An answer came to a client."""
        until_ns = at_ns + min(max(0, ttl_s) * SECOND_NS, MOST_NS) + GRACE_NS
        before = self._bound.pop((client, address), None)
        if before is not None and before.found.host == found.host:
            at_ns, until_ns = min(at_ns, before.bound_ns), max(until_ns, before.until_ns)
        self._bound[client, address] = Binding(found, at_ns, until_ns)
        while len(self._bound) > self._most:
            _, oldest = self._bound.popitem(last=False)
            self.dropped += oldest.until_ns >= at_ns

    def find(self, client: bytes, address: bytes, at_ns: int) -> BoundHost | None:
        """The host that a client looked up before it connected to an address at this time."""
        bound = self._bound.get((client, address))
        if bound is None or at_ns < bound.bound_ns - DISORDER_NS:
            return None
        late_ns = at_ns - bound.until_ns
        if late_ns > MOST_NS:
            del self._bound[client, address]
            return None
        return BoundHost(bound.found, max(0, late_ns) / HOUR_NS)
