"""A sensor as a process: records a generated stream into a ledger of its own, and reports it by the exporter kafka.

python -m tests.kafka.sensor FOLDER NUMBER BROKER TOPIC FIRST_MINER MINERS STEPS PAUSE_S
"""

from __future__ import annotations

import sys
import time

from exporters.kinds.kafka import Config
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger
from tests.kafka.stream import steps

#: When the streams' first step is recorded, by the wall clock of the sensors.
BEGAN_NS = 1_780_000_000_000_000_000


def main(folder: str, number: str, broker: str, topic: str, first: str, miners: str, count: str, pause_s: str) -> None:
    """Record, report, and end when all was acknowledged."""
    ledger = Ledger.open(f"sqlite:///{folder}/edge-{number}.db", sensor_id=f"edge-{number}", run_id=f"run-{number}")
    settings = Config(brokers=[broker], transport="tcp", topic=topic, timeout_s=5.0)
    senders, problems = build_senders({"kafka": [settings]})
    assert not problems, problems
    delivery = Delivery(ledger, senders)
    delivery.start()
    ledger.begin(BEGAN_NS)
    for step, found in enumerate(steps(int(number), range(int(first), int(first) + int(miners)), int(count))):
        ledger.record(found, BEGAN_NS + step)
        delivery.wake()
        time.sleep(float(pause_s))
    while ledger.reports.backlog("kafka").depth:
        time.sleep(0.05)
    print(delivery.statuses()[0])
    delivery.stop(5)
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
