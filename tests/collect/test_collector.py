"""The loop of a collector: what the ledger cannot take now is taken later, what it can never take is put aside, and
nothing stops it.
"""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sensor.collect.collector import Collector
from sensor.collect.messages import MessageFold, TopicMessage
from sensor.collect.metrics import COUNTERS, CollectServer
from sensor.collect.source import BrokerError
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.central import CentralLedger, CollectBatch, Queue, TopicPlace
from sensor.ledger.write.silence import ClosedCase
from sensor.model.attribution import Attribution
from sensor.model.finding import Finding
from sensor.model.wire import SensorReport, dumps
from tests.collect.test_messages import TOPIC, text
from tests.daemon.journal import WrittenJournal
from tests.ledger.made import SECOND, finding

#: A dialect that the database of `desk` does not take.
REFUSED = "refused"


class ListSource:
    """Messages of a list, as a topic of one partition."""

    topic = TOPIC

    def __init__(self, central: CentralLedger, *pages: list[str]) -> None:
        self._central, self._pages = central, pages
        self.trouble: str | None = None
        self.reset: list[Queue] = []
        self.owned: dict[Queue, int] = {(TOPIC, 0): 0}
        self.idled_s: list[float] = []
        self.closed = False
        self.failure: Exception | None = None
        self.all = [body.encode() for page in pages for body in page]
        self._sizes = [len(page) for page in pages]
        self._next = 0

    def poll(self, *, whole: bool = False) -> MessageFold:
        if self.failure is not None:
            raise self.failure
        start = self.owned[TOPIC, 0]
        ends, total = [], 0
        for size in self._sizes:
            total += size
            ends.append(total)
        end = next((end for end in ends if end > start), start)
        fold = MessageFold(whole=whole)
        for at in range(start, end):
            fold.add(TopicMessage(TopicPlace(TOPIC, 0, at), self.all[at]))
        return fold

    def stop(self) -> None:
        pass

    def idle(self, seconds: float) -> None:
        self.idled_s.append(seconds)

    def done(self, next_offsets: Mapping[Queue, int]) -> None:
        self.owned.update(next_offsets)

    def rewind(self) -> None:
        self.owned[TOPIC, 0] = self._central.positions(TOPIC).get(0, 0)

    def lag(self) -> dict[Queue, int]:
        return {(TOPIC, 0): len(self.all) - self.owned[TOPIC, 0]}

    def ends(self) -> dict[int, int]:
        return {0: len(self.all)}

    def close(self) -> None:
        self.closed = True


