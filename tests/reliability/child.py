"""minewatch as a child process over a capture: what it told, what it counted, and what it cost."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measure import LAUNCHER


@dataclass(frozen=True)
class Cost:
    """One replay."""

    code: int
    wall_s: float
    cpu_s: float
    rss_bytes: int
    events: list[dict[str, Any]]
    text: str  # what it printed


def replayed(*sources: Path, options: tuple[str, ...] = ()) -> Cost:
    """Replay the sources with an event file, and wait."""
    with tempfile.TemporaryDirectory() as folder:
        eve = Path(folder) / "eve.json"
        command = [sys.executable, "-m", "sensor.cli", "replay", *map(str, sources), "--eve", str(eve), *options]
        with (Path(folder) / "out").open("wb+") as out:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", LAUNCHER, *command], stdout=out, stderr=subprocess.PIPE, check=False
            )
            out.seek(0)
            text = out.read().decode(errors="replace")
        code, wall_s, cpu_s, rss_kb = json.loads(done.stderr)
        events = [json.loads(line) for line in eve.read_text().splitlines()] if eve.exists() else []
    return Cost(code, wall_s, cpu_s, rss_kb * 1024, events, text)
