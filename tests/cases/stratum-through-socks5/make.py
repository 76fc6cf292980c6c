"""A proxy is asked, with user and password, for a pool by its name; then a whole session is spoken through it."""

from __future__ import annotations

from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host

MINER, PROXY = host("198.51.100.9"), host("203.0.113.9")


class Proxied(Tcp):
    """A connection that speaks with the proxy first."""

    def open(self) -> Tcp:
        """Handshake, method, password, request."""
        super().open()
        self.client(b"\x05\x02\x00\x02").server(b"\x05\x02")
        self.client(b"\x01\x04anna\x06secret").server(b"\x01\x00")
        self.client(b"\x05\x01\x00\x03\x11pool.example.test" + (3333).to_bytes(2, "big"))
        self.server(b"\x05\x00\x00\x01" + bytes(6))
        return self


def make(wire: Wire) -> None:
    """Play the session."""
    miners.stratum(
        Proxied(wire, MINER, PROXY, (40_000, 1080), 0), f"{miners.BTC}.rig", "cgminer/4.12.1", 12, 8.0, frozenset({3})
    )
