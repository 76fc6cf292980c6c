"""A centre: collectors as processes, and what their ledger has come to."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from sensor.ledger import Ledger
from tests.ledger.test_central import rows_in_any_order

PATIENCE_S = 600.0


class Centre:
    """Collectors of one group, and the ledger that they write."""

    def __init__(self, folder: Path, url: str, broker: str, topic: str, group: str | None = None) -> None:
        self._folder, self.url, self.topic = folder, url, f"{topic}.v1"
        self.engine: Engine = create_engine(url, pool_pre_ping=True)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._config = folder / f"{topic}.json"
        collect = {"brokers": [broker], "transport": "tcp", "topic": topic, "group": group or topic}
        self._config.write_text(json.dumps({"ledger": {"url": url}, "collect": collect}))

    def start(self) -> subprocess.Popen[bytes]:
        """One more collector."""
        log = (self._folder / "collectors.log").open("ab")
        command = [sys.executable, "-m", "sensor.cli", "collect", "-c", str(self._config)]
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        log.close()
        return self.processes[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all collectors."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)
        self.processes.clear()
        self.engine.dispose()

    def place(self) -> int:
        """How many messages were taken; -1 while the ledger does not answer."""
        try:
            with self.engine.connect() as connection:
                query = text("SELECT COALESCE(SUM(position), 0) FROM collect_positions WHERE topic = :topic")
                return int(connection.scalar(query, {"topic": self.topic}) or 0)
        except SQLAlchemyError:
            return -1

    def places(self) -> dict[int, int]:
        """What was taken of each partition; 0 of one that nothing was taken of."""
        with self.engine.connect() as connection:
            query = text("SELECT partition, position FROM collect_positions WHERE topic = :topic")
            return defaultdict(
                int, [(number, place) for number, place in connection.execute(query, {"topic": self.topic})]
            )

    def wait_for(self, count: int) -> float:
        """Wait until so many messages were taken; the seconds. Raises AssertionError."""
        begun = time.monotonic()
        wait(lambda: self.place() >= count, f"{self.topic}: not {count} messages")
        return time.monotonic() - begun

    def resumed(self) -> float:
        """Seconds until something more is taken."""
        begun = time.monotonic()
        before = self.place()
        while before < 0:
            time.sleep(0.05)
            before = self.place()
        wait(lambda: self.place() > before, f"{self.topic}: nothing more than {before}")
        return time.monotonic() - begun


def wait(what: Callable[[], bool], sentence: str) -> None:
    """Wait until something holds. Raises AssertionError."""
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, sentence
        time.sleep(0.05)


def ends_of(broker: str, topic: str) -> dict[int, int]:
    """How many messages each partition of a topic has."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": broker, "group.id": "end"})
    parts = consumer.list_topics(topic, 20).topics[topic].partitions
    ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number), 20)[1] for number in parts}
    consumer.close()
    return ends


def differences(one: str, other: str) -> list[str]:
    """Tables in which two ledgers differ, with the number of rows in each."""
    found = []
    with opened(one) as left, opened(other) as right:
        its, others = map(rows_in_any_order, (left, right))
        for table in its:
            if its[table] != others[table]:
                count = sum(row not in others[table] for row in its[table])
                found.append(f"{table}: {len(its[table])} and {len(others[table])} rows, {count} differ")
    return found


@contextlib.contextmanager
def opened(url: str) -> Iterator[Ledger]:
    """A ledger, closed at the end."""
    ledger = Ledger.open(url)
    try:
        yield ledger
    finally:
        ledger.close()
