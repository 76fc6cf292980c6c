"""What a listed name says, by what is behind it and how it was seen. Pure.

Only a host that is for miners alone names a pool. A domain itself, and hosts like www and api, are visited by people
and programs that do not mine: their names are never more than looked up, whatever a list says.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sensor.model.evidence import Grade
from sensor.model.time import MINUTE_NS
from sensor.signatures.pools import PoolEntry, PoolTable, Serves, may_serve_stratum

#: How a name was seen in a connection: sent by the client (SNI), shown by the server (its certificate), or asked of a
#: proxy or a web server (CONNECT, Host).
Way = Literal["sent", "shown", "asked"]
#: A visit is over by then: browsers and programs close what is idle after one to some minutes (RFC 9112 section 9.5
#: leaves it to them; 60 to 115 s in common ones).
LONG_NS = 10 * MINUTE_NS


class ListedHost(NamedTuple):
    """A host that the catalogue knows, and what is behind it."""

    host: str
    row: PoolEntry
    serves: Serves

    @property
    def is_stratum(self) -> bool:
        """Whether miners alone are sent there."""
        return self.serves == "stratum"

    def has_port(self, port: int) -> bool:
        """Whether the row lists a port as one that miners are sent to."""
        return port in self.row.ports or port in self.row.tls_ports


class NameClaim(NamedTuple):
    """What a name comes to: its grade, and its strength among the weights of the kind `named`."""

    grade: Grade
    strength: str


def listed(pools: PoolTable, host: str) -> ListedHost | None:
    """The catalogue's row for a host, by the longest suffix of whole labels."""
    row = pools.lookup(host) if host else None
    if row is None:
        return None
    serves = row.serves if row.serves != "stratum" or may_serve_stratum(host) else "both"
    return ListedHost(host, row, serves)


def looked_up(found: ListedHost) -> NameClaim:
    """What a look-up alone says."""
    return NameClaim(Grade.LOOKED_UP, "stale" if found.row.stale else "looked-up")


def seen_in_connection(found: ListedHost, way: Way, port: int, lasted_ns: int) -> NameClaim:
    """What a name says that was seen in a connection to this port, which has lasted so long by now."""
    if not found.is_stratum:
        return NameClaim(Grade.LOOKED_UP, "stale" if found.row.stale else "visited")
    if found.has_port(port) or lasted_ns > LONG_NS:
        return NameClaim(Grade.NAMED, way)
    return NameClaim(Grade.CONTACTED, "elsewhere")


def shown_by_certificate(pools: PoolTable, names: tuple[str, ...]) -> ListedHost | None:
    """The host that a certificate names. It names one for miners only where all of its names are: a certificate with a
    web site among them is shown to visitors, too.
    """
    found = [listed(pools, name.removeprefix("*.")) for name in names]
    hosts = [host for host in found if host is not None]
    if not hosts:
        return None
    if len(hosts) == len(found) and all(host.is_stratum for host in hosts):
        return hosts[0]
    visited = next((host for host in hosts if not host.is_stratum), hosts[0])
    return visited._replace(serves="both")
