"""M1: one tracked miner beside 3,000 short connections a second for a minute, half of them answered by a pool's
subscribe result and a job. Every share is counted, memory and events stay few, and the daemon stops in time while it
goes on.

`python -m tests.reliability.beginnings [--seconds 60] [--rate 3000]`
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import heapq
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.beginnings import JOB, PLAIN_SUBSCRIBE, SUBSCRIBED
from tests.bench.live import MIRROR, SENDER
from tests.daemon.sensor import running
from tests.reliability.cable import INSIDE, within
from tests.reliability.cheap import written, xmrig
from tests.reliability.evasion.session import Stack, goodbye, handshake
from tests.reliability.evasion.wire import ACK, PSH, START_US, Frame, frames
from tests.reliability.result import Result

SECONDS, RATE, SHARES = 60, 3_000, 80
RSS_BYTES, STOP_S, MOST_EVENTS = 500_000_000, 5.0, 100
METRICS = 18_182
#: Of two connections, with and without an answer: three to begin, three to end, one or three of data.
PACKETS = 16
#: Between two packets of one connection.
STEP_US = 10_000
#: The flood goes on for so long while the daemon is told to stop.
BESIDE_S = 3
#: Sources are 10.x.y.z; address and port change together so that the TCP checksum stays what it is.
SPAN, LAST_PORT = 40_000, 60_000


def template(pool: int, *, answered: bool) -> list[bytes]:
    """The frames of one short connection to a pool."""
    stack = Stack(ends=(("10.0.0.0", LAST_PORT), (f"203.0.113.{50 + pool}", 3333)))
    talk = [(0, PLAIN_SUBSCRIBE), (1, SUBSCRIBED), (1, JOB)] if answered else [(0, PLAIN_SUBSCRIBE)]
    begun = handshake(stack)
    data = [stack.segment(side, ACK | PSH, line) for side, line in talk]
    return [frame for _, frame in frames([*begun, *data, *goodbye(stack)])]


def of_source(frame: bytes, number: int) -> bytes:
    """The same frame of another source."""
    high, low = number // SPAN, 1 + number % SPAN
    port, packet = LAST_PORT - high - low, frame[14:]
    from_source = packet[12] == 10
    address = struct.pack("!HH", 0x0A00 + high, low)
    ends = address + packet[16:20] if from_source else packet[12:16] + address
    head = packet[:10] + b"\0\0" + ends
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    check = struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    ports = struct.pack("!H", port)
    tcp = ports + packet[22:24] if from_source else packet[20:22] + ports
    return frame[:14] + head[:10] + check + head[12:] + tcp + packet[24:]


def flood(seconds: int, rate: int, first: int = 0) -> Iterator[Frame]:
    """Short connections at a steady rate, each of another source from the given one on, to eight pools."""
    kinds = [template(pool, answered=answered) for pool in range(8) for answered in (False, True)]

    def step(place: int) -> Iterator[Frame]:
        for number in range(seconds * rate):
            shape = kinds[number % len(kinds)]
            if place < len(shape):
                at_us = START_US + number * 1_000_000 // rate + place * STEP_US
                yield at_us, of_source(shape[place], first + number)

    return heapq.merge(*(step(place) for place in range(max(map(len, kinds)))))


def miner(seconds: int) -> list[Frame]:
    """A session of XMRig over nearly all of that time."""
    its = xmrig(START_US, SHARES)
    last_us = its[-1][0]
    return [(START_US + (at - START_US) * (seconds - 2) * 1_000_000 // (last_us - START_US), one) for at, one in its]


def traffic(path: Path, seconds: int, rate: int) -> Path:
    """The capture that is sent."""
    return written(path, heapq.merge(flood(seconds, rate), miner(seconds)))


def inside(seconds: int, rate: int) -> Result:
    """Within the namespace: send, watch, stop while more comes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        capture = traffic(folder / "flood.pcap", seconds, rate)
        beside = written(folder / "beside.pcap", flood(BESIDE_S + 5, rate, seconds * rate))
        with running(folder, config()) as sensor:
            sensor.ready()
            time.sleep(1)
            sent = packets(replay(capture, rate))
            time.sleep(3)
            health, rss = healthz(), peak_bytes(sensor.process.pid)
            counted = metric("packets_total"), metric("kernel_dropped_packets_total"), metric("events_dropped_total")
            with replay(beside, rate) as more:
                time.sleep(BESIDE_S)
                code, stop_s = sensor.end()
                more.kill()
        events = [json.loads(line) for line in (folder / "eve.json").read_text().splitlines()]
    return judged(events, sent, counted, health, rss, (code, stop_s))


def config() -> dict[str, Any]:
    return {
        "capture": {"interfaces": [{"name": MIRROR}]},
        "findings": {"least_grade": "contacted", "activities": ["mining", "attempt", "observer", "probe"]},
        "ledger": {"url": "sqlite:///ledger.db"},
        "exporters": {"eve": {"path": "eve.json"}, "prometheus": {"listen": f"127.0.0.1:{METRICS}"}},
    }


def replay(path: Path, rate: int) -> subprocess.Popen[str]:
    """Send it at a steady rate, by which it takes as long as its times say."""
    pps = rate * PACKETS // 2
    command = ["tcpreplay", "-q", "-K", f"--pps={pps}", "-i", SENDER, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def packets(process: subprocess.Popen[str]) -> int:
    return int(re.findall(r"Successful packets: +(\d+)", process.communicate()[0])[0])


def healthz() -> int:
    """The status of the answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/healthz", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def metric(name: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"minewatch_{name}[ {{]", line)))


def peak_bytes(pid: int) -> int:
    return int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) * 1024


def judged(
    events: Iterable[dict[str, Any]],
    sent: int,
    counted: tuple[int, int, int],
    health: int,
    rss: int,
    end: tuple[int, float],
) -> Result:
    findings = [event["mining"] for event in events if event["event_type"] == "mining"]
    mining = {one["login"]: one["shares"] for one in findings if one["shares"]["submitted"]}
    exact = [(one["submitted"], one["accepted"]) for one in mining.values()] == [(SHARES, SHARES)]
    shares = ", ".join(f"{one['accepted']} of {SHARES}" for one in mining.values()) or f"0 of {SHARES}"
    figure = (
        f"{shares} shares; {rss / 1e6:.0f} MB; {len(findings)} events; healthz {health}; "
        f"exit {end[0]} in {end[1]:.1f} s; "
        f"{sent:,} packets sent, {counted[0]:,} handled, {counted[1]:,} dropped, {counted[2]:,} events lost"
    )
    good = exact and rss < RSS_BYTES and len(findings) <= MOST_EVENTS and health == 200
    return Result(figure, good and end[0] == 0 and end[1] <= STOP_S)


def run(seconds: int = SECONDS, rate: int = RATE) -> Result:
    return within("tests.reliability.beginnings", str(seconds), str(rate))


if __name__ == "__main__":
    if sys.argv[1:2] == [INSIDE]:
        with contextlib.suppress(KeyboardInterrupt):
            print(json.dumps(dataclasses.asdict(inside(int(sys.argv[2]), int(sys.argv[3])))))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--seconds", type=int, default=SECONDS)
        parser.add_argument("--rate", type=int, default=RATE)
        chosen = parser.parse_args()
        print(run(chosen.seconds, chosen.rate))
