"""Captures made byte by byte for the tests of the cores.

Pcap records, pcapng blocks, and IPv4 packets with right checksums.

Written from the formats' texts, not from a core, and without scapy: the property tests build thousands of packets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
ETHERNET, RAW_IPV4 = 1, 228
SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
CLIENT_PORT, SERVER_PORT = 40_000, 3_333

#: time in ns and the captured bytes
Packet = tuple[int, bytes]


def pcap_header(link: int = RAW_IPV4, *, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)


def pcap_record(
    ts_ns: int, data: bytes, *, order: str = "<", unit_ns: int = 1_000, extra: bytes = b"", length: int | None = None
) -> bytes:
    seconds, rest = divmod(ts_ns, SECOND)
    captured = len(data) if length is None else length
    return struct.pack(order + "IIII", seconds, rest // unit_ns, captured, len(data)) + extra + data


def pcap(packets: Iterable[Packet], link: int = RAW_IPV4) -> bytes:
    """Nanoseconds, so that a test's times come back as they are."""
    return pcap_header(link, magic=0xA1B23C4D) + b"".join(pcap_record(ts, data, unit_ns=1) for ts, data in packets)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = RAW_IPV4, *, order: str = "<", snaplen: int = 0, options: bytes = b"") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(units: int, data: bytes, *, order: str = "<", number: int = 0, length: int | None = None) -> bytes:
    captured = len(data) if length is None else length
    return block(
        6, struct.pack(order + "5I", number, units >> 32, units & 0xFFFFFFFF, captured, len(data)) + data, order
    )


def simple(data: bytes, *, order: str = "<", wire: int | None = None) -> bytes:
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)


def obsolete(units: int, data: bytes, *, order: str = "<", number: int = 0) -> bytes:
    return block(
        2, struct.pack(order + "HHIIII", number, 0, units >> 32, units & 0xFFFFFFFF, len(data), len(data)) + data, order
    )


def checksum(data: bytes) -> int:
    """RFC 1071, word by word."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    src: bytes,
    dst: bytes,
    proto: int,
    payload: bytes,
    *,
    identification: int = 0,
    place: int = 0,
    total: int | None = None,
) -> bytes:
    length = 20 + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, identification, place, 64, proto, 0, src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src: bytes, dst: bytes, proto: int, payload: bytes) -> bytes:
    return struct.pack(">IHBB16s16s", 6 << 28, len(payload), proto, 64, src, dst) + payload


def tcp_header(
    src: bytes, dst: bytes, ports: tuple[int, int], seq: int, ack: int, flags: int, payload: bytes, options: bytes = b""
) -> bytes:
    options += bytes(-len(options) % 4)
    offset = (5 + len(options) // 4) << 4
    head = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset, flags, 8_192, 0, 0) + options
    pseudo = src + dst + struct.pack(">HH", 6, len(head) + len(payload))
    return head[:16] + struct.pack(">H", checksum(pseudo + head + payload)) + head[18:]


def timestamp(tsval: int, tsecr: int = 0) -> bytes:
    """The timestamps option (RFC 7323 section 3.2) behind the two paddings that everyone puts there."""
    return b"\x01\x01\x08\x0a" + struct.pack(">II", tsval & 0xFFFFFFFF, tsecr & 0xFFFFFFFF)


def udp(src: bytes, dst: bytes, ports: tuple[int, int], payload: bytes) -> bytes:
    head = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
    pseudo = src + dst + struct.pack(">HH", 17, len(head) + len(payload))
    return ipv4(src, dst, 17, head[:6] + struct.pack(">H", checksum(pseudo + head + payload) or 0xFFFF) + payload)


class Talk:
    """Packets of one TCP conversation, direction 0 from the client; sequence numbers from each side's initial one."""

    def __init__(
        self,
        *,
        initial: tuple[int, int] = (1_000, 9_000),
        ports: tuple[int, int] = (CLIENT_PORT, SERVER_PORT),
        addresses: tuple[bytes, bytes] = (CLIENT, SERVER),
        options: bytes = b"",
    ) -> None:
        self.options = options  # of every TCP header
        self.initial = initial
        self.ports = ports
        self.addresses = addresses

    def packet(self, direction: int, flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> bytes:
        """`seq` and `ack` as they stand in the header."""
        src, dst = self.addresses[direction], self.addresses[1 - direction]
        ports = (self.ports[direction], self.ports[1 - direction])
        ip = ipv4 if len(src) == 4 else ipv6
        return ip(src, dst, 6, tcp_header(src, dst, ports, seq, ack, flags, payload, self.options) + payload)

    def data(self, direction: int, offset: int, payload: bytes, *, acked: int = 0, flags: int = ACK) -> bytes:
        """Payload at a stream offset; `acked` is how many bytes of the other side's stream are acknowledged."""
        ack = self.initial[1 - direction] + 1 + acked
        return self.packet(direction, flags, self.initial[direction] + 1 + offset, ack, payload)

    def handshake(self) -> list[bytes]:
        client, server = self.initial
        return [
            self.packet(0, SYN, client),
            self.packet(1, SYN | ACK, server, client + 1),
            self.packet(0, ACK, client + 1, server + 1),
        ]

    def fin(self, direction: int, offset: int, payload: bytes = b"", *, acked: int = 0) -> bytes:
        return self.data(direction, offset, payload, acked=acked, flags=ACK | FIN)

    def rst(self, direction: int, offset: int) -> bytes:
        return self.data(direction, offset, b"", flags=RST)


def timed(frames: Sequence[bytes], start_ns: int = T0, step_ns: int = 1_000_000) -> list[Packet]:
    return [(start_ns + number * step_ns, frame) for number, frame in enumerate(frames)]
