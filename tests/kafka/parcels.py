"""A parcel that is published to many sensors: how long until the last one has it, or has refused it, by the centre's
ledger; and that sensors begin with it while the broker is away.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sensor.cli.main import main as minewatch
from sensor.collect.collector import Collector
from sensor.collect.settings import CollectSettings
from sensor.collect.source import TopicSource
from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger
from sensor.model.policy import PolicyState
from sensor.policy.keys import PrivateKey
from sensor.policy.parcel import seal
from sensor.policy.settings import PolicySettings
from sensor.policy.topic import PolicyTopic
from tests.kafka.broker import Broker, broker

#: Processes that the sensors are shared out to.
PROCESSES = 4
TOPIC, REPORTS = "policy", "fleet"
PATIENCE_S = 900.0
TABLE = """kind: pools
name: own
description: x
references: [y]
pools: [{suffix: pool.example, name: Own, operator: Own, source: z, confidence: high}]
examples: [{host: pool.example, name: Own}]
"""


def policy(folder: Path, quick: bool) -> dict[str, str]:
    """Parcels to 200 sensors: sound ones, one that is broken, one of another key; then a start without the broker."""
    count = 40 if quick else 200
    figures: dict[str, str] = {}
    with broker() as brokers, collecting(folder, brokers) as ledger:
        key = PrivateKey.generate()
        key.write(folder / "policy.key")
        centre = folder / "centre.yaml"
        centre.write_text(
            f"ledger: {{url: 'sqlite:///{folder}/central.db'}}\n"
            f"policy: {{brokers: ['{brokers.place}'], transport: tcp, topic: {TOPIC}, keys: [policy.key.pub]}}\n"
        )
        (folder / "policy.yaml").write_text("findings:\n  allow:\n    - {network: 192.0.2.0/24, reason: museum}\n")
        (folder / "pools.yaml").write_text(TABLE)
        publish(folder, "tables", "pools.yaml")  # the topic is there, and what stands in it is read at the start
        with fleet(folder, count, brokers, key) as processes:
            wait_for(ledger, count, lambda states: has(states, "tables", 1))
            figures["sensors that began with a table that stood in the topic"] = f"{count} of {count}"
            begun = time.monotonic()
            publish(folder, "policy", "policy.yaml")
            wait_for(ledger, count, lambda states: has(states, "policy", 1))
            figures[f"a policy published to {count} sensors, until the centre knows that the last one has it"] = since(
                begun
            )
            # First, for what is signed and refused is not hidden by what is not.
            begun = time.monotonic()
            push(brokers, seal("policy", 3, time.time_ns(), {}, PrivateKey.generate()), key)
            wait_for(ledger, count, lambda states: refused(states, "policy", "key: signed with the key"))
            figures["one of another key, until the centre has from each that it is refused"] = since(begun)
            broken = {"policy.yaml": b"findings:\n  least_grade: best\n"}
            begun = time.monotonic()
            push(brokers, seal("policy", 2, time.time_ns(), broken, key), key)
            wait_for(ledger, count, lambda states: refused(states, "policy", "policy.yaml:2: findings.least_grade"))
            figures["a broken one, the same, with file and line"] = since(begun)
            assert all(has(states, "policy", 1) for states in states_of(ledger).values()), "the old one stays"
            begun = time.monotonic()
            publish(folder, "tables", "pools.yaml")
            wait_for(ledger, count, lambda states: has(states, "tables", 2))
            figures[f"a table, for which each of the {count} parses all signatures on these processors"] = since(begun)
            end(processes)
        brokers.kill()
        again = min(count, 40)
        with fleet(folder, again, brokers, key) as processes:
            for process in processes:
                assert process.stdout is not None
                line = process.stdout.readline().strip()
                assert line == f"begun {again // PROCESSES} with [1, 2]", line
            figures["broker killed: sensors that began with the last good parcels"] = f"{again} of {again}"
            end(processes)
        brokers.start()
    return figures


def publish(folder: Path, kind: str, name: str) -> None:
    """As an operator does it."""
    words = ["policy", "publish", "--kind", kind, "--key", str(folder / "policy.key"), str(folder / name)]
    assert minewatch([*words, "-c", str(folder / "centre.yaml")]) == 0


def push(brokers: Broker, body: bytes, key: PrivateKey) -> None:
    """Past the centre's own check, which would refuse it."""
    settings = PolicySettings(brokers=[brokers.place], transport="tcp", topic=TOPIC, keys=[key.public.text])
    PolicyTopic(settings, {}).publish("policy", body)


States = dict[str, tuple[PolicyState, ...]]


def states_of(ledger: Ledger) -> States:
    """What the centre knows of each sensor."""
    return {sensor.sensor_id: sensor.policies for sensor in ledger.reader.sensors()}


def has(states: tuple[PolicyState, ...], kind: str, version: int) -> bool:
    """Whether a sensor has a parcel in use."""
    return any((its.kind, its.version, its.state) == (kind, version, "in_use") for its in states)


def refused(states: tuple[PolicyState, ...], kind: str, reason: str) -> bool:
    """Whether a sensor refused one for this reason."""
    return any((its.kind, its.state) == (kind, "refused") and reason in str(its.reason) for its in states)


def wait_for(ledger: Ledger, count: int, what: Callable[[tuple[PolicyState, ...]], bool]) -> None:
    """Wait until that holds of all sensors. Raises AssertionError."""
    until = time.monotonic() + PATIENCE_S
    while True:
        states = states_of(ledger)
        missing = count - sum(map(what, states.values()))
        if not missing:
            return
        assert time.monotonic() < until, f"{missing} of {count} sensors are not there: {list(states.items())[:2]}"
        time.sleep(0.2)


def since(begun: float) -> str:
    """Seconds, as text."""
    return f"{time.monotonic() - begun:.1f} s"


@contextlib.contextmanager
def collecting(folder: Path, brokers: Broker) -> Iterator[Ledger]:
    """A collector in a thread; its ledger, to read."""
    url = f"sqlite:///{folder}/central.db"
    written = Ledger.open(url)
    settings = CollectSettings(brokers=[brokers.place], transport="tcp", topic=REPORTS)
    central = CentralLedger(written, 100)
    collector = Collector(written, central, TopicSource(settings, central.positions))
    thread = threading.Thread(target=collector.run, daemon=True)
    thread.start()
    read = Ledger.open_to_read(url)
    try:
        yield read
    finally:
        collector.stop()
        thread.join(20)
        read.close()
        written.close()


@contextlib.contextmanager
def fleet(folder: Path, count: int, brokers: Broker, key: PrivateKey) -> Iterator[list[subprocess.Popen[str]]]:
    """The sensors, ended whatever happens."""
    each = count // PROCESSES
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.kafka.fleet", str(folder), str(number * each), str(each)),
                *(brokers.place, key.public.text, TOPIC, REPORTS),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        yield processes
    finally:
        end(processes)


def end(processes: list[subprocess.Popen[str]]) -> None:
    """End the sensors."""
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
