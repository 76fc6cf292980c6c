"""A miner's hashrate, power and energy are the same in every output: terminal, page, event, `ledger show`, mining list,
bulletin, metrics; over any findings, of one pool or several, one after the other or at once."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms import cells, event, mining_list
from exporters.forms.amounts import DIGITS as FEW
from exporters.forms.amounts import NARROW_DIGITS, digits, digits_of, quantity
from exporters.forms.documents import data
from exporters.forms.documents.bulletin import document
from exporters.forms.report import overview, panels
from exporters.forms.report.strips import TimeAxis
from sensor.attribution.books.divisions import Divisions
from sensor.bulletin.aggregate import Frame, figures
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import days_of
from sensor.cli import ledger_figures
from sensor.daemon.totals import FindingTotals
from sensor.estimate import energy_kwh, watts
from sensor.estimate.interval import rate
from sensor.estimate.tally import Tally
from sensor.ledger import Ledger
from sensor.model import work
from sensor.model.finding import Finding
from sensor.model.quantities import ExposureRecord, Interval, WatchedStretch
from sensor.model.summary import Summary
from sensor.signatures.devices import Efficiency
from sensor.signatures.work import UNITS
from tests.bulletin.made import RATES
from tests.exporters.statuses import quiet
from tests.ledger.made import SECOND
from tests.ledger.mining import HOUR, MONDAY, mined

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEK_HOURS = 168
DIGITS, SHOWN = 1e-3, 6e-3  # what four digits, and three, may be off
EFFICIENCY = Efficiency(None, 20e-12, 30e-12, 90e-12, "a test", "high")


@dataclass(frozen=True)
class Mining:
    """What one finding rests on."""

    start_h: float
    hours: float
    shares: int
    terahashes: float  # behind a share


minings = st.builds(
    Mining, st.floats(0, 100), st.floats(0.02, 60), st.integers(1, 5_000), st.sampled_from((0.01, 1.0, 40.0))
)
ledgers = st.lists(st.lists(minings, min_size=1, max_size=3), min_size=1, max_size=3)


def found(number: int, miner: str, pool: str, mining: Mining) -> Finding:
    """A finding as the line would have it."""
    start = MONDAY + int(mining.start_h * HOUR)
    stretch = WatchedStretch(start, start + int(mining.hours * HOUR), 0)
    seconds = (stretch.end_ns - stretch.start_ns) / SECOND
    tally = Tally()
    work = int(mining.terahashes * 1e12 * UNITS)
    tally.put(work, mining.shares)
    interval = rate(tally, seconds, next_work=work)
    assert interval is not None
    power = watts(interval, EFFICIENCY)
    exposure = ExposureRecord(
        "sha256d", (stretch,), tally.record(), tally.record(),
        submitted=mining.shares, seen_bytes=1, next_work=(start, work),
    )  # fmt: skip
    bare = mined(number, stretch.start_ns, stretch.end_ns, mining.shares, miner=miner, pool_ip=pool)
    return dataclasses.replace(
        bare, hashrate_hps=interval, spent_hashrate_hps=interval, power_watts=power, watched_seconds=seconds,
        energy_kwh=energy_kwh(power, seconds), exposures=(exposure,), state="updated", login=f"wallet{number}",
        joules_per_hash=watts(Interval(1.0, 1.0, 1.0, interval.level), EFFICIENCY),
    )  # fmt: skip


def findings_of(miners: list[list[Mining]]) -> dict[str, list[Finding]]:
    """By address."""
    made: dict[str, list[Finding]] = {}
    number = 0
    for at, its in enumerate(miners, 1):
        for mining in its:
            number += 1
            made.setdefault(f"192.0.2.{at}", []).append(found(number, f"192.0.2.{at}", f"198.51.100.{number}", mining))
    return made


@contextmanager
def summary_of(findings: dict[str, list[Finding]]) -> Iterator[Summary]:
    """The week of a ledger that has these findings, watched all the time."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(f"sqlite:///{Path(folder) / 'ledger.db'}")
        try:
            ledger.record([finding for its in findings.values() for finding in its], MONDAY)
            ledger.add_coverage(MONDAY, MONDAY + WEEK_HOURS * HOUR)
            yield ledger.reader.summary(MONDAY, MONDAY + WEEK_HOURS * HOUR)
        finally:
            ledger.close()


def true_rate(its: list[Finding]) -> float:
    """All work of a miner over all the time in which it was watched."""
    work = sum(one.exposures[0].credited.work / UNITS for one in its)
    total, end = 0, 0
    for stretch in sorted(one.exposures[0].stretches[0] for one in its):
        total += max(0, stretch.end_ns - max(stretch.start_ns, end))
        end = max(end, stretch.end_ns)
    return work / (total / SECOND)


