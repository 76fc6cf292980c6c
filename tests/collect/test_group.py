"""From sensors through brokers into one ledger: what collectors of one group write is what the sensors' own ledgers
would hold together, whoever comes and goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporters.kinds.kafka import Config, Sender
from sensor.collect.collector import Collector
from sensor.collect.settings import CollectSettings
from sensor.collect.source import TopicSource
from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.daemon.journal import WrittenJournal
from tests.ledger.made import finding, flow
from tests.ledger.test_central import NOW, SensorLedger, rows_in_any_order

PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers() as started:
        yield started


class Member:
    """One collector of a group."""

    def __init__(self, url: str, brokers: MockBrokers, topic: str, **more: object) -> None:
        given = {"brokers": brokers.places, "transport": "tcp", "topic": topic, "group": topic, **more}
        self.ledger = Ledger.open(url)
        self.central = CentralLedger(self.ledger, 100)
        self.source = TopicSource(CollectSettings.model_validate(given), self.central.positions)
        self.journal = WrittenJournal()
        self.collector = Collector(self.ledger, self.central, self.source, speaker=self.journal)

    def close(self) -> None:
        self.source.close()
        self.ledger.close()


def until(what: Callable[[], bool], *members: Member) -> None:
    """Let members collect in turn until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, [member.collector.trouble for member in members]
        for member in members:
            member.collector.step()


def reported(folder: Path, brokers: MockBrokers, topic: str, sensors: range = range(3)) -> tuple[Ledger, int]:
    """Let sensors report, and record the same in one ledger; that ledger, and how many reports there are."""
    sender = Sender(Config.model_validate({"brokers": brokers.places, "transport": "tcp", "topic": topic}))
    together = Ledger.open(f"sqlite:///{folder}/together.db")
    count = 0
    for number in sensors:
        sensor = SensorLedger(folder, f"edge-{number}")
        whole = Ledger.open(f"sqlite:///{folder}/together.db", sensor_id=f"edge-{number}", run_id="run-1")
        whole.begin(NOW)
        for step in range(4):
            flows = {
                miner: tuple(
                    flow(1_000 * number + 10 * miner + at, at, miner=f"10.0.0.{miner}") for at in range(step + 1)
                )
                for miner in range(40)
            }
            found = [finding(miner, its) for miner, its in flows.items()]
            sensor.ledger.record(found, NOW + step)
            whole.record(found, NOW + step)
        sensor.ledger.add_coverage(NOW, NOW + 10)
        whole.add_coverage(NOW, NOW + 10)
        queued = sensor.reports()
        for start in range(0, len(queued), 100):
            sender.send_reports(queued[start : start + 100])
        count += len(queued)
        sensor.ledger.close()
        whole.close()
    sender.close()
    return together, count


def test_collectors_that_come_and_go_write_what_one_ledger_would_hold(tmp_path: Path, brokers: MockBrokers) -> None:
    earlier, before = reported(tmp_path, brokers, "group", range(2))
    earlier.close()
    url = f"sqlite:///{tmp_path}/central.db"
    first = Member(url, brokers, "group", batch_reports=50)
    until(lambda: first.collector.counters["messages_read"] >= 100, first)
    second = Member(url, brokers, "group", batch_reports=50)
    until(lambda: len(first.source.owned) == len(second.source.owned) == 2, first, second)  # of four partitions
    together, later = reported(tmp_path, brokers, "group", range(2, 3))
    count = before + later
    until(lambda: second.collector.counters["messages_read"] > 0, first, second)
    first.close()
    until(lambda: sum(second.central.positions("group.v1").values()) >= count, second)
    assert sum(second.central.positions("group.v1").values()) == count
    assert rows_in_any_order(second.ledger) == rows_in_any_order(together)
    assert sum(second.source.lag().values()) == 0
    assert sum(second.source.ends().values()) == count
    second.close()
    together.close()


def test_one_that_is_far_behind_reads_more_at_once_until_it_is_stopped(
    tmp_path: Path, brokers: MockBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor.collect.source.PAGE", 20)
    monkeypatch.setattr("sensor.collect.source.BEHIND", 20)
    together, count = reported(tmp_path, brokers, "behind", range(1))
    together.close()
    member = Member(f"sqlite:///{tmp_path}/central.db", brokers, "behind", batch_wait_ms=1)
    until(lambda: member.collector.counters["messages_read"] > count - 20, member)
    assert member.collector.counters["batches"] < count // 20  # that many if each read a page; brokers may pause
    member.source.rewind()
    member.source.stop()
    begun_s = time.monotonic()
    member.source.idle(60.0)
    assert member.source.poll().count == 0
    assert time.monotonic() - begun_s < 30
    member.close()


def test_a_member_that_was_killed_before_it_told_the_brokers_doubles_nothing(
    tmp_path: Path, brokers: MockBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, count = reported(tmp_path, brokers, "killed")
    url = f"sqlite:///{tmp_path}/central.db"
    first = Member(url, brokers, "killed")
    monkeypatch.setattr(first.source, "done", lambda places: first.source.owned.update(places))  # Kafka hears nothing
    until(lambda: sum(first.central.positions("killed.v1").values()) >= count // 2, first)
    first.close()
    second = Member(url, brokers, "killed")
    until(lambda: sum(second.central.positions("killed.v1").values()) >= count, second)
    assert rows_in_any_order(second.ledger) == rows_in_any_order(together)
    assert second.collector.counters["reports_repeated"] == 0  # it begins where the ledger is
    second.close()
    together.close()


def test_what_is_no_report_is_put_aside_and_the_rest_arrives(tmp_path: Path, brokers: MockBrokers) -> None:
    put(brokers.places, "mixed.v1", [("a", b"\x00\xff"), ("a", b'{"v":99}')])
    together, count = reported(tmp_path, brokers, "mixed", sensors=range(1))
    member = Member(f"sqlite:///{tmp_path}/central.db", brokers, "mixed")
    until(lambda: sum(member.central.positions("mixed.v1").values()) >= count + 2, member)
    assert rows_in_any_order(member.ledger) == rows_in_any_order(together)
    assert member.collector.counters["letters_newer"] == member.collector.counters["letters_unreadable"] == 1
    member.close()
    together.close()


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path, brokers: MockBrokers) -> None:
    _, count = reported(tmp_path, brokers, "anew", sensors=range(1))
    member = Member(f"sqlite:///{tmp_path}/central.db", brokers, "anew")
    until(lambda: sum(member.central.positions("anew.v1").values()) >= count, member)
    member.close()
    with mock_brokers(1) as others:
        put(others.places, "anew.v1", [("a", b"{")])
        member = Member(f"sqlite:///{tmp_path}/central.db", others, "anew")
        until(lambda: member.collector.counters["partitions_reset"] >= 4, member)
        until(lambda: member.collector.counters["letters_unreadable"] >= 1, member)
        member.close()


def test_brokers_that_are_away_are_named(tmp_path: Path) -> None:
    pytest.importorskip("confluent_kafka")
    away = MockBrokers.__new__(MockBrokers)
    away.places = ["127.0.0.1:9"]
    member = Member(f"sqlite:///{tmp_path}/central.db", away, "nowhere")
    until(lambda: member.collector.trouble is not None, member)
    assert "127.0.0.1:9" in str(member.collector.trouble)
    member.close()
