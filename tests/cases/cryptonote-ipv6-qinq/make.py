"""A cryptonote session between IPv6 hosts, its frames tagged twice."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("2001:db8:7::10"), host("2001:db8:ff::88")

TAGS = bytes.fromhex("88a8000781000123")


def make(wire: Wire) -> None:
    """Play the session, then tag every frame."""
    agent = "XMRig/6.21.0 (Windows NT 10.0; Win64; x64)"
    miners.cryptonote(Tcp(wire, MINER, POOL, (50_123, 443), 0), miners.XMR, agent, 9, 15.0, frozenset({1, 6}))
    wire.frames = [(at, number, data[:12] + TAGS + data[12:]) for at, number, data in wire.frames]
