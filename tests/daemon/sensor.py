"""A sensor started as systemd would start it: a process of its own, told of by its notify socket, its ledger and its
event file.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGHUP, SIGTERM
from typing import Any

import yaml

from sensor.ledger import Ledger, StoredFinding

ROOT = Path(__file__).parents[2]
#: What starts a sensor; the configuration file follows.
WORDS = [sys.executable, "-m", "sensor.cli", "run", "--slow", "-c"]


class Notified:
    """The service manager's end of the notify socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.05)
        self.said: list[str] = []

    def read(self) -> list[str]:
        with contextlib.suppress(TimeoutError):
            while True:
                self.said += self.socket.recv(4_096).decode().splitlines()
        return self.said


class Sensor:
    """One run of the daemon."""

    def __init__(self, folder: Path, config: dict[str, Any], **environment: str) -> None:
        self.folder = folder
        self.file = folder / "minewatch.yaml"
        self.write(config)
        self.notified = Notified(folder / f"notify{len(list(folder.glob('notify*')))}")
        self.log = folder / "log"
        words = [*WORDS, str(self.file)]
        known = {
            **os.environ,
            "NOTIFY_SOCKET": self.notified.socket.getsockname(),
            "PYTHONPATH": str(ROOT),
            "RUNTIME_DIRECTORY": str(folder),
            **environment,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, env=known, stderr=log, stdout=log, cwd=folder)

    def write(self, config: dict[str, Any] | str) -> None:
        self.file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))

    def until(self, enough: Callable[[], object], seconds: float = 20.0) -> None:
        last = time.monotonic() + seconds
        while not enough():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < last, f"not within {seconds} s: {self.log.read_text()}"
            time.sleep(0.05)

    def ready(self) -> Sensor:
        self.until(lambda: "READY=1" in self.notified.read())
        return self

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def reload(self, number: int = SIGHUP) -> None:
        """Ask for a reload and wait until it is over."""
        before = self.notified.read().count("READY=1")
        self.signal(number)
        self.until(lambda: self.notified.read().count("READY=1") > before)
        assert self.notified.said.count("RELOADING=1") == before

    def end(self) -> tuple[int, float]:
        """Stop it; its exit code and how long it took."""
        began = time.monotonic()
        self.signal(SIGTERM)
        return self.process.wait(20), time.monotonic() - began

    @property
    def said(self) -> str:
        return self.log.read_text()

    def events(self) -> list[dict[str, Any]]:
        path = self.folder / "eve.json"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def findings(self) -> list[StoredFinding]:
        ledger = Ledger.open(f"sqlite:///{self.folder}/ledger.db")
        try:
            return ledger.reader.findings()
        finally:
            ledger.close()


@contextlib.contextmanager
def running(folder: Path, config: dict[str, Any], **environment: str) -> Iterator[Sensor]:
    """A sensor that is ended whatever happens."""
    sensor = Sensor(folder, config, **environment)
    try:
        yield sensor
    finally:
        if sensor.process.poll() is None:
            sensor.process.kill()
            sensor.process.wait()
        sensor.notified.socket.close()


def reading(folder: Path, **more: Any) -> dict[str, Any]:
    """A configuration that reads a folder and writes events."""
    (folder / "captures").mkdir(exist_ok=True)
    return {
        "capture": {"folder": "captures", "memory": "read.json", "settle_s": 1},
        "sensor_id": "sensor-of-a-test",  # a test may run in a container
        "ledger": {"url": "sqlite:///ledger.db"},
        "exporters": {"eve": {"path": "eve.json"}},
        **more,
    }
