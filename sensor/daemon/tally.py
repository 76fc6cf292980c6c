"""What the findings of this run amount to: how many by grade, hashrate and power by algorithm, energy. Plain sums over bounded state.

Rates of different algorithms are never added. Knows findings as the line tells them (since this process began), not the ledger's totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.quantities import Interval, Power
from sensor.model.summary import Range

JOULES_PER_KWH = 3.6e6
UNKNOWN = "unknown"


@dataclass(slots=True)
class _Open:
    """One open finding, as far as it is summed."""

    dialect: str
    grade: str
    algorithm: str
    hashrate: Interval | None
    power: Power | None
    energy_kwh: float
    muted: bool


class Tally:
    """Sums over the findings that were told."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self.reached: Counter[tuple[str, str]] = Counter()  # by dialect and grade
        self.energy_joules = 0.0
        self.nodes = 0

    def take(self, records: Iterable[Finding | Node], muted: Mapping[str, str]) -> None:
        """Findings as the line told them, and which of them are kept quiet."""
        for record in records:
            if isinstance(record, Node):
                self.nodes += 1
            else:
                self._take(record, record.finding_id in muted)

    @property
    def open_by_grade(self) -> Counter[str]:
        """How many findings are open."""
        return Counter(one.grade for one in self._open.values())

    @property
    def muted(self) -> int:
        """How many of them are kept quiet."""
        return sum(one.muted for one in self._open.values())

    def sums(self) -> tuple[dict[str, Range], dict[str, Range]]:
        """Hashrate in hashes a second and power in watts of open findings, each by algorithm."""
        hashrate: dict[str, list[float]] = {}
        power: dict[str, list[float]] = {}
        for one in self._open.values():
            for sums, figure in ((hashrate, one.hashrate), (power, one.power)):
                if figure is not None:
                    whole = sums.setdefault(one.algorithm, [0.0, 0.0, 0.0])
                    for at, value in enumerate((figure.low, figure.best, figure.high)):
                        whole[at] += value
        return {name: Range(*whole) for name, whole in hashrate.items()}, {
            name: Range(*whole) for name, whole in power.items()
        }

    def _take(self, finding: Finding, muted: bool) -> None:
        before = self._open.get(finding.finding_id)
        energy_kwh = finding.energy_kwh.best if finding.energy_kwh else 0.0
        self.energy_joules += max(0.0, energy_kwh - (before.energy_kwh if before else 0.0)) * JOULES_PER_KWH
        if before is None or (before.dialect, before.grade) != (finding.dialect, finding.grade.label):
            self.reached[finding.dialect, finding.grade.label] += 1
        if finding.state == "closed":
            self._open.pop(finding.finding_id, None)
            return
        self._open[finding.finding_id] = _Open(
            finding.dialect,
            finding.grade.label,
            finding.algorithm or UNKNOWN,
            finding.hashrate_hps,
            finding.power_watts,
            energy_kwh,
            muted,
        )
