"""A process that writes to a ledger until it is killed, and what must be in the ledger after that. Used by the test and
by the bench.

    python -m tests.ledger.writer URL RUN

Each step records a handful of findings with ten shares more each, then says its number. So whoever reads its output
knows the least that must be there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from sensor.ledger import Ledger
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import CASES, CHANGES, OUTBOX, ROLLUPS
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

MINERS, SHARES = 5, 10
ROOT = Path(__file__).parents[2]


def write(url: str, run: int) -> None:
    """Write until the end of the world."""
    began = time.perf_counter()
    ledger = Ledger.open(url, run_id=f"run-{run}")
    ledger.outbox.subscribe(["eve"])
    print(f"open {time.perf_counter() - began:.3f}", flush=True)
    start, step = MONDAY + run * 10 * DAY, 0
    while True:
        step += 1
        end = start + step * HOUR // 4
        ledger.record(
            [mined(number, start, end, SHARES * step, attribution=owned(number)) for number in range(MINERS)], end
        )
        ledger.add_coverage(end - HOUR // 4, end)
        print(step, flush=True)


def killed(url: str, run: int, generator: random.Random) -> tuple[int, float]:
    """Let one write and kill it in the middle: how many steps it said, and how long it took to open the ledger."""
    command = [sys.executable, "-m", "tests.ledger.writer", url, str(run)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None
        said, opened_s = 0, float(process.stdout.readline().split()[1])
        for _ in range(generator.randrange(1, 15)):
            said = int(process.stdout.readline())
        time.sleep(generator.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    return int(rest[-1]) if rest and rest[-1].isdigit() else said, opened_s


def check(url: str, said: list[int]) -> None:
    """Nothing that was said to be committed is lost, nothing is doubled, everything fits together."""
    ledger = Ledger.open(url)
    with reading(ledger.engine) as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        events = list(connection.scalars(select(OUTBOX.c.event_id)))
        rolled, sessions = connection.execute(select(func.sum(ROLLUPS.c.shares), func.sum(ROLLUPS.c.sessions))).one()
        cases = connection.scalar(select(func.count()).select_from(CASES))
        changes = connection.scalar(select(func.count()).select_from(CHANGES))
    findings = [entry.finding for entry in ledger.reader.findings()]
    ledger.close()
    steps = {one.shares.submitted // SHARES for one in findings}
    assert len(findings) == MINERS
    assert len(steps) == 1, "a step is there for some findings only"
    (written,) = steps
    assert sum(said) <= written <= sum(said) + len(said), "a step that was said is missing, or one is there twice"
    assert {one.flow_count for one in findings} == {len(said)}
    assert len(events) == len(set(events)) == written * MINERS
    assert (int(rolled), int(sessions)) == (written * MINERS * SHARES, len(said) * MINERS)
    assert (cases, changes) == (MINERS, MINERS)


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
