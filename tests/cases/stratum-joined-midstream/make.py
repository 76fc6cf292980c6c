"""A whole session, of which everything before the first share is then lost."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def make(wire: Wire) -> None:
    """Play the session, then drop what came before the first submit."""
    miners.stratum(
        Tcp(wire, MINER, POOL, (40_000, 3333), 0), f"{miners.BTC}.rig", "cgminer/4.12.1", 12, 8.0, frozenset({3})
    )
    first = next(at for at, _, data in wire.frames if b"mining.submit" in data)
    wire.frames = [frame for frame in wire.frames if frame[0] >= first]
