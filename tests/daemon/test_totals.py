"""What the daemon sums of open findings: rates as of the findings themselves, and little memory for long ones."""

from __future__ import annotations

import dataclasses
import gc
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sensor.daemon.totals import FindingTotals
from sensor.estimate.windows import MAX_STRETCHES
from sensor.model.finding import Finding
from sensor.model.quantities import ExposureRecord, Interval, WatchedStretch
from sensor.model.range import Range
from sensor.model.work import miners
from tests.ledger.made import BEGAN, SECOND, finding

STARTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=4, unique=True)


def watched(number: int, stretches: tuple[WatchedStretch, ...]) -> Finding:
    one = finding(number, hashrate_hps=Interval(1e12, 2e12, 3e12, 0.95), watched_seconds=float(len(stretches)))
    record = ExposureRecord("sha256d", stretches, unrated_stretches=stretches[:1])
    return dataclasses.replace(one, miner_ip="192.0.2.7", active=stretches, exposures=(record,))


def stretch(start: int) -> WatchedStretch:
    return WatchedStretch(BEGAN + start * SECOND, BEGAN + (start + 50) * SECOND, 0)


@given(st.lists(STARTS, min_size=1, max_size=3))
def test_rates_are_those_of_the_findings_whenever_they_are_asked_for(all_starts: list[list[int]]) -> None:
    totals, findings = FindingTotals(), []
    for number, starts in enumerate(all_starts):
        findings.append(watched(number, tuple(map(stretch, sorted(starts)))))
        totals.add(findings[-1:], {})
        hashrate, _ = totals.sums()
        rates = [miner.rates.hashrate_hps for miner in miners(findings)]
        assert hashrate["sha256d"] == sum((rate for rate in rates if rate is not None), Range())


def test_a_finding_of_many_stretches_takes_little_room() -> None:
    def later(number: int) -> Finding:
        return watched(number, tuple(stretch(100 * place + number) for place in range(MAX_STRETCHES)))

    totals = FindingTotals()
    totals.add([later(100)], {})
    totals.sums()
    gc.collect()
    tracemalloc.start()
    for number in range(20):
        totals.add([later(number)], {})
    totals.sums()
    gc.collect()
    taken_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken_bytes / 20 < 2 * 24 * MAX_STRETCHES  # as objects each takes 160 bytes
