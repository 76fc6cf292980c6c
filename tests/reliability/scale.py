"""Cheap traffic at a full size and at a tenth of it: what it costs grows as it does, what is held has a bound, and all
of it is counted.

`python -m tests.reliability.scale [KIND ...] [--part N]` prints a line for each; `--part 10` is for a look at a tenth.
"""

from __future__ import annotations

import argparse
import json
import struct
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.reliability.cheap import written
from tests.reliability.child import Cost, replayed
from tests.reliability.evasion.session import Stack, handshake, talk
from tests.reliability.evasion.wire import ACK, FIN, PSH, START_US, Ends, Frame, Segment, ethernet, packet4
from tests.reliability.result import Result

PARTS = 10
#: Ten times as much may cost twelve times the processor time and a second: what a program costs to start is taken off,
#: and differs by tenths of a second. A square would be a hundred times.
MOST_RATIO, SLACK_S = 12.0, 1.0
RSS_BYTES = 1_000_000_000
#: One frame every so many microseconds.
STEP_US = 50
MINER = "198.51.100.10"


def ends_of(number: int, *, pool: int = 0) -> Ends:
    """A miner of many, or the same one at a pool of many."""
    if pool:
        return (MINER, 1_024 + pool % 60_000), (str_of(0xC6120000 + pool), 3333)
    return (str_of(0x0A000000 + number // 16), 1_024 + number % 16 * 3_001), ("203.0.113.5", 3333)


def str_of(address: int) -> str:
    return ".".join(map(str, struct.pack("!I", address)))


def framed(segments: Iterator[Segment]) -> Iterator[Frame]:
    """Segments at their places in time, one after another."""
    for place, segment in enumerate(segments):
        yield START_US + place * STEP_US, ethernet(*packet4(segment))


def ended(stack: Stack) -> Iterator[Segment]:
    yield stack.segment(0, FIN | ACK)
    yield stack.segment(1, FIN | ACK)
    yield stack.segment(0, ACK)


def pools(count: int) -> Iterator[Segment]:
    """One address mines at so many pools, a share at each."""
    lines = talk(shares=1)
    for number in range(count):
        stack = Stack(ends=ends_of(0, pool=number + 1))
        yield from handshake(stack)
        for side, data in lines:
            yield stack.segment(side, ACK | PSH, data)
        yield from ended(stack)


def candidates(count: int) -> Iterator[Segment]:
    """So many addresses' connections say a dialect's first word and end."""
    (_, first), *_ = talk()
    for number in range(count):
        stack = Stack(ends=ends_of(number))
        yield from handshake(stack)
        yield stack.segment(0, ACK | PSH, first)
        yield from ended(stack)


def drips(count: int) -> Iterator[Segment]:
    """A session whose miner sends one byte a segment, so many of them."""
    stack = Stack()
    yield from handshake(stack)
    sent = 0
    for side, data in talk(shares=count):
        if side:
            yield stack.segment(1, ACK | PSH, data)
            continue
        for at in range(len(data)):
            if sent == count:
                yield from ended(stack)
                return
            yield stack.segment(0, ACK | PSH, data[at : at + 1])
            sent += 1


def endless(count: int) -> Iterator[Segment]:
    """The same of a line that does not end."""
    stack = Stack()
    yield from handshake(stack)
    for side, data in talk(shares=0):
        yield stack.segment(side, ACK | PSH, data)
    yield stack.segment(0, ACK | PSH, b'{"id":9,"method":"mining.submit","params":["')
    for _ in range(count):
        yield stack.segment(0, ACK | PSH, b"a")


def logins(count: int) -> Iterator[Segment]:
    """So many logins on one connection, each accepted."""
    stack = Stack()
    yield from handshake(stack)
    for side, data in talk(shares=2):
        yield stack.segment(side, ACK | PSH, data)
    for number in range(count):
        line = {"id": 100 + number, "method": "mining.authorize", "params": [f"acct{number:06x}.rig", "x"]}
        answer = {"id": 100 + number, "result": True, "error": None}
        yield stack.segment(0, ACK | PSH, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        yield stack.segment(1, ACK | PSH, json.dumps(answer, separators=(",", ":")).encode() + b"\n")


def mining(cost: Cost) -> list[dict[str, Any]]:
    return [event["mining"] for event in cost.events if event["event_type"] == "mining"]


def counters(cost: Cost) -> dict[str, int]:
    (found,) = (event["stats"]["counters"] for event in cost.events if event["event_type"] == "stats")
    return dict(found)


def all_pools(cost: Cost, count: int) -> bool:
    """A finding for each pool; those that there was no room for are counted."""
    found = mining(cost)
    refused = counters(cost).get("line_findings_refused", 0)
    return len(found) + refused == count and all(one["shares"]["accepted"] == 1 for one in found)


def all_candidates(cost: Cost, count: int) -> bool:
    return sum(one["flow_count"] for one in mining(cost)) == count


def all_drips(cost: Cost, count: int) -> bool:
    """Every share whose line was sent to its end."""
    lines = [len(data) for side, data in talk(shares=count // 50) if side == 0]
    whole = bisect_right(list(accumulate(lines)), count) - 2  # behind subscribe and authorize
    (one,) = mining(cost)
    return bool(one["shares"]["submitted"] == one["shares"]["accepted"] == whole)


def is_found(cost: Cost, _count: int) -> bool:
    (one,) = mining(cost)
    return bool(one["grade"] == "speaks")


def all_logins(cost: Cost, count: int) -> bool:
    """The miner exact, and how many logins there were, by a sketch of a known error (a tenth)."""
    found = mining(cost)
    shares = sum(one["shares"]["accepted"] for one in found)
    return shares == 2 and all(abs(one["worker_count"] - count) <= count / 10 for one in found)


@dataclass(frozen=True)
class Kind:
    """One kind of traffic, how much of it there is, and whether all of it was counted."""

    full: int
    make: Callable[[int], Iterator[Segment]]
    counts: Callable[[Cost, int], bool]


KINDS: Mapping[str, Kind] = {
    "pools": Kind(100_000, pools, all_pools),
    "candidates": Kind(300_000, candidates, all_candidates),
    "drips": Kind(1_000_000, drips, all_drips),
    "endless": Kind(1_000_000, endless, is_found),
    "logins": Kind(100_000, logins, all_logins),
}


@dataclass(frozen=True)
class Growth:
    """A kind at its full size and at a tenth."""

    name: str
    count: int
    small: Cost
    full: Cost
    start_s: float  # what a replay of next to nothing costs

    @property
    def ratio(self) -> float:
        return (self.full.cpu_s - self.start_s) / max(0.05, self.small.cpu_s - self.start_s)

    @property
    def passed(self) -> bool:
        small_s, full_s = self.small.cpu_s - self.start_s, self.full.cpu_s - self.start_s
        grows = full_s <= MOST_RATIO * small_s + SLACK_S
        return self.is_counted and grows and self.full.rss_bytes <= RSS_BYTES

    @property
    def is_counted(self) -> bool:
        """Whether both sizes are told in full."""
        if self.small.code or self.full.code:
            return False
        counts = KINDS[self.name].counts
        return counts(self.small, self.count // PARTS) and counts(self.full, self.count)

    def __str__(self) -> str:
        seconds = f"{self.small.cpu_s - self.start_s:.1f} and {self.full.cpu_s - self.start_s:.1f} s"
        size = f"{self.full.rss_bytes / 1e6:.0f} MB (a tenth: {self.small.rss_bytes / 1e6:.0f})"
        told = "counted" if self.is_counted else "NOT all counted"
        return f"{self.count:,} {self.name}: {told}, {seconds} (x {self.ratio:.1f}), {size}"


def cost(make: Callable[[int], Iterator[Segment]], count: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "scale.pcap", framed(make(count)))
        return replayed(path, options=("--set", "output.stats=true"))


def measure(name: str, part: int = 1) -> Growth:
    kind = KINDS[name]
    start_s = cost(candidates, 1).cpu_s
    count = kind.full // part
    return Growth(name, count, cost(kind.make, count // PARTS), cost(kind.make, count), start_s)


def run() -> Result:
    found = [measure(name) for name in KINDS]
    return Result("; ".join(map(str, found)), all(one.passed for one in found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--part", type=int, default=1)
    options = parser.parse_args()
    for chosen in options.kinds:
        growth = measure(chosen, options.part)
        print(growth, "passed" if growth.passed else "NOT passed", flush=True)
