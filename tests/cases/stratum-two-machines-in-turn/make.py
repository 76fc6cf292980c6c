"""Two machines of one rig name behind one address, never connected at the same time; one restarts at the end."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")
POOL_ZERO, FIRST, SECOND, FIRST_RESTARTED = 77_000, 1_000_000_000, 2_345_678_901, 3_456_789_012


def make(wire: Wire) -> None:
    """First, second, first again, second again, and the first after a restart: each ends before the next begins."""
    at_us = 0
    for number, zero_ms in enumerate((FIRST, SECOND, FIRST, SECOND, FIRST_RESTARTED)):
        tcp = Tcp(wire, MINER, POOL, (40_000 + number, 3333), at_us)
        tcp.zeros_ms = (zero_ms, POOL_ZERO)
        miners.stratum(tcp, f"{miners.BTC}.rig", "cgminer/4.12.1", 4, 8.0)
        at_us = tcp.now + 5 * miners.SECOND
