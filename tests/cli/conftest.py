"""What the tests of the command share: the demo capture, and a way to run the command as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demo.make_demo import make
from tests.demo.miners import Counts

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Counts]]:
    """The demo capture and the truth about it."""
    path = tmp_path_factory.mktemp("demo") / "demo.pcap"
    _, truth = make(path)
    return path, truth


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `minewatch` with these words in an empty folder."""

    def command(
        *words: str | Path, stdin: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        line = [sys.executable, "-m", "sensor.cli", *map(str, words)]
        return subprocess.run(
            line, input=stdin or b"", capture_output=True, cwd=tmp_path, env=variables, timeout=120, check=False
        )

    return command
