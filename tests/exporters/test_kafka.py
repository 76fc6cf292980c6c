"""The exporter kafka: what is acknowledged by a broker counts as delivered, in order by key, and nothing else does."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from exporters.destination import Refused, Unreachable, Unusable
from exporters.kinds.kafka import Config, Sender, producer_settings
from exporters.transports import kafka as transport
from sensor.delivery.delivery import Delivery, build_senders
from sensor.ledger import Ledger
from sensor.model.wire import QueuedReport, loads
from tests.collect.brokers import MockBrokers, messages_of, mock_brokers, written
from tests.delivery.receivers import eventually
from tests.ledger.made import finding, flow

NOW = 1_900_000_000_000_000_000
SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers() as started:
        yield started


def config(brokers: MockBrokers, topic: str, **more: object) -> Config:
    return Config.model_validate({"brokers": brokers.places, "transport": "tcp", "topic": topic, **more})


def report(number: int, key: str = "192.0.2.7", text: str = "{}") -> QueuedReport:
    return QueuedReport(number, NOW, key, text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"brokers": []}, "brokers"),
        ({"brokers": ["kafka.example.org"]}, "must be host:port"),
        ({"brokers": ["a:1,b:2"]}, "must be one host:port"),
        ({"brokers": ["a:99999999999"]}, "must be host:port"),
        ({"topic": "with space"}, "topic"),
        ({"redact": True}, "a central ledger gets what this one has"),
        ({"transport": "tcp", "sasl": {"mechanism": "PLAIN", "username": "u", "password_file": "p"}}, "as it is"),
        ({"sasl": {"username": "u", "password": SECRET}}, "password"),
        ({"acks": 1}, "acks"),
    ],
)
def test_a_mistake_in_the_settings_is_named(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"brokers": ["127.0.0.1:9092"], **changes})
    assert sentence in str(caught.value)


def test_without_its_library_a_start_is_refused_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    senders, problems = build_senders({"kafka": [Config(brokers=["127.0.0.1:9092"])]})
    assert senders == {}
    assert problems == ["exporters.kafka: its library is not installed: pip install 'minewatch[kafka]'"]


def test_a_secret_is_read_from_its_file_and_shown_nowhere(tmp_path: Path) -> None:
    sasl = {"username": "sensor", "password_file": written(tmp_path, "password", SECRET + "\n")}
    settings = Config.model_validate({"brokers": ["127.0.0.1:9092"], "transport": "tcp", "sasl": sasl})
    client = producer_settings(settings)
    assert client["sasl.password"] == SECRET
    assert client["security.protocol"] == "SASL_PLAINTEXT"
    assert SECRET not in repr(settings) + settings.model_dump_json()
    missing = settings.model_copy(update={"sasl": transport.Sasl(username="u", password_file=f"{tmp_path}/none")})
    with pytest.raises(Unusable, match=r"sasl\.password_file: .*/none: No such file"):
        producer_settings(missing)


def test_tls_is_verified_and_its_files_are_read_when_it_starts(tmp_path: Path) -> None:
    client = producer_settings(Config(brokers=["127.0.0.1:9093"]))
    assert client["security.protocol"] == "SSL"
    assert client["enable.ssl.certificate.verification"] is True
    assert client["ssl.endpoint.identification.algorithm"] == "https"
    wrong = written(tmp_path, "ca.pem", "no certificate")
    with pytest.raises(Unusable, match="tls: "):
        producer_settings(Config.model_validate({"brokers": ["127.0.0.1:9093"], "tls": {"ca": wrong}}))


def test_the_producer_is_idempotent_and_waits_for_all_replicas() -> None:
    client = producer_settings(Config(brokers=["127.0.0.1:9093"]))
    assert (client["enable.idempotence"], client["acks"], client["enable.gapless.guarantee"]) == (True, "all", True)


def test_reports_arrive_whole_and_those_of_one_miner_in_their_order(tmp_path: Path, brokers: MockBrokers) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sensor_id="edge-1")
    settings = config(brokers, "whole")
    senders, problems = build_senders({"kafka": [settings]})
    assert not problems
    delivery = Delivery(ledger, senders)
    for step in range(30):
        of = [finding(number, (flow(1_000 * number + step, step, miner=f"10.0.0.{number}"),)) for number in range(20)]
        ledger.record(of, NOW + step)
        ledger.add_coverage(NOW + step, NOW + step + 1)
    waiting = ledger.reports.read(0, 10_000)
    delivery.start()
    eventually(lambda: ledger.reports.backlog("kafka").depth == 0)
    assert ledger.reports.read(0, 10) == []
    assert delivery.statuses()[0].delivered == len(waiting) == 30 * 21
    delivery.stop(5)
    got = messages_of(brokers.places, "whole.v1", len(waiting))
    assert sorted(message.value().decode() for message in got) == sorted(one.text for one in waiting)
    by_key: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for message in got:
        by_key[message.key().decode()].append((message.partition(), loads(message.value()).number))
    for places in by_key.values():
        assert len({partition for partition, _ in places}) == 1
        assert [number for _, number in places] == sorted(number for _, number in places)
    assert len(by_key) == 21
    ledger.close()


def test_a_report_that_is_too_long_is_refused_and_the_others_arrive(brokers: MockBrokers) -> None:
    sender = Sender(config(brokers, "long", message_bytes=65_536))
    with pytest.raises(Refused, match="longer than message_bytes"):
        sender.send_reports([report(1), report(2, text="x" * 70_000)])
    sender.send_reports([report(1)])
    assert len(messages_of(brokers.places, "long.v1", 1)) == 1
    sender.close()


def test_where_no_broker_is_nothing_counts_as_delivered_and_the_reason_is_given() -> None:
    pytest.importorskip("confluent_kafka")
    sender = Sender(Config(brokers=["127.0.0.1:9"], transport="tcp", timeout_s=1.0))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9: .*(refused|down)"):
        sender.send_reports([report(1)])
    sender.close()


def test_brokers_that_do_not_answer_for_a_while_lose_nothing_and_mix_nothing(
    tmp_path: Path, brokers: MockBrokers
) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sensor_id="edge-1")
    senders, _ = build_senders({"kafka": [config(brokers, "away", timeout_s=1.0)]})
    delivery = Delivery(ledger, senders)
    delivery.start()
    ledger.record([finding(number) for number in range(50)], NOW)
    eventually(lambda: ledger.reports.backlog("kafka").depth == 0)
    brokers.stop()
    try:
        for step in range(1, 6):
            ledger.record(
                [finding(number, (flow(number, step, miner=f"10.0.0.{number}"),)) for number in range(50)], NOW
            )
        eventually(lambda: delivery.statuses()[0].failed >= 2)
        assert ledger.reports.backlog("kafka").depth == 250
        assert delivery.statuses()[0].trouble is not None
    finally:
        brokers.go_on()
    eventually(lambda: ledger.reports.backlog("kafka").depth == 0)
    delivery.stop(5)
    numbers: dict[int, list[int]] = defaultdict(list)
    for message in messages_of(brokers.places, "away.v1", 300):
        numbers[message.partition()].append(json.loads(message.value())["number"])
    assert sorted({number for its in numbers.values() for number in its}) == list(range(1, 301))
    for its in numbers.values():  # what was sent again is told by its number, and what is new comes in order
        newest = 0
        fresh = [newest := number for number in its if number > newest]
        assert fresh == sorted(set(its))
    ledger.close()


def test_after_a_rotation_it_connects_anew(brokers: MockBrokers) -> None:
    sender = Sender(config(brokers, "rotated"))
    sender.send_reports([report(1)])
    sender.reopen()
    sender.send_reports([report(2)])
    sender.close()
    assert len(messages_of(brokers.places, "rotated.v1", 2)) == 2


def test_what_is_of_the_sensor_waits_for_what_it_found_before(
    brokers: MockBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(config(brokers, "barrier"))
    groups: list[list[int]] = []
    monkeypatch.setattr(
        sender, "_produce", lambda reports: groups.append([queued.sequence for queued, _ in reports]), raising=True
    )
    keys = ["10.0.0.1", "10.0.0.2", "sensor:edge-1", "10.0.0.1", "sensor:edge-1"]
    sender.send_reports([report(number, key) for number, key in enumerate(keys, 1)])
    assert groups == [[1, 2], [3, 4], [5]]
