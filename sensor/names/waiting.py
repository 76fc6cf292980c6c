"""Connections without a name whose server may yet prove to be a pool: a clear session there may end, and be read, after
them. Bounded in number.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import NamedTuple

from sensor.model.address import MAPPED
from sensor.names.sessions import ConnectionEnds

IPV6_BYTES = 16
#: Connections kept, one for each client, server and port; about 1 KB each.
MAX_WAITING = 4_096


class NamelessKey(NamedTuple):
    """A client, and the server's end."""

    server: bytes  # of IPv4 where it is mapped into IPv6 (RFC 4291 section 2.5.5.2)
    client: bytes
    port: int


class Nameless(NamedTuple):
    """A connection, as long as it was seen."""

    ends: ConnectionEnds
    last_ns: int


class WaitingContacts:
    """Connections by the server's address, the oldest first."""

    def __init__(self, most: int = MAX_WAITING) -> None:
        self._most = most
        self._contacts: OrderedDict[NamelessKey, Nameless] = OrderedDict()
        self._of_server: defaultdict[bytes, set[NamelessKey]] = defaultdict(set)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._contacts)

    def add(self, ends: ConnectionEnds, last_ns: int) -> None:
        """A connection was there until now."""
        server = ends.server.removeprefix(MAPPED) if len(ends.server) == IPV6_BYTES else ends.server
        key = NamelessKey(server, ends.client, ends.port)
        before = self._contacts.pop(key, None)
        if before is not None:
            last_ns = max(last_ns, before.last_ns)
        self._contacts[key] = Nameless(ends, last_ns)
        self._of_server[server].add(key)
        while len(self._contacts) > self._most:
            oldest, _ = self._contacts.popitem(last=False)
            self.dropped += 1
            self._of_server[oldest.server].discard(oldest)
            if not self._of_server[oldest.server]:
                del self._of_server[oldest.server]

    def of(self, server: bytes) -> list[Nameless]:
        """The connections to a server, in a fixed order."""
        return [self._contacts[key] for key in sorted(self._of_server.get(server, ()))]
