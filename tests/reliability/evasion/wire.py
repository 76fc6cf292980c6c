"""Segments of one TCP connection, and the frames that carry them: IPv4 and IPv6, tunnels, fragments.

Written from the formats' texts, not from a core. A segment says everything of itself, so that a case can bend it.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.core.captures import checksum

MINER, POOL = ("198.51.100.10", 40_001), ("203.0.113.5", 3333)
MINER6, POOL6 = "2001:db8:10::a", "2001:db8:20::5"
#: 2 March 2026, 08:00 UTC.
START_US = 1_772_438_400_000_000
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
IPV4, IPV6, TCP, UDP = 0x0800, 0x86DD, 6, 17


Ends = tuple[tuple[str, int], tuple[str, int]]


@dataclass(frozen=True)
class Segment:
    """One TCP segment; `side` 0 is the miner's."""

    side: int
    flags: int
    seq: int
    ack: int
    data: bytes = b""
    at_us: int = 0
    urgent: int = 0
    ttl: int = 60
    options: bytes = b""
    header_words: int | None = None  # None: the true length
    tcp_sum_off: int = 0  # added to the right checksum
    ip_sum_off: int = 0
    window: int = 65_535
    ends: Ends = (MINER, POOL)  # the miner's and the pool's address and port; IPv6 has its own


#: The packet (an IP datagram) and its EtherType become what a link carries.
Carriage = Callable[[bytes, int], bytes]


def tcp(segment: Segment, addresses: bytes) -> bytes:
    """The TCP segment with its checksum over the pseudo-header (RFC 9293 section 3.1)."""
    source, target = segment.ends[segment.side], segment.ends[1 - segment.side]
    options = segment.options + bytes(-len(segment.options) % 4)
    words = 5 + len(options) // 4 if segment.header_words is None else segment.header_words
    head = struct.pack(
        "!HHIIBBHHH",
        source[1],
        target[1],
        segment.seq & 0xFFFFFFFF,
        segment.ack & 0xFFFFFFFF,
        words << 4,
        segment.flags,
        segment.window,
        0,
        segment.urgent,
    )
    whole = head + options + segment.data
    total = checksum(addresses + struct.pack("!II", len(whole), TCP) + whole)
    return whole[:16] + struct.pack("!H", (total + segment.tcp_sum_off) & 0xFFFF) + whole[18:]


def addresses_of(side: int, *, six: bool = False, between: Ends = (MINER, POOL)) -> bytes:
    ends = (MINER6, POOL6) if six else (between[0][0], between[1][0])
    packed = [ipaddress.ip_address(end).packed for end in ends]
    return packed[side] + packed[1 - side]


def ipv4(
    addresses: bytes, protocol: int, data: bytes, *, ttl: int = 60, place: int = 0x4000, identity: int = 7, off: int = 0
) -> bytes:
    """An IPv4 datagram or fragment; `place` is the flags and offset field."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), identity, place, ttl, protocol, 0) + addresses
    return head[:10] + struct.pack("!H", (checksum(head) + off) & 0xFFFF) + head[12:] + data


def ipv6(addresses: bytes, following: int, data: bytes, *, hops: int = 60) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(data), following, hops) + addresses + data


def packet4(segment: Segment) -> tuple[bytes, int]:
    addresses = addresses_of(segment.side, between=segment.ends)
    return ipv4(addresses, TCP, tcp(segment, addresses), ttl=segment.ttl, off=segment.ip_sum_off), IPV4


def packet6(segment: Segment) -> tuple[bytes, int]:
    addresses = addresses_of(segment.side, six=True)
    return ipv6(addresses, TCP, tcp(segment, addresses), hops=segment.ttl), IPV6


def ethernet(packet: bytes, ethertype: int) -> bytes:
    return bytes(12) + struct.pack("!H", ethertype) + packet


Frame = tuple[int, bytes]


def frames(segments: Iterable[Segment], carry: Carriage = ethernet, *, six: bool = False) -> list[Frame]:
    """Time in microseconds and the frame of each segment."""
    make = packet6 if six else packet4
    return [(segment.at_us, carry(*make(segment))) for segment in segments]


def write(path: Path, found: Iterable[Frame], link: int = 1) -> None:
    """A classic pcap, in the order given."""
    records = [
        struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame for at, frame in found
    ]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link) + b"".join(records))
