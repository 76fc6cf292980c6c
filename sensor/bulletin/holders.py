"""Enterprises and persons with all that mines at their sites: who is there, who is not any more, and how their energy
changed. Pure sums; nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.turnover import groups, is_gone
from sensor.estimate.costs import estimate, growth
from sensor.model.attribution import Enterprise
from sensor.model.figures import Holder, Rates
from sensor.model.range import Range, sum_of
from sensor.model.summary import Line, State, Summary, machines

#: States from the one that is furthest from its end; an enterprise with several cases shows the first of these.
URGENCY: tuple[State, ...] = (
    "relapsed",
    "new",
    "notified",
    "under-check",
    "rectifying",
    "re-check",
    "closed",
    "false-alarm",
)


class Holders:
    """The holders of one bulletin."""

    def __init__(self, now: Summary, before: Summary, owners: OwnerDisplay, prices: Rates) -> None:
        self._now, self._before, self._owners, self._prices = now, before, owners, prices
        self._cases = {case.case_id: case for case in now.cases}

    def holder_of(self, line: Line) -> str | None:
        """The identity of a line's holder; None: not known."""
        return _identity(_enterprise(line, self._now))

    def enterprise_of(self, line: Line) -> str | None:
        """The same of enterprises alone."""
        return _identity(_enterprise(line, self._now), individual=False)

    def person_of(self, line: Line) -> str | None:
        """The same of private persons alone."""
        return _identity(_enterprise(line, self._now), individual=True)

    def enterprise_before(self, line: Line) -> str | None:
        """The enterprise of a line of the period before."""
        return _identity(_enterprise(line, self._before), individual=False)

    def present(self, lines: Sequence[Line], earlier: Sequence[Line]) -> tuple[Holder, ...]:
        """The holders of lines, most energy first; those of nobody are left out."""
        found = groups(lines, self.holder_of)
        before = groups(earlier, self._holder_before)
        holders = [self._holder(found[key], before.get(key, []), self._now) for key in sorted(found)]
        return tuple(sorted(holders, key=lambda holder: -holder.estimate.energy_kwh.best))

    def absent(self, lines: Sequence[Line], earlier: Sequence[Line]) -> list[tuple[Holder, bool]]:
        """The holders of the period before of which nothing is seen any more, most energy first, and whether they are
        gone (False: too little was watched to say so). Their figures are of then."""
        here = groups(lines, self.holder_of)
        before = groups(earlier, self._holder_before)
        found = [
            (self._holder(before[key], [], self._before), is_gone(before[key], self._now))
            for key in sorted(before.keys() - here.keys())
        ]
        return sorted(found, key=lambda pair: -pair[0].estimate.energy_kwh.best)

    def growth_of(self, now: Sequence[Line], before: Sequence[Line]) -> float | None:
        """The growth of energy, whole period against whole period; None where one of them was not watched enough, as a
        whole or by the sensors that saw these lines."""
        if not (self._now.watched and self._before.watched):
            return None
        sensors = {sensor for line in (*now, *before) for sensor in line.sensors}
        least = min(self._now.coverage.least_part(sensors), self._before.coverage.least_part(sensors))
        if sensors and least < self._now.grounds.least_watched:
            return None
        was = sum_of(line.rates.projected_kwh for line in before)
        became = sum_of(line.rates.projected_kwh for line in now) if now else Range()
        return None if was is None or became is None else growth(became.best, was.best)

    def _holder_before(self, line: Line) -> str | None:
        return _identity(_enterprise(line, self._before))

    def _holder(self, lines: list[Line], earlier: list[Line], summary: Summary) -> Holder:
        by_site: dict[int, float] = {}
        for line in lines:
            if line.site_id is not None:
                by_site[line.site_id] = by_site.get(line.site_id, 0.0) + line.energy_kwh.best
        largest = summary.sites[max(by_site, key=lambda site_id: (by_site[site_id], -site_id))]
        owner = self._owners.of(largest)
        assert owner is not None  # a line without an enterprise is in no holder
        states = {self._cases[line.case_id].state for line in lines if line.case_id in self._cases}
        missing = any(line.missing_seconds for line in (*lines, *earlier))
        return Holder(
            owner=owner,
            kind=largest.site_class.kind,
            confidence=largest.site_class.confidence,
            sites=len(by_site),
            addresses=len({line.address for line in lines}),
            machines=machines(lines),
            algorithms=tuple(sorted({line.algorithm for line in lines if line.algorithm})),
            coins=tuple(sorted({coin for line in lines for coin in line.coins})),
            grade=max(line.grade for line in lines),
            estimate=estimate(lines, summary.seconds, self._prices, summary.grounds),
            growth=None if missing or not earlier else self.growth_of(lines, earlier),
            first_ns=min(line.first_ns for line in lines),
            last_ns=max(line.last_ns for line in lines),
            new=all(line.new for line in lines),
            state=next((state for state in URGENCY if state in states), None),
        )


def _enterprise(line: Line, summary: Summary) -> Enterprise | None:
    site = summary.about(line)
    return site.enterprise if site else None


def _identity(enterprise: Enterprise | None, individual: bool | None = None) -> str | None:
    if enterprise is None or (individual is not None and enterprise.individual != individual):
        return None
    return enterprise.enterprise_id
