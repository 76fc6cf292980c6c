"""What the sensor reports to a central ledger, through a topic of Kafka: each report in the wire form, exactly as this
sensor's own ledger was told it (`sensor/model/wire.py`).

A report counts as delivered when all replicas that are in step have it (acks=all), by the broker's own word. The
producer is idempotent, so a broken connection doubles nothing; what a dead process had sent and not noted is sent
again, under the same number. Reports of one key (the miner's address) are in one partition, in their order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from exporters.destination import Refused, Unreachable
from exporters.settings import ExporterSettings, Timeout
from exporters.transports.kafka import KafkaSettings, client_settings, is_summary, library, silent_logger
from exporters.transports.schema_registry import RegistrySettings, SchemaRegistry
from sensor.model.wire import QueuedReport, schema

#: How often a wait looks whether its time is over, in seconds.
LOOK_S = 0.1


class Config(ExporterSettings, KafkaSettings):
    """Brokers and topic, TLS and SASL; a registry that has the schema of what is sent. A report that is longer than
    `message_bytes` is refused; brokers take what is at most their own message.max.bytes after it was compressed."""

    schema_registry: RegistrySettings | None = None
    message_bytes: Annotated[int, Field(ge=65_536, le=67_108_864)] = 8_388_608
    timeout_s: Timeout = 10.0

    @model_validator(mode="after")
    def _whole(self) -> Config:
        if self.redact:
            raise ValueError("redact: a central ledger gets what this one has; leave it out")
        return self


def producer_settings(settings: Config) -> dict[str, Any]:
    """What the producer is made with. Raises Unusable."""
    return {
        **client_settings(settings),
        "enable.idempotence": True,
        "acks": "all",
        # What fails stops the producer, so that nothing behind it is written: a collector takes no number that is lower
        # than one that it had.
        "enable.gapless.guarantee": True,
        "compression.type": "lz4",
        "linger.ms": 5,
        "message.max.bytes": settings.message_bytes,
        # The time that a report has is this file's to watch: one given up among others would leave a hole before them.
        "message.timeout.ms": 0,
        "partitioner": "murmur2_random",  # that of Java's client: one key, one partition, whoever writes it
    }


class Sender:
    """Produces reports and waits until each is acknowledged."""

    most = 2_000

    def __init__(self, settings: Config) -> None:
        """Raises Unusable if the library is not there, or a secret or certificate cannot be read."""
        self._library = library()
        self._settings, self._made_with = settings, producer_settings(settings)
        self._registry: SchemaRegistry | None = None
        if (registry := settings.schema_registry) is not None:
            self._registry = SchemaRegistry(registry, settings.versioned_topic, schema(), settings.timeout_s)
        self._producer: Any = None
        self._trouble: str | None = None  # the client's newest error
        self._rotated = False

    def send_reports(self, reports: Sequence[QueuedReport]) -> None:
        """Produce the reports; all are acknowledged, or Refused or OSError. What is of the sensor itself, as when it
        listened, waits for what was found before: who reads of an hour has all that was found in it."""
        beginning = b"" if self._registry is None else self._registry.beginning()
        bodies = [beginning + report.text.encode() for report in reports]
        longest = max(map(len, bodies), default=0)
        if longest > self._settings.message_bytes:
            raise Refused(f"a report of {longest} bytes is longer than message_bytes")
        if self._rotated:
            self._rotated = False
            self._discard()
        waiting: list[tuple[QueuedReport, bytes]] = []
        for report, body in zip(reports, bodies, strict=True):
            if report.is_of_sensor and waiting:
                self._produce(waiting)
                waiting = []
            waiting.append((report, body))
        if waiting:
            self._produce(waiting)

    def reopen(self) -> None:
        """Connect anew, at the next use."""
        self._rotated = True

    def close(self) -> None:
        """Close the connections."""
        self._discard()
        if self._registry is not None:
            self._registry.close()

    def _produce(self, reports: Sequence[tuple[QueuedReport, bytes]]) -> None:
        acknowledged, failures = 0, []

        def answered(error: Any, _: object) -> None:
            nonlocal acknowledged
            if error is None:
                acknowledged += 1
            else:
                failures.append(error)

        until_s = time.monotonic() + self._settings.timeout_s
        self._trouble = None
        try:
            if self._producer is None:
                self._producer = self._library.Producer(
                    {**self._made_with, "error_cb": self._note}, logger=silent_logger()
                )
            for report, body in reports:
                self._producer.produce(
                    self._settings.versioned_topic, body, key=report.key.encode(), on_delivery=answered
                )
            while acknowledged + len(failures) < len(reports) and not failures and time.monotonic() < until_s:
                self._producer.poll(LOOK_S)
        except (self._library.KafkaException, BufferError) as error:
            self._fail(_reason(error))
        if failures:
            if failures[0].code() == self._library.KafkaError.MSG_SIZE_TOO_LARGE:
                self._discard()
                raise Refused("the broker takes no message of this size (message.max.bytes, max.message.bytes)")
            self._fail(failures[0].str())
        if acknowledged < len(reports):
            self._fail(self._trouble or f"no acknowledgement within {self._settings.timeout_s:g} s")

    def _fail(self, reason: str) -> None:
        """Give up what is on its way: it is sent again from the first one that was not acknowledged."""
        self._discard()
        raise Unreachable(f"{self._settings.shown}: {reason}")

    def _note(self, error: Any) -> None:
        if self._trouble is None or not is_summary(error):
            self._trouble = error.str()

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(LOOK_S)


def _reason(error: Exception) -> str:
    """What the library says, without its codes."""
    first = error.args[0] if error.args else error
    return str(first.str() if hasattr(first, "str") else first)
