"""Runs one program over one capture and says what it cost: wall time, CPU seconds (user and system), and the largest
resident memory.

It knows how each program is asked and how its answer is read, and nothing about which of them should win.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: Starts a program from a small process and tells its cost: the kernel counts the memory of whoever starts a program as
#: the program's own, so the largest resident memory must not be measured from a process that has drawn tables.
LAUNCHER = """
import os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 1, 2)])
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - began
print([os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss], file=sys.stderr)
"""


@dataclass
class Cost:
    """What one run took, and what it found."""

    wall: float
    cpu: float
    rss_bytes: int
    packets: int | None
    mining_flows: int | None


@dataclass(frozen=True)
class Tool:
    """A program and its words; `{}` stands for the capture."""

    name: str
    words: tuple[str, ...]

    def run(self, capture: Path) -> Cost:
        """One run; a program that fails ends the bench."""
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "eve.json"
            words = [word.replace("{}", str(capture)).replace("{eve}", str(events)) for word in self.words]
            with (Path(folder) / "out").open("wb+") as out:
                done = subprocess.run(
                    [sys.executable, "-I", "-S", "-c", LAUNCHER, *words],
                    stdout=out,
                    stderr=subprocess.PIPE,
                    check=False,
                )
                out.seek(0)
                text = out.read().decode(errors="replace")
            code, wall, cpu, rss = json.loads(done.stderr)
            if code:
                raise SystemExit(f"bench: {self.name} failed ({code}):\n{text[-2000:]}")
            packets, mining = _answer(text, events)
        return Cost(wall, cpu, rss * 1024, packets, mining)


def _answer(text: str, events: Path) -> tuple[int | None, int | None]:
    """Packets and mining flows as the program told them, where it tells."""
    if events.exists():
        found = [json.loads(line) for line in events.read_text().splitlines()]
        packets = re.search(r"([\d,]+) packets? ·", text)
        flows = sum(event["mining"]["flow_count"] for event in found if event["event_type"] == "mining")
        return int(packets[1].replace(",", "")) if packets else None, flows
    mining = re.search(r"Mining\s+packets: \d+\s+bytes: \d+\s+flows: (\d+)", text)
    total = re.search(r"IP packets:\s+(\d+)\s+of (\d+) packets total", text)
    if total:
        return int(total[2]), int(mining[1]) if mining else 0
    return None, None


def minewatch(workers: int) -> Tool:
    """minewatch itself, with all it does."""
    words = (sys.executable, "-m", "sensor.cli", "replay", "{}", "--eve", "{eve}", "-j", str(workers))
    return Tool("minewatch" if workers == 1 else f"minewatch -j {workers}", words)


def peers() -> list[Tool]:
    """The other programs that are installed here."""
    found = []
    if shutil.which("ndpiReader"):
        found.append(Tool("ndpiReader", ("ndpiReader", "-i", "{}")))
    if shutil.which("tcpdump"):
        found.append(Tool("tcpdump -w", ("tcpdump", "-Z", "root", "-r", "{}", "-w", "/dev/null")))
    return found


def install(*packages: str) -> None:
    """Install Debian packages as root, where that is possible; otherwise say what is missing."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, **quiet)  # type: ignore[call-overload]
        words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        done = subprocess.run(words, check=False, env=environment, **quiet)  # type: ignore[call-overload]
        if done.returncode == 0:
            return
    print(f"bench: not installed, and cannot be here: {' '.join(packages)}", file=sys.stderr)
