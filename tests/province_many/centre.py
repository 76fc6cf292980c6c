"""The centre: every report through the wire form into one ledger, by the collector's path, step by step; what it took.

Reports of a step come in the order of their time, as they would from a topic.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger, CollectBatch, CollectPage, PlacedReport, TopicPlace
from sensor.ledger.reports import KeyedReport
from sensor.model.finding import Finding
from sensor.model.time import HOUR_NS, MINUTE_NS
from sensor.model.wire import SensorReport, dumps, loads, numbered
from tests.province_many.connections import connections_of
from tests.province_many.roster import FIRST_NS, Roster
from tests.province_many.sensor_stream import SensorStream

TOPIC = ("minewatch.reports.v1", 0)
#: Of one transaction, as of the collector; how often a sensor reports what goes on, in hours: twice a week, so
#: that weeks begin with a report. In service it is every five minutes, for the ledger far more to do.
BATCH, EVERY_HOURS = 5_000, 84


@dataclass
class CentreRun:
    """What was written, and how long it took."""

    reports: int = 0
    records: int = 0
    bytes_: int = 0
    seconds: float = 0.0  # of the ledger alone
    attribution_s: float = 0.0
    generation_s: float = 0.0
    closed: Counter[str] = field(default_factory=Counter)


class ProvinceCentre:
    """Feeds a ledger."""

    def __init__(self, ledger: Ledger, roster: Roster, seed: str, attribute: Callable[[Finding], object]) -> None:
        self.roster, self.run = roster, CentreRun()
        self._ledger, self._central, self._attribute = ledger, CentralLedger(ledger, 100), attribute
        self._offset, self._numbers = 0, Counter[str]()
        wires = {machine.number: connections_of(roster, machine, seed) for machine in roster.machines}
        self.wires = wires
        its = {
            plan.number: [(one, wires[one.number]) for one in roster.machines if plan.number in one.premises.sensors]
            for plan in roster.sensors
        }
        self._streams = [SensorStream(plan, its[plan.number], seed) for plan in roster.sensors]

    def feed(self, said: Callable[[str], object] = lambda _: None) -> CentreRun:
        """All weeks, step by step; cases that fall silent are looked at after each, as collectors do."""
        step_ns = EVERY_HOURS * HOUR_NS
        for at_ns in range(FIRST_NS, self.roster.end_ns, step_ns):
            begun = time.monotonic()
            reports = [report for stream in self._streams for report in stream.step(at_ns, at_ns + step_ns)]
            reports.sort(key=lambda keyed: keyed[1].sent_ns)  # each sensor's own stay in their order
            self.run.generation_s += time.monotonic() - begun
            for batch in batched_reports(reports):
                self._take(batch, at_ns + step_ns)
            self._review(at_ns + step_ns)
            said(f"{(at_ns + step_ns - FIRST_NS) / (24 * HOUR_NS):.1f} days: {self.run}")
        self._review(self.roster.end_ns)
        return self.run

    def _take(self, batch: tuple[KeyedReport, ...], now_ns: int) -> None:
        start, placed = self._offset, []
        for key, report in batch:
            sensor_report, size = self._over_the_wire(report)
            self.run.bytes_ += size
            placed.append(PlacedReport(TopicPlace(*TOPIC, self._offset), sensor_report))
            self._offset += 1
            assert key
        begun = time.monotonic()
        for one in placed:
            for record in one.report.records:
                if isinstance(record, Finding):
                    self._attribute(record)
        attributed = time.monotonic()
        self._central.take(CollectBatch((CollectPage(placed),), {TOPIC: start}, {TOPIC: self._offset}), now_ns)
        self.run.attribution_s += attributed - begun
        self.run.seconds += time.monotonic() - attributed
        self.run.reports += len(placed)
        self.run.records = self._central.counters["records_written"]

    def _over_the_wire(self, report: SensorReport) -> tuple[SensorReport, int]:
        """The report as it arrives, with its number; its bytes."""
        begun = time.monotonic()
        self._numbers[report.sensor_id] += 1
        text = numbered(dumps(report), self._numbers[report.sensor_id])
        arrived = loads(text)
        self.run.generation_s += time.monotonic() - begun
        return arrived, len(text)

    def _review(self, now_ns: int) -> None:
        begun = time.monotonic()
        self.run.closed["cases"] += len(self._ledger.review_cases(now_ns - 10 * MINUTE_NS))
        self.run.seconds += time.monotonic() - begun


def batched_reports(reports: list[KeyedReport]) -> Iterator[tuple[KeyedReport, ...]]:
    """Reports in pieces of a transaction's size."""
    for start in range(0, len(reports), BATCH):
        yield tuple(reports[start : start + BATCH])
