"""Totals of this run's findings: how many by grade, hashrate and power by algorithm, energy.

Rates of different algorithms are never added. Knows findings as the line emits them (since this process began), not
the ledger's totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.quantities import Interval, Power
from sensor.model.record import Record
from sensor.model.summary import Range

JOULES_PER_KWH = 3.6e6
UNKNOWN = "unknown"


@dataclass(slots=True)
class _OpenFinding:
    """What is summed of an open finding."""

    dialect: str
    grade: str
    algorithm: str
    hashrate: Interval | None
    power: Power | None
    energy_kwh: float
    suppressed: bool


class FindingTotals:
    """Sums over the findings that were reported."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenFinding] = {}
        self._counted_kwh: dict[str, float] = {}  # energy counted of what has become this finding since its last record
        self.reached: Counter[tuple[str, str]] = Counter()  # by dialect and grade
        self.energy_joules = 0.0
        self.nodes = 0

    def add(self, records: Iterable[Record], suppressed: Mapping[str, str]) -> None:
        """Records as the line emitted them; `suppressed` are the findings that are not reported, by identity."""
        for record in sorted(records, key=lambda record: isinstance(record, Node) or record.merged_into is None):
            if isinstance(record, Node):
                self.nodes += 1
            else:
                self._add(record, suppressed=record.finding_id in suppressed)

    @property
    def open_by_grade(self) -> Counter[str]:
        """How many findings are open."""
        return Counter(finding.grade for finding in self._open.values())

    @property
    def suppressed(self) -> int:
        """How many open findings are suppressed."""
        return sum(finding.suppressed for finding in self._open.values())

    def sums(self) -> tuple[dict[str, Range], dict[str, Range]]:
        """Hashrate in hashes a second and power in watts of open findings, each by algorithm."""
        hashrate: dict[str, list[float]] = {}
        power: dict[str, list[float]] = {}
        for finding in self._open.values():
            for sums, figure in ((hashrate, finding.hashrate), (power, finding.power)):
                if figure is not None:
                    whole = sums.setdefault(finding.algorithm, [0.0, 0.0, 0.0])
                    for at, value in enumerate((figure.low, figure.best, figure.high)):
                        whole[at] += value
        return {name: Range(*whole) for name, whole in hashrate.items()}, {
            name: Range(*whole) for name, whole in power.items()
        }

    def _add(self, finding: Finding, *, suppressed: bool) -> None:
        before = self._open.get(finding.finding_id)
        energy_kwh = finding.energy_kwh.best if finding.energy_kwh else 0.0
        counted_kwh = self._counted_kwh.pop(finding.finding_id, 0.0) + (before.energy_kwh if before else 0.0)
        if finding.merged_into is not None:
            self._counted_kwh[finding.merged_into] = self._counted_kwh.get(finding.merged_into, 0.0) + counted_kwh
        else:
            self.energy_joules += max(0.0, energy_kwh - counted_kwh) * JOULES_PER_KWH
        dialect = finding.dialect or UNKNOWN
        if before is None or (before.dialect, before.grade) != (dialect, finding.grade.label):
            self.reached[dialect, finding.grade.label] += 1
        if finding.state == "closed":
            self._open.pop(finding.finding_id, None)
            return
        self._open[finding.finding_id] = _OpenFinding(
            dialect,
            finding.grade.label,
            finding.algorithm or UNKNOWN,
            finding.hashrate_hps,
            finding.power_watts,
            energy_kwh,
            suppressed,
        )
