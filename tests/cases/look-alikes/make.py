"""Every look-alike of the demo, alone."""

from __future__ import annotations

from tests.demo import ordinary
from tests.demo.wire import Tcp, Wire, host

DESK, SERVER = host("198.51.100.42"), host("192.0.2.140")


def make(wire: Wire) -> None:
    """Play all of them."""
    ordinary.electrum(Tcp(wire, DESK, SERVER, (50_001, 50_001), 0), minutes=3)
    ordinary.dispatcher(Tcp(wire, DESK, SERVER, (50_002, 9_100), 1_000_000))
    ordinary.language_server(Tcp(wire, DESK, SERVER, (50_003, 2_087), 2_000_000))
    ordinary.web(
        Tcp(wire, DESK, SERVER, (50_004, 80), 3_000_000), "docs.example.org", "/stratum", ordinary.STRATUM_PAGE.encode()
    )
    ordinary.mail(Tcp(wire, DESK, SERVER, (50_005, 25), 4_000_000), "desk@example.com", "plant@example.org")
    ordinary.bitcoin_node(Tcp(wire, DESK, SERVER, (50_006, 8333), 5_000_000))
