"""A thread that shares what this sensor's link taught, and hears what those of other sensors did, through a topic of
its own: one message a sensor, the newest counts. Nothing in it is signed: whoever may write the topic can lie, and what
a lie does is bounded where it is used (`sensor/names/taught.py`, `sensor/behaviour/taught_blocks.py`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random
from typing import Any

from exporters.transports.kafka import client_settings, library, silent_logger
from sensor.delivery.backoff import Backoff
from sensor.model.message import WireError
from sensor.model.shared_knowledge import MESSAGE_BYTES, VERSION, SharedKnowledge, dumps, loads
from sensor.model.trouble import Speaker, TroubleState
from sensor.policy.settings import PolicySettings

#: Messages taken at once, how long they are waited for, and how long a question may take, in seconds.
PAGE, WAIT_S, ASK_S = 100, 0.5, 10.0
#: Sensors whose newest message waits to be taken up.
MOST_WAITING = 1_024
QUEUED_KBYTES = 8_192
#: How often partitions are looked for anew, and how long an end may wait for the thread, in seconds.
PARTITIONS_S, END_S = 60.0, 2.0
#: How long after the client's last error there is trouble, in seconds: it repeats one twice a minute.
TROUBLE_S = 45.0


class KnowledgeExchange:
    """The exchange of one sensor. `share`, `heard` and `counters` are for any thread."""

    def __init__(self, settings: PolicySettings, sensor_id: str, speaker: Speaker) -> None:
        """Files of secrets and certificates are read here. Raises Unusable."""
        self._library = library()
        made_with = {**client_settings(settings), "error_cb": _ignore}
        self._consumes = {
            **made_with,
            "group.id": "minewatch-learnt",  # the client wants one; it is never joined, and nothing is committed
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": QUEUED_KBYTES,
            "fetch.message.max.bytes": MESSAGE_BYTES,
        }
        self._produces = {**made_with, "compression.type": "lz4", "message.timeout.ms": 30_000, "acks": "all"}
        self._topic, self._shown = f"{settings.share_topic}.v{VERSION}", settings.shown
        self._sensor_id, self._speaker = sensor_id, speaker
        self._trouble, self._backoff = TroubleState(), Backoff(Random())
        self._consumer: Any = None
        self._producer: Any = None
        self._partitions: set[int] = set()
        self._looked_s = 0.0
        self._unheard: str | None = None  # why nothing is heard
        self._unheard_s = 0.0  # when that was said last
        self._unsent: str | None = None  # why what was to be sent did not arrive
        self._lock = threading.Lock()
        self._outgoing: bytes | None = None
        self._heard: dict[str, SharedKnowledge] = {}
        self.counters: Counter[str] = Counter(learnt_heard=0, learnt_unreadable=0, learnt_shared=0, learnt_over_bound=0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="learnt", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why nothing is heard, or sent; None while all is well."""
        return self._trouble.reason

    def start(self) -> None:
        """Exchange from now on."""
        self._thread.start()

    def close(self) -> None:
        """Exchange no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def share(self, knowledge: SharedKnowledge) -> None:
        """Have this sent in place of what was to be sent before."""
        body = dumps(knowledge)
        with self._lock:
            self._outgoing = body

    def heard(self) -> list[SharedKnowledge]:
        """What was heard since the last call, of each sensor the newest."""
        with self._lock:
            heard, self._heard = list(self._heard.values()), {}
        return heard

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except self._library.KafkaException as error:
                self._fail(error.args[0].str())
            except Exception as error:  # a mistake of ours: the sensor knows what it learnt itself
                self._fail(f"{type(error).__name__}: {error}")
        self._disconnect()

    def _round(self) -> None:
        self._send()
        self._connect()
        for message in self._consumer.consume(PAGE, WAIT_S) if self._partitions else ():
            if (error := message.error()) is None:
                self._unheard = None
                self._take(message.key(), message.value())
            else:
                self._unheard, self._unheard_s = error.str(), time.monotonic()
        if not self._partitions:
            self._stopping.wait(WAIT_S)
        self._look_for_trouble()
        self._backoff.reset()

    def _look_for_trouble(self) -> None:
        """The client says again what keeps it from reading while that lasts; what was sent arrives or does not."""
        if self._partitions and time.monotonic() - self._unheard_s > TROUBLE_S:
            self._unheard = None
        reason = self._unheard or self._unsent
        if reason is not None:
            self._say(reason)
        elif self._trouble.end():
            self._speaker.notice("policy: what was learnt is shared again")

    def _take(self, key: bytes | None, body: bytes | None) -> None:
        """One message; whatever it holds, nothing raises."""
        if body is None:
            return
        try:
            knowledge = loads(body)
            if key != knowledge.sensor_id.encode():
                raise WireError("its key is another sensor's")
        except WireError:
            self.counters["learnt_unreadable"] += 1
            return
        if knowledge.sensor_id == self._sensor_id:
            return
        with self._lock:
            if len(self._heard) >= MOST_WAITING and knowledge.sensor_id not in self._heard:
                self.counters["learnt_over_bound"] += 1
                return
            self._heard[knowledge.sensor_id] = knowledge
        self.counters["learnt_heard"] += 1

    def _send(self) -> None:
        with self._lock:
            body, self._outgoing = self._outgoing, None
        if body is None:
            if self._producer is not None:
                self._producer.poll(0)
            return
        if self._producer is None:
            self._producer = self._library.Producer(self._produces, logger=silent_logger())

        def answered(error: Any, _: object) -> None:
            if error is None:
                self.counters["learnt_shared"] += 1
                self._unsent = None
            else:
                self._unsent = error.str()
                self._send_again(body)

        try:
            self._producer.produce(self._topic, body, key=self._sensor_id.encode(), on_delivery=answered)
        except BufferError:
            self._send_again(body)

    def _send_again(self, body: bytes) -> None:
        """What did not arrive is sent anew, unless there is something newer."""
        with self._lock:
            if self._outgoing is None:
                self._outgoing = body

    def _connect(self) -> None:
        now_s = time.monotonic()
        if self._consumer is None:
            self._consumer = self._library.Consumer(self._consumes, logger=silent_logger())
            self._partitions, self._looked_s = set(), 0.0
        wait_s = PARTITIONS_S if self._partitions else 2.0
        if self._looked_s and now_s - self._looked_s < wait_s:
            return
        topics = self._consumer.list_topics(timeout=ASK_S).topics
        partitions = set(topics[self._topic].partitions) if self._topic in topics else set()
        if not partitions:  # none, or this account may not see it
            self._unheard, self._unheard_s = f"there is no topic {self._topic}", now_s
        elif not self._partitions:
            self._unheard = None
        if partitions != self._partitions:
            part, beginning = self._library.TopicPartition, self._library.OFFSET_BEGINNING
            self._consumer.assign([part(self._topic, partition, beginning) for partition in sorted(partitions)])
            self._partitions = partitions
        self._looked_s = now_s

    def _say(self, reason: str) -> None:
        if self._trouble.begin(f"{self._shown}: {reason}"):
            self._speaker.warning(f"policy: {self._shown}: {reason}; what is learnt is not shared")

    def _fail(self, reason: str) -> None:
        self._say(reason)
        self._disconnect()
        self._stopping.wait(self._backoff.next())

    def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(0.1)
            self._unsent = None  # that it was purged is no reason


def _ignore(_: Any) -> None:
    """The client mends its connections itself; what it cannot do is raised by what asks it."""
