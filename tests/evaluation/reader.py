"""Reads a capture that the writer made, with dpkt: streams put in order by their numbers, then TLS records.

Shares nothing with the writer, nor with the sensor.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dpkt

End = tuple[str, int]


class Record(NamedTuple):
    """A TLS record of one direction."""

    at_s: float  # when its header was whole
    source: End
    kind: int
    length: int  # of its body


class Stream:
    """One direction, in order."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.arrivals: list[tuple[int, float]] = []  # how far the content came, when
        self._base: int | None = None
        self._waiting: dict[int, bytes] = {}

    def add(self, at_s: float, number: int, content: bytes) -> None:
        """A segment; the first one begins the stream, unless a SYN did."""
        if self._base is None:
            self._base = number
        place = (number - self._base) & 0xFFFFFFFF
        if len(self.content) <= place < 1 << 31:  # not what came before
            self._waiting[place] = content
        while len(self.content) in self._waiting:
            self.content += self._waiting.pop(len(self.content))
            self.arrivals.append((len(self.content), at_s))

    def begin(self, number: int) -> None:
        """A SYN's number."""
        self._base = (number + 1) & 0xFFFFFFFF


def segments(path: Path) -> Iterator[tuple[float, End, End, dpkt.tcp.TCP]]:
    """All TCP segments of a capture."""
    with path.open("rb") as file:
        for at_s, frame in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            tcp = ip.data
            yield float(at_s), (socket.inet_ntoa(ip.src), tcp.sport), (socket.inet_ntoa(ip.dst), tcp.dport), tcp


def streams(path: Path) -> dict[tuple[End, End], Stream]:
    """Every direction of every connection."""
    found: dict[tuple[End, End], Stream] = {}
    for at_s, source, destination, tcp in segments(path):
        stream = found.setdefault((source, destination), Stream())
        if tcp.flags & dpkt.tcp.TH_SYN:
            stream.begin(tcp.seq)
        elif tcp.data:
            stream.add(at_s, tcp.seq, bytes(tcp.data))
    return found


def split(content: bytes) -> list[tuple[int, int, int]]:
    """Records of a stream's bytes: where the header ends, type, length of the body."""
    found, place = [], 0
    while place + 5 <= len(content):
        length = int.from_bytes(content[place + 3 : place + 5], "big")
        found.append((place + 5, content[place], length))
        place += 5 + length
    return found


def records(path: Path) -> list[Record]:
    """All records of all directions in order of time."""
    found: list[Record] = []
    for (source, _), stream in streams(path).items():
        arrivals = iter(stream.arrivals)
        reached, at_s = 0, 0.0
        for end, kind, length in split(bytes(stream.content)):
            while reached < end:
                reached, at_s = next(arrivals)
            found.append(Record(at_s, source, kind, length))
    return sorted(found, key=lambda record: record.at_s)
