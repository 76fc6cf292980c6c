"""Runs one program over one capture and says what it cost: wall time, CPU seconds (user and system), and the largest
resident memory.

It knows how each program is asked and how its answer is read, and nothing about which of them should win.
"""

from __future__ import annotations

import json
import re
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
#: A program that takes longer does not end (timeout(1) of coreutils: exit code 124).
MOST_S, DOES_NOT_END = 900, 124
#: How programs tell how many packets they read, and how many flows of mining they found.
PACKETS = (
    r"IP packets:\s+\d+\s+of (\d+) packets total",  # ndpiReader
    r"([\d,]+) packets? ·",  # minewatch
    r"\bpk=(\d+)",  # the floor
    r"^Packets processed: (\d+)",  # softflowd's statistics
    r"^nfstream packets (\d+)",
    r"^(\d+) packets?$",  # tcpdump --count
)
MINING = (r"Mining\s+packets: \d+\s+bytes: \d+\s+flows: (\d+)", r"^nfstream mining flows (\d+)")


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
    #: Takes minutes over the larger captures.
    slow: bool = False
    #: Whether it has to read every packet and find every flow of mining that the capture holds.
    exact: bool = False

    def run(self, capture: Path) -> Cost | None:
        """One run; None where the program does not end. One that fails ends the bench."""
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "eve.json"
            words = [word.replace("{}", str(capture)).replace("{eve}", str(events)) for word in self.words]
            words = [word.replace("{folder}", folder) for word in words]
            with (Path(folder) / "out").open("wb+") as out:
                done = subprocess.run(
                    [sys.executable, "-I", "-S", "-c", LAUNCHER, "timeout", "-k5", str(MOST_S), *words],
                    stdout=out,
                    stderr=subprocess.PIPE,
                    check=False,
                )
                out.seek(0)
                text = out.read().decode(errors="replace")
            code, wall, cpu, rss = json.loads(done.stderr.splitlines()[-1])
            if code == DOES_NOT_END:
                return None
            if code:
                raise SystemExit(f"bench: {self.name} failed ({code}):\n{text[-2000:]}")
            mining = _mining_flows(events) if events.exists() else _figure(MINING, text)
        return Cost(wall, cpu, rss * 1024, _figure(PACKETS, text), mining)


def _figure(forms: tuple[str, ...], text: str) -> int | None:
    """The number that the first of these forms finds in what a program printed; None where none does."""
    for form in forms:
        found = re.search(form, text, re.MULTILINE)
        if found:
            return int(found[1].replace(",", ""))
    return None


def _mining_flows(events: Path) -> int:
    found = [json.loads(line) for line in events.read_text().splitlines()]
    return sum(event["mining"]["flow_count"] for event in found if event["event_type"] == "mining")
