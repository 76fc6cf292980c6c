"""A session on port 443, each frame followed by its tagged copy."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def make(wire: Wire) -> None:
    """Play the session, then put a copy with a VLAN tag 3 microseconds behind each frame."""
    miners.stratum(
        Tcp(wire, MINER, POOL, (40_000, 443), 0), f"{miners.BTC}.rig", "bmminer/2.0.0", 10, 8.0, frozenset({2})
    )
    tagged = [(at + 3, number, data[:12] + bytes.fromhex("81000064") + data[12:]) for at, number, data in wire.frames]
    wire.frames = wire.frames + tagged
