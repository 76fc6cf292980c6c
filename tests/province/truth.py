"""What really happened, by machine and hour: hashes, seconds, shares, work, energy. Nothing of it was estimated."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.province.roster import DAY_US, HOUR_US, SECOND_US, ZONE, Machine, Span

#: Watts that a site draws for each watt of its machines: the default of `estimate.pue`.
PUE = 1.10
JOULES_PER_KWH = 3.6e6


@dataclass
class Amount:
    """Sums of one machine in one hour, or of many."""

    hashes: float = 0.0  # computed: rate times time
    seconds: float = 0.0  # mining
    shares: int = 0  # sent
    accepted: int = 0
    work: float = 0.0  # hashes that the shares sent stand for
    kwh: float = 0.0  # drawn by the site

    def add(self, other: Amount) -> None:
        """Add the other's sums."""
        self.hashes += other.hashes
        self.seconds += other.seconds
        self.shares += other.shares
        self.accepted += other.accepted
        self.work += other.work
        self.kwh += other.kwh


@dataclass
class TrueCase:
    """What became of one owner (or of an address in no book): days of the province's zone."""

    subject: str
    first_day: str
    last_day: str
    pauses: list[tuple[str, str]] = field(default_factory=list)  # days without any mining, first and last


class Truth:
    """Collects what machines did within the captured stretch."""

    def __init__(self, captured: Span) -> None:
        self.captured = captured
        self.hours: defaultdict[tuple[str, int], Amount] = defaultdict(Amount)  # by machine and hour since the epoch
        self.machines: dict[str, Machine] = {}

    def mined(self, machine: Machine, begin_us: int, end_us: int) -> None:
        """The machine computed from one moment to another."""
        self.machines[machine.name] = machine
        begin_us, end_us = max(begin_us, self.captured.begin_us), min(end_us, self.captured.end_us)
        while begin_us < end_us:
            border_us = min(end_us, (begin_us // HOUR_US + 1) * HOUR_US)
            seconds = (border_us - begin_us) / SECOND_US
            amount = self.hours[machine.name, begin_us // HOUR_US]
            amount.seconds += seconds
            amount.hashes += seconds * machine.device.rate_hps
            amount.kwh += seconds * machine.device.watts * PUE / JOULES_PER_KWH
            begin_us = border_us

    def share(self, machine: Machine, at_us: int, work: float, *, accepted: bool) -> None:
        """The machine sent a share."""
        if self.captured.begin_us <= at_us < self.captured.end_us:
            amount = self.hours[machine.name, at_us // HOUR_US]
            amount.shares += 1
            amount.accepted += accepted
            amount.work += work

    def machine_names(self) -> dict[tuple[str, str], set[str]]:
        """Which machines mined, by algorithm and day, and by algorithm on the day `total`."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for (name, hour), amount in self.hours.items():
            if amount.seconds:
                for at in (day_of_hour(hour), "total"):
                    found[self.machines[name].device.algorithm, at].add(name)
        return dict(found)

    def sums(self) -> dict[tuple[str, str], Amount]:
        """By algorithm and day; and by algorithm with the day `total`."""
        found: defaultdict[tuple[str, str], Amount] = defaultdict(Amount)
        for (name, hour), amount in self.hours.items():
            algorithm = self.machines[name].device.algorithm
            found[algorithm, day_of_hour(hour)].add(amount)
            found[algorithm, "total"].add(amount)
        return dict(found)

    def cases(self) -> dict[str, TrueCase]:
        """By owner, or by address where the owner stands in no book."""
        days: defaultdict[str, set[str]] = defaultdict(set)
        for (name, hour), amount in self.hours.items():
            machine = self.machines[name]
            if amount.shares:
                days[machine.owner or machine.address].add(day_of_hour(hour))
        return {subject: _case(subject, sorted(seen)) for subject, seen in days.items()}

    def write(self, path: Path) -> None:
        """The truth as JSON, a row for each machine and hour."""
        rows = [
            {
                "machine": name,
                "algorithm": self.machines[name].device.algorithm,
                "hour": hour_text(hour),
                **asdict(amount),
            }
            for (name, hour), amount in sorted(self.hours.items())
        ]
        cases = [asdict(case) for case in self.cases().values()]
        path.write_text(json.dumps({"hours": rows, "cases": cases}, ensure_ascii=False, indent=1))


def day_of_hour(hour: int) -> str:
    """The day of the province's zone in which an hour since the epoch begins."""
    return datetime.fromtimestamp(hour * 3_600, ZONE).date().isoformat()


def hour_text(hour: int) -> str:
    """An hour since the epoch in UTC."""
    return datetime.fromtimestamp(hour * 3_600, UTC).strftime("%Y-%m-%dT%HZ")


def _case(subject: str, days: list[str]) -> TrueCase:
    case = TrueCase(subject, days[0], days[-1])
    for before, after in itertools.pairwise(days):
        missing = list(_between(before, after))
        if missing:
            case.pauses.append((missing[0], missing[-1]))
    return case


def _between(before: str, after: str) -> Iterator[str]:
    at = datetime.fromisoformat(before).replace(tzinfo=ZONE).timestamp() + DAY_US // SECOND_US
    while (day := datetime.fromtimestamp(at, ZONE).date().isoformat()) < after:
        yield day
        at += DAY_US // SECOND_US
