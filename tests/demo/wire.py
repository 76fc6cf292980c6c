"""Conversations as frames: TCP and UDP between two hosts, built by scapy, with a clock of their own and everything
seeded.

It knows handshakes, segments and acknowledgements, and nothing about what is said: the makers of the demo and of the
test cases hand it bytes. The same calls give the same capture, byte for byte.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import RawPcapWriter

#: 2 March 2026, 08:00 UTC: every capture made here begins then.
START_US = 1_772_438_400_000_000
MSS = 1_448


class Host(NamedTuple):
    """One end: its address, and the MAC its frames carry at the place of capture."""

    ip: str
    mac: str


def host(ip: str) -> Host:
    """A host with a locally administered MAC made from its address."""
    digits = random.Random(ip).randbytes(5).hex(":")
    return Host(ip, f"02:{digits}")


class Wire:
    """Collects frames of many conversations and writes them in time order."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int, bytes]] = []

    def add(self, at_us: int, frame: Packet) -> None:
        """Put one frame on the wire at a time counted from the start of the capture."""
        self.frames.append((START_US + at_us, len(self.frames), bytes(frame)))

    def sorted(self) -> list[tuple[int, bytes]]:
        """All frames as (microseconds, bytes) in time order; equal times keep the order of their making."""
        return [(at, data) for at, _, data in sorted(self.frames)]

    def write(self, path: Path) -> int:
        """Write a classic pcap (microseconds, little-endian) and return the number of frames."""
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = RawPcapWriter(str(path), linktype=1, endianness="<", sync=False)
        writer.write_header(None)
        for at, data in self.sorted():
            writer.write_packet(data, sec=at // 1_000_000, usec=at % 1_000_000, caplen=len(data), wirelen=len(data))
        writer.close()
        return len(self.frames)


def network(source: Host, target: Host, identification: int) -> Packet:
    """Ethernet and IP (4 or 6, by the address) from one host to the other."""
    frame = Ether(src=source.mac, dst=target.mac)
    if ":" in source.ip:
        return frame / IPv6(src=source.ip, dst=target.ip, hlim=60)
    return frame / IP(src=source.ip, dst=target.ip, id=identification & 0xFFFF, ttl=60, flags="DF")


class Tcp:
    """One TCP connection; `now` moves on with every message, and `client`/`server` send bytes that the other side
    acknowledges.
    """

    def __init__(
        self, wire: Wire, client: Host, server: Host, ports: tuple[int, int], at_us: int, rtt_us: int = 24_000
    ) -> None:
        self.wire, self.ends, self.ports, self.now, self.rtt_us = wire, (client, server), ports, at_us, rtt_us
        self.rng = random.Random(f"{client.ip} {server.ip} {ports}")
        self.next = [self.rng.getrandbits(32), self.rng.getrandbits(32)]
        self.ids = [self.rng.getrandbits(16), self.rng.getrandbits(16)]
        self.zeros_ms: tuple[int, int] | None = (
            None  # when each end's timestamp clock of 1000 Hz stood at 0; None: no timestamps
        )

    def open(self) -> Tcp:
        """The three-way handshake."""
        options = [("MSS", 1460), ("NOP", None), ("WScale", 7), ("SAckOK", b"")]
        self._send(0, "S", options=options)
        self._advance(0, 1)
        self.wait(self.rtt_us)
        self._send(1, "SA", options=options)
        self._advance(1, 1)
        self.wait(200)
        self._send(0, "A")
        return self

    def client(self, data: bytes) -> Tcp:
        """The client says `data`."""
        return self._say(0, data)

    def server(self, data: bytes) -> Tcp:
        """The server says `data`."""
        return self._say(1, data)

    def wait(self, microseconds: int) -> Tcp:
        """Let time pass."""
        self.now += microseconds
        return self

    def close(self) -> Tcp:
        """FIN by the client, FIN by the server, the last acknowledgement."""
        for side in (0, 1):
            self._send(side, "FA")
            self._advance(side, 1)
            self.wait(self.rtt_us // 2)
        self._send(0, "A")
        return self

    def _say(self, side: int, data: bytes) -> Tcp:
        for at in range(0, len(data), MSS):
            piece = data[at : at + MSS]
            self._send(side, "PA" if at + MSS >= len(data) else "A", piece)
            self._advance(side, len(piece))
            self.wait(self.rng.randrange(40, 160))
            if (at // MSS) % 2:
                self._send(1 - side, "A")
        self.wait(self.rtt_us // 2 + self.rng.randrange(0, 900))
        self._send(1 - side, "A")
        return self.wait(self.rng.randrange(300, 2_000))

    def _advance(self, side: int, count: int) -> None:
        self.next[side] = (self.next[side] + count) & 0xFFFFFFFF

    def _send(self, side: int, flags: str, data: bytes = b"", options: list[tuple[str, object]] | None = None) -> None:
        self.ids[side] += 1
        if self.zeros_ms is not None:
            now_ms = (START_US + self.now) // 1_000
            own, other = ((now_ms - zero) & 0xFFFFFFFF for zero in (self.zeros_ms[side], self.zeros_ms[1 - side]))
            options = [
                *(options or []),
                ("NOP", None),
                ("NOP", None),
                ("Timestamp", (own, other if "A" in flags else 0)),
            ]
        packet = network(self.ends[side], self.ends[1 - side], self.ids[side]) / TCP(
            sport=self.ports[side],
            dport=self.ports[1 - side],
            seq=self.next[side],
            ack=self.next[1 - side] if "A" in flags else 0,
            flags=flags,
            window=501,
            options=options or [],
        )
        self.wire.add(self.now, packet / Raw(data) if data else packet)


def ask(
    wire: Wire, client: Host, server: Host, ports: tuple[int, int], at_us: int, question: bytes, answer: bytes
) -> None:
    """One UDP exchange."""
    for source, target, sport, dport, when, data in (
        (client, server, ports[0], ports[1], at_us, question),
        (server, client, ports[1], ports[0], at_us + 9_000, answer),
    ):
        wire.add(when, network(source, target, when >> 4) / UDP(sport=sport, dport=dport) / Raw(data))