class Desk:
    """A ledger that is collected into."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.open(f"sqlite:///{folder}/central.db")
        self.central = CentralLedger(self.ledger, 100)
        self.journal = WrittenJournal()

    def collector(self, *pages: list[str], **more: object) -> tuple[Collector, ListSource]:
        source = ListSource(self.central, *pages)
        return Collector(self.ledger, self.central, source, speaker=self.journal, **more), source  # type: ignore[arg-type]

    def names(self) -> list[str]:
        return sorted(entry.finding.finding_id for entry in self.ledger.reader.findings())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    with sqlite3.connect(tmp_path / "central.db") as database:
        database.execute(
            f"CREATE TRIGGER refuses BEFORE INSERT ON findings WHEN NEW.dialect = '{REFUSED}' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    database.close()
    yield opened
    opened.ledger.close()


def unwritable(number: int) -> str:
    """A report that can be read, and that the database of `desk` does not take."""
    return text(finding(number, dialect=REFUSED))


def test_batches_are_written_and_counted(desk: Desk) -> None:
    collector, source = desk.collector([text(finding(1)), text(finding(1))], [text(finding(2)), "{"])
    assert [collector.step(), collector.step(), collector.step()] == [1, 2, 0]
    assert desk.names() == ["finding-1", "finding-2"]
    counts = collector.counters
    assert (counts["messages_read"], counts["reports_written"], counts["reports_replaced"]) == (4, 2, 1)
    assert (counts["records_written"], counts["batches"], counts["letters_unreadable"]) == (2, 2, 1)
    assert source.lag() == {(TOPIC, 0): 0}
    assert "put aside: not JSON" in desk.journal.stream.getvalue()


def test_a_message_that_cannot_be_written_is_put_aside_and_the_others_are_written(desk: Desk) -> None:
    page = [text(finding(number)) for number in range(10)]
    page[4:4] = [unwritable(50)]
    page += [unwritable(51)]
    collector, source = desk.collector(page)
    collector.step()
    assert desk.names() == sorted(f"finding-{number}" for number in range(10))
    assert collector.counters["letters_unwritable"] == 2
    assert collector.counters["messages_read"] == 12
    assert source.owned == {(TOPIC, 0): 12}
    assert [letter.reason.partition(":")[0] for letter in desk.central.letters(9)] == ["cannot be written"] * 2
    assert collector.step() == 0


def test_where_nothing_can_be_written_any_more_the_fault_is_not_the_messages(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor.collect.collector.UNWRITABLE_IN_A_ROW", 3)
    page = [text(finding(number)) for number in range(8)]
    collector, source = desk.collector(page[:1], page[1:])
    collector.step()
    write = CentralLedger._write

    def fails(_: CentralLedger, __: object, reports: list[object], ___: int) -> int:
        if reports:
            raise KeyError("a fault of the program")
        return 0

    monkeypatch.setattr(CentralLedger, "_write", fails)
    assert [collector.step() for _ in range(3)] == [0, 0, 0]
    assert "no message can be written any more" in str(collector.trouble)
    assert len(desk.central.letters(9)) == 3
    monkeypatch.setattr(CentralLedger, "_write", write)
    while source.owned[TOPIC, 0] < 8:
        collector.step()
    assert collector.trouble is None
    assert len(desk.names()) == 5  # all but the three that were put aside


def test_who_writes_nothing_but_what_cannot_be_written_stops_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor.collect.collector.UNWRITABLE_IN_A_ROW", 3)
    collector, source = desk.collector([*map(unwritable, range(20, 31)), text(finding(1))])
    while source.owned[TOPIC, 0] < 12:
        assert collector.step()
    assert collector.trouble is None
    assert collector.counters["letters_unwritable"] == 11
    assert desk.names() == ["finding-1"]  # and nothing of what was tried
    assert [sensor.sensor_id for sensor in desk.ledger.reader.sensors()] == ["edge-1"]


def test_where_the_last_report_cannot_be_read_or_written_those_before_count(desk: Desk) -> None:
    broken = json.loads(text(finding(1)))
    broken["records"][0]["shares"] = "many"
    collector, _ = desk.collector(
        [text(finding(1)), json.dumps(broken)],
        [text(finding(2)), unwritable(2)],
    )
    for _ in range(4):
        collector.step()
    assert desk.names() == ["finding-1", "finding-2"]
    counts = collector.counters
    assert (counts["letters_unreadable"], counts["letters_unwritable"], counts["messages_read"]) == (1, 1, 4)
    assert counts["reports_replaced"] == 0


def test_one_that_is_stopped_in_a_long_batch_leaves_it_whole_to_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensor.collect.messages.PAGE", 2)
    page = [text(finding(number)) for number in range(7)]
    stopped: list[Collector] = []

    def in_the_middle(_: Finding) -> None:
        stopped[0].stop()

    collector, source = desk.collector(page, attribute=in_the_middle)
    stopped.append(collector)
    collector.run()
    assert source.closed
    assert (desk.names(), desk.central.positions(TOPIC)) == ([], {})
    after, _ = desk.collector(page)
    after.step()
    assert len(desk.names()) == 7


def test_brokers_that_do_not_answer_are_said_once_and_when_they_do(desk: Desk) -> None:
    collector, source = desk.collector([text(finding(1))])
    source.trouble = "kafka.example:9092: 3/3 brokers are down"
    for _ in range(3):
        collector.step()
    source.trouble = None
    collector.step()
    journal = desk.journal.stream.getvalue()
    assert journal.count("brokers are down; nothing is lost, and it is tried again") == 1
    assert journal.count("brokers answer again") == 1


def test_a_ledger_that_is_away_is_waited_for_and_nothing_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    collector, source = desk.collector([text(finding(1))], [text(finding(2))])
    collector.step()
    take = desk.central.take

    def away(_: CollectBatch, __: int) -> None:
        raise LedgerError("ledger: the server is gone")

    monkeypatch.setattr(desk.central, "take", away)
    assert [collector.step() for _ in range(3)] == [0, 0, 0]
    assert collector.trouble == "ledger: the server is gone"
    assert collector.counters["ledger_failures"] == 3
    assert source.idled_s[0] < source.idled_s[2]  # the pauses grow
    monkeypatch.setattr(desk.central, "take", take)
    assert collector.step() == 1
    assert collector.trouble is None
    assert desk.names() == ["finding-1", "finding-2"]
    assert desk.journal.stream.getvalue().count("nothing is lost") == 1
    assert "collects again" in desk.journal.stream.getvalue()


def test_brokers_that_are_away_are_waited_for(desk: Desk) -> None:
    collector, source = desk.collector([text(finding(1))])
    source.failure = BrokerError("127.0.0.1:9: refused")
    assert collector.step() == 0
    assert collector.trouble == "127.0.0.1:9: refused"
    source.failure = None
    assert collector.step() == 1


def test_a_partition_that_was_made_anew_is_read_from_its_beginning(desk: Desk) -> None:
    collector, source = desk.collector([text(finding(1))])
    collector.step()
    source.reset.append((TOPIC, 0))
    source.owned[TOPIC, 0] = 0
    assert collector.step() == 1
    assert collector.counters["partitions_reset"] == 1
    assert desk.central.positions(TOPIC) == {0: 1}


def test_whose_an_address_was_is_said_by_the_centre_if_it_has_books(desk: Desk) -> None:
    def attribute(one: Finding) -> None:
        one.attribution = Attribution(one.miner_ip, None, 1, "unknown", None, None, (), ("by the centre",))

    collector, _ = desk.collector([text(finding(1))], attribute=attribute)
    collector.step()
    attribution = desk.ledger.reader.findings()[0].finding.attribution
    assert attribution is not None
    assert attribution.reasons == ("by the centre",)


def test_without_books_it_is_as_the_sensor_stated(desk: Desk) -> None:
    stated = Attribution("10.0.0.1", None, 1, "unknown", None, None, (), ("by the sensor",))
    collector, _ = desk.collector([text(finding(1, attribution=stated))])
    collector.step()
    assert desk.ledger.reader.findings()[0].finding.attribution == stated


def test_silent_cases_are_looked_at_only_when_nothing_is_on_its_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, _ = desk.collector([text(finding(1))], [text(finding(2))])
    asked: list[int] = []
    closed = [ClosedCase(7, "silent for so long")]
    monkeypatch.setattr(desk.ledger, "review_cases", lambda now_ns, _: asked.append(now_ns) or closed)
    collector.step()
    collector._upkeep(10**18)
    assert asked == []
    collector.step()
    collector._upkeep(10**18)
    assert asked == [10**18 - 600 * SECOND]
    assert collector.counters["cases_closed"] == 1
    assert "case 7 closed: silent for so long" in desk.journal.stream.getvalue()


def test_it_leaves_the_group_when_it_is_stopped(desk: Desk) -> None:
    collector, source = desk.collector()
    collector.stop()
    collector.run()
    assert source.closed


def test_every_counter_is_a_metric_and_is_read_by_http(desk: Desk) -> None:
    collector, _ = desk.collector([text(finding(1)), text(finding(1)), "{"])
    collector.step()
    server = CollectServer("127.0.0.1:0", collector)
    server.start()
    try:
        body = scraped(server.port, "/metrics")
        assert 'minewatch_collect_reports_total{result="replaced"} 1.0' in body
        assert 'minewatch_collect_bad_messages_total{reason="unreadable"} 1.0' in body
        assert 'minewatch_collect_lag_messages{partition="0"} 0.0' in body
        assert scraped(server.port, "/healthz") == scraped(server.port, "/readyz") == "ok\n"
    finally:
        server.close()
    shown = {counter for _, _, _, parts in COUNTERS for counter in parts.values()}
    assert shown | {"letters_stored"} == set(collector.counters)


def test_a_report_without_anything_is_taken_and_says_nothing(desk: Desk) -> None:
    collector, _ = desk.collector([dumps(SensorReport("edge-1", "run-1", 5))])
    assert collector.step() == 1
    assert collector.counters["reports_written"] == 1


def scraped(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())
