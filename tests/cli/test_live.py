"""What a person sees while the sensor runs: rows, a status line, the summary; and a terminal that stands still stops
nothing.
"""

from __future__ import annotations

import contextlib
import io
import os
import pty
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sensor.cli.live import MOST_ROWS, MOST_WAITING, LiveView, ViewConsole, status_line
from sensor.intake.engine import load as load_engine
from sensor.line.replay import replay
from sensor.model.finding import Finding
from sensor.model.range import Range
from sensor.model.time import SECOND_NS
from sensor.signatures import load
from tests.demo.miners import Counts
from tests.exporters.statuses import quiet


@pytest.fixture(scope="module")
def findings(demo: tuple[Path, dict[str, Counts]]) -> list[Finding]:
    return replay([str(demo[0])], load(), load_engine("reference"), {"workers": 1}).findings


def console(stream: io.StringIO, *, terminal: bool = False) -> Console:
    return Console(file=stream, width=160, highlight=False, markup=False, emoji=False, force_terminal=terminal)


def test_findings_are_rows_and_the_end_is_the_summary(findings: list[Finding]) -> None:
    stream = io.StringIO()
    view = LiveView("compiled", 1, 1, "interface", console(stream))
    for finding in findings:
        view.show(replace(finding, state="opened"))
        view.show(replace(finding, state="updated"))
    view.end(quiet())
    text = stream.getvalue()
    for finding in findings:
        rows = [line for line in text.splitlines() if f" {finding.miner_ip} → {finding.pool_ip}:" in line]
        assert any(" new " in row for row in rows)
        assert any(" now " in row for row in rows)
    assert f"Mining: {len(findings)} findings" in text
    assert "1 interface" in text


def test_a_part_that_became_another_finding_is_in_no_summary(findings: list[Finding]) -> None:
    stream = io.StringIO()
    view = LiveView("compiled", 1, 1, "interface", console(stream))
    view.show(findings[0])
    view.show(replace(findings[0], merged_into="another"))
    view.end(quiet())
    assert "No mining found." in stream.getvalue()


def test_a_flood_is_a_bounded_number_of_rows_and_a_count(findings: list[Finding]) -> None:
    stream = io.StringIO()
    view = LiveView("compiled", 1, 1, "interface", console(stream))
    for number in range(MOST_ROWS * 5):
        view.show(replace(findings[0], finding_id=f"finding-{number}"))
    view.end(quiet())
    rows = [line for line in stream.getvalue().splitlines() if line[2:3] == ":" and findings[0].miner_ip in line]
    assert len(rows) <= 2 * MOST_ROWS  # a minute may end meanwhile
    assert "rows of findings not shown" in stream.getvalue()


def test_a_terminal_that_stands_still_stops_nothing() -> None:
    """Nobody reads the other end: its buffer fills, and the line goes on."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        still = Console(file=stream, width=100_000, force_terminal=True, highlight=False, markup=False)
        view = LiveView("compiled", 1, 1, "interface", still)
        began = time.monotonic()
        long = replace(quiet(), troubles=("x" * 50_000,))
        for _ in range(3 * MOST_WAITING):
            view.status(long)
        assert time.monotonic() - began < 10
        drained = threading.Thread(target=lambda: _drain(master), daemon=True)
        drained.start()
        view.end(quiet())


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65_536):
            pass
    except OSError:
        pass


def test_a_reader_that_went_away_ends_nothing(findings: list[Finding]) -> None:
    reader, writer = os.pipe()
    ended = False
    with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(writer), "w", buffering=1) as stream:
        view = LiveView("compiled", 1, 1, "interface", ViewConsole(file=stream, width=160))
        os.close(writer)
        os.close(reader)
        for finding in findings:
            view.show(finding)
        view.end(quiet())
        ended = True
    assert ended


def test_the_status_line_says_what_is_wrong_first_and_never_a_zero_for_unknown() -> None:
    now_ns = quiet().start_ns + 61 * SECOND_NS
    assert status_line(quiet(), now_ns) == "0 packets, 0 B, 0 dropped, 0 flows, 0 open findings, for 1 min 1 s"
    status = replace(
        quiet(),
        troubles=("mirror0 is down",),
        findings_open={"accepted": 2, "speaks": 1},
        hashrate_hps={"sha256d": Range(9e13, 1e14, 1.1e14)},
    )
    line = status_line(status, now_ns)
    assert line.startswith("mirror0 is down, ")
    assert "3 open findings, sha256d 100 TH/s, for" in line
    assert " W" not in line
