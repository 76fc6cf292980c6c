"""`make bench`: minewatch beside other programs and the physical limit over the same captures, into docs/speed.md.

All of them run in turn, round by round, with the captures in the page cache. Figures are the least and the median of
five rounds; Mpps and Gbit/s are per CPU second; a ratio is the median of the rounds' own ratios, for the machine's pace
moves between rounds. What a program counted is checked.

BENCH_ROUNDS (5), BENCH_SLOW_ROUNDS (as many; of programs that take minutes), BENCH_ONLY=mixed,small-packets,mix,small,
BENCH_WITHOUT=softflowd,nfstream (programs that are left out), BENCH_DIR (build/bench).
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from sensor import signatures
from sensor.intake.engine import EngineError, load
from tests.bench.bench_page import write
from tests.bench.captures import MIXED, SMALL, make, shared_captures
from tests.bench.measure import Cost, Tool
from tests.bench.peers import FLOOR, minewatch, peers

FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SLOW_ROUNDS = int(os.environ.get("BENCH_SLOW_ROUNDS", str(ROUNDS)))
STEPS = ("walk", "decode", "flow", "scan", "all")
#: A capture of no packets: what a program takes before it has seen anything.
EMPTY = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
COLUMNS = (
    "program",
    "runs",
    "CPU s",
    "median",
    "wall s",
    "Mpps",
    "Gbit/s",
    "x floor",
    "nDPI x",
    "RSS MB",
    "B a flow",
    "packets",
    "mining",
)


@dataclass
class Runs:
    """What all programs took over one capture: for each, a cost a round."""

    capture: Path
    truth: dict[str, int]
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """Of the frames, without the capture's own headers."""
        return (self.capture.stat().st_size - 24 - 16 * self.truth["packets"]) * 8

    def cpu(self, name: str) -> float:
        """The median of its CPU seconds."""
        return statistics.median(cost.cpu for cost in self.costs[name])

    def ratio(self, name: str, beside: str) -> float | None:
        """How many times the CPU of another it takes: the median over the rounds in which both ran."""
        both = list(zip(self.costs[name], self.costs.get(beside, ()), strict=False))
        return statistics.median(its.cpu / other.cpu for its, other in both) if both else None


def main() -> None:
    """Make the captures, run everything, print the tables, write the page."""
    console = Console(width=None if sys.stdout.isatty() else 170, highlight=False)
    without = os.environ.get("BENCH_WITHOUT", "").split(",")
    tools = [minewatch(1), minewatch(2), *(tool for tool in peers(FOLDER) if tool.name not in without)]
    captures = chosen([make(MIXED, FOLDER), make(SMALL, FOLDER), *shared_captures(FOLDER / "shared")])
    empty = FOLDER / "empty.pcap"
    empty.write_bytes(EMPTY)
    texts = [lines(measured(empty, {"packets": 0, "flows": 0}, [minewatch(1)]), "An empty capture")]
    console.print(texts[0])
    for capture in captures:
        runs = measured(capture, json.loads(capture.with_suffix(".json").read_text()), tools)
        title = f"{capture.stem}: {runs.truth['packets']:,} packets, {runs.truth['flows']:,} flows"
        texts.append(lines(runs, title))
        console.print(texts[-1])
    texts.append(steps(captures))
    console.print(texts[-1])
    write("speed", "\n\n".join(texts), programs=versions())


def chosen(captures: list[Path]) -> list[Path]:
    """The captures that BENCH_ONLY names, or all."""
    names = os.environ.get("BENCH_ONLY", "")
    return [path for path in captures if not names or path.stem in names.split(",") or path.name in names.split(",")]


