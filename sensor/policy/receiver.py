"""A thread that reads the topic of parcels, beside the line: it proves and unpacks them, offers one at a time, and
hears what came of it. It connects, reads and never writes; without brokers everything stays as it is.

A plain consumer without a group: each sensor reads all partitions from their beginning at each start. A compacted topic
holds few messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from exporters.transports.kafka import client_settings, is_summary, library, silent_logger
from sensor.delivery.backoff import Backoff
from sensor.model.policy import PolicyState
from sensor.model.trouble import Speaker, TroubleState
from sensor.policy.inbox import ParcelOffer, PolicyInbox
from sensor.policy.settings import PolicySettings

#: Messages taken at once, each of which may be as long as a parcel, whoever wrote it; how long they are waited for, in
#: seconds; and how long a question to a broker may take.
PAGE, WAIT_S, ASK_S = 4, 0.5, 10.0
#: Bytes that wait here unread, in units of 1,024.
QUEUED_KBYTES = 16_384
#: How often partitions are looked for anew, in seconds: a topic that was made anew is read.
PARTITIONS_S = 60.0
#: How often a topic that is not there is looked for, in seconds.
MISSING_S = 5.0
#: How long after the client's last error there is trouble, in seconds: it repeats one twice a minute.
TROUBLE_S = 45.0
#: How long an end may wait for the thread.
END_S = 2.0


class TopicError(Exception):
    """The topic cannot be read now; one sentence."""


class PolicyReceiver:
    """The reader of one sensor. `offer`, `states` and `counters` may be read from any thread."""

    def __init__(self, settings: PolicySettings, inbox: PolicyInbox, speaker: Speaker) -> None:
        """Files of secrets and certificates are read here. Raises Unusable."""
        self._library = library()
        self._made_with = {
            **client_settings(settings),
            "group.id": "minewatch-policy",  # the client wants one; it is never joined, and nothing is committed
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": QUEUED_KBYTES,
            "fetch.message.max.bytes": settings.parcel_bytes,
        }
        self._topic, self._shown = settings.versioned_topic, settings.shown
        self._inbox, self._speaker = inbox, speaker
        self._trouble, self._backoff = TroubleState(), Backoff(Random())
        self._error: str | None = None  # the client's newest
        self._error_s = -TROUBLE_S  # when that came
        self._consumer: Any = None
        self._history: dict[int, int] = {}  # by partition, where the end was when it was begun to be read
        self._unread: set[int] = set()  # partitions that were not read to their end yet
        self._looked_s = 0.0
        self._lock = threading.Lock()
        self._offer: ParcelOffer | None = None
        self._decision: tuple[ParcelOffer, tuple[str, ...]] | None = None
        self._again = False
        self._retry = False  # the same, for the thread: until all is being read again
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)
        self.states: tuple[PolicyState, ...] = inbox.states
        self.counters: dict[str, int] = dict(inbox.counters)
        self.refused_by_kind: dict[str, int] = dict(inbox.refused_by_kind)

    @property
    def trouble(self) -> str | None:
        """Why nothing is read; None while all is well."""
        return self._trouble.reason

    @property
    def offer(self) -> ParcelOffer | None:
        """A parcel that is to be tried; None if there is none, or it was decided."""
        with self._lock:
            return None if self._decision is not None else self._offer

    def start(self) -> None:
        """Read from now on."""
        self._thread.start()

    def close(self) -> None:
        """Read no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def decide(self, offer: ParcelOffer, problems: Sequence[str]) -> None:
        """What came of an offer: it is in force, or this is wrong with it."""
        with self._lock:
            self._decision = (offer, tuple(problems))

    def read_again(self) -> None:
        """The sensor's own files are others by now: what was refused may hold."""
        with self._lock:
            self._again = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._settle()
                self._round()
            except TopicError as error:  # the first parcel makes it
                self._fail(str(error), MISSING_S)
            except self._library.KafkaException as error:
                self._fail(f"{self._shown}: {error.args[0].str()}", self._backoff.next())
            except Exception as error:  # a mistake of ours: the sensor goes on with what it has
                reason = f"the topic of parcels cannot be read: {type(error).__name__}: {error}"
                self._fail(reason, self._backoff.next())
            self._publish()
        self._disconnect()

    def _round(self) -> None:
        """Connect, read some messages, and offer what is next."""
        self._connect()
        found = self._consumer.consume(PAGE, WAIT_S)
        for message in found:
            error = message.error()
            if error is None:
                history = message.offset() < self._history.get(message.partition(), 0)
                self._inbox.take(message.key(), message.value(), history=history)
            elif error.code() == self._library.KafkaError._PARTITION_EOF:
                self._read_whole(message.partition())
            else:
                self._note(error)
        self._look_for_trouble(bool(found))
        self._backoff.reset()
        if not self._unread and self._offer is None:
            offer = self._inbox.next_offer()
            with self._lock:
                self._offer = offer

    def _look_for_trouble(self, something_came: bool) -> None:
        """The client mends its connections itself, and repeats what is wrong while it lasts."""
        now_s = time.monotonic()
        if self._error is not None:
            reason, self._error, self._error_s = f"{self._shown}: {self._error}", None, now_s
            if self._trouble.begin(reason):
                self._speaker.warning(f"policy: {reason}; what is in use stays in use")
        elif (something_came or now_s - self._error_s > TROUBLE_S) and self._trouble.end():
            self._speaker.notice("policy: parcels are read again")

    def _settle(self) -> None:
        """What came of the offer, and whether all is to be read again."""
        with self._lock:
            decision, self._retry = self._decision, self._retry or self._again
            self._again = False
        if decision is not None:
            offer, problems = decision
            if problems:
                self._inbox.refuse(offer, "; ".join(problems))
            else:
                self._inbox.accept(offer)
            with self._lock:
                self._offer = self._decision = None
        if self._retry and self._consumer is not None:
            self._assign(sorted(self._history), retry=True)
            self._retry = False

    def _connect(self) -> None:
        """Assign all partitions, from their beginning; again where there are others by now."""
        now_s = time.monotonic()
        if self._consumer is None:
            self._consumer = self._library.Consumer({**self._made_with, "error_cb": self._note}, logger=silent_logger())
            self._history, self._looked_s = {}, 0.0
        if self._looked_s and now_s - self._looked_s < PARTITIONS_S:
            return
        try:
            topic = self._consumer.list_topics(self._topic, ASK_S).topics[self._topic]
        except KeyError:
            raise TopicError(f"{self._shown}: there is no topic {self._topic}") from None
        if topic.error is not None or not topic.partitions:
            raise TopicError(f"{self._shown}: {self._topic}: {topic.error.str() if topic.error else 'no partitions'}")
        if set(topic.partitions) != set(self._history):
            self._assign(sorted(topic.partitions))
        self._looked_s = now_s

    def _assign(self, partitions: Sequence[int], *, retry: bool = False) -> None:
        part, beginning = self._library.TopicPartition, self._library.OFFSET_BEGINNING
        ends = {}
        for partition in partitions:
            _, ends[partition] = self._consumer.get_watermark_offsets(part(self._topic, partition), ASK_S)
        self._inbox.begin_reading(retry=retry)
        self._history, self._unread = ends, set(partitions)
        self._consumer.assign([part(self._topic, partition, beginning) for partition in partitions])

    def _read_whole(self, partition: int) -> None:
        if partition in self._unread:
            self._unread.discard(partition)
            if not self._unread:
                self._inbox.end_of_topic()

    def _fail(self, reason: str, pause_s: float) -> None:
        if self._trouble.begin(reason):
            self._speaker.warning(f"policy: {reason}; what is in use stays in use")
        self._disconnect()
        self._stopping.wait(pause_s)

    def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _publish(self) -> None:
        self.states = self._inbox.states
        self.counters = dict(self._inbox.counters)
        self.refused_by_kind = dict(self._inbox.refused_by_kind)

    def _note(self, error: Any) -> None:
        if self._error is None or not is_summary(error):
            self._error = error.str()
