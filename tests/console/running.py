"""A console in a process of its own, as its command starts it, at a free port of this host."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Seconds in which it must answer.
STARTS_S = 60.0


@dataclass(frozen=True)
class RunningConsole:
    """Where it is asked."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_console(url: str, folder: Path) -> Iterator[RunningConsole]:
    """A console of a ledger, until the block ends; its log stands in the folder."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "sensor.cli", "console", "--ledger", url, "--listen", f"127.0.0.1:{port}"]
    log_path = folder / "console.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
    console = RunningConsole(port, process.pid)
    try:
        until = time.monotonic() + STARTS_S
        while not _answers(console):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the console does not start: {log_path.read_text()[-2_000:]}")
            time.sleep(0.1)
        yield console
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(console: RunningConsole) -> bool:
    try:
        with urllib.request.urlopen(f"{console.url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
