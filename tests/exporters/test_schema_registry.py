"""A registry of schemas: each message says which schema it has, a collector reads it with and without, and nothing is
lost while the registry is away or has something against the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.destination import Unreachable
from exporters.kinds.kafka import Config, Sender
from exporters.transports.schema_registry import without_schema
from sensor.collect.settings import CollectSettings
from sensor.collect.source import TopicSource
from sensor.model.wire import QueuedReport, schema
from tests.collect.brokers import MockBrokers, messages_of, mock_brokers, written
from tests.delivery.receivers import HttpReceiver, eventually


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers() as started:
        yield started


@pytest.fixture
def registry() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    receiver.answer = b'{"id":17}'
    yield receiver
    receiver.close()


def sender(brokers: MockBrokers, url: str, topic: str, **more: object) -> Sender:
    given = {"brokers": brokers.places, "transport": "tcp", "topic": topic, "timeout_s": 5.0}
    return Sender(Config.model_validate({**given, "schema_registry": {"url": url, **more}}))


def reports(*texts: str) -> list[QueuedReport]:
    return [QueuedReport(number, 1, "192.0.2.7", text) for number, text in enumerate(texts, 1)]


def test_every_message_names_the_schema_that_was_registered_once(
    tmp_path: Path, brokers: MockBrokers, registry: HttpReceiver
) -> None:
    made = sender(brokers, registry.url + "/", "named", authorization_file=written(tmp_path, "auth", "Basic abc"))
    made.send_reports(reports("{}", '{"v":1}'))
    made.send_reports(reports("[]"))
    made.close()
    bodies = [message.value() for message in messages_of(brokers.places, "named.v1", 3)]
    assert sorted(bodies) == sorted(b"\0\0\0\0\x11" + text for text in (b"{}", b'{"v":1}', b"[]"))
    ((headers, body),) = registry.taken
    asked = json.loads(body)
    assert asked["schemaType"] == "JSON"
    assert json.loads(asked["schema"]) == schema()
    assert headers["authorization"] == "Basic abc"
    assert headers["content-type"] == "application/vnd.schemaregistry.v1+json"


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (409, b'{"error_code":409,"message":"incompatible"}', "answered 409"),
        (503, b"", "answered 503"),
        (200, b"<html>", "without the number of a schema"),
        (200, b'{"id":true}', "without the number of a schema"),
        (200, b'{"id":99999999999}', "without the number of a schema"),
        (200, b"[" * 4_000, "without the number of a schema"),
    ],
)
def test_while_the_registry_gives_no_number_nothing_counts_as_delivered(
    brokers: MockBrokers, registry: HttpReceiver, status: int, answer: bytes, sentence: str
) -> None:
    registry.status, right, registry.answer = status, registry.answer, answer
    topic = f"mended{status}-{len(answer)}"
    made = sender(brokers, registry.url, topic)
    with pytest.raises(Unreachable, match=sentence):
        made.send_reports(reports("{}"))
    registry.status, registry.answer = 200, right
    made.send_reports(reports("{}"))
    made.close()
    assert [message.value() for message in messages_of(brokers.places, f"{topic}.v1", 1)] == [b"\0\0\0\0\x11{}"]


def test_a_collector_reads_messages_with_and_without_what_names_their_schema(
    brokers: MockBrokers, registry: HttpReceiver
) -> None:
    given = {"brokers": brokers.places, "transport": "tcp", "topic": "both", "group": "both"}
    named = sender(brokers, registry.url, "both")
    named.send_reports(reports('{"v":1}'))
    named.close()
    plain = Sender(Config.model_validate({name: given[name] for name in ("brokers", "transport", "topic")}))
    plain.send_reports(reports('{"v":2}'))
    plain.close()
    source = TopicSource(CollectSettings.model_validate(given), lambda _: {})
    found: list[bytes] = []
    eventually(lambda: found.extend(message.body for message in source.poll().messages()) or len(found) == 2)
    source.close()
    assert sorted(found) == [b'{"v":1}', b'{"v":2}']


@given(st.binary(max_size=12))
def test_whatever_a_message_holds_it_is_read_without_what_names_its_schema(body: bytes) -> None:
    text = b'{"v":1}' + body
    assert without_schema(b"\0\0\0\0\x11" + text) == without_schema(text) == text
    assert len(without_schema(body)) <= len(body)
