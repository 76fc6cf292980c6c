"""T5: the daemon for an hour at fifty thousand packets a second, with reloads, rotations, a receiver that goes and
comes, and floods between. Memory, descriptors and threads must stay where they are, and every packet be accounted for.

`python -m tests.reliability.soak [--seconds 3600]`. Fifteen minutes show all of it but how memory grows: of nine of
them the slope's interval of 95 % was 50 MB an hour wide.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from signal import SIGHUP
from typing import Any, NamedTuple

from sensor.line.join import MAX_FLOWS
from tests.bench.captures import MIXED, make
from tests.bench.live import FOLDER, MIRROR, SENDER
from tests.daemon.sensor import Sensor, running
from tests.delivery.receivers import HttpReceiver
from tests.reliability.cable import INSIDE, within
from tests.reliability.filling import Progress, fill
from tests.reliability.flood import capture
from tests.reliability.result import Result

SECONDS, RATE = 3_600, 50_000
#: Until the tables have filled; what is measured begins then. Findings are filled before (`filling.py`).
WARM_SHARE = 0.4
RELOAD_S, ROTATE_S, OUTAGE_S, FLOOD_S, SAMPLE_S = 60, 20, 90, 120, 5
#: Until it is warm floods come as often: each leaves its marks between what lasts, and only after a dozen of them the
#: heap has room for the next.
WARM_FLOOD_S = 30
WATCHDOG_S = 20
#: How often a finding is reported; while findings are filled less often, for that takes most of the line's time then.
UPDATE_S, FILLING_UPDATE_S = 10, 60
METRICS = 18_181
SLOPE_BYTES_PER_H = 1_000_000


class Sample(NamedTuple):
    """The process at one moment."""

    at_s: float
    rss_bytes: int
    descriptors: int
    threads: int


def sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    rss = int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) * 1024
    threads = int(re.findall(r"Threads:\s+(\d+)", status)[0])
    return Sample(time.monotonic(), rss, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads)


class Slope(NamedTuple):
    """How memory grows, in bytes an hour: Theil and Sen's, the median over all pairs, with Sen's interval of 95 %."""

    least: float
    best: float
    most: float


def lowest(samples: list[Sample]) -> list[Sample]:
    """The least memory between two floods each: what a flood takes for a while is no growth."""
    by_flood = itertools.groupby(samples, lambda one: int((one.at_s - samples[0].at_s) // FLOOD_S))
    return [min(its, key=lambda one: one.rss_bytes) for _, its in by_flood]


def slope_per_h(samples: list[Sample]) -> Slope:
    """The slope through samples in order; the interval is of the pairs' ranks (P. K. Sen, 1968, by Kendall's S)."""
    pairs = sorted(
        3_600 * (later.rss_bytes - one.rss_bytes) / (later.at_s - one.at_s)
        for one, later in itertools.combinations(samples, 2)
    )
    if not pairs:
        return Slope(-math.inf, 0.0, math.inf)
    count = len(samples)
    spread = 1.96 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    rank = max(0, int((len(pairs) - spread) / 2))
    return Slope(pairs[rank], statistics.median(pairs), pairs[-1 - rank])


def config(receiver: str, update_s: int = UPDATE_S) -> dict[str, Any]:
    return {
        "capture": {"interfaces": [{"name": MIRROR}]},
        "findings": {"update_s": update_s},
        "ledger": {"url": "sqlite:///ledger.db"},
        "exporters": {
            "eve": {"path": "eve.json"},
            "webhook": {"url": receiver, "secret_file": "secret"},
            "prometheus": {"listen": f"127.0.0.1:{METRICS}"},
        },
    }


def inside(seconds: int) -> Result:
    """Everything at once, for the given time."""
    mix = make(MIXED, FOLDER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_text("a secret of thirty-two characters")
        flood = folder / "flood.pcap"
        capture(flood, 200_000)
        watchdog = {"WATCHDOG_USEC": f"{WATCHDOG_S}000000"}
        with (
            contextlib.closing(HttpReceiver()) as receiver,
            running(folder, config(receiver.url, FILLING_UPDATE_S), **watchdog) as sensor,
        ):
            sensor.ready()
            time.sleep(1)
            filled, fullness = fill(sensor, lambda path, pps: packets(replay(path, pps)), progress)
            sensor.write(config(receiver.url))
            sensor.process.send_signal(SIGHUP)
            background = replay(mix, RATE, "--loop=0", f"--duration={seconds}")
            samples, pings, floods = go_on(sensor, receiver, flood, seconds)
            sent = filled + packets(background) + floods
            time.sleep(5)
            counted = figures()
            code, stop_s = sensor.end()
    keep(samples)
    return judged(samples, pings, sent, counted, Ending(code, stop_s, fullness))


def keep(samples: list[Sample]) -> None:
    """Leave the samples where somebody can look at their course."""
    rows = [f"{one.at_s - samples[0].at_s:.1f},{one.rss_bytes},{one.descriptors},{one.threads}" for one in samples]
    (FOLDER / "soak.csv").write_text("\n".join(["at_s,rss_bytes,descriptors,threads", *rows, ""]))


def replay(path: Path, pps: int, *options: str) -> subprocess.Popen[str]:
    command = ["tcpreplay", "-q", "-K", *options, f"--pps={pps}", "-i", SENDER, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def packets(process: subprocess.Popen[str]) -> int:
    return int(re.findall(r"Successful packets: +(\d+)", process.communicate()[0])[0])


def go_on(sensor: Sensor, receiver: HttpReceiver, flood: Path, seconds: int) -> tuple[list[Sample], list[float], int]:
    """Disturb it until the time is over: samples, when each watchdog ping was read, and the flood's packets."""
    samples, pings, sent, seen = [sample(sensor.process.pid)], [time.monotonic()], 0, 0
    every_s = {"reload": RELOAD_S, "rotate": ROTATE_S, "outage": OUTAGE_S, "flood": WARM_FLOOD_S}
    following = dict(every_s)
    began = time.monotonic()
    while (now_s := time.monotonic() - began) < seconds:
        if now_s >= WARM_SHARE * seconds:
            every_s["flood"] = FLOOD_S
        for what, at_s in list(following.items()):
            if now_s < at_s:
                continue
            following[what] += every_s[what]
            sent += disturb(what, sensor, receiver, flood, int(at_s))
        pings_read = sensor.notified.read().count("WATCHDOG=1")
        if pings_read > seen:
            pings += [time.monotonic()] * (pings_read > seen)
            seen = pings_read
        if time.monotonic() - samples[-1].at_s >= SAMPLE_S:
            samples.append(sample(sensor.process.pid))
        time.sleep(0.2)
    return samples, pings, sent


