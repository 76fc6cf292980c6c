"""`make bench`: minewatch beside other programs over the same captures, interleaved, and the steps of the core alone.

Figures are medians of BENCH_ROUNDS runs (3) with the captures in the page cache; Mpps and Gbit/s are per CPU second,
as the figures of others are. BENCH_ONLY=mixed,small-packets,mix,small chooses captures, BENCH_DIR says where they
lie (build/bench).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sensor import signatures
from sensor.intake.engine import EngineError, describe, load
from tests.bench.captures import MIXED, SMALL, make
from tests.bench.measure import Cost, Tool, install, minewatch, peers

SHARED = Path(__file__).parents[3] / "shared" / "bench"
FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
STEPS = ("walk", "decode", "flow", "scan", "all")
#: A capture of no packets: what a program takes before it has seen anything.
EMPTY = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def main() -> None:
    """Make the captures, run everything, print the tables."""
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    if not shutil.which("ndpiReader") or not shutil.which("tcpdump"):
        install("libndpi-bin", "tcpdump")
    captures = chosen([make(MIXED, FOLDER), make(SMALL, FOLDER), *shared_captures()])
    (FOLDER / "empty.pcap").write_bytes(EMPTY)
    console.print(f"engine: {describe()}; {os.cpu_count()} processors; medians of {ROUNDS} interleaved rounds")
    tools = [minewatch(1), minewatch(2), *peers()]
    for capture in captures:
        compare(console, capture, tools)
    floor(console, captures)
    steps(console, captures)


def chosen(captures: list[Path]) -> list[Path]:
    """The captures that BENCH_ONLY names, or all."""
    names = os.environ.get("BENCH_ONLY", "")
    return [path for path in captures if not names or path.stem in names.split(",") or path.name in names.split(",")]


def shared_captures() -> list[Path]:
    """The captures of ../shared/bench, where its maker is there and can run."""
    maker, folder = SHARED / "make_bench.py", FOLDER / "shared"
    wanted = [folder / "mix.pcap", folder / "small.pcap"]
    if not maker.exists():
        print("bench: without the captures of ../shared/bench (not here)", file=sys.stderr)
        return []
    if all(path.exists() and path.with_suffix(".json").exists() for path in wanted):
        return wanted
    if not shutil.which("capinfos") or not shutil.which("editcap"):
        install("wireshark-common")
    if not shutil.which("capinfos") or not shutil.which("gcc"):
        print("bench: without the captures of ../shared/bench (they need capinfos, editcap and gcc)", file=sys.stderr)
        return []
    sizes = [
        "--mix-flows",
        os.environ.get("BENCH_MIX_FLOWS", "330000"),
        "--small-flows",
        os.environ.get("BENCH_SMALL_FLOWS", "1000000"),
    ]
    done = subprocess.run(
        [sys.executable, str(maker), "--out", str(folder), *sizes], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"bench: ../shared/bench/make_bench.py failed:\n{done.stderr[-2000:]}", file=sys.stderr)
        return []
    for path in wanted:
        told = re.search(rf"{path.name}: (\d+) packets, \d+ bytes, (\d+) flow", done.stderr)
        if told:
            path.with_suffix(".json").write_text(json.dumps({"packets": int(told[1]), "flows": int(told[2])}))
    return wanted


def compare(console: Console, capture: Path, tools: list[Tool]) -> None:
    """All programs over one capture, round by round in turn."""
    truth = json.loads(capture.with_suffix(".json").read_text())
    bits = (capture.stat().st_size - 16 * truth["packets"]) * 8
    with capture.open("rb") as stored:
        while stored.read(1 << 24):
            pass  # into the page cache
    runs: dict[str, list[Cost]] = {tool.name: [] for tool in tools}
    for _ in range(ROUNDS):
        for tool in tools:
            runs[tool.name].append(tool.run(capture))
    empty = minewatch(1).run(FOLDER / "empty.pcap").rss_bytes
    cpu = {name: statistics.median(cost.cpu for cost in costs) for name, costs in runs.items()}
    table = Table(title=f"{capture}: {truth['packets']:,} packets, {truth['flows']:,} flows", title_justify="left")
    for column in (
        "",
        "wall s",
        "CPU s",
        "Mpps",
        "Gbit/s",
        "RSS MB",
        "B/flow",
        "over empty",
        "packets",
        "mining flows",
        "x ndpiReader",
    ):
        table.add_column(column, justify="left" if not column else "right")
    for tool in tools:
        costs = runs[tool.name]
        seconds, rss = cpu[tool.name], statistics.median(cost.rss_bytes for cost in costs)
        ratio = f"{cpu['ndpiReader'] / seconds:.1f}" if "ndpiReader" in cpu else ""
        over = f"{(rss - empty) / truth['flows']:.0f}" if tool.name.startswith("minewatch") else ""
        table.add_row(
            tool.name,
            f"{statistics.median(cost.wall for cost in costs):.2f}",
            f"{seconds:.2f}",
            f"{truth['packets'] / seconds / 1e6:.2f}",
            f"{bits / seconds / 1e9:.2f}",
            f"{rss / 1e6:.0f}",
            f"{rss / truth['flows']:.0f}",
            over,
            _told(costs[0].packets, truth["packets"]),
            _told(costs[0].mining_flows, truth.get("mining_flows") if tool.name.startswith("minewatch") else None),
            ratio,
        )
    console.print(table)
    one, two = (statistics.median(cost.wall for cost in runs[tool.name]) for tool in tools[:2])
    console.print(f"two workers: {one / two:.2f} times as fast by the wall clock\n")


def _told(value: int | None, truth: int | None) -> str:
    """What a program counted, marked where it is known to be wrong."""
    if value is None:
        return ""
    return f"{value:,}" + (f" (WRONG: {truth:,})" if truth is not None and value != truth else "")


def floor(console: Console, captures: list[Path]) -> None:
    """The physical limit, where its source is at hand."""
    source, program = SHARED / "floor.c", FOLDER / "floor"
    if not source.exists() or not shutil.which("gcc"):
        return
    subprocess.run(["gcc", "-O3", "-march=native", "-w", "-o", str(program), str(source)], check=True)
    for capture in captures:
        for mode in ("walkread", "gate"):
            done = subprocess.run([str(program), mode, str(capture)], capture_output=True, text=True, check=False)
            console.print(f"floor, {capture.name}: {' '.join(done.stdout.split()[-5:])} ({mode})")


def steps(console: Console, captures: list[Path]) -> None:
    """Nanoseconds per packet of each step of the compiled core alone."""
    try:
        core = load("compiled").module
    except EngineError:
        console.print("SKIPPED: steps of the core (the compiled core is not built)")
        return
    known = signatures.load()
    tables, limits = core.Tables(known.literals, known.openings, known.flights), core.Limits()
    table = Table(title="The core alone, nanoseconds per packet (best of 3)", title_justify="left")
    for column in ("", *STEPS):
        table.add_column(column, justify="right" if column else "left")
    for capture in captures:
        best = []
        for step in STEPS:
            packets, _, seconds = min(
                (core.bench(str(capture), step, tables, limits) for _ in range(3)), key=lambda told: told[2]
            )
            best.append(f"{seconds / packets * 1e9:.1f}")
        table.add_row(str(capture), *best)
    console.print(table)


if __name__ == "__main__":
    main()
