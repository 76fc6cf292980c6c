"""The topic as a member of its group reads it: messages from the places that the ledger has come to. Knows brokers, and
of the ledger only what it is told.

Places are the ledger's: what Kafka is told of them, after each transaction, is for its own tools to show how far the
group is behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from exporters.transports.kafka import client_settings, is_summary, library, silent_logger
from exporters.transports.schema_registry import without_schema
from sensor.collect.messages import MessageFold, TopicMessage
from sensor.collect.settings import CollectSettings
from sensor.ledger.central import Queue, TopicPlace

#: How long a member may be silent until its partitions are given to others, in milliseconds: as short as makes a group
#: go on within half a minute after one was killed, and long enough for a slow transaction.
SESSION_MS, HEARTBEAT_MS = 10_000, 2_000
#: How long a question to a broker may take, in seconds, and how many bytes wait here unread.
ASK_S, QUEUED_KBYTES = 10.0, 65_536
#: Messages that are asked for at once, and how many times those of a batch may be read for it: most may be replaced.
PAGE, READ_TIMES = 500, 20
#: With so many messages waiting a batch is read for so many seconds, unless nothing comes for so long: of what is
#: replaced within a batch nothing is written.
BEHIND, BEHIND_S, SILENT_S = 5_000, 15.0, 1.0
UNOWNED = 1 << 63
#: How long after the last error of the client there is trouble, in seconds: the same error is repeated twice a minute.
TROUBLE_S = 45.0


class BrokerError(Exception):
    """The brokers do not answer as they should; one sentence."""


class TopicSource:
    """One consumer. Used by one thread."""

    def __init__(self, settings: CollectSettings, positions: Callable[[str], Mapping[int, int]]) -> None:
        """`positions` gives what the ledger has come to in a topic, by partition. Raises Unusable."""
        self._library = library()
        self.topic, self._shown = settings.versioned_topic, settings.shown
        self._most, self._most_bytes = settings.batch_reports, settings.batch_bytes
        self._wait_s = settings.batch_wait_ms / 1_000
        self._positions = positions
        self.trouble: str | None = None  # the client's newest error; None once something came
        self._trouble_s = 0.0  # when it came
        self.owned: dict[Queue, int] = {}  # partitions of this member, with what comes next
        self._unplaced: list[int] | None = None  # partitions whose places are still to be asked for
        self.reset: list[Queue] = []  # partitions that were made anew
        self._stopping = False
        consumer_settings = {
            **client_settings(settings),
            "group.id": settings.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": SESSION_MS,
            "heartbeat.interval.ms": HEARTBEAT_MS,
            "max.poll.interval.ms": 300_000,
            "queued.max.messages.kbytes": QUEUED_KBYTES,
            "fetch.message.max.bytes": 16_777_216,
            "partition.assignment.strategy": "range",
            "error_cb": self._note,
        }
        self._consumer = self._library.Consumer(consumer_settings, logger=silent_logger())
        self._consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def poll(self, *, whole: bool = False) -> MessageFold:
        """What comes within the time of a batch, and while there is more and room for it, in the order of each
        partition. `whole`: also what was replaced. Raises BrokerError and LedgerError."""
        self._place()
        fold = MessageFold(whole=whole)
        begun_s = time.monotonic()
        read, until_s = 0, begun_s + self._wait_s
        places = dict(self.owned)
        room = READ_TIMES * self._most
        while not self._stopping and fold.count < self._most and fold.size_bytes < self._most_bytes and read < room:
            found = self._consumed(PAGE, max(0.0, until_s - time.monotonic()))
            read += len(found)
            now_s = time.monotonic()
            for message in found:
                if message.error() is not None:
                    self._note(message.error())
                    continue
                place = TopicPlace(message.topic(), message.partition(), message.offset())
                places[place.queue] = place.offset + 1
                # What was read of a partition that went to another member meanwhile is that one's.
                if place.offset >= self.owned.get(place.queue, UNOWNED):
                    fold.add(TopicMessage(place, without_schema(message.value() or b"")))
            if len(found) == PAGE or now_s < until_s:
                continue
            waiting = self._waiting({queue: places.get(queue, offset) for queue, offset in self.owned.items()})
            if not found or now_s - begun_s > BEHIND_S or sum(waiting.values()) < BEHIND:
                break
            until_s = now_s + SILENT_S
        if read or time.monotonic() - self._trouble_s > TROUBLE_S:
            self.trouble = None
        return fold

    def stop(self) -> None:
        """Read no further; any thread may say so."""
        self._stopping = True

    def idle(self, seconds: float) -> None:
        """Stay in the group for so long without reading on, as while the ledger is away."""
        parts = self._consumer.assignment()
        if parts:
            self._consumer.pause(parts)
        until_s = time.monotonic() + seconds
        while not self._stopping and (left_s := until_s - time.monotonic()) > 0:
            message = self._consumer.poll(min(left_s, 0.2))
            if message is not None and message.error() is None:
                self.rewind()  # it was on its way before the pause
        parts = self._consumer.assignment()
        if parts:
            self._consumer.resume(parts)

    def done(self, next_offsets: Mapping[Queue, int]) -> None:
        """Everything before these places is in the ledger."""
        for queue, offset in next_offsets.items():
            if queue in self.owned:
                self.owned[queue] = offset
        offsets = [self._part(partition, offset) for (_, partition), offset in next_offsets.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except self._library.KafkaException as error:
            self._note(error.args[0])

    def rewind(self) -> None:
        """Read on from where the ledger is."""
        if self._unplaced is None:
            self._unplaced = sorted(partition for _, partition in self.owned)

    def lag(self) -> dict[Queue, int]:
        """How many messages wait in each partition of this member, as far as is known without asking."""
        return self._waiting(dict(self.owned))

    def _waiting(self, places: Mapping[Queue, int]) -> dict[Queue, int]:
        waiting: dict[Queue, int] = {}
        for (topic, partition), offset in places.items():
            _, high = self._consumer.get_watermark_offsets(self._part(partition), cached=True)
            waiting[topic, partition] = max(0, high - offset)
        return waiting

    def ends(self) -> dict[int, int]:
        """What comes next in each partition of the topic, also of those that others have. Raises BrokerError."""
        try:
            found = self._consumer.list_topics(self.topic, ASK_S).topics[self.topic].partitions
            return {
                partition: self._consumer.get_watermark_offsets(self._part(partition), ASK_S)[1] for partition in found
            }
        except (self._library.KafkaException, TypeError) as error:
            raise BrokerError(f"{self._shown}: {error}") from None

    def close(self) -> None:
        """Leave the group: others take over at once."""
        self._consumer.close()

    def _part(self, partition: int, offset: int | None = None) -> Any:
        part = self._library.TopicPartition
        return part(self.topic, partition) if offset is None else part(self.topic, partition, offset)

    def _place(self) -> None:
        """Begin to read newly assigned partitions where the ledger is."""
        if self._unplaced is None:
            return
        partitions = self._unplaced
        known_places = self._positions(self.topic) if partitions else {}
        owned: dict[Queue, int] = {}
        for partition in partitions:
            try:
                low, high = self._consumer.get_watermark_offsets(self._part(partition), ASK_S)
            except self._library.KafkaException as error:
                raise BrokerError(f"{self._shown}: {error.args[0].str()}") from None
            place = known_places.get(partition)
            if place is not None and place > high:
                self.reset.append((self.topic, partition))
                place = None
            owned[self.topic, partition] = low if place is None else max(place, low)
        if self._unplaced is partitions:  # and not assigned anew while brokers were asked
            self.owned, self._unplaced = owned, None
            self._consumer.assign([self._part(partition, offset) for (_, partition), offset in owned.items()])

    def _assigned(self, _: object, parts: list[Any]) -> None:
        self.owned = {}
        self._unplaced = [part.partition for part in parts]
        self._consumer.assign([])  # until it is known where they begin

    def _revoked(self, _: object, __: object) -> None:
        self.owned, self._unplaced = {}, None
        self._consumer.unassign()

    def _consumed(self, most: int, seconds: float) -> list[Any]:
        try:
            found: list[Any] = self._consumer.consume(most, seconds)
        except self._library.KafkaException as error:
            raise BrokerError(f"{self._shown}: {error.args[0].str()}") from None
        return found

    def _note(self, error: Any) -> None:
        if self.trouble is None or not is_summary(error):
            self.trouble = f"{self._shown}: {error.str()}"
        self._trouble_s = time.monotonic()
