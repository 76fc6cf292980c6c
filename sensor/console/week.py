"""The week that pages show: its figures by site, enterprise and address, made once for a scope (`week_cache.py`).

What takes long, sums over all lines, is reckoned with it (`with_sums`), so that no page has to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

from sensor.bulletin.period import Period
from sensor.estimate.costs import estimate
from sensor.model.coverage import Coverage
from sensor.model.figures import Estimate, Rates
from sensor.model.scope import Scope
from sensor.model.summary import Line, SiteSummary, Summary, Total, machines

#: Digits of a city's code, and of a county's.
CITY, COUNTY = 4, 6

Value = TypeVar("Value")


class LineSums(NamedTuple):
    """Some lines together."""

    lines: tuple[Line, ...]
    machines: int
    estimate: Estimate


@dataclass(frozen=True)
class WeekFigures:
    """A week of a scope."""

    period: Period
    summary: Summary
    prices: Rates
    scope: Scope

    def with_sums(self) -> WeekFigures:
        """The same, with all sums reckoned."""
        for sums in (self.whole, self.totals, self.by_algorithm, self.by_division):
            assert sums is not None
        return self

    @property
    def coverage(self) -> Coverage:
        """When sensors listened."""
        return self.summary.coverage

    @property
    def watched_hours(self) -> float:
        """Hours in which at least one sensor listened."""
        return self.summary.coverage_seconds / 3_600

    @cached_property
    def by_site(self) -> dict[int, list[Line]]:
        """The lines of each site; 0: nobody is named."""
        return _grouped(self.summary.lines, lambda line: line.site_id or 0)

    @cached_property
    def by_address(self) -> dict[str, list[Line]]:
        """The lines of each address."""
        return _grouped(self.summary.lines, lambda line: line.address)

    @cached_property
    def by_enterprise(self) -> dict[str, list[Line]]:
        """The lines of each enterprise."""
        return _grouped(self.summary.lines, self._enterprise_id)

    @cached_property
    def by_pool(self) -> dict[str, list[Line]]:
        """The lines that have a pool, by its name."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.summary.lines:
            for pool in line.pools:
                found[pool].append(line)
        return dict(found)

    @cached_property
    def whole(self) -> LineSums:
        """All lines."""
        return self._sums(self.summary.lines)

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """One for each algorithm, most energy first."""
        return self.summary.totals()

    @cached_property
    def by_algorithm(self) -> dict[tuple[str | None, str], LineSums]:
        """By algorithm and unit of work."""
        groups = _grouped(self.summary.lines, lambda line: (line.algorithm, line.work_unit))
        return {key: self._sums(lines) for key, lines in groups.items()}

    @cached_property
    def division_digits(self) -> int:
        """Digits of the codes that divisions are told apart by."""
        stems = self.scope.stems
        return CITY if stems is None or any(len(stem) == 2 for stem in stems) else COUNTY

    @cached_property
    def by_division(self) -> dict[str, LineSums]:
        """By code: cities, or counties for whom sees no whole province; "": not known."""
        groups = _grouped(self.summary.lines, lambda line: self._division(line, self.division_digits))
        return {code: self._sums(lines) for code, lines in groups.items()}

    def site(self, site_id: int) -> SiteSummary | None:
        """What the week says of a site; None where it was not seen."""
        return self.summary.sites.get(site_id)

    def sites_of_kind(self, kind: str) -> list[int]:
        """The sites that are of a kind by what the week shows."""
        return [site_id for site_id, site in self.summary.sites.items() if site.site_class.kind == kind]

    def _sums(self, lines: Sequence[Line]) -> LineSums:
        its = estimate(lines, self.summary.seconds, self.prices, self.summary.grounds)
        return LineSums(tuple(lines), machines(lines), its)

    def _division(self, line: Line, digits: int) -> str:
        site = self.summary.about(line)
        code = site.site.division if site and site.site else None
        return code[:digits].ljust(COUNTY, "0") if code else ""

    def _enterprise_id(self, line: Line) -> str:
        site = self.summary.about(line)
        return site.enterprise.enterprise_id if site and site.enterprise else ""


def _grouped(lines: Sequence[Line], key: Callable[[Line], Value]) -> dict[Value, list[Line]]:
    found: dict[Value, list[Line]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    return dict(found)
