"""What happens where partitions are added to a topic in use: a key goes on in another one, so that for a moment its
order is nobody's to keep (docs/capacity.md says what to wait for).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger, CollectBatch, CollectPage, PlacedReport, TopicPlace
from sensor.model.wire import SensorReport
from tests.ledger.made import finding, flow
from tests.ledger.test_central import LATER, TOPIC


class Partitioned:
    """A central ledger, and where each partition has come to."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.open(f"sqlite:///{folder}/central.db")
        self.central = CentralLedger(self.ledger, 5)
        self._offsets: dict[int, int] = {}

    def take(self, partition: int, *reports: SensorReport) -> None:
        """One transaction of one partition."""
        start, queue = self._offsets.get(partition, 0), (TOPIC, partition)
        placed = [PlacedReport(TopicPlace(TOPIC, partition, start + at), one) for at, one in enumerate(reports)]
        self._offsets[partition] = start + len(reports)
        self.central.take(CollectBatch((CollectPage(placed),), {queue: start}, {queue: start + len(reports)}), LATER)

    def shares(self) -> int:
        """Of the one finding."""
        (entry,) = self.ledger.reader.findings()
        return entry.finding.shares.submitted


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Partitioned]:
    made = Partitioned(tmp_path)
    yield made
    made.ledger.close()


def report(number: int) -> SensorReport:
    """The finding as it stands at that report: each has more shares."""
    one = flow(1, 0, 60 * number)
    one.shares.submitted, one.shares.accepted = 10 * number, 9 * number
    return SensorReport("edge-1", "run-1", LATER, records=(finding(1, (one,)),), number=number)


def test_a_key_that_goes_on_in_another_partition_goes_on_in_the_ledger(centre: Partitioned) -> None:
    centre.take(3, report(1), report(2))
    centre.take(11, report(3))
    assert (centre.shares(), centre.central.counters["reports_repeated"]) == (30, 0)


def test_an_earlier_report_that_still_waits_in_the_former_partition_counts_until_the_next_one(
    centre: Partitioned,
) -> None:
    centre.take(3, report(1))
    centre.take(11, report(3))
    centre.take(3, report(2))
    assert centre.shares() == 20  # so nothing may wait when partitions are added
    centre.take(11, report(4))
    assert centre.shares() == 40


def test_what_is_sent_again_into_another_partition_is_taken_again_and_changes_nothing(centre: Partitioned) -> None:
    centre.take(3, report(1), report(2))
    centre.take(11, report(2))
    assert (centre.shares(), centre.central.counters["reports_repeated"]) == (20, 0)
    centre.take(3, report(2))
    assert (centre.shares(), centre.central.counters["reports_repeated"]) == (20, 1)
