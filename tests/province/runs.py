"""Has the command line read the captures, as an operator would: one sitting, a replay a day, a daemon on a folder that
is restarted, killed, or given everything at once.

Every run has a folder of its own with its ledger, its configuration and its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import yaml

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "sensor.cli")
MEMORY = "read.json"
#: Seconds in which a daemon must have begun, ended, and read one more file.
PATIENCE_S = 120.0
POLL_S = 0.05


class RunError(Exception):
    """A command failed; the text has its last lines."""


@dataclass(frozen=True)
class Run:
    """One way of reading, after it was done."""

    name: str
    folder: Path

    @property
    def ledger(self) -> str:
        """Its URL."""
        return f"sqlite:///{self.folder / 'ledger.db'}"


def days_of(files: Sequence[Path], per_day: int) -> list[list[Path]]:
    """The files in batches of so many."""
    return [list(files[at : at + per_day]) for at in range(0, len(files), per_day)]


class Runner:
    """Makes runs below one folder with one configuration of attribution."""

    def __init__(self, folder: Path, attribution: dict[str, object]) -> None:
        self.folder, self.attribution = folder, attribution

    def replayed(self, name: str, batches: Sequence[Sequence[Path]], *, refusals: bool = False) -> Run:
        """`minewatch replay --ledger`, once for each batch. With `refusals` it may refuse captures, and say so."""
        run = self._begin(name)
        for batch in batches:
            words = ["replay", "-q", "-c", "minewatch.yaml", "--ledger", run.ledger, *map(str, batch)]
            self._command(run, words, codes=(0, 1) if refusals else (0,))
        return run

    def watched(self, name: str, batches: Sequence[Sequence[Path]], *, restart: bool = False) -> Run:
        """`minewatch run` on a folder that gets one batch after the other. With `restart` the daemon is stopped by
        SIGTERM after each batch and started again."""
        run = self._begin(name)
        seen = 0
        with contextlib.ExitStack() as stack:
            daemon = stack.enter_context(self._daemon(run))
            for number, batch in enumerate(batches):
                if restart and number:
                    daemon.stop()
                    daemon = stack.enter_context(self._daemon(run))
                seen += _put(run, batch)
                daemon.read(seen)
            daemon.stop()
        return run

    def killed(self, name: str, batches: Sequence[Sequence[Path]], seed: str) -> Run:
        """The same with `kill -9`, once in each batch at a random moment while it is read."""
        run, rng, seen = self._begin(name), random.Random(seed), 0
        with contextlib.ExitStack() as stack:
            daemon = stack.enter_context(self._daemon(run))
            for batch in batches:
                daemon.read(seen)
                _put(run, batch)
                daemon.read(seen + rng.randrange(len(batch)))
                time.sleep(rng.uniform(0.0, 0.5))
                daemon.kill()
                seen += len(batch)
                daemon = stack.enter_context(self._daemon(run))
            daemon.read(seen)
            daemon.stop()
        return run

    def bulletin(self, run: Run, first: str, last: str) -> dict[str, object]:
        """The bulletin of these days as `minewatch bulletin` writes it in JSON."""
        days = ["--from", first, "--to", last, "--lang", "en", "--format", "json"]
        text = self._command(run, ["bulletin", "-c", "minewatch.yaml", *days])
        found: dict[str, object] = json.loads(text)
        return found

    def _begin(self, name: str) -> Run:
        run = Run(name, self.folder / name)
        shutil.rmtree(run.folder, ignore_errors=True)
        (run.folder / "captures").mkdir(parents=True)
        settings = {
            "sensor_id": "province",
            "attribution": self.attribution,
            "capture": {"folder": "captures", "memory": MEMORY, "settle_s": 1},
            "ledger": {"url": run.ledger, "timezone": "Asia/Shanghai"},
            "exporters": {"eve": {"path": "eve.json"}},
        }
        (run.folder / "minewatch.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
        return run

    def _command(self, run: Run, words: Sequence[str], codes: Sequence[int] = (0,)) -> str:
        result = subprocess.run(
            [*COMMAND, *words], cwd=run.folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if result.returncode not in codes:
            raise RunError(f"{run.name}: {words[0]} ended with {result.returncode}: {result.stderr[-2_000:]}")
        return result.stdout

    @contextlib.contextmanager
    def _daemon(self, run: Run) -> Iterator[_Daemon]:
        daemon = _Daemon(run)
        try:
            yield daemon
        finally:
            daemon.kill()


class _Daemon:
    """One process of `minewatch run`."""

    def __init__(self, run: Run) -> None:
        self._run, self._log = run, run.folder / "log"
        words = [*COMMAND, "run", "-c", "minewatch.yaml"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(words, cwd=run.folder, env=_environment(), stdout=log, stderr=log)

    def read(self, files: int) -> None:
        """Wait until so many files in all were read to their end."""
        last, most = time.monotonic() + PATIENCE_S, -1
        while (done := self._done()) < files:
            if done > most:
                last, most = time.monotonic() + PATIENCE_S, done
            if self._process.poll() is not None or time.monotonic() > last:
                raise RunError(f"{self._run.name}: {done} of {files} files read: {self._log.read_text()[-2_000:]}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        self._process.send_signal(SIGTERM)
        if self._process.wait(PATIENCE_S):
            raise RunError(f"{self._run.name}: ended with {self._process.returncode}: {self._log.read_text()[-2_000:]}")

    def kill(self) -> None:
        """`kill -9`, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _done(self) -> int:
        try:
            remembered = json.loads((self._run.folder / MEMORY).read_text())
        except (OSError, ValueError):
            return 0
        return len(remembered["done"])


def _put(run: Run, batch: Sequence[Path]) -> int:
    """Links to the files, as a rotating capture would have left them; the number of them."""
    for path in batch:
        there = run.folder / "captures" / path.name
        os.link(path, there)
    return len(batch)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
