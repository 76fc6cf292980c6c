"""Of the collectors of a group one at a time delivers; whatever becomes of it, another goes on within half a minute,
nothing is lost, and what comes twice comes under the same event_id.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from exporters.destination import Unreachable
from sensor.cli.main import main
from sensor.collect.collector import Collector
from sensor.collect.group_delivery import HOLD_NS, LOOK_S, GroupDelivery, HostClock, delivery_name
from sensor.collect.metrics import CollectMetrics
from sensor.delivery.feeds import Hiding
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.lease import holder_of
from sensor.model.record import Record, event_id
from sensor.model.sensor import ProcessIdentity, valid_sensor_id
from sensor.model.time import SECOND_NS
from tests.collect.brokers import MockBrokers, mock_brokers, put, written
from tests.collect.test_collector import scraped
from tests.collect.test_messages import text
from tests.daemon.journal import WrittenJournal
from tests.delivery.receivers import HttpReceiver, eventually, free_port
from tests.ledger.made import finding
from tests.ledger.servers import postgresql

NOW = 1_700_000_000_000_000_000


class Letterbox:
    """A destination that keeps what it is given, and can be away."""

    most, repeat_s = 10, None

    def __init__(self, taken: list[str]) -> None:
        self.taken, self.away = taken, False

    def send(self, records: Sequence[Record]) -> None:
        if self.away:
            raise Unreachable("nobody is there")
        self.taken += [event_id(record) for record in records]

    def reopen(self) -> None: ...
    def close(self) -> None: ...


class Host:
    """A host with a clock of its own, on which one collector runs."""

    def __init__(self, url: str, name: str, taken: list[str], problems: list[str] | None = None) -> None:
        self.clock_ns, self.journal, self.box = 0, WrittenJournal(), Letterbox(taken)
        self.ledger = Ledger.open(url, sensor_id=delivery_name("g"), run_id=f"run-{name}")
        self.process = ProcessIdentity(name, f"boot-{name}", "ns", 7, 1)
        self.running = {self.process: True}
        self.problems: list[str] = [] if problems is None else problems
        clock = HostClock(lambda: self.clock_ns, time.time_ns, lambda process: self.running.get(process, False))
        self.delivery = GroupDelivery(self.ledger, self.process, self._make, clock, self.journal)

    def _make(self) -> tuple[dict[str, tuple[Any, Hiding]], list[str]]:
        return {"box": (self.box, Hiding())}, self.problems

    def looks(self, seconds: float) -> None:
        """Look at the lease for so long by its own clock."""
        until = self.clock_ns + int(seconds * SECOND_NS)
        while self.clock_ns < until:
            self.clock_ns += int(LOOK_S * SECOND_NS)
            self.delivery.step()

    def dies(self) -> None:
        """As by kill -9: its threads end and say nothing to the ledger."""
        delivery, self.delivery._delivery = self.delivery._delivery, None
        if delivery is not None:
            for worker in delivery._workers:
                worker._feed.outbox.commit = lambda *_, **__: None  # type: ignore[method-assign]
            delivery.stop(0.0)
        self.running[self.process] = False


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/central.db"


@pytest.fixture
def host(url: str) -> Iterator[Callable[..., Host]]:
    hosts: list[Host] = []

    def make(name: str, taken: list[str], **more: Any) -> Host:
        hosts.append(Host(url, name, taken, **more))
        return hosts[-1]

    yield make
    for made in hosts:
        made.delivery.stop()
        made.ledger.close()


def record(url: str, *numbers: int) -> list[str]:
    """Write findings as a collector does; the identities of their events."""
    ledger = Ledger.open(url)
    try:
        return [event_id(one) for one in ledger.record([finding(number) for number in numbers], NOW)]
    finally:
        ledger.close()


def test_one_delivers_and_the_other_waits(url: str, host: Callable[..., Host]) -> None:
    taken: list[str] = []
    first, second = host("a", taken), host("b", taken)
    first.delivery.step()
    second.looks(10)
    first.looks(10)
    assert (first.delivery.delivers, second.delivery.delivers) == (True, False)
    sent = record(url, *range(30))
    eventually(lambda: len(taken) >= 30)
    assert taken == sent
    assert second.delivery.statuses() == []
    assert second.delivery.trouble is None


@pytest.mark.parametrize("same_host", [True, False])
def test_one_that_is_killed_is_replaced_and_nothing_is_lost(
    url: str, host: Callable[..., Host], same_host: bool
) -> None:
    taken: list[str] = []
    first, second = host("a", taken), host("b", taken)
    if same_host:  # one kernel: the other one can look whether it runs
        second.process = dataclasses.replace(first.process, pid=8)
        second.running = first.running
        first.running[second.process] = True
        second.delivery._lease._process = second.process
    first.delivery.step()
    second.looks(4)
    sent = record(url, *range(12))
    eventually(lambda: len(taken) >= 12)
    first.dies()
    sent += record(url, *range(12, 20))  # while nobody delivers
    second.looks(LOOK_S if same_host else HOLD_NS / SECOND_NS - 2 * LOOK_S)
    assert second.delivery.delivers == same_host
    second.looks(30 - second.clock_ns / SECOND_NS)
    assert second.delivery.delivers
    eventually(lambda: set(taken) == set(sent))
    assert set(Counter(taken).values()) <= {1, 2}
    assert second.delivery.counters["takeovers"] == 1


def test_one_that_was_taken_for_dead_ends_at_its_next_look(url: str, host: Callable[..., Host]) -> None:
    taken: list[str] = []
    first, second = host("a", taken), host("b", taken)
    first.delivery.step()
    second.looks(30)
    assert second.delivery.delivers
    first.looks(6)
    assert not first.delivery.delivers
    assert first.delivery.counters["losses"] == 1
    assert any("another collector delivers" in sentence for sentence in first.journal.sentences)
    record(url, 1)
    eventually(lambda: len(taken) >= 1)
    assert first.delivery.counted()["box", "delivered"] + second.delivery.counted()["box", "delivered"] == 1


def test_one_whose_ledger_is_gone_for_long_delivers_no_more_and_comes_back(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = host("a", [])
    alone.delivery.step()

    def gone(*_: object) -> None:
        raise LedgerError("the ledger is away")

    with monkeypatch.context() as patched:
        patched.setattr(alone.delivery._lease, "beat", gone)
        patched.setattr(alone.delivery._lease, "take_if_free", gone)
        alone.looks(10)
        assert alone.delivery.delivers
        alone.looks(20)
        assert not alone.delivery.delivers
        assert alone.delivery.trouble == "the ledger is away"
        assert alone.delivery.counters["failures"] == 15
    alone.looks(2)
    assert alone.delivery.delivers
    assert alone.delivery.trouble is None
    assert len([sentence for sentence in alone.journal.sentences if "away" in sentence]) == 1


def test_a_holder_ends_so_long_after_the_last_beat_that_was_written_and_no_later(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = host("a", [])
    alone.delivery.step()
    alone.looks(6)  # the last beat was written at 2 s

    def gone(*_: object) -> None:
        raise LedgerError("the ledger\nis away")

    monkeypatch.setattr("sensor.ledger.lease.writing", gone)
    alone.looks(14)
    assert alone.delivery.delivers
    alone.looks(2)
    assert not alone.delivery.delivers
    assert "exporters: the ledger is away; tried again" in alone.journal.sentences


def test_a_holder_that_waited_for_its_ledger_too_long_ends_at_once(
    host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = host("a", [])
    alone.delivery.step()

    def locked(*_: object) -> None:
        alone.clock_ns += HOLD_NS
        raise LedgerError("the ledger is locked")

    monkeypatch.setattr("sensor.ledger.lease.writing", locked)
    alone.looks(2)
    assert not alone.delivery.delivers


def test_one_that_cannot_deliver_leaves_it_to_another_and_keeps_the_place(url: str, host: Callable[..., Host]) -> None:
    taken: list[str] = []
    first = host("a", taken)
    first.delivery.step()
    sent = record(url, 1)
    eventually(lambda: len(taken) >= 1)
    first.delivery.stop()
    sent += record(url, 2)
    lame, able = host("b", taken, problems=["exporters.box: its secret is gone"]), host("c", taken)
    lame.looks(4)
    assert not lame.delivery.delivers
    assert lame.delivery.trouble == "exporters.box: its secret is gone"
    assert holder_of(lame.ledger.engine, delivery_name("g")) is None
    able.looks(2)
    eventually(lambda: taken == sent)


def test_one_that_ends_in_good_order_delivers_what_waits_and_frees_the_lease(
    url: str, host: Callable[..., Host]
) -> None:
    taken: list[str] = []
    first, second = host("a", taken), host("b", taken)
    first.delivery.step()
    sent = record(url, *range(40))
    first.delivery.stop()
    assert taken == sent
    second.looks(LOOK_S)
    assert second.delivery.delivers
    assert first.ledger.outbox.backlog("box").depth == 0


def test_no_sensor_has_the_name_of_a_group(host: Callable[..., Host]) -> None:
    assert not valid_sensor_id(delivery_name("g"))
    alone = host("a", [])
    alone.delivery.step()
    assert alone.ledger.reader.sensors() == []


class Still:
    """A collector that does nothing."""

    batch_seconds, trouble, moved_s = 0.0, None, 0.0

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.lag: dict[tuple[str, int], int] = {}


def test_metrics_say_who_delivers_and_what(url: str, host: Callable[..., Host]) -> None:
    first, second = host("a", []), host("b", [])
    first.delivery.step()
    second.looks(2)
    first.box.away = True
    record(url, 1, 2, 3)
    eventually(lambda: first.delivery.counted().get(("box", "failed"), 0) > 0)

    def shown(of: Host) -> str:
        registry = CollectorRegistry(auto_describe=False)
        still: Any = Still()
        registry.register(CollectMetrics(still, of.delivery))
        return generate_latest(registry).decode()

    page = shown(first)
    assert "minewatch_collect_delivers 1.0" in page
    assert 'minewatch_collect_delivery_changes_total{change="takeovers"} 1.0' in page
    assert 'minewatch_outbox_records{exporter="box"} 3.0' in page
    assert 'minewatch_deliveries_total{exporter="box",result="failed"}' in page
    assert "minewatch_collect_delivers 0.0" in shown(second)
    assert "minewatch_outbox_records{" not in shown(second)
    first.box.away = False
    eventually(lambda: first.delivery.counted()["box", "delivered"] == 3)


# The command, with real collectors.


def configured(folder: Path, number: int, url: str, brokers: Sequence[str], **exporters: object) -> str:
    collect = {"brokers": list(brokers), "transport": "tcp", "topic": "exported", "group": "exported"}
    given = {"ledger": {"url": url}, "collect": {**collect, "listen": f"127.0.0.1:{number}"}, "exporters": exporters}
    return written(folder, f"centre-{number}.yaml", json.dumps(given))


def test_an_exporter_of_reports_is_refused_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kafka = {"brokers": ["127.0.0.1:9"], "transport": "tcp"}
    path = configured(tmp_path, 9470, f"sqlite:///{tmp_path}/central.db", ["127.0.0.1:9"], kafka=kafka)
    assert main(["collect", "-c", path]) == 78
    assert "exporters.kafka: sends what this process records of its own" in capsys.readouterr().err
    assert not (tmp_path / "central.db").exists()


def test_an_exporter_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("confluent_kafka")
    webhook = {"url": "http://127.0.0.1:9/", "secret_file": "none"}
    url = f"sqlite:///{tmp_path}/central.db"
    path = configured(tmp_path, 0, url, ["127.0.0.1:9"], webhook=webhook, prometheus={"listen": "127.0.0.1:0"})
    assert main(["collect", "-c", path]) == 78
    problems = capsys.readouterr().err
    assert f"exporters.webhook: secret_file: {tmp_path}/none" in problems
    assert "exporters.prometheus: is of sensors" in problems


class CollectProcess:
    """A collector as a process."""

    def __init__(self, folder: Path, url: str, brokers: MockBrokers, receiver: HttpReceiver) -> None:
        self.port = free_port()
        webhook = {"url": receiver.url, "secret_file": str(folder / "secret")}
        path = configured(folder, self.port, url, brokers.places, webhook=webhook)
        command = [sys.executable, "-m", "sensor.cli", "collect", "-c", path]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def page(self) -> str:
        try:
            return scraped(self.port, "/metrics")
        except OSError:  # it does not listen yet
            return ""

    def delivers(self) -> bool:
        return "minewatch_collect_delivers 1.0" in self.page()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_second_collector_delivers_when_the_first_is_killed(tmp_path: Path) -> None:
    """Each event of the centre reaches the receiver, those that were on their way under the same event_id."""
    (tmp_path / "secret").write_text("0123456789abcdef0123")
    receiver = HttpReceiver()
    with postgresql() as url, mock_brokers(1) as brokers:
        members: list[CollectProcess] = []
        try:
            members.append(CollectProcess(tmp_path, url, brokers, receiver))
            within(60, members[0].delivers)
            put(brokers.places, "exported.v1", [(f"10.0.0.{n}", text(finding(n)).encode()) for n in range(1, 21)])
            within(60, lambda: len(identities(receiver)) >= 20)
            members.append(CollectProcess(tmp_path, url, brokers, receiver))
            within(60, lambda: "minewatch_collect_delivers 0.0" in members[1].page())
            put(brokers.places, "exported.v1", [(f"10.0.0.{n}", text(finding(n)).encode()) for n in range(21, 61)])
            members[0].process.send_signal(signal.SIGKILL)
            within(30, members[1].delivers)
            within(90, lambda: len(identities(receiver)) >= 60)
            ledger = Ledger.open(url)
            found = {event_id(entry.finding) for entry in ledger.reader.findings()}
            ledger.close()
            assert set(identities(receiver)) == found
            assert len(found) == 60
            members[1].process.send_signal(signal.SIGTERM)
            assert members[1].process.wait(20) == 0
        finally:
            for member in members:
                member.end()
            receiver.close()


def within(seconds: float, what: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)


def identities(receiver: HttpReceiver) -> Counter[str]:
    return Counter(headers["webhook-id"] for headers, _ in receiver.taken)


def test_a_collector_without_exporters_takes_no_lease(tmp_path: Path) -> None:
    assert Collector.__init__.__kwdefaults__["attribute"] is None  # the loop itself knows nothing of delivery
    ledger = Ledger.open(f"sqlite:///{tmp_path}/central.db")
    assert holder_of(ledger.engine, delivery_name("g")) is None
    ledger.close()
