"""The topic of parcels as a centre has it: made where it is not there, read to its end, written with the word of all
replicas."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from exporters.transports.kafka import client_settings, library, silent_logger
from sensor.policy.keys import PublicKey
from sensor.policy.parcel import EVERYBODY, ParcelHeader, key_of, open_sealed
from sensor.policy.refusal import ParcelError
from sensor.policy.settings import PolicySettings

#: Seconds for a question, for all that stands in the topic, and for an acknowledgement.
ASK_S, READ_S, ACKNOWLEDGE_S = 10.0, 60.0, 30.0
#: What a topic of parcels is made with, and must be: the newest message of each key stays for ever.
CLEANUP, COMPACT = "cleanup.policy", "compact"
#: Brokers count their own few bytes of a message, too.
OVERHEAD_BYTES = 65_536
#: Bytes that wait unread, in units of 1,024.
QUEUED_KBYTES = 16_384
#: Messages taken at once: each may have megabytes, and none is held longer than it is looked at.
PAGE = 10
#: Of keys so much is held, and of messages that no sensor takes so many are listed: anybody may have written them.
KEY_BYTES, MOST_STRANGERS = 100, 1_000


class PolicyTopicError(Exception):
    """The topic cannot be read or written; one sentence."""


@dataclass(frozen=True, slots=True)
class HeldParcel:
    """The newest message of a key."""

    key: str
    size_bytes: int
    header: ParcelHeader | None  # None: it is none that a sensor with these keys takes
    sha256: str
    trouble: str | None  # why not


class PolicyTopic:
    """The topic. For one thread."""

    def __init__(self, settings: PolicySettings, keys: Mapping[bytes, PublicKey]) -> None:
        """Raises Unusable."""
        self._library, self._settings, self._keys = library(), settings, keys
        self._made_with = client_settings(settings)
        self.name = settings.versioned_topic
        self.left_out = 0  # messages that no sensor takes and that `held` did not list

    def create(self) -> str | None:
        """Make the topic where it is not there; a sentence if it is not as it must be, or that cannot be seen. Raises
        PolicyTopicError."""
        clients: Any = importlib.import_module("confluent_kafka.admin")
        admin = clients.AdminClient({**self._made_with, "error_cb": _heard}, logger=silent_logger())
        try:
            if self.name not in admin.list_topics(timeout=ASK_S).topics:
                most = str(self._settings.parcel_bytes + OVERHEAD_BYTES)
                settings = {CLEANUP: COMPACT, "max.message.bytes": most}
                topic = clients.NewTopic(self.name, num_partitions=1, replication_factor=-1, config=settings)
                admin.create_topics([topic], request_timeout=ASK_S)[self.name].result(ASK_S)
                return None
        except (self._library.KafkaException, TimeoutError) as error:
            raise self._failure(error) from None
        resource = clients.ConfigResource(clients.ResourceType.TOPIC, self.name)
        try:
            found = admin.describe_configs([resource], request_timeout=ASK_S)[resource].result(ASK_S)
        except (self._library.KafkaException, TimeoutError) as error:  # an account may write and not look
            return f"whether {self.name} is compacted is not known: {_reason(error)}"
        cleanup = found[CLEANUP].value if CLEANUP in found else COMPACT
        if COMPACT not in cleanup:
            return f"{self.name}: {CLEANUP} is {cleanup}: parcels go with their age; set it to {COMPACT}"
        return None

    def held(self) -> list[HeldParcel]:
        """The newest message of each key, in the order of keys. Raises PolicyTopicError."""
        found: dict[bytes, HeldParcel] = {}
        strangers: set[bytes] = set()
        self.left_out = 0
        for key, body in self._messages():
            place = key if len(key) <= KEY_BYTES else sha256(key).digest()
            found.pop(place, None)
            strangers.discard(place)
            if body is None:
                continue
            parcel = self._held(key[:KEY_BYTES].decode("ascii", "replace"), body)
            if parcel.header is None:
                if len(strangers) >= MOST_STRANGERS:
                    self.left_out += 1
                    continue
                strangers.add(place)
            found[place] = parcel
        return sorted(found.values(), key=lambda parcel: parcel.key)

    def _held(self, name: str, body: bytes) -> HeldParcel:
        try:
            parcel = open_sealed(body, self._keys, self._settings.parcel_bytes)
            if parcel.header.key != name:
                raise ParcelError("kind", f"the parcel of {parcel.header.key} stands under another key")
        except ParcelError as error:
            return HeldParcel(name, len(body), None, "", f"{error.cause}: {error}")
        return HeldParcel(name, len(body), parcel.header, parcel.sha256, None)

    def publish(self, kind: str, body: bytes, group: str = EVERYBODY) -> None:
        """Put a parcel in place of the one of its kind and group, and wait until all replicas have it. Raises
        PolicyTopicError."""
        errors: list[Any] = []
        answers: list[Any] = []

        def answered(error: Any, _: object) -> None:
            (answers if error is None else errors).append(error)

        settings = {
            **self._made_with,
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": max(1_000_000, len(body) + OVERHEAD_BYTES),
            "message.timeout.ms": int(ACKNOWLEDGE_S * 1_000),
            "partitioner": "murmur2_random",
            "error_cb": _heard,
        }
        try:
            producer = self._library.Producer(settings, logger=silent_logger())
            producer.produce(self.name, body, key=key_of(kind, group).encode(), on_delivery=answered)
            producer.flush(ACKNOWLEDGE_S + 1)
        except (self._library.KafkaException, BufferError) as error:
            raise self._failure(error) from None
        if errors:
            raise PolicyTopicError(f"{self._settings.shown}: {errors[0].str()}")
        if not answers:
            raise PolicyTopicError(f"{self._settings.shown}: no acknowledgement within {ACKNOWLEDGE_S:g} s")

    def _messages(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Key and body of all that stands in the topic, in the order of each partition."""
        part, beginning = self._library.TopicPartition, self._library.OFFSET_BEGINNING
        settings = {
            **self._made_with,
            "group.id": "minewatch-policy",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.message.max.bytes": self._settings.parcel_bytes,
            "queued.max.messages.kbytes": QUEUED_KBYTES,
            "error_cb": _heard,
        }
        consumer = self._library.Consumer(settings, logger=silent_logger())
        try:
            topics = consumer.list_topics(timeout=ASK_S).topics
            if self.name not in topics:
                return
            unread = set(topics[self.name].partitions)
            consumer.assign([part(self.name, partition, beginning) for partition in sorted(unread)])
            until_s = time.monotonic() + READ_S
            while unread:
                if time.monotonic() > until_s:
                    raise PolicyTopicError(f"{self._settings.shown}: {self.name} was not read within {READ_S:g} s")
                for message in consumer.consume(PAGE, 0.5):
                    error = message.error()
                    if error is None:
                        yield message.key() or b"", message.value()
                    elif error.code() == self._library.KafkaError._PARTITION_EOF:
                        unread.discard(message.partition())
        except self._library.KafkaException as error:
            raise self._failure(error) from None
        finally:
            consumer.close()

    def _failure(self, error: Exception) -> PolicyTopicError:
        return PolicyTopicError(f"{self._settings.shown}: {_reason(error)}")


def _reason(error: Exception) -> str:
    """What the library says, without its codes."""
    if isinstance(error, TimeoutError):
        return "no answer"
    first = error.args[0] if error.args else error
    return str(first.str() if hasattr(first, "str") else first)


def _heard(_: Any) -> None:
    """What the client says on its own comes back with what it was asked."""
