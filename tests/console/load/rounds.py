"""One round: a console of a ledger in a process of its own, a writer in another, so many visitors; what they had to
wait, and what it cost."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sensor.console.people.gate import COOKIE
from tests.bulletin.simulation import CITIES
from tests.console.load.visitors import OpenedPage, VisitPlan, visit
from tests.console.running import running_console
from tests.people.desk import add, cookie_of, opened

ROOT = Path(__file__).parents[3]
TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds in which the first overview of a scope must be made.
FIRST_S = 300.0


@dataclass(frozen=True)
class RoundFigures:
    """What a round showed."""

    visitors: int
    seconds: float
    pages: tuple[OpenedPage, ...]
    first_s: tuple[float, ...]  # the first overview of each scope, before the round
    console_s: float  # CPU seconds
    writer: str  # records, and the longest transaction
    resident_bytes: int
    others: float  # how busy the processors were with everything else, of 1 for each

    @property
    def failed(self) -> int:
        """Pages that were not shown."""
        return sum(page.status != 200 for page in self.pages)

    def at(self, part: float, route: str | None = None) -> float:
        """Seconds within which a part of the pages was there."""
        took = sorted(page.took_s for page in self.pages if route in (None, page.route))
        return took[max(0, math.ceil(part * len(took)) - 1)] if took else 0.0

    @property
    def routes(self) -> dict[str, int]:
        """How often each was opened."""
        counts: dict[str, int] = defaultdict(int)
        for page in self.pages:
            counts[page.route] += 1
        return dict(sorted(counts.items()))


def scopes(visitors: int) -> list[str]:
    """The divisions of each visitor: every fifth sees the province, the others a city or a district."""
    cities = sorted({code[:4] + "00" for code in CITIES})
    narrow = [*cities, *CITIES]
    return ["320000" if number % 5 == 0 else narrow[number % len(narrow)] for number in range(visitors)]


def run_round(url: str, folder: Path, visitors: int, seconds: float) -> RoundFigures:
    """One round on a ledger that is there."""
    cookies = _signed_in(url, scopes(visitors))
    with running_console(url, folder) as console:
        first_s = _first_overviews(console.port, cookies, scopes(visitors))
        writer = _writer(url, seconds)
        cpu_s, all_s, began_s = _cpu_s(console.pid), _busy_s(), time.monotonic()
        plan = VisitPlan(console.url, [(COOKIE, cookie) for cookie in cookies], seconds)
        own_s = time.process_time()
        pages = asyncio.run(visit(plan))
        took_s = time.monotonic() - began_s
        console_s = _cpu_s(console.pid) - cpu_s
        own_s = time.process_time() - own_s
        resident = _resident_bytes(console.pid)
        text, _ = writer.communicate(timeout=60)
        others = (_busy_s() - all_s - console_s - own_s) / took_s
    return RoundFigures(visitors, took_s, tuple(pages), first_s, console_s, text.strip(), resident, others)


def _signed_in(url: str, divisions: Sequence[str]) -> list[str]:
    """The cookies of accounts with these divisions."""
    found = []
    with opened(url) as door:
        there = {account.login for account in door.accounts.all()}
        if "root" not in there:
            add(door, "root", "admin")
        for number, code in enumerate(divisions):
            login = f"visitor{number}"
            if login not in there:
                add(door, login, "lead" if code == "320000" else "officer", code)
            found.append(cookie_of(door, login, time.time_ns()))
    return found


def _first_overviews(port: int, cookies: Sequence[str], divisions: Sequence[str]) -> tuple[float, ...]:
    """Seconds of the first overview of each scope, one after the other."""
    found = []
    for number, code in enumerate(divisions):
        if code in divisions[:number]:
            continue
        asked_s = time.monotonic()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/overview")
        request.add_header("Cookie", f"{COOKIE}={cookies[number]}")
        with urllib.request.urlopen(request, timeout=FIRST_S) as answer:
            answer.read()
        found.append(time.monotonic() - asked_s)
    return tuple(found)


def _writer(url: str, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.console.load.writer", url, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _cpu_s(pid: int) -> float:
    """User and system time of a process and of those of its children that ended (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / TICKS


def _busy_s() -> float:
    """Time of all processors that was not idle."""
    fields = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def _resident_bytes(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
