"""A TCP conversation as the frames of a capture, made with plain structs: fast enough for a segment for every byte.

It knows Ethernet, VLAN, GRE, IPv4, IPv6 and TCP, and nothing of what is said.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MINER, POOL = ("198.51.100.10", 40_001), ("203.0.113.5", 3333)
MINER6, POOL6 = ("2001:db8:10::a", 40_001), ("2001:db8:20::5", 3333)
#: 2 March 2026, 08:00 UTC; a frame every half millisecond.
START_US, STEP_US = 1_772_438_400_000_000, 500
SYN, ACK, FIN, PUSH = 2, 16, 1, 8
MSS = 1_400


@dataclass(frozen=True)
class Way:
    """How a conversation is put on the wire."""

    six: bool = False
    tunnel: bool = False  # in GRE in a VLAN
    piece: int = MSS  # bytes a segment
    handshake: bool = True


def write(path: Path, said: Iterable[tuple[int, bytes]], way: Way) -> None:
    """Write a classic pcap of the conversation; `said` is who speaks (0 the miner) and what."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    records = []
    for number, frame in enumerate(_frames(said, way)):
        at = START_US + number * STEP_US
        records.append(struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame)
    path.write_bytes(header + b"".join(records))


def _frames(said: Iterable[tuple[int, bytes]], way: Way) -> Iterator[bytes]:
    ends = (MINER6, POOL6) if way.six else (MINER, POOL)
    following = [1_000, 9_000_000]

    def segment(side: int, flags: int, data: bytes = b"") -> bytes:
        frame = _frame(ends[side], ends[1 - side], (following[side], following[1 - side]), flags, data, way)
        following[side] += len(data) + (flags & (SYN | FIN) != 0)
        return frame

    if way.handshake:
        yield segment(0, SYN)
        yield segment(1, SYN | ACK)
        yield segment(0, ACK)
    for side, data in said:
        for at in range(0, len(data), way.piece):
            yield segment(side, ACK | PUSH, data[at : at + way.piece])
        yield segment(1 - side, ACK)
    yield segment(0, FIN | ACK)
    yield segment(1, FIN | ACK)


def _frame(
    source: tuple[str, int], target: tuple[str, int], numbers: tuple[int, int], flags: int, data: bytes, way: Way
) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", source[1], target[1], *numbers, 5 << 4, flags, 65_535, 0, 0) + data
    addresses = ipaddress.ip_address(source[0]).packed + ipaddress.ip_address(target[0]).packed
    total = _checksum(addresses + struct.pack("!II", len(tcp), 6) + tcp)
    tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
    packet = struct.pack("!IHBB", 6 << 28, len(tcp), 6, 60) + addresses + tcp if way.six else _ipv4(addresses, 6, tcp)
    kind = 0x86DD if way.six else 0x0800
    if way.tunnel:
        ends = ipaddress.ip_address("192.0.2.1").packed + ipaddress.ip_address("192.0.2.2").packed
        packet, kind = _ipv4(ends, 47, struct.pack("!HH", 0, kind) + packet), 0x0800
        return bytes(12) + struct.pack("!HHH", 0x8100, 42, kind) + packet
    return bytes(12) + struct.pack("!H", kind) + packet


def _ipv4(addresses: bytes, protocol: int, data: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 7, 0x4000, 60, protocol, 0) + addresses
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + data


def _checksum(data: bytes) -> int:
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
