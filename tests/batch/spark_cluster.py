"""A replay on a cluster of Spark beside one sitting and processes, and an executor that is killed in the middle: all
tell the same, by the digest of their events. `make spark`.

python -m tests.batch.spark_cluster [--sites N] [--write]     pyspark must be on the path, and Java 17

The cluster is Spark's `local-cluster`: two executors, each a Java process of its own with its own workers in Python,
on this host. `--write` puts the figures into docs/batch.md. The exit code is 1 if a digest differs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.batch.captures import archive
from tests.bench.bench_page import circumstances
from tests.docs.markdown import filled

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "batch.md"
MARKS = ("<!-- measured: make spark -->", "<!-- end of the figures -->")
EXECUTORS, CORES, MEMORY_MB = 2, 1, 700
#: What the programs of an executor, and of its workers, are called on their command lines.
EXECUTOR, WORKER = "CoarseGrainedExecutorBackend", "pyspark.daemon"
#: Seconds after a worker's first sign of life: its tasks are under way then.
INTO_THE_RUN_S = 1.0


@dataclass(frozen=True)
class Outcome:
    """One way of reading the archive."""

    way: str
    seconds: float
    digest: str
    events: int
    remark: str = ""


def processes(text: str, below: int) -> Iterator[int]:
    """The running descendants of a process with this on their command line (proc(5))."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                lines[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    for pid, line in lines.items():
        above = pid
        while above in parents and above != below:
            above = parents[above]
        if above == below and text in line:
            yield pid


def kill_an_executor(below: int, over: threading.Event) -> None:
    """Wait until tasks are under way, and kill -9 the executor whose worker came first."""
    while not over.wait(0.05):
        if next(processes(WORKER, below), None) is not None:
            if over.wait(INTO_THE_RUN_S):
                return
            for executor in processes(EXECUTOR, below):
                if next(processes(WORKER, executor), None) is not None:
                    os.kill(executor, signal.SIGKILL)
                    return


def environment() -> dict[str, str]:
    """Spark's own settings: a cluster on this host, heard by nobody else."""
    path = os.pathsep.join([str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    settings = {
        "spark.executorEnv.PYTHONPATH": path,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.executor.memory": f"{MEMORY_MB}m",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    words = [f"--master local-cluster[{EXECUTORS},{CORES},{MEMORY_MB}]"]
    words += [f"--conf {name}={value}" for name, value in settings.items()]
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": " ".join([*words, "pyspark-shell"]),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def read(
    way: str, folder: Path, words: list[str], disturb: Callable[[int, threading.Event], None] | None = None
) -> Outcome:
    """Read the archive in one way. Raises RuntimeError where the command fails, or where what should disturb it did
    not."""
    eve, over = folder / "eve.json", threading.Event()
    line = [sys.executable, "-m", "sensor.cli", "replay", "archive", "-q", "--eve", "eve.json", *words]
    began = time.monotonic()
    with subprocess.Popen(line, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True) as child:
        if disturb is not None:
            threading.Thread(target=disturb, args=(child.pid, over), daemon=True).start()
        assert child.stderr is not None
        log = child.stderr.read()
    over.set()
    seconds = time.monotonic() - began
    if child.returncode != 0:
        raise RuntimeError(f"{way}: exit code {child.returncode}\n{log}")
    lost = len(re.findall(r"Lost executor \d+ ", log))
    again = len(re.findall(r"Lost task \d+\.\d+ in stage", log))
    if disturb is not None and not lost:
        raise RuntimeError(f"{way}: no executor was lost\n{log}")
    data = eve.read_bytes()
    remark = f"{lost} executor lost, {again} of its tasks read again" if disturb is not None else ""
    return Outcome(way, seconds, hashlib.sha256(data).hexdigest(), data.count(b"\n"), remark)


def table(outcomes: list[Outcome]) -> str:
    """The figures as Markdown."""
    rows = [
        f"| {one.way} | {one.events} | {one.seconds:.1f} | `{one.digest[:16]}` | {one.remark} |" for one in outcomes
    ]
    return "\n".join(["| read by | events | seconds | SHA-256 of the events | |", "|---|---:|---:|---|---|", *rows])


def main() -> int:
    """Read the archive in each way; print, and write, the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sites", type=int, default=220)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        captures = archive(folder / "archive", given.sites)
        cluster = f"Spark, {EXECUTORS} executors"
        outcomes = [
            read("one sitting", folder, []),
            read("2 processes", folder, ["--engine", "processes", "-j", "2"]),
            read(cluster, folder, ["--engine", "spark"]),
            read(f"{cluster}, one killed", folder, ["--engine", "spark"], kill_an_executor),
        ]
        size = sum(path.stat().st_size for path in captures)
    about = f"{len(captures)} captures of {given.sites} sites, {size / 1e6:.1f} MB, each site a task."
    text = "\n\n".join([about, table(outcomes), circumstances("")])
    print(text)
    if given.write:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), MARKS, text), encoding="utf-8")
    return int(len({one.digest for one in outcomes}) != 1)


if __name__ == "__main__":
    sys.exit(main())