def measured(capture: Path, truth: dict[str, int], tools: list[Tool]) -> Runs:
    """All programs over one capture, round by round in turn."""
    with capture.open("rb") as stored:
        while stored.read(1 << 24):
            pass  # into the page cache
    runs = Runs(capture, truth, {tool.name: [] for tool in tools})
    for number in range(ROUNDS):
        for tool in tools:
            if number >= (SLOW_ROUNDS if tool.slow else ROUNDS) or len(runs.costs[tool.name]) < number:
                continue  # enough of it, or it did not end in a round before
            cost = tool.run(capture)
            if cost is None:
                print(f"bench: {tool.name} did not end over {capture.name} and is left out", file=sys.stderr)
            else:
                runs.costs[tool.name].append(cost)
    for tool in tools:
        _check(tool, runs)
    return runs


def _check(tool: Tool, runs: Runs) -> None:
    """A figure of a program that did not do its work is no figure."""
    counts = {(cost.packets, cost.mining_flows) for cost in runs.costs[tool.name]}
    if len(counts) > 1:
        raise SystemExit(f"bench: {tool.name} tells other counts in each round: {sorted(map(str, counts))}")
    truth = runs.truth.get("packets"), runs.truth.get("mining_flows")
    for (packets, flows), (all_packets, all_flows) in zip(counts, [truth] if tool.exact else [], strict=False):
        if packets != all_packets or (all_flows is not None and flows != all_flows):
            raise SystemExit(f"bench: {tool.name} read {packets} packets and {flows} flows of {runs.capture}: {truth}")


def lines(runs: Runs, title: str) -> str:
    """The table of a capture, in Markdown."""
    rows = [_row(name, costs, runs) for name, costs in runs.costs.items() if costs]
    head = [f"| {' | '.join(COLUMNS)} |", f"|---|{'---:|' * (len(COLUMNS) - 1)}"]
    return "\n".join([f"{title}:", "", *head, *(f"| {' | '.join(row)} |" for row in rows)])


def _row(name: str, costs: list[Cost], runs: Runs) -> list[str]:
    cpu, rss = runs.cpu(name), statistics.median(cost.rss_bytes for cost in costs)
    packets, flows = runs.truth["packets"], runs.truth["flows"]
    floor, peer = runs.ratio(name, FLOOR), runs.ratio("ndpiReader", name) if runs.costs.get("ndpiReader") else None
    return [
        name,
        str(len(costs)),
        f"{min(cost.cpu for cost in costs):.3g}",
        f"{cpu:.3g}",
        f"{statistics.median(cost.wall for cost in costs):.3g}",
        f"{packets / cpu / 1e6:.3g}" if packets else "",
        f"{runs.bits / cpu / 1e9:.3g}" if packets else "",
        "" if floor is None else f"{floor:.2f}",
        "" if peer is None else f"{peer:.1f}",
        f"{rss / 1e6:.0f}",
        f"{rss / flows:.0f}" if flows else "",
        "" if costs[0].packets is None else f"{costs[0].packets:,}",
        "" if costs[0].mining_flows is None else f"{costs[0].mining_flows:,}",
    ]


def steps(captures: list[Path]) -> str:
    """Nanoseconds a packet of each step of the compiled core alone."""
    try:
        core = load("compiled").module
    except EngineError:
        return "SKIPPED: steps of the core (the compiled core is not built)"
    loaded = signatures.load()
    tables, limits = core.Tables(loaded.literals, loaded.openings, loaded.flights), core.Limits()
    rows = [f"| the core alone, ns a packet | {' | '.join(STEPS)} |", f"|---|{'---:|' * len(STEPS)}"]
    for capture in captures:
        best = []
        for step in STEPS:
            packets, _, seconds = min(
                (core.bench(str(capture), step, tables, limits) for _ in range(3)), key=lambda run: run[2]
            )
            best.append(f"{seconds / packets * 1e9:.1f}")
        rows.append(f"| {capture.stem} | {' | '.join(best)} |")
    return "Each step with those before it, the least of three:\n\n" + "\n".join(rows)


def versions() -> str:
    """The others' versions, in a line."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}; ", "libndpi-bin", "tcpdump", "softflowd"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip().rstrip(";")


if __name__ == "__main__":
    main()
