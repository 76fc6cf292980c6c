"""Asks minewatch about captures, through its command line and nothing else; reads its answers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
#: How the addresses of clients begin in captures made here.
CLIENTS = "10."
MINEWATCH = (sys.executable, "-m", "sensor.cli")
#: Encrypted sessions are followed, and reported from `behaves` on.
REPLAY = ("--set=limits.thin_flows=65536", "--set=findings.least_grade=behaves")


class Judged(NamedTuple):
    """What one line of `calibrate --sessions` says."""

    miner: str  # address and port
    server: str
    seconds: float
    records: tuple[int, ...]
    behaves: bool
    grammar_p: float | None  # after search and looks; None where it was not tested
    looks: tuple[tuple[float, float], ...]  # seconds, p
    beats: tuple[tuple[str, str, float, float], ...]  # coin, answer, p, and p of all flows and coins together
    synchrony_p: float | None
    untestable: str | None
    dialects: tuple[str, ...]
    shares: tuple[float, float] | None
    relations: tuple[tuple[str, str, float], ...]  # name, detail, p
    swapped: bool  # the server was taken for the client


@dataclass
class Answers:
    """What it says of one capture."""

    #: By client; of several one that behaves, or the last.
    sessions: dict[str, Judged] = field(default_factory=dict)
    every: list[Judged] = field(default_factory=list)
    #: Addresses of miners with a finding; where nothing was spoken, it has no connection.
    reported: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    cpu_s: float = 0.0


def ask(captures: Sequence[Path], blocks: Mapping[str, Path], folder: Path, replays: bool = True) -> Answers:
    """Runs both commands, with the clocks of coins; a command that fails is an answer, too."""
    answers, before_s = Answers(), _children_s()
    sessions, events = folder / "sessions.jsonl", folder / "events.jsonl"
    names = [str(capture) for capture in captures]
    clocks = [f"--blocks={coin}={path}" for coin, path in blocks.items()]
    _run(["calibrate", "--sessions", str(sessions), *clocks, *names], answers)
    try:
        answers.every = [judged(row) for row in _rows(sessions)]
    except (KeyError, TypeError, ValueError) as error:
        answers.failures.append(f"calibrate: a line has another form: {type(error).__name__} {error}")
    for row in answers.every:
        client = (row.server if row.swapped else row.miner).rsplit(":", 1)[0]
        before = answers.sessions.get(client)
        if before is None or not before.behaves:
            answers.sessions[client] = row
    if replays:
        clocks = [f"--set=behaviour.blocks.{coin}={path}" for coin, path in blocks.items()]
        _run(["replay", "-q", *REPLAY, "-e", str(events), *clocks, *names], answers)
        for event in _rows(events):
            if event.get("event_type") == "mining":
                answers.reported.add(str(event["src_ip"]))
    answers.cpu_s = _children_s() - before_s
    return answers


def judged(row: dict[str, Any]) -> Judged:
    """One line, read. Of a session that was joined, either end may be taken for the client."""
    miner, server, untestable = str(row["miner"]), str(row["server"]), row["untestable"]
    shares = row["answered_shares"]
    return Judged(
        miner=miner,
        server=server,
        seconds=(row["last_ns"] - row["first_ns"]) / 1e9,
        records=tuple(row["seen"]),
        behaves=bool(row["behaves"]),
        grammar_p=None if untestable else row["p"],
        looks=tuple((look["at_s"], look["p"]) for look in row["looks"]),
        beats=tuple((beat["coin"], beat["answer"], beat["p"], beat["p_counted"]) for beat in row["beats"]),
        synchrony_p=row["synchrony_p"],
        untestable=untestable,
        dialects=tuple(row["dialects"]),
        shares=(shares[0], shares[1]) if shares else None,
        relations=tuple((part["name"], part["detail"], part["p"]) for part in row["relations"]),
        swapped=server.startswith(CLIENTS) and not miner.startswith(CLIENTS),
    )


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
