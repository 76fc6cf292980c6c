"""Fills a running sensor's findings to what they are bounded by, before its memory is measured.

A finding keeps its newest connections. Until it has as many of them each new one is more, about 3 KB, and memory grows
as it should; only from then on each takes the place of an older one. So every miner connects until no finding that
still grows has fewer. How fast that can be sent depends on the machine: what comes faster than the line can take is
refused and fills nothing.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import dpkt

from sensor.ledger import StoredFinding
from sensor.line.join import MAX_FLOWS
from tests.daemon.sensor import Sensor
from tests.demo.make_demo import mining
from tests.demo.wire import Wire
from tests.reliability.flood import miners as of_flood

#: Connections of each miner in one go, and packets a second at first: a go of which anything was refused slows the
#: next, another hastens it.
TIMES, PPS, SLOWER, FASTER, SLOWEST_PPS = 10, 12_000, 0.7, 1.3, 3_000
#: After a go it is waited, in seconds, until the line has read it: else what waits of one go refuses the next.
LOOK_S, MOST_WAIT_S = 1.2, 60
#: Looked at after so many goes: by then all may be full; and again after so many. At last it is given up: the machine
#: is too busy.
FIRST_LOOK, NEXT_LOOK, MOST_GOES = MAX_FLOWS // TIMES + 1, 2, 60
#: Until what a go has brought is recorded, in seconds: the soak has findings updated every minute meanwhile.
RECORDED_S = 65

#: Sends a capture at a pace and gives the number of its packets.
Send = Callable[[Path, int], int]


class Progress(NamedTuple):
    """What the line has read by now, and what was refused."""

    messages: float
    refused: float


def fill(sensor: Sensor, send: Send, progress: Callable[[], Progress]) -> tuple[int, int]:
    """Let all miners connect until the findings are full: the packets sent, and the fewest connections that one of them
    has had."""
    once = _once()
    sent, pps, fewest, before = 0, float(PPS), 0, progress()
    for go in range(1, MOST_GOES + 1):
        path = _capture(once, sensor.folder, go * TIMES)
        sent += send(path, int(pps))
        now = read_up(progress)
        pps = max(SLOWEST_PPS, pps * (SLOWER if now.refused > before.refused else FASTER))
        before = now
        if go >= FIRST_LOOK and (go - FIRST_LOOK) % NEXT_LOOK == 0:
            time.sleep(RECORDED_S)
            fewest = fewest_connections(sensor.findings())
            if fewest >= MAX_FLOWS:
                break
    return sent, fewest


def read_up(progress: Callable[[], Progress]) -> Progress:
    """Wait until the line has read all that was sent; how far it is then."""
    before, until = progress(), time.monotonic() + MOST_WAIT_S
    while time.monotonic() < until:
        time.sleep(LOOK_S)  # metrics are made once a second
        now = progress()
        if now.messages == before.messages:
            break
        before = now
    return before


def fewest_connections(held: Iterable[StoredFinding]) -> int:
    """Of the finding of a miner that has fewest. What has less than half of the fullest is no miner's: connections of
    which the beginning was refused are a finding without a login."""
    counts = [stored.finding.flow_count for stored in held]
    return min((count for count in counts if count >= max(counts) / 2), default=0)


def _once() -> list[tuple[int, bytes]]:
    """One connection of each miner, of the mix and of the flood."""
    wire = Wire()
    mining(wire)
    return sorted([*wire.sorted(), *of_flood()])


def _capture(once: list[tuple[int, bytes]], folder: Path, first: int) -> Path:
    """A capture of all miners alone, each from many ports one after another."""
    path = folder / "miners.pcap"
    with path.open("wb") as out:
        writer = dpkt.pcap.Writer(out)
        for number in range(first, first + TIMES):
            for at_us, frame in once:
                writer.writepkt(from_another_port(frame, number), at_us / 1e6)
    return path


def from_another_port(frame: bytes, number: int) -> bytes:
    """The frame of another connection: of plain TCP over IPv4 with another higher port. Its checksum is none, as hosts
    leave it that offload it."""
    if frame[12:14] != b"\x08\x00" or frame[23] != dpkt.ip.IP_PROTO_TCP:
        return frame
    at = 14 + (frame[14] & 15) * 4
    ports = list(struct.unpack_from("!HH", frame, at))
    side = ports.index(max(ports))
    ports[side] = 10_000 + (ports[side] + number) % 50_000
    return frame[:at] + struct.pack("!HH", *ports) + frame[at + 4 : at + 16] + b"\0\0" + frame[at + 18 :]
