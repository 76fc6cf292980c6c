"""Totals of this run's findings: how many by grade, hashrate and power by algorithm, energy.

Rates of different algorithms are never added. A miner with several open findings counts once, at the rate of the time
in which it was watched mining (`sensor/model/work.py`). Knows findings as the line emits them (since this process
began), not the ledger's totals.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from sensor.model.finding import Finding
from sensor.model.quantities import WatchedStretch
from sensor.model.range import Range
from sensor.model.rates import MinerRates
from sensor.model.record import Record
from sensor.model.work import has_unknown_work, miners

JOULES_PER_KWH = 3.6e6
UNKNOWN = "unknown"


@dataclass(slots=True)
class _OpenFinding:
    """What is summed of an open finding."""

    dialect: str
    grade: str
    finding: Finding  # without connections, evidence and stretches of time
    stretches: tuple[array[int], ...]  # of its exposures, of known and of unknown work: start, end and pause of each
    energy_kwh: float
    suppressed: bool

    @classmethod
    def of(cls, finding: Finding, *, suppressed: bool) -> _OpenFinding:
        """What is summed of a finding. Its stretches, a thousand after months, are held as plain numbers: as objects
        they take seven times as much."""
        stretches = tuple(
            array("q", chain.from_iterable(its))
            for record in finding.exposures
            for its in (record.stretches, record.unrated_stretches)
        )
        exposures = tuple(replace(record, stretches=(), unrated_stretches=()) for record in finding.exposures)
        bare = replace(finding, flows=[], evidence=[], observations=(), timeline=None, active=(), exposures=exposures)
        return cls(finding.dialect or UNKNOWN, finding.grade.label, bare, stretches, _energy_kwh(finding), suppressed)

    @property
    def with_stretches(self) -> Finding:
        """The finding with its stretches of time."""
        pairs = zip(self.finding.exposures, self.stretches[::2], self.stretches[1::2], strict=True)
        exposures = tuple(
            replace(record, stretches=_stretches(rated), unrated_stretches=_stretches(unrated))
            for record, rated, unrated in pairs
        )
        return replace(self.finding, exposures=exposures)

    @property
    def miner(self) -> tuple[str, str]:
        """Whose it is: address and algorithm."""
        return self.finding.miner_ip, self.finding.algorithm or UNKNOWN

    @property
    def unknown(self) -> bool:
        """Whether part of its mining is of unknown work."""
        return has_unknown_work(self.finding)


def _energy_kwh(finding: Finding) -> float:
    return finding.energy_kwh.best if finding.energy_kwh else 0.0


def _stretches(numbers: array[int]) -> tuple[WatchedStretch, ...]:
    return tuple(map(WatchedStretch, numbers[::3], numbers[1::3], numbers[2::3]))


class FindingTotals:
    """Sums over the findings that were reported."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenFinding] = {}
        self._of_miner: dict[tuple[str, str], set[str]] = defaultdict(set)  # open findings
        self._rates: dict[tuple[str, str], tuple[MinerRates, ...]] = {}  # of miners whose findings did not change since
        self._counted_kwh: dict[str, float] = {}  # energy counted of what has become this finding since its last record
        self.reached: Counter[tuple[str, str]] = Counter()  # by dialect and grade
        self.energy_joules = 0.0

    def add(self, records: Iterable[Record], suppressed: Mapping[str, str]) -> None:
        """Records as the line emitted them; `suppressed` are the findings that are not reported, by identity."""
        findings = [record for record in records if isinstance(record, Finding)]
        for finding in sorted(findings, key=lambda finding: finding.merged_into is None):
            self._add(finding, suppressed=finding.finding_id in suppressed)

    @property
    def open_by_grade(self) -> Counter[str]:
        """How many findings are open."""
        return Counter(finding.grade for finding in self._open.values())

    @property
    def suppressed(self) -> int:
        """How many open findings are suppressed."""
        return sum(finding.suppressed for finding in self._open.values())

    @property
    def unknown(self) -> int:
        """How many open findings have shares of unknown work, which are in no hashrate and no power."""
        return sum(finding.unknown for finding in self._open.values())

    def sums(self) -> tuple[dict[str, Range], dict[str, Range]]:
        """Hashrate in hashes a second and power in watts of open findings, each by algorithm."""
        hashrate: dict[str, Range] = {}
        power: dict[str, Range] = {}
        for key, its in self._of_miner.items():
            if key not in self._rates:
                found = miners(self._open[finding_id].with_stretches for finding_id in sorted(its))
                self._rates[key] = tuple(miner.rates for miner in found)
            for rates in self._rates[key]:
                for sums, figure in ((hashrate, rates.hashrate_hps), (power, rates.power_watts)):
                    if figure is not None:
                        sums[key[1]] = sums.get(key[1], Range()) + figure
        return hashrate, power

    def _put(self, finding: _OpenFinding) -> None:
        self._open[finding.finding.finding_id] = finding
        if not finding.suppressed and finding.finding.mines:
            self._of_miner[finding.miner].add(finding.finding.finding_id)
        self._rates.pop(finding.miner, None)

    def _drop(self, finding: _OpenFinding) -> None:
        del self._open[finding.finding.finding_id]
        self._of_miner[finding.miner].discard(finding.finding.finding_id)
        self._rates.pop(finding.miner, None)
        if not self._of_miner[finding.miner]:
            del self._of_miner[finding.miner]

    def _add(self, finding: Finding, *, suppressed: bool) -> None:
        before = self._open.get(finding.finding_id)
        energy_kwh = _energy_kwh(finding)
        counted_kwh = self._counted_kwh.pop(finding.finding_id, 0.0) + (before.energy_kwh if before else 0.0)
        if finding.merged_into is not None:
            self._counted_kwh[finding.merged_into] = self._counted_kwh.get(finding.merged_into, 0.0) + counted_kwh
        else:
            self.energy_joules += max(0.0, energy_kwh - counted_kwh) * JOULES_PER_KWH
        dialect = finding.dialect or UNKNOWN
        if before is None or (before.dialect, before.grade) != (dialect, finding.grade.label):
            self.reached[dialect, finding.grade.label] += 1
        if before is not None:
            self._drop(before)
        if finding.state != "closed":
            self._put(_OpenFinding.of(finding, suppressed=suppressed))
