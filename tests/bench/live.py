"""`make bench-live`: packets sent over a cable between two ends in a namespace of their own, and what the line hears of
them.

Figures: packets sent, handled and dropped by the kernel, whether all are accounted for, how far the newest packet
was behind the clock at most, after how long it was not any more, and the processor time a packet took from the first
one on, of the whole process and of the reading thread that was busiest. BENCH_LIVE_S says how long each rate is held
(60), BENCH_LIVE_CAPTURE what is sent, BENCH_LIVE_WORKERS how many workers listen (1), BENCH_LIVE_RING_MIB the ring
(64), BENCH_LIVE_RATES the rates in packets a second (100000,200000,0; 0 is as fast as it goes), BENCH_LIVE_SENDER what
sends them: tcpreplay, or sendmmsg, which makes fewer system calls.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sensor import signatures
from sensor.intake.engine import ListenOptions, describe, load
from sensor.line.pipeline import Pipeline
from tests.bench.captures import MIXED, make
from tests.bench.workers import threads

FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench"))
SECONDS = int(os.environ.get("BENCH_LIVE_S", "60"))
WORKERS = int(os.environ.get("BENCH_LIVE_WORKERS", "1"))
RATES = [int(rate) for rate in os.environ.get("BENCH_LIVE_RATES", "100000,200000,0").split(",")]
SENDER_PROGRAM = os.environ.get("BENCH_LIVE_SENDER", "tcpreplay")
RING_BYTES = int(os.environ.get("BENCH_LIVE_RING_MIB", "64")) << 20
#: After the last packet the listener goes on for so long: by then it must have caught up.
AFTER_S = 6
SENDER, MIRROR = "a0", "b0"
PATIENCE_S = 20
LOOK_S = 0.5
COLUMNS = (
    *(
        "asked",
        "pps",
        "Mbit/s",
        "sent",
        "handled",
        "dropped",
        "loss %",
        "account",
        "events lost",
        "lag max",
        "lag gone",
    ),
    *("CPU s", "ns/pkt", "busiest ns", "MB"),
)


def main() -> None:
    """Each rate in turn; a row for each."""
    needed = ("ip", "tcpreplay") if SENDER_PROGRAM == "tcpreplay" else ("ip",)
    missing = [name for name in needed if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        sys.exit(
            f"bench-live: SKIPPED: needs root and {', '.join(missing) or 'network namespaces'} (make debian-packages)"
        )
    capture = Path(os.environ.get("BENCH_LIVE_CAPTURE") or make(MIXED, FOLDER))
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    console.print(
        f"engine: {describe()}; {os.cpu_count()} processors; {WORKERS} workers; "
        f"{capture}, {SECONDS} s each, ring {RING_BYTES >> 20} MiB"
    )
    table = Table(title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for rate in RATES:
        table.add_row(*row(rate, *measure(capture, rate)))
    console.print(table)


def row(rate: int, sent: dict[str, float], heard: dict[str, Any]) -> list[str]:
    """One rate's figures as text."""
    stats, packets = heard["stats"], int(sent["packets"])
    ignored = sum(count for name, count in stats.items() if name.startswith("ignored_"))
    whole = stats["packets"] == stats["segments"] + stats["excluded"] + ignored
    exact = whole and packets == stats["packets"] + stats["kernel_dropped"]
    behind = max(0.0, heard["caught_up_at"] - sent["ended_at"])
    return [
        f"{rate:,}" if rate else "top", f"{sent['pps']:,.0f}", f"{sent['mbps']:,.0f}", f"{packets:,}",
        f"{stats['packets']:,}",
        f"{stats['kernel_dropped']:,}", f"{100 * stats['kernel_dropped'] / packets:.4f}", "exact" if exact else "WRONG",
        f"{stats['events_dropped']:,}", f"{heard['lag_max_s']:.3f} s", f"{behind:.2f} s", f"{heard['cpu_s']:.1f}",
        f"{heard['cpu_s'] / stats['packets'] * 1e9:,.0f}", f"{heard['busiest_s'] / stats['packets'] * 1e9:,.0f}",
        f"{heard['rss_bytes'] / 1e6:.0f}",
    ]  # fmt: skip


