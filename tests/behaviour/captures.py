"""Captures of encrypted sessions: a family's records as TLS 1.3 over TCP, a packet for each, behind hellos."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from pathlib import Path

import dpkt

from tests.behaviour.evaluate import dialect_families, ordinary_families

BEGAN_S = 1_700_000_000
SEGMENT_BYTES = 1_400
#: A ClientHello and a ServerHello with the least that may be in them: TLS 1.3, AES-128-GCM (RFC 8446 section 4.1).
VERSIONS_OF_CLIENT, VERSION_OF_SERVER = bytes.fromhex("002b0003020304"), bytes.fromhex("002b00020304")


def hello(kind: int, middle: bytes, extensions: bytes) -> bytes:
    """A record with one hello."""
    body = bytes((3, 3)) + bytes(32) + b"\0" + middle + struct.pack("!H", len(extensions)) + extensions
    return record(22, bytes((kind,)) + len(body).to_bytes(3, "big") + body)


def record(content_type: int, body: bytes) -> bytes:
    return struct.pack("!BHH", content_type, 0x0303, len(body)) + body


CLIENT_HELLO = hello(1, bytes.fromhex("000213010100"), VERSIONS_OF_CLIENT)
SERVER_HELLO = hello(2, bytes.fromhex("130100"), VERSION_OF_SERVER)


class Connection:
    """One TCP connection to a server."""

    def __init__(self, number: int) -> None:
        self.ends = ((bytes((192, 0, 2, 6 + number)), 40_000 + number), (bytes((198, 51, 100, 8 + number)), 9_200))
        self.numbers = [1_000, 5_000]

    def packets(self, side: int, data: bytes, flags: int = dpkt.tcp.TH_ACK) -> list[bytes]:
        """The frames that carry these bytes."""
        cuts = range(0, max(1, len(data)), SEGMENT_BYTES)
        return [self._frame(side, data[at : at + SEGMENT_BYTES], flags) for at in cuts]

    def _frame(self, side: int, data: bytes, flags: int) -> bytes:
        (source, sport), (target, dport) = self.ends[side], self.ends[1 - side]
        numbers = {"seq": self.numbers[side], "ack": self.numbers[1 - side]}
        segment = dpkt.tcp.TCP(sport=sport, dport=dport, flags=flags, **numbers)
        segment.data = data
        self.numbers[side] += len(data) + bool(flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_FIN))
        packet = dpkt.ip.IP(src=source, dst=target, p=dpkt.ip.IP_PROTO_TCP, data=segment, len=40 + len(data))
        return bytes(dpkt.ethernet.Ethernet(src=b"\2" * 6, dst=b"\4" * 6, data=packet))


def capture(path: Path, families: Sequence[str], until_s: float = 3_600.0) -> None:
    """Write a session of each family, the first that of 192.0.2.7 with 198.51.100.9."""
    made, frames = dialect_families() | ordinary_families(), list[tuple[float, bytes]]()
    for number, family in enumerate(families, 1):
        trace, _ = made[family](random.Random(f"{family} 0"), until_s, 0.0)
        connection = Connection(number)
        for side, data, flags in (
            (0, b"", dpkt.tcp.TH_SYN),
            (1, b"", dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK),
            (0, CLIENT_HELLO, dpkt.tcp.TH_ACK),
            (1, SERVER_HELLO, dpkt.tcp.TH_ACK),
        ):
            frames += [(BEGAN_S, frame) for frame in connection.packets(side, data, flags)]
        for at_ns, side, length in zip(trace.times_ns, trace.directions, trace.lengths, strict=True):
            sealed = record(23, random.Random(at_ns).randbytes(length + 17))
            frames += [(BEGAN_S + 1 + at_ns / 1e9, frame) for frame in connection.packets(side, sealed)]
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for at_s, frame in sorted(frames, key=lambda row: row[0]):
            writer.writepkt(frame, at_s)
