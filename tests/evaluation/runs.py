"""Asks minewatch about captures, through its command line and nothing else; reads its answers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: How the addresses of clients begin in captures made here.
CLIENTS = "10."
MINEWATCH = (sys.executable, "-m", "sensor.cli")


@dataclass
class Answers:
    """What it says of one capture."""

    #: By client; of several one that behaves, or the last.
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    every: list[dict[str, Any]] = field(default_factory=list)
    #: Miners with a finding: addresses, with and without port.
    reported: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


def ask(captures: Sequence[Path], blocks: Sequence[str], folder: Path, replays: bool = True) -> Answers:
    """Runs both commands; a command that fails is an answer, too."""
    answers, before_s = Answers(), _children_s()
    sessions, events = folder / "sessions.jsonl", folder / "events.jsonl"
    names = [str(capture) for capture in captures]
    _run(["calibrate", "--sessions", str(sessions), *blocks, *names], answers)
    answers.every = list(_rows(sessions))
    for row in answers.every:
        ends = (str(row["miner"]).rsplit(":", 1)[0], str(row["server"]).rsplit(":", 1)[0])
        # Of a session that was joined, either end may be taken for the client.
        client = ends[0] if ends[0].startswith(CLIENTS) or not ends[1].startswith(CLIENTS) else ends[1]
        before = answers.sessions.get(client)
        if before is None or not before["behaves"]:
            answers.sessions[client] = row
    if replays:
        _run(["replay", "-q", "--least-grade", "behaves", "-e", str(events), *blocks, *names], answers)
        for row in _rows(events):
            if row.get("event_type") == "mining":
                answers.reported |= {str(row["src_ip"]), f"{row['src_ip']}:{row.get('src_port')}"}
    answers.cpu_s = _children_s() - before_s
    return answers


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(arguments: list[str], answers: Answers) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        outcome = subprocess.run(
            [*MINEWATCH, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
    except subprocess.TimeoutExpired:
        answers.failures.append(f"{arguments[0]}: over half an hour")
        return
    if outcome.returncode:
        last = (outcome.stderr.strip().splitlines() or ["no word"])[-1][:160]
        answers.failures.append(f"{arguments[0]}: exit code {outcome.returncode}: {last}")


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
    path.unlink()
