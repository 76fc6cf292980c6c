"""Set up, two channels opened, shares of both acknowledged in bulk, one refused."""

from __future__ import annotations

import struct

from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")


def frame(kind: int, payload: bytes, *, channel: bool = False) -> bytes:
    """One message with its header."""
    return struct.pack("<HB", 0x8000 if channel else 0, kind) + len(payload).to_bytes(3, "little") + payload


def text(value: str) -> bytes:
    """A string with its length."""
    return bytes([len(value)]) + value.encode()


def make(wire: Wire) -> None:
    """Play the session."""
    tcp = Tcp(wire, MINER, POOL, (40_000, 3333), 0).open()
    names = b"".join(text(name) for name in ("ExampleCo", "EX-9", "fw-1.0", ""))
    tcp.client(
        frame(0x00, struct.pack("<BHHI", 0, 2, 2, 1) + text("pool.example.test") + struct.pack("<H", 3333) + names)
    )
    tcp.server(frame(0x01, struct.pack("<HI", 2, 0)))
    for request, (login, hashes) in enumerate((("acct.a", 1 << 42), ("acct.b", 1 << 40)), 1):
        tcp.client(frame(0x10, struct.pack("<I", request) + text(login) + struct.pack("<f", 2e12) + b"\xff" * 32))
        target = ((1 << 256) // hashes - 1).to_bytes(32, "little")
        tcp.server(
            frame(0x11, struct.pack("<II", request, request) + target + b"\x04\xde\xad\xbe\xef" + struct.pack("<I", 0))
        )
        tcp.server(
            frame(
                0x15,
                struct.pack("<II", request, 1) + b"\0" + struct.pack("<I", 0x20000000) + b"\xab" * 32,
                channel=True,
            )
        )
    for sequence in range(1, 5):
        tcp.wait(5_000_000)
        for channel in (1, 2):
            tcp.client(
                frame(
                    0x1A, struct.pack("<IIIIII", channel, sequence, 1, sequence, 0x68951240, 0x20000000), channel=True
                )
            )
    tcp.server(frame(0x1C, struct.pack("<IIIQ", 1, 4, 4, 4000), channel=True))
    tcp.server(frame(0x1C, struct.pack("<IIIQ", 2, 3, 3, 3000), channel=True))
    tcp.server(frame(0x1D, struct.pack("<II", 2, 4) + text("stale-share"), channel=True))
    tcp.close()
