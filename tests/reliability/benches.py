"""T1, T6, T13, T14, T17 and T20: what the project's own benches measure, held against a pass line."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.reliability.cable import missing
from tests.reliability.result import Result
from tests.reliability.selected import passed

#: Rates in packets a second, for how many seconds, and the share of packets that may be dropped; rate 0: top speed.
LIVE = ((100_000, int(os.environ.get("LIVE_S", "600")), 0.0), (200_000, 60, 0.001), (0, 20, 1.0))
KILLS, EVENTS = 50, 200_000


def live() -> Result:
    """T1: packets over a cable at three rates."""
    if missing():
        return Result(missing(), None)
    from tests.bench import live as bench
    from tests.bench.captures import MIXED, make

    capture = make(MIXED, bench.FOLDER)
    figures, good = [], True
    for rate, seconds, allowed in LIVE:
        bench.SECONDS = seconds
        row = dict(zip(bench.COLUMNS, bench.row(rate, *bench.measure(capture, rate)), strict=True))
        lost = float(row["loss %"]) / 100
        good = good and row["account"] == "exact" and lost <= allowed and float(row["lag gone"].split()[0]) <= 5
        figures.append(
            f"{row['pps']} pps {seconds} s: {row['dropped']} of {row['sent']} dropped, account {row['account']}, "
            f"lag {row['lag max']}"
        )
    return Result("; ".join(figures), good)


@functools.cache
def daemon() -> dict[str, Any] | str:
    """The figures of `make bench-daemon`, or why there are none."""
    if missing():
        return missing()
    done = subprocess.run([sys.executable, "-m", "tests.bench.daemon"], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"failed: {done.stderr[-200:]}"
    figures: dict[str, Any]
    figures, _ = json.JSONDecoder().raw_decode(done.stdout, done.stdout.index("{"))
    return figures


def latency() -> Result:
    """T6: how long from packet to alert, and how a scrape does."""
    found, series = daemon(), passed(
        "tests/exporters/test_prometheus.py", "tests/deploy/test_prometheus.py", "-k", "500_series or promtool"
    )  # fmt: skip
    if isinstance(found, str):
        return Result(found, None if missing() else False)
    alert_s, scrape_s = (late(found[name]) for name in ("packet to alert s", "scrape s"))
    figure = (
        f"packet to alert {alert_s:.3f} s and a scrape {1e3 * scrape_s:.0f} ms at the 99th percentile, "
        f"{found['series']} series; {series.figure}"
    )
    return Result(figure, alert_s <= 2 and scrape_s <= 0.2 and found["series"] <= 500 and series.passed is not False)


def late(spread: dict[str, float]) -> float:
    """The 99th percentile of what `spread` of the bench says."""
    return next(value for name, value in spread.items() if "99" in name)


def reloads() -> Result:
    """T17: a hundred reloads, every third broken, beside rotations."""
    found = daemon()
    if isinstance(found, str):
        return Result(found, None if missing() else False)
    lines, delivered = found["lines written, events delivered"]
    figure = (
        f"{found['reloads taken up']:.0f} taken up, {found['reloads refused']:.0f} of {found['broken ones given']} "
        f"broken ones refused, {found['refused with file and line']} with file and line; "
        f"{lines} lines of {delivered:.0f} events; {found['kernel drops']:.0f} packets and "
        f"{found['events dropped']:.0f} events dropped"
    )
    good = (
        lines == delivered
        and found["kernel drops"] == found["events dropped"] == 0
        and found["reloads refused"] == found["broken ones given"] == found["refused with file and line"]
    )
    return Result(figure, good)


def kills() -> Result:
    """T13: a writer killed in the middle of writing."""
    command = [sys.executable, "-m", "tests.bench.killed", "--kills", str(KILLS), "--url"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, f"sqlite:///{folder}/ledger.db"], capture_output=True, text=True, check=False)
    return Result((done.stdout or done.stderr).strip().splitlines()[-1].partition(": ")[2], done.returncode == 0)


def outage() -> Result:
    """T14: receivers that are down while events are recorded."""
    from tests.delivery import outage as bench

    with tempfile.TemporaryDirectory() as folder:
        came = bench.run(Path(folder), int(os.environ.get("OUTAGE_EVENTS", str(EVENTS))))
    database = passed("tests/daemon/test_read_means_recorded.py", "tests/ledger/test_postgresql.py")
    figure = (
        f"{came.events:,} events; lost {sum(came.lost.values())}, drained in {came.drained_s:.0f} s after the "
        f"receivers came back; without its database: {database.figure}"
    )
    return Result(figure, not any(came.lost.values()) and came.drained_s <= 60 and database.passed is not False)


def attribution() -> Result:
    """T20 a: a million allocations and look-ups against brute force."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.attribution"], capture_output=True, text=True, check=False
    )
    equal = re.search(r"brute force ([\d,]+) questions, (\d+) differ", done.stdout)
    rows = passed("tests/attribution/test_bad_rows.py")
    figure = "; ".join(line.strip() for line in done.stdout.splitlines()[:4])
    return Result(f"{figure}; bad rows: {rows.figure}", bool(equal and equal[2] == "0") and bool(rows.passed))
