"""Captures of TLS sessions with a name, for tests of the whole way from packets to what is reported."""

from __future__ import annotations

from pathlib import Path

from tests.core.captures import Talk, pcap
from tests.core.tls_bytes import (
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    client_hello,
    opening,
    packets,
    record,
    sealed,
    server_hello,
)

#: Without these nothing of TLS is looked at.
THIN = ["--set", "limits.thin_flows=1000"]


def visit(number: int, name: str, port: int, *, minutes: int = 11) -> list[tuple[int, bytes]]:
    """A session of TLS 1.3 with this name that goes on for so long, a record each way every ten seconds."""
    flights = (
        (0, record(HANDSHAKE, client_hello(sni=name.encode() or None), 0x0301)),
        (1, record(HANDSHAKE, server_hello()) + record(CHANGE_CIPHER_SPEC, b"\1") + sealed(900)),
        (0, record(CHANGE_CIPHER_SPEC, b"\1") + sealed(53)),
    )
    turns = opening(flights)
    for step in range(minutes * 6):
        turns += [(1.0 + 10 * step, 0, sealed(150)), (1.1 + 10 * step, 1, sealed(90))]
    talk = Talk(ports=(41_000 + number, port), addresses=(bytes([10, 0, 1, number]), bytes([10, 9, 1, number])))
    return packets(turns, talk=talk)


def capture(path: Path, *sessions: list[tuple[int, bytes]]) -> Path:
    """All of them in one file, by time."""
    path.write_bytes(pcap(sorted(packet for session in sessions for packet in session)))
    return path
