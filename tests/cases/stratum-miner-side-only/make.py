"""A whole session, of which only the frames sent by the miner are kept."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def make(wire: Wire) -> None:
    """Play the session, then drop every frame that the pool sent."""
    miners.stratum(Tcp(wire, MINER, POOL, (40_000, 3333), 0), f"{miners.BTC}.rig", "cgminer/4.12.1", 12, 8.0)
    miner = bytes.fromhex(MINER.mac.replace(":", ""))
    wire.frames = [frame for frame in wire.frames if frame[2][6:12] == miner]
