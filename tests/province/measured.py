"""What a ledger says of the province, through its reader: sums by algorithm and day with their bounds, and cases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sensor.ledger import Ledger
from sensor.ledger.read.reader import LedgerReader
from sensor.model.summary import Case, Range
from tests.province.roster import ZONE

#: Days before and after the captured ones in which nothing may stand.
MARGIN_DAYS = 2


class Cell(NamedTuple):
    """An algorithm on a day (or on the day `total`)."""

    algorithm: str
    day: str


@dataclass
class Sum:
    """What the ledger has of a cell."""

    shares: int = 0
    work: float = 0.0
    seconds: float = 0.0
    hashes: Range = field(default_factory=Range)
    kwh: Range = field(default_factory=Range)

    def add(self, other: Sum) -> None:
        """Add the other's sums; bounds add, too."""
        self.shares += other.shares
        self.work += other.work
        self.seconds += other.seconds
        self.hashes += other.hashes
        self.kwh += other.kwh


class CaseDates(NamedTuple):
    """A case as days of the province's zone."""

    subject: str
    opened: str
    steps: tuple[tuple[str, str], ...]  # state and day, oldest first
    last: str


@dataclass
class Measured:
    """One ledger's sums and cases."""

    sums: dict[Cell, Sum]
    cases: dict[str, CaseDates]
    coverage_seconds: dict[str, float]  # by day
    machines: dict[Cell, int] = field(default_factory=dict)  # at least so many


def measure(url: str, first: str, days: int) -> Measured:
    """Read the days from `first` on. Raises LedgerError."""
    ledger = Ledger.open(url)
    try:
        return _measure(ledger.reader, first, days)
    finally:
        ledger.close()


def _measure(reader: LedgerReader, first: str, days: int) -> Measured:
    sums: defaultdict[Cell, Sum] = defaultdict(Sum)
    coverage, machines = {}, {}
    begin = datetime.fromisoformat(first).replace(tzinfo=ZONE)
    for number in range(-MARGIN_DAYS, days + MARGIN_DAYS):
        at = begin + timedelta(days=number)
        day = at.date().isoformat()
        summary = reader.summary(_ns(at), _ns(at + timedelta(days=1)))
        coverage[day] = summary.coverage_seconds
        for line in summary.lines:
            amount = Sum(line.shares, line.work_hashes, line.seconds, line.hashes, line.energy_kwh)
            for cell in (Cell(line.algorithm or "?", day), Cell(line.algorithm or "?", "total")):
                sums[cell].add(amount)
        machines |= {Cell(total.algorithm or "?", day): total.machines for total in summary.totals()}
    whole = reader.summary(_ns(begin), _ns(begin + timedelta(days=days)))
    machines |= {Cell(total.algorithm or "?", "total"): total.machines for total in whole.totals()}
    return Measured(dict(sums), {dates.subject: dates for dates in map(_dates, reader.cases())}, coverage, machines)


def _dates(case: Case) -> CaseDates:
    subject = case.enterprise.name if case.enterprise else case.address or "?"
    steps = tuple((change.state, _day(change.at_ns)) for change in case.changes)
    return CaseDates(subject, _day(case.first_ns), steps, _day(case.last_ns))


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).astimezone(ZONE).date().isoformat()
