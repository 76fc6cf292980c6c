"""Which addresses are inside a network by definition, and what stands for what is hidden. Pure."""

from __future__ import annotations

import ipaddress

HIDDEN = "[redacted]"
#: Networks that are inside by definition: private, shared, link-local, loopback, unique local.
NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)


def is_inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address can only be one inside."""
    inner = getattr(address, "ipv4_mapped", None) or address
    return any(inner.version == network.version and inner in network for network in NETWORKS)
