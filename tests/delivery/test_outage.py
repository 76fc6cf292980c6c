"""Receivers that are down, a disk that is full, a process that is killed: nothing recorded is lost, and all goes on
without a restart.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from exporters.kinds.eve import Config
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger, Recorder
from sensor.model.finding import Finding
from tests.delivery import outage
from tests.delivery.receivers import eventually
from tests.exporters.test_lines import small_disk
from tests.ledger.made import SECOND, finding

ROOT = Path(__file__).parents[2]
#: Records a few findings again and again; says after each step what is committed.
WRITER = """
import sys, time
from sensor.ledger import Ledger
from tests.ledger.made import SECOND, finding
ledger = Ledger.open(sys.argv[1])
ledger.outbox.subscribe(["eve"])
number = int(sys.argv[2])
while True:
    first_ns = finding().last_ns + number * SECOND
    ledger.record([finding(each, last_ns=first_ns + each * SECOND) for each in range(20)], time.time_ns())
    print(number, flush=True)
    number += 20
"""
#: The same, and delivers to an event file meanwhile; says which events are committed.
DELIVERER = """
import sys, time
from exporters.kinds.eve import Config
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger
from sensor.model.record import event_id
from tests.ledger.made import SECOND, finding
ledger = Ledger.open(sys.argv[1])
delivery = Delivery(ledger, build_senders({"eve": [Config(path=sys.argv[2])]})[0])
delivery.start()
for number in range(int(sys.argv[3]), 1_000_000, 20):
    step = [finding(one, last_ns=finding().last_ns + (number + one) * SECOND) for one in range(20)]
    print(*(event_id(one) for one in ledger.record(step, time.time_ns())), flush=True)
    delivery.wake()
"""


def test_receivers_that_come_and_go_miss_nothing(tmp_path: Path) -> None:
    result = outage.run(tmp_path, 1_500)
    assert result.events == 1_500
    assert result.lost == {"eve": 0, "webhook": 0, "syslog": 0}
    assert result.twice["eve"] == 0
    assert result.rotations > 1
    assert result.failed["eve"] == 0
    assert result.failed["webhook"] > 0
    assert result.failed["syslog"] > 0


def test_a_full_disk_under_ledger_and_event_file_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path, 6_144) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
        delivery = Delivery(ledger, build_senders({"eve": [Config(path=str(folder / "eve.json"))]})[0])
        delivery.start()
        recorder = Recorder(ledger, time.monotonic_ns)
        recorder.record([finding(0)], time.time_ns())
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4_096):
                pass
        for number in range(1, 200):
            recorder.record([finding(number)], time.time_ns())
        assert recorder.counters["record_failures"] > 0
        assert recorder.trouble is not None
        assert "full" in recorder.trouble
        ballast.unlink()

        def recorded() -> bool:
            recorder.record([], time.time_ns())
            return recorder.counters["records_waiting"] == 0

        eventually(recorded)
        eventually(lambda: all(status.depth == 0 for status in delivery.statuses()))
        delivery.stop(2)
        lines = [json.loads(line) for line in (folder / "eve.json").read_text().splitlines()]
        assert sorted(line["mining"]["finding_id"] for line in lines) == sorted(
            f"finding-{number}" for number in range(200)
        )
        assert len(ledger.reader.findings()) == 200
        ledger.close()


def test_what_was_committed_outlives_kill_9_and_nothing_is_there_by_halves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    chance = random.Random(7)
    number = 0
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, url, str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(chance.randint(2, 25))]
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout.read().split()]
        ledger = Ledger.open(url)
        held = {entry.finding.finding_id: entry.finding for entry in ledger.reader.findings()}
        assert len(held) == 20
        steps = {
            (one.last_ns - finding().last_ns) // SECOND - int(name.removeprefix("finding-"))
            for name, one in held.items()
        }
        assert len(steps) == 1  # every finding of a step, or none
        assert steps >= {told[-1]} or steps == {told[-1] + 20}
        events = [event.record for event in ledger.outbox.read(0, 100_000)]
        assert len(events) == steps.pop() + 20
        assert len({(one.finding_id, one.last_ns) for one in events if isinstance(one, Finding)}) == len(events)
        number = len(events)
        ledger.close()


def test_after_kill_9_every_committed_event_is_in_the_file_as_a_whole_line(tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "eve.json"
    chance = random.Random(3)
    committed: set[str] = set()
    for run in range(4):
        command = [sys.executable, "-c", DELIVERER, url, str(path), str(run * 100_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
            assert process.stdout is not None
            committed |= {name for _ in range(chance.randint(5, 30)) for name in process.stdout.readline().split()}
            process.send_signal(signal.SIGKILL)
            committed |= {
                name
                for line in process.stdout.read().splitlines(keepends=True)
                if line.endswith("\n")
                for name in line.split()
            }
    ledger = Ledger.open(url)
    delivery = Delivery(ledger, build_senders({"eve": [Config(path=str(path))]})[0])
    delivery.start()
    eventually(lambda: all(status.depth == 0 for status in delivery.statuses()))
    assert delivery.stop(5)
    ledger.close()
    lines = [json.loads(line)["event_id"] for line in path.read_text().splitlines()]
    assert committed <= set(lines)
    assert len(lines) - len(set(lines)) <= 4 * 500  # a page at most comes twice after each