def measure(capture: Path, rate: int) -> tuple[dict[str, float], dict[str, Any]]:
    """What was sent and what was heard, at one rate (0: top speed), in a namespace made for it."""
    words = sending(capture, rate)
    with cable() as inside:
        listener = subprocess.Popen(
            [*inside, sys.executable, "-m", "tests.bench.live", "listen"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "listening\n"
            time.sleep(1)
            output = run(*inside, *words)
            ended_at = time.time()
            time.sleep(AFTER_S)
            listener.send_signal(signal.SIGTERM)
            return _sent(output, ended_at), json.loads(listener.communicate(timeout=PATIENCE_S)[0])
        finally:
            if listener.poll() is None:
                listener.kill()


def sending(capture: Path, rate: int) -> list[str]:
    """The command that sends."""
    if SENDER_PROGRAM != "tcpreplay":
        return [sys.executable, "-m", "tests.bench.sender", SENDER, str(capture), str(SECONDS), str(rate)]
    speed = f"--pps={rate}" if rate else "--topspeed"
    return ["tcpreplay", "-q", "-K", "--loop=0", f"--duration={SECONDS}", speed, "-i", SENDER, str(capture)]


@contextlib.contextmanager
def cable() -> Iterator[list[str]]:
    """A cable between two ends in a network namespace made for it: the words that run a command inside."""
    name = f"minewatch-{os.getpid()}"
    run("ip", "netns", "add", name)
    inside = ["ip", "netns", "exec", name]
    try:
        run(*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        run(*inside, "ip", "link", "add", SENDER, "type", "veth", "peer", "name", MIRROR)
        for end in ("lo", SENDER, MIRROR):
            run(*inside, "ip", "link", "set", end, "up")
        yield inside
    finally:
        run("ip", "netns", "del", name)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench-live: {' '.join(command)}: {done.stderr}")
    return done.stdout


def _sent(told: str, ended_at: float) -> dict[str, float]:
    if SENDER_PROGRAM != "tcpreplay":
        return {**json.loads(told), "ended_at": ended_at}
    rated = next(line for line in told.splitlines() if line.startswith("Rated:"))
    words = rated.replace(",", "").split()
    packets = next(int(line.split(":")[1]) for line in told.splitlines() if "Successful packets" in line)
    return {
        "packets": packets,
        "pps": float(words[-2]),
        "mbps": float(words[words.index("Mbps") - 1]),
        "ended_at": ended_at,
    }


def listen() -> None:
    """The line, as the daemon runs it, until it is told to end; then its figures as JSON."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    known, engine = signatures.load(), load()
    core = engine.core_of(known, {"workers": WORKERS})
    engine.attach(core, f"iface:{MIRROR}", ListenOptions(ring_bytes=RING_BYTES))
    pipeline = Pipeline(known)
    used = resource.getrusage(resource.RUSAGE_SELF)
    before_s, spent = used.ru_utime + used.ru_stime, threads()
    print("listening", flush=True)
    lag_max, caught_up_at, before, began = 0.0, time.time(), 0, dict(spent)
    looked_at = 0.0
    while not core.finished:
        if stop:
            core.finish()
        pipeline.step(core.poll(1_024, 50))
        figures = core.interfaces()[MIRROR]
        if stop or time.time() - looked_at > LOOK_S:  # to look takes longer than to poll
            spent |= threads()
            looked_at = time.time()
        if figures["packets"] != before:
            before, lag = figures["packets"], (figures["last_handled_ns"] - figures["last_packet_ns"]) / 1e9
            lag_max = max(lag_max, lag)
            if lag > 1 or not stop:
                caught_up_at = time.time()
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, rss_bytes = used.ru_utime + used.ru_stime - before_s, used.ru_maxrss * 1024
    own = f"/{os.getpid()}"  # polls, and reads what was found
    busiest_s = max((ran - began.get(name, 0)) / 1e9 for name, ran in spent.items() if not name.endswith(own))
    figures = {"lag_max_s": lag_max, "caught_up_at": caught_up_at, "cpu_s": cpu_s, "rss_bytes": rss_bytes}
    figures["busiest_s"] = busiest_s
    print(json.dumps({"stats": core.stats(), **figures}))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        listen() if sys.argv[1:] == ["listen"] else main()
