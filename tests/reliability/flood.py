"""T4: fifty tracked miners beside a flood of two million SYNs, each of another connection.

`python -m tests.reliability.flood [--flows N]`
"""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import json
import random
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.reliability.child import Cost, replayed
from tests.reliability.evasion.session import SHARES, Stack, session
from tests.reliability.evasion.wire import IPV4, START_US, SYN, TCP, Frame, Segment, ethernet, frames, ipv4, packet4
from tests.reliability.result import Result

MINERS = 50
FLOOD_PPS = 100_000
#: The flow table holds 2^20 flows by default; 1.2 x (256 MiB + 150 MB) of facts/ecosystem.md C5, T4.
RSS_BYTES = int(1.2 * ((256 << 20) + 150_000_000))


def miners() -> list[Frame]:
    """Fifty sessions at once, over 20 s."""
    found: list[Frame] = []
    for number in range(MINERS):
        ends = ((f"198.51.100.{10 + number}", 40_001 + number), ("203.0.113.5", 3333))
        stack = Stack(following=[1_000 * number, 7_000 * number], at_us=START_US + 1_000 * number, ends=ends)
        found += frames(
            dataclasses.replace(one, at_us=START_US + (one.at_us - START_US) * 2) for one in session(stack=stack)
        )
    return sorted(found)


def flood(flows: int) -> Iterator[Frame]:
    """SYNs of distinct ends at a steady rate."""
    tcp = packet4(Segment(0, SYN, 1, 0))[0][20:]
    draw = random.Random(flows)
    target = ipaddress.ip_address("203.0.113.5").packed
    for number in range(flows):
        source = struct.pack("!I", 0x0A000000 | number >> 6)
        port = struct.pack("!H", 1_024 + (number & 63) * 997)
        # A SYN's TCP checksum is not looked at before its flow is a candidate; that of IP is.
        packet = ipv4(source + target, TCP, port + tcp[2:4] + draw.randbytes(4) + tcp[8:])
        yield START_US + 2_000_000 + number * 1_000_000 // FLOOD_PPS, ethernet(packet, IPV4)


def capture(path: Path, flows: int) -> None:
    """Miners and flood in order of time."""
    waiting = miners()
    at = 0
    with path.open("wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))

        def put(at_us: int, frame: bytes) -> None:
            out.write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame)) + frame)

        for at_us, frame in flood(flows):
            while at < len(waiting) and waiting[at][0] <= at_us:
                put(*waiting[at])
                at += 1
            put(at_us, frame)
        for one in waiting[at:]:
            put(*one)


def exact(cost: Cost) -> int:
    """Miners of whom every share is told."""
    mining = [event["mining"] for event in cost.events if event["event_type"] == "mining"]
    return sum(one["shares"]["submitted"] == one["shares"]["accepted"] == SHARES for one in mining)


def run(flows: int = 2_000_000) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flood.pcap"
        capture(path, flows)
        cost = replayed(path)
    figure = f"{exact(cost)} of {MINERS} miners exact; {cost.rss_bytes / 1e6:.0f} MB resident; {flows:,} flows"
    return Result(figure, exact(cost) == MINERS and cost.rss_bytes <= RSS_BYTES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=2_000_000)
    print(json.dumps(dataclasses.asdict(run(parser.parse_args().flows))))
