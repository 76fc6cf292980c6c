"""Receivers that are down for a while, with many events: what was recorded, what arrived, how often, how fast.

    .venv/bin/python -m tests.delivery.outage --events 50000

Three exporters at once: a webhook and rsyslog over TCP, both down at first, up, down in the middle and up again, and
an EVE file that is rotated all the time. The line records throughout, as the daemon does.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporters.kinds.eve import Config as EveConfig
from exporters.kinds.syslog import Config as SyslogConfig
from exporters.kinds.webhook import Config as WebhookConfig
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger, Recorder
from sensor.model.finding import Finding
from sensor.model.record import event_id
from tests.delivery.receivers import HttpReceiver, Rsyslog, free_port
from tests.ledger.made import SECOND, finding

#: Findings recorded in one step of the line.
STEP = 50


@dataclass
class Result:
    """What came of it."""

    events: int
    record_s: float
    slowest_step_s: float
    drained_s: float
    lost: dict[str, int]
    twice: dict[str, int]
    failed: dict[str, int]
    rotations: int


def run(folder: Path, events: int, patience_s: float = 600.0) -> Result:
    """Record so many events while the receivers come and go; wait until everything arrived."""
    secret = folder / "secret"
    secret.write_text("sixteen characters or more")
    port, server = free_port(), Rsyslog(folder)
    settings: dict[str, list[Any]] = {
        "eve": [EveConfig(path=str(folder / "eve.json"))],
        "webhook": [WebhookConfig(url=f"http://127.0.0.1:{port}/", secret_file=str(secret))],
        "syslog": [SyslogConfig(host="127.0.0.1", port=server.tcp, transport="tcp")],
    }
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    destinations, problems = build_senders(settings)
    assert not problems, problems
    delivery = Delivery(ledger, destinations)
    delivery.start()
    recorder = Recorder(ledger, time.monotonic_ns)
    receivers: list[HttpReceiver] = []
    rotations = 0
    expected: set[str] = set()
    slowest, began = 0.0, time.monotonic()
    for number, step in enumerate(steps(events)):
        at = number * STEP / events
        if at >= 0.3 and not receivers:
            receivers.append(HttpReceiver(port))
            server.start()
        elif at >= 0.6 and len(receivers) == 1 and server.process is not None:
            receivers[0].close()
            server.stop()
        if number % 10 == 5 and (folder / "eve.json").exists():
            (folder / "eve.json").rename(folder / f"eve.json.{number:06}")
            delivery.reopen()
            rotations += 1
        before = time.monotonic()
        recorded = recorder.record(step, time.time_ns())
        delivery.wake()
        slowest = max(slowest, time.monotonic() - before)
        expected |= {event_id(one) for one in recorded}
    recorded_s = time.monotonic() - began
    receivers.append(HttpReceiver(port))
    server.start()
    up = time.monotonic()
    while any(status.depth for status in delivery.statuses()) and time.monotonic() < up + patience_s:
        time.sleep(0.05)
    drained_s = time.monotonic() - up
    failed = {status.name: status.failed for status in delivery.statuses()}
    delivery.stop(5)
    time.sleep(0.5)  # rsyslog writes what it has read
    server.stop()
    arrived = {
        "eve": Counter(
            json.loads(line)["event_id"] for path in folder.glob("eve.json*") for line in path.read_text().splitlines()
        ),
        "webhook": Counter(headers["webhook-id"] for receiver in receivers for headers, _ in receiver.taken),
        "syslog": Counter(json.loads(line["msg"])["event_id"] for line in server.received()),
    }
    for receiver in receivers[1:]:
        receiver.close()
    ledger.close()
    return Result(
        events=len(expected),
        record_s=recorded_s,
        slowest_step_s=slowest,
        drained_s=drained_s,
        lost={name: len(expected - set(got)) for name, got in arrived.items()},
        twice={name: sum(got.values()) - len(got) for name, got in arrived.items()},
        failed=failed,
        rotations=rotations,
    )


def steps(events: int) -> Iterator[list[Finding]]:
    """Findings that are opened and go on, a few at a time; every record says something new."""
    findings = max(1, events // 10)
    for start in range(0, events, STEP):
        numbers = range(start, min(start + STEP, events))
        yield [finding(number % findings, last_ns=finding().last_ns + number * SECOND) for number in numbers]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder), options.events)
    for name, value in vars(result).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