def disturb(what: str, sensor: Sensor, receiver: HttpReceiver, flood: Path, at_s: int) -> int:
    """One disturbance; the packets it sent."""
    if what == "flood":
        return packets(replay(flood, 4 * RATE))
    if what == "outage":
        receiver.status = 503 if receiver.status == 200 else 200
        return 0
    if what == "rotate" and (sensor.folder / "eve.json").exists():
        (sensor.folder / "eve.json").rename(sensor.folder / f"eve.json.{at_s}")
        for old in sorted(sensor.folder.glob("eve.json.*"))[:-3]:
            old.unlink()
    sensor.process.send_signal(SIGHUP)
    return 0


def figures() -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("minewatch_")]
    return {name.removeprefix("minewatch_"): float(value) for name, _, value in lines}


def total(counted: dict[str, float], name: str) -> float:
    """The sum of a metric's series."""
    return sum(value for series, value in counted.items() if series.partition("{")[0] == name)


def progress() -> Progress:
    """What the line has read, and the connections and data that were more than it could take."""
    counted = figures()
    refused = total(counted, "candidates_refused_total") + total(counted, "events_dropped_total")
    return Progress(total(counted, "messages_total"), refused)


class Ending(NamedTuple):
    """How the sensor ended, and how full its findings had been from the beginning."""

    code: int
    stop_s: float
    fullness: int


def judged(samples: list[Sample], pings: list[float], sent: int, counted: dict[str, float], ending: Ending) -> Result:
    warm = samples[int(len(samples) * WARM_SHARE) :]
    slope = slope_per_h(lowest(warm))
    early, late = warm[: len(warm) // 2], warm[len(warm) // 2 :]
    grown = [
        name
        for name in ("descriptors", "threads")
        if max(getattr(one, name) for one in late) > max(getattr(one, name) for one in early)
    ]
    longest_s = max(later - one for one, later in itertools.pairwise(pings)) if len(pings) > 1 else 0.0
    handled, dropped = total(counted, "packets_total"), total(counted, "kernel_dropped_packets_total")
    missing = sent - int(handled + dropped)
    figure = (
        f"{samples[-1].at_s - samples[0].at_s:.0f} s, {sent:,} packets sent, {handled:,.0f} handled, {dropped:,.0f} "
        f"dropped, {missing} unaccounted; memory {slope.best / 1e6:+.2f} MB/h (95 %: {slope.least / 1e6:+.1f} to "
        f"{slope.most / 1e6:+.1f}) at {warm[-1].rss_bytes / 1e6:.0f} MB; "
        f"descriptors {span({one.descriptors for one in warm})}, threads {span({one.threads for one in warm})}; "
        f"findings filled to {ending.fullness} connections; longest between pings {longest_s:.1f} s of {WATCHDOG_S}; "
        f"exit {ending.code} in {ending.stop_s:.1f} s"
    )
    passed = (
        slope.best <= SLOPE_BYTES_PER_H
        and not grown  # a connection or a reload's thread comes and goes; more and more of them must not
        and longest_s < WATCHDOG_S
        and missing == 0
        and ending.fullness >= MAX_FLOWS  # else memory grows as it should, and nothing was measured
        and (ending.code, ending.stop_s <= 5) == (0, True)
    )
    return Result(figure, passed)


def span(values: set[int]) -> str:
    return f"{min(values)}–{max(values)}" if len(values) > 1 else str(*values)


def run(seconds: int = SECONDS) -> Result:
    return within("tests.reliability.soak", str(seconds))


if __name__ == "__main__":
    if sys.argv[1:2] == [INSIDE]:
        print(json.dumps(dataclasses.asdict(inside(int(sys.argv[2])))))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--seconds", type=int, default=SECONDS)
        print(run(parser.parse_args().seconds))
