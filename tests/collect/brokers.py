"""Brokers for tests: those of the client's own library, in a process of their own, so that they can be stopped and go
on; and what stands in a topic."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ANSWER_S = 20.0
#: Runs the library's brokers until its input ends, and says where they are.
PROGRAM = """
import json, sys
import confluent_kafka
producer = confluent_kafka.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": int(sys.argv[1])})
brokers = producer.list_topics(timeout=10).brokers.values()
print(json.dumps([f"{one.host}:{one.port}" for one in brokers]), flush=True)
sys.stdin.read()
"""


class MockBrokers:
    """Some brokers; their topics have four partitions each."""

    def __init__(self, process: subprocess.Popen[str], places: list[str]) -> None:
        self._process, self.places = process, places

    def stop(self) -> None:
        """From now on they answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """They answer again."""
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def mock_brokers(count: int = 3) -> Iterator[MockBrokers]:
    """Start them, end them."""
    pytest.importorskip("confluent_kafka")
    arguments = [sys.executable, "-c", PROGRAM, str(count)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield MockBrokers(process, json.loads(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def messages_of(places: list[str], topic: str, most: int) -> list[Any]:
    """The messages of a topic, from its beginning, until there are so many or none comes any more."""
    import confluent_kafka

    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": ",".join(places), "group.id": f"test-{time.time_ns()}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    until = time.monotonic() + ANSWER_S
    while len(found) < most and time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(message)
    quiet = time.monotonic() + 1.0  # what comes beside what was waited for
    while time.monotonic() < quiet:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            found.append(message)
    consumer.close()
    return found


def put(places: list[str], topic: str, bodies: list[tuple[str, bytes | None]]) -> None:
    """Put messages, by key, into a topic; without a body it deletes those of its key."""
    import confluent_kafka

    settings = {"bootstrap.servers": ",".join(places), "partitioner": "murmur2_random"}
    producer = confluent_kafka.Producer(settings)
    for key, body in bodies:
        producer.produce(topic, body, key=key)
    assert producer.flush(ANSWER_S) == 0


def written(folder: Path, name: str, text: str) -> str:
    """A file with a text; its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)
