"""State at a cheap price: packets that make a sensor hold something, before and beside a miner.

`python -m tests.reliability.cheap` prints both.
"""

from __future__ import annotations

import heapq
import ipaddress
import json
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.reliability.child import Cost, replayed
from tests.reliability.evasion.session import SHARES, STEP_US, Stack, session
from tests.reliability.evasion.wire import (
    ACK,
    IPV4,
    PSH,
    START_US,
    SYN,
    TCP,
    Frame,
    Segment,
    ethernet,
    frames,
    ipv4,
    tcp,
)
from tests.reliability.result import Result

#: facts/ecosystem.md C5; issue's figures: one packet of one byte from each source.
FEW, MANY = 16_384, 1_000_000
HOLES, LINES = 9_000, 10_000
RSS_BYTES = 500_000_000
#: Of what is held on purpose: half of the unit's MemoryMax (deploy/).
HELD_RSS_BYTES = 1_000_000_000
ROUND_US = 200_000
FILLER = b"x" * 1_400
LOGIN, AGENT = (
    "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz.rig7",
    "XMRig/6.22.2 (Linux x86_64)",
)


def lone(number: int, at_us: int, data: bytes, *, seq: int = 1, flags: int = ACK | PSH) -> Frame:
    """One segment of a source of its own."""
    source = str(ipaddress.ip_address(0x0A000000 | number >> 4))
    ends = ((source, 1_024 + (number & 15) * 3_001), ("203.0.113.5", 3333))
    segment = Segment(0, flags, seq, 77, data, ends=ends)
    packed = b"".join(ipaddress.ip_address(one).packed for one in (source, "203.0.113.5"))
    return at_us, ethernet(ipv4(packed, TCP, tcp(segment, packed)), IPV4)


def xmrig(at_us: int, shares: int = SHARES) -> list[Frame]:
    """A session of XMRig that begins at that time: its dialect has no literal in its first message that others lack."""

    def line(side: int, value: object) -> tuple[int, bytes]:
        return side, json.dumps(value, separators=(",", ":")).encode() + b"\n"

    job = {
        "blob": "10" * 76,
        "job_id": "77",
        "target": "b88d0600",
        "height": 3_298_110,
        "algo": "rx/0",
        "seed_hash": "b1" * 32,
    }
    params = {"login": LOGIN, "pass": "x", "agent": AGENT, "algo": ["rx/0"]}
    lines = [
        line(0, {"id": 1, "jsonrpc": "2.0", "method": "login", "params": params}),
        line(1, {"id": 1, "jsonrpc": "2.0", "error": None, "result": {"id": "5d1c", "job": job, "status": "OK"}}),
    ]
    for number in range(shares):
        share = {"id": "5d1c", "job_id": "77", "nonce": f"{number:08x}", "result": f"{number + 1:064x}"}
        lines.append(line(0, {"id": 2 + number, "jsonrpc": "2.0", "method": "submit", "params": share}))
        lines.append(line(1, {"id": 2 + number, "jsonrpc": "2.0", "error": None, "result": {"status": "OK"}}))
    return frames(session(lines, stack=Stack(at_us=at_us)))


def written(path: Path, found: Iterable[Frame]) -> Path:
    with path.open("wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for at_us, frame in found:
            out.write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame)) + frame)
    return path


def openings() -> Result:
    """Packets of one brace from each of many sources, and a new miner after them."""
    figures, good = [], True
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory() as folder:
            flood = (lone(number, START_US + number * 20, b"{") for number in range(count))
            path = written(Path(folder) / "braces.pcap", after(flood, xmrig(START_US + count * 20 + STEP_US)))
            cost = replayed(path)
        whole = known(cost)
        good = good and whole and cost.rss_bytes <= RSS_BYTES
        figures.append(f"after {count:,}: {'everything known' if whole else 'NOT all known'}, {megabytes(cost)}")
    return Result("; ".join(figures), good)


def after(flood: Iterable[Frame], then: Iterable[Frame]) -> Iterator[Frame]:
    yield from flood
    yield from then


def known(cost: Cost) -> bool:
    """Login, agent, coin, shares and hashrate of the one miner."""
    mining = [event["mining"] for event in cost.events if event["event_type"] == "mining"]
    mining = [one for one in mining if one["grade"] not in ("contacted", "behaves")]
    if len(mining) != 1:
        return False
    (miner,) = mining
    counted = (miner["shares"]["submitted"], miner["shares"]["accepted"]) == (SHARES, SHARES)
    return counted and miner["login"] == LOGIN and miner["agent"] == AGENT and bool(miner.get("hashrate_hps"))


def held() -> Result:
    """Flows with a hole and lines without an end beside a tracked miner."""
    figures, good = [], True
    for name, make in (("holes", holes), ("lines", unfinished)):
        with tempfile.TemporaryDirectory() as folder:
            cost = replayed(written(Path(folder) / f"{name}.pcap", heapq.merge(make(), xmrig(START_US))))
        whole = known(cost)
        good = good and whole and cost.rss_bytes <= HELD_RSS_BYTES
        figures.append(f"{name}: miner {'exact' if whole else 'NOT exact'}, {megabytes(cost)}")
    return Result("; ".join(figures), good)


def holes() -> Iterator[Frame]:
    """9,000 connections that speak a dialect's first words, then 100 KB behind a byte that never comes."""
    return greedy(HOLES, b'{"id":1,"method":"mining.subscribe","params":[]}\n', missing=1, pieces=72)


def unfinished() -> Iterator[Frame]:
    """10,000 connections that speak a dialect's first words, then 60 KB of a line that never ends."""
    return greedy(LINES, b'{"id":1,"method":"mining.subscribe","params":[]}\n{"id":2,"method":"', missing=0, pieces=43)


def greedy(count: int, lines: bytes, *, missing: int, pieces: int) -> Iterator[Frame]:
    """In rounds over all connections, in order of time."""
    first = len(lines) + 1 + missing
    for turn in range(pieces + 2):
        for number in range(count):
            at_us = START_US + turn * ROUND_US + number * ROUND_US // count
            if turn == 0:
                yield lone(number, at_us, b"", flags=SYN, seq=0)
            elif turn == 1:
                yield lone(number, at_us, lines)
            else:
                yield lone(number, at_us, FILLER, seq=first + (turn - 2) * len(FILLER))


def megabytes(cost: Cost) -> str:
    return f"{cost.rss_bytes / 1e6:.0f} MB resident"


if __name__ == "__main__":
    print(openings(), held(), sep="\n")
