"""Benchmark captures of our own: a mix of packet sizes, and small packets of many flows, each with the demo's miners
inside.

Plain Python and seeded, so that a bench runs anywhere and measures the same bytes each time; a small file beside
each capture says how many packets, flows and mining flows it holds.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.demo.make_demo import mining
from tests.demo.wire import START_US, Wire

ETHERNET = bytes.fromhex("0200000000010200000000020800")
SPAN_US = 400_000_000
#: What makes the captures that figures are compared by, where it is at hand.
SHARED_MAKER = Path(__file__).parents[3] / "shared" / "bench" / "make_bench.py"


@dataclass
class Shape:
    """What a capture is made of: how many packets, how long a flow is, how big its payloads are."""

    name: str
    packets: int
    flow_packets: int
    payloads: tuple[int, ...]
    active: int


MIXED = Shape("mixed", 600_000, 18, (0, 0, 60, 120, 300, 700, 1400, 1400), 4_000)
SMALL = Shape("small-packets", 1_000_000, 10, (0, 6, 12, 20, 30), 40_000)


def make(shape: Shape, folder: Path, most: int | None = None) -> Path:
    """Write the capture of a shape, or `most` packets of its beginning, unless it is there already."""
    path = folder / f"{shape.name}.pcap"
    note = folder / f"{shape.name}.json"
    if path.exists() and note.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    wire = Wire()
    truth = mining(wire)
    miners = wire.sorted()
    flows = written = 0
    with path.open("wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        step, clock, at = SPAN_US / shape.packets, float(START_US), 0
        for frame, new in _frames(shape):
            clock += step
            flows += new
            while at < len(miners) and miners[at][0] <= clock:
                _record(out.write, *miners[at])
                at += 1
            _record(out.write, int(clock), frame)
            written += 1
            if most is not None and written + at >= most:
                break
        else:
            for item in miners[at:]:
                _record(out.write, *item)
            at = len(miners)
    note.write_text(json.dumps({"packets": written + at, "flows": flows + len(truth), "mining_flows": len(truth)}))
    return path


def _record(write: object, at_us: int, frame: bytes) -> None:
    write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame)) + frame)  # type: ignore[operator]


class _Flow:
    """One conversation with canned payloads; the checksums of TCP and UDP are left at 0, as offloading hosts leave
    them.
    """

    __slots__ = ("addresses", "left", "ports", "sequence", "udp")

    def __init__(self, rng: random.Random, shape: Shape) -> None:
        self.udp = rng.random() < 0.3
        self.addresses = (0x0A000000 | rng.getrandbits(20), 0xC0000200 | rng.getrandbits(24))
        self.ports = (
            rng.randrange(1024, 65_536),
            rng.choice((53, 443, 5_353, 3_478) if self.udp else (443, 443, 80, 22, 25, 8_080)),
        )
        self.left = 1 + int(rng.expovariate(1 / shape.flow_packets))
        self.sequence = [rng.getrandbits(32), rng.getrandbits(32)]

    def frame(self, side: int, payload: bytes, first: bool) -> bytes:
        sport, dport = (self.ports[side], self.ports[1 - side])
        if self.udp:
            body = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
        else:
            sequence, other = self.sequence[side], self.sequence[1 - side]
            payload = b"" if first else payload
            body = (
                struct.pack(">HHIIBBHHH", sport, dport, sequence, other, 0x50, 2 if first else 24, 501, 0, 0) + payload
            )
            self.sequence[side] = (sequence + len(payload) + first) & 0xFFFFFFFF
        length, protocol = 20 + len(body), 17 if self.udp else 6
        source, target = self.addresses[side], self.addresses[1 - side]
        head = struct.pack(">BBHHHBBHII", 0x45, 0, length, 0, 0x4000, 60, protocol, 0, source, target)
        total = sum(struct.unpack(">10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        return ETHERNET + head[:10] + struct.pack(">H", check) + head[12:] + body


def _frames(shape: Shape) -> Iterator[tuple[bytes, bool]]:
    """Frames of many flows side by side, and whether each is the first of a flow."""
    rng = random.Random(shape.name)
    payloads = [rng.randbytes(size) for size in shape.payloads for _ in range(8)]
    payloads += [b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n\r\n"[:size] for size in shape.payloads]
    flows: list[_Flow | None] = [None] * shape.active
    for _ in range(shape.packets):
        slot = int(rng.random() * shape.active)
        flow = flows[slot]
        first = flow is None
        if flow is None:
            flow = flows[slot] = _Flow(rng, shape)
        yield (
            flow.frame(0 if first else int(rng.random() < 0.6), payloads[int(rng.random() * len(payloads))], first),
            first,
        )
        flow.left -= 1
        if flow.left <= 0:
            flows[slot] = None


def shared_captures(folder: Path) -> list[Path]:
    """mix and small of ../shared/bench, where their maker is there and can run. BENCH_MIX_FLOWS and BENCH_SMALL_FLOWS
    make them smaller."""
    wanted = [folder / "mix.pcap", folder / "small.pcap"]
    if not SHARED_MAKER.exists():
        print("bench: without the captures of ../shared/bench (not here)", file=sys.stderr)
        return []
    if all(path.exists() and path.with_suffix(".json").exists() for path in wanted):
        return wanted
    if not all(shutil.which(program) for program in ("capinfos", "editcap", "gcc")):
        print("bench: without the captures of ../shared/bench (they need capinfos, editcap and gcc)", file=sys.stderr)
        return []
    flows = (os.environ.get("BENCH_MIX_FLOWS", "330000"), os.environ.get("BENCH_SMALL_FLOWS", "1000000"))
    sizes = ["--mix-flows", flows[0], "--small-flows", flows[1]]
    done = subprocess.run(
        [sys.executable, str(SHARED_MAKER), "--out", str(folder), *sizes], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"bench: ../shared/bench/make_bench.py failed:\n{done.stderr[-2000:]}", file=sys.stderr)
        return []
    for path in wanted:
        counts = re.search(rf"{path.name}: (\d+) packets, \d+ bytes, (\d+) flow", done.stderr)
        if counts:
            path.with_suffix(".json").write_text(json.dumps({"packets": int(counts[1]), "flows": int(counts[2])}))
    return wanted
