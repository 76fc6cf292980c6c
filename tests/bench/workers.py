"""What each thread of the compiled core spends on a capture, with one worker and with several.

`python -m tests.bench.workers [CAPTURE]`; BENCH_WORKERS says with how many (1,2,4), BENCH_ROUNDS how often, interleaved
(3); the least of each figure is taken. Events are polled and thrown away. A core that has a processor for each of its
threads takes as long as the busiest of them: from that the speed-up is reckoned, whatever this machine has. With one
worker the reader does everything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sensor import signatures
from sensor.intake import engine
from tests.bench.captures import MIXED, make

FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench"))
WORKERS = [int(number) for number in os.environ.get("BENCH_WORKERS", "1,2,4").split(",")]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
#: A thread's last moments before it ends are not seen: so long at most.
POLL_MS = 2


def threads() -> dict[str, int]:
    """Nanoseconds of processor time of each thread of this process, by its name and number (proc(5), schedstat)."""
    spent = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            name, ran = (task / "comm").read_text().strip(), (task / "schedstat").read_text().split()[0]
        except OSError:  # it has just ended
            continue
        spent[f"{name}/{task.name}"] = int(ran)
    return spent


def measure(capture: str, workers: int) -> dict[str, float]:
    """Seconds of processor time: of the threads that read ahead and that spreads, of the busiest and of all workers."""
    loaded = signatures.load()
    core = engine.load("compiled").core_of(loaded, {"workers": workers})
    before, spent = threads(), {}
    core.attach(capture)
    core.finish()
    while not core.finished:
        core.poll(4_096, POLL_MS)
        spent |= {name: ran for name, ran in threads().items() if name not in before}
    stats = core.stats()
    core.close()
    ran = sorted((value / 1e9 for name, value in spent.items() if name.startswith("worker")), reverse=True)
    ahead, reader = (
        sum(value for name, value in spent.items() if name.startswith(kind)) / 1e9 for kind in ("ahead", "reader")
    )
    return {
        "ahead": ahead,
        "reader": reader,
        "busiest": ran[0] if ran else 0.0,
        "workers": sum(ran),
        "packets": stats["packets"],
    }


def main() -> None:
    """Each number of workers in a process of its own; a row for each."""
    capture = sys.argv[1] if sys.argv[1:] else str(make(MIXED, FOLDER))
    found: dict[int, list[dict[str, float]]] = {number: [] for number in WORKERS}
    for _ in range(ROUNDS):
        for number in WORKERS:
            words = [sys.executable, "-m", "tests.bench.workers", capture, str(number)]
            output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            found[number].append(json.loads(output))
    table = Table(title_justify="left")
    for column in ("workers", "ahead s", "reader s", "busiest worker s", "all workers s", "reader ns/pkt", "speed-up"):
        table.add_column(column, justify="right")
    alone: float | None = None
    for number, rounds in found.items():
        least = {name: min(one[name] for one in rounds) for name in rounds[0]}
        longest = max(least["ahead"], least["reader"], least["busiest"])
        alone = longest if alone is None else alone
        figures = (least["ahead"], least["reader"], least["busiest"], least["workers"])
        each = f"{least['reader'] / least['packets'] * 1e9:.0f}"
        table.add_row(str(number), *(f"{value:.3f}" for value in figures), each, f"{alone / longest:.2f}")
    Console(highlight=False).print(f"{capture}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", table)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