def rows_of(summary: Summary) -> dict[str, dict[str, object]]:
    """The list of addresses of the bulletin, by address."""
    week = days_of("2023-11-20", "2023-11-26", SHANGHAI)
    assert week.from_ns == MONDAY
    whole = figures(summary, summary, (), Frame(week, None, OwnerDisplay(Divisions(), date.today().year), RATES))
    bulletin = json.loads(data.write(document(whole, "en", "0")))
    blocks = {block["key"]: block for section in bulletin["sections"] for block in section["blocks"]}
    return {row["address"]: row for row in blocks["addresses"]["rows"]}


@settings(max_examples=25, deadline=None)
@given(ledgers)
def test_a_miner_has_one_hashrate_power_and_energy_in_every_output(miners: list[list[Mining]]) -> None:
    findings = findings_of(miners)
    with summary_of(findings) as summary:
        exported = {row["ip"]: row for row in mining_list.rows(summary, UTC)}
        listed = rows_of(summary)
        for line in summary.lines:
            its, rates = findings[line.address], line.rates
            assert rates.hashrate_hps is not None
            assert rates.power_watts is not None
            true = true_rate(its)
            assert rates.hashrate_hps.best == pytest.approx(true, rel=1e-6)
            kwh = sum(one.energy_kwh.best for one in its if one.energy_kwh)
            # Mining list and bulletin.
            for row, name in ((exported[line.address], "hashrate_best"), (listed[line.address], "hashrate_hps")):
                value = row[name]["best"] if name == "hashrate_hps" else row[name]  # type: ignore[index]
                assert value == pytest.approx(true, rel=DIGITS)
            assert exported[line.address]["power_kw"] == pytest.approx(rates.power_watts.best / 1e3, rel=DIGITS)
            assert exported[line.address]["energy_kwh_best"] == pytest.approx(kwh, rel=DIGITS)
            assert listed[line.address]["energy_kwh"]["best"] == pytest.approx(kwh, rel=DIGITS, abs=1e-6)  # type: ignore[index]
            # `ledger show`.
            shown_text = " ".join(ledger_figures.texts([line], summary))
            assert any(f"hashrate {text} (" in shown_text for text in rates_shown(true))
            assert any(f"energy seen {digits(kwh, count)} kWh (" in shown_text for count in COUNTS)
            # Terminal and page, of all findings of the address.
            (shown,) = [one for one in overview.sums(its) if one.about == "hashrate"]
            assert shown.best in rates_shown(true)
            # Metrics, of all open findings.
            assert of_metrics(its) == pytest.approx(true, rel=1e-6)
            if len(its) == 1:
                of_one_finding(its[0], line.rates.hashrate_hps.low, true, line.rates.hashrate_hps.high)
            else:
                (miner,) = work.miners(its)
                assert any(text in cells.together(miner) for text in rates_shown(true))


#: Digits of an estimate: by how close its bounds are (tests/exporters/test_amounts_for_people.py).
COUNTS = (FEW, NARROW_DIGITS)


def rates_shown(rate: float) -> set[str]:
    """How a hashrate may read."""
    return {quantity(rate, "H/s", count) for count in COUNTS}


def of_metrics(its: list[Finding]) -> float:
    totals = FindingTotals()
    totals.add(its, {})
    hashrate, _power = totals.sums()
    status = dataclasses.replace(quiet(), hashrate_hps=hashrate)
    return status.hashrate_hps["sha256d"].best


def of_one_finding(finding: Finding, low: float, best: float, high: float) -> None:
    """Event, terminal and page have the finding alone, with the same bounds."""
    hashrate = event.encode(finding)["mining"]["hashrate_hps"]  # type: ignore[index]
    assert [hashrate[name] for name in ("low", "best", "high")] == pytest.approx([low, best, high], rel=1e-4)
    shown = " ".join(cells.rate(finding))
    wanted = quantity(best, "H/s", digits_of(low, best, high))
    assert shown.startswith(wanted)
    panel = panels.panel(1, finding, TimeAxis(((finding.first_ns, finding.last_ns),)))
    assert panel.rate == wanted


@settings(max_examples=15, deadline=None)
@given(ledgers)
def test_all_miners_together_are_the_sum_of_each(miners: list[list[Mining]]) -> None:
    findings = findings_of(miners)
    with summary_of(findings) as summary:
        (row,) = summary.totals()
        assert row.hashrate_hps is not None
        each = [line.rates.hashrate_hps for line in summary.lines]
        assert row.hashrate_hps.best == pytest.approx(sum(one.best for one in each if one))
        # Chance cancels out in part, and never more than that: the bounds lie between those of the rest and their sums.
        assert sum(one.low for one in each if one) <= row.hashrate_hps.low * (1 + 1e-9)
        assert row.hashrate_hps.high <= sum(one.high for one in each if one) * (1 + 1e-9)
        assert of_metrics([one for its in findings.values() for one in its]) == pytest.approx(row.hashrate_hps.best)
