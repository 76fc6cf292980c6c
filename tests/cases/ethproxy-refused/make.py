"""An eth-proxy session of five shares, of which the pool accepts one."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def make(wire: Wire) -> None:
    """Play the session."""
    miners.ethproxy(Tcp(wire, MINER, POOL, (47_000, 8008), 0), miners.ETC, "rig3", 5, 20.0, frozenset({1, 2, 3, 4}))
