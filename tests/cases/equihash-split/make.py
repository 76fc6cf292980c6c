"""An equihash session; the writer cuts the long submits into segments."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def make(wire: Wire) -> None:
    """Play the session."""
    miners.equihash(
        Tcp(wire, MINER, POOL, (47_001, 3443), 0), f"{miners.ZEC}.miner1", "nheqminer/0.5c", 8, 12.0, frozenset({5})
    )
