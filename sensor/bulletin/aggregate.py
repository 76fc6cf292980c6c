"""From summaries of the ledger to the figures of a bulletin: who, where, how much. Pure sums; nothing is rounded.

An address counts once however many algorithms it mines by; hashrates are summed within one algorithm only. Energy adds
over all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period
from sensor.bulletin.regions import city_code, inside, line_in, lines_in
from sensor.estimate.costs import estimate
from sensor.model.attribution import Enterprise
from sensor.model.evidence import Grade
from sensor.model.figures import ByAlgorithm, CaseRow, Estimate, Figures, Group, Holder, MeterCheck, Mine, Rates
from sensor.model.summary import Line, Range, State, Summary, energy, machines, totals

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
Days = Sequence[tuple[date, Range]]


@dataclass(frozen=True)
class Frame:
    """What a bulletin is about, and how it shows and prices things."""

    period: Period
    region: str | None
    owners: OwnerDisplay
    rates: Rates


def figures(
    now: Summary, before: Summary, days: Days, frame: Frame, meters: tuple[MeterCheck, ...] | None = None
) -> Figures:
    """All figures of a bulletin from the summaries of its period and of the one before. `days` are energies, already of
    the region."""
    return _Aggregation(now, before, frame).figures(days, meters)


class _Aggregation:
    """The sums of one bulletin."""

    def __init__(self, now: Summary, before: Summary, frame: Frame) -> None:
        self.now, self.before, self.frame = now, before, frame
        self.lines = lines_in(now, frame.region)
        self.earlier = lines_in(before, frame.region)
        self.gone = [line for line in now.gone if line_in(now, line, frame.region)]
        self.coverage_seconds = now.coverage_seconds or now.seconds
        self.addresses = len({line.address for line in self.lines})
        self.cases = {case.case_id: case for case in now.cases}

    def figures(self, days: Days, meters: tuple[MeterCheck, ...] | None) -> Figures:
        frame, period, lines = self.frame, self.frame.period, self.lines
        persons = self._holders_of(lines, _is_person)
        stream_bytes = sum(line.stream_bytes for line in lines)
        present = {line.address for line in lines}
        return Figures(
            first=period.first,
            last=period.last,
            from_ns=self.now.from_ns,
            to_ns=self.now.to_ns,
            timezone=str(period.zone),
            week=period.week,
            region=frame.region,
            region_name=frame.owners.name(frame.region.ljust(6, "0")) if frame.region else None,
            rates=frame.rates,
            persons_named=frame.owners.name_persons,
            addresses=self.addresses,
            addresses_before=len({line.address for line in self.earlier}),
            addresses_new=len(present - {line.address for line in lines if not line.new}),
            addresses_gone=len({line.address for line in self.gone} - present),
            addresses_unowned=len({line.address for line in lines if self._enterprise(line) is None}),
            enterprises=len(self._holders_of(lines, _is_enterprise)),
            enterprises_before=len(self._holders_of(self.earlier, _is_enterprise, self.before)),
            persons=len(persons),
            machines=machines(lines),
            egress_mbit_s=stream_bytes * 8 / 1e6 / self.coverage_seconds if self.coverage_seconds else 0.0,
            estimate=self._estimate(energy(lines)),
            before_kwh=energy(self.earlier),
            coins=tuple(sorted({coin for line in lines for coin in line.coins})),
            days=tuple(days),
            by_algorithm=self._by_algorithm(),
            by_coin=self._groups(lambda line: "/".join(line.coins) or None),
            by_city=self._groups(self._city, frame.owners.name),
            by_owner=self._groups(self._category),
            by_class=self._groups(self._kind),
            by_grade=self._by_grade(),
            holders=self._holders(self.lines),
            gone=self._gone(),
            mines=self._mines(),
            cases=self._cases(),
            meters=meters,
            coverage_seconds=self.now.coverage_seconds,
            capture_loss=self.now.capture_loss,
            elsewhere=len({line.address for line in self.now.lines} - present),
            notes=self.now.notes,
        )

    def _estimate(self, kwh: Range) -> Estimate:
        return estimate(kwh, self.coverage_seconds, self.frame.rates)

    def _rate(self, mean_hps: Range) -> Range:
        """A mean over the period as one over the time in which the sensor listened."""
        return mean_hps.scaled(self.now.seconds / self.coverage_seconds) if self.coverage_seconds else mean_hps

    def _enterprise(self, line: Line, summary: Summary | None = None) -> Enterprise | None:
        site = (summary or self.now).about(line)
        return site.enterprise if site else None

    def _holders_of(
        self, lines: Iterable[Line], wanted: Callable[[Enterprise], bool], summary: Summary | None = None
    ) -> set[str]:
        found = (self._enterprise(line, summary) for line in lines)
        return {enterprise.enterprise_id for enterprise in found if enterprise is not None and wanted(enterprise)}

    def _category(self, line: Line) -> str | None:
        enterprise = self._enterprise(line)
        return enterprise.category if enterprise else None

    def _kind(self, line: Line) -> str | None:
        site = self.now.about(line)
        return site.site_class.kind if site else None

    def _city(self, line: Line) -> str | None:
        site = self.now.about(line)
        return city_code(site.site.division) if site and site.site else None

    def _by_algorithm(self) -> tuple[ByAlgorithm, ...]:
        return tuple(
            ByAlgorithm(
                total.algorithm,
                total.work_unit,
                total.addresses,
                total.machines,
                total.shares,
                self._rate(total.hashrate_hps),
                self._estimate(total.energy_kwh),
            )
            for total in totals(self.lines)
        )

    def _groups(
        self, key_of: Callable[[Line], str | None], name: Callable[[str | None], str | None] = lambda _: None
    ) -> tuple[Group, ...]:
        """Lines by a key, most addresses first, what is not known last."""
        found: dict[str | None, list[Line]] = {}
        for line in self.lines:
            found.setdefault(key_of(line), []).append(line)
        groups = [self._group(key, name(key), lines) for key, lines in found.items()]
        return tuple(sorted(groups, key=_group_order))

    def _group(self, key: str | None, name: str | None, lines: list[Line]) -> Group:
        addresses = len({line.address for line in lines})
        enterprises = len(self._holders_of(lines, _is_enterprise))
        return Group(key, name, addresses, addresses / self.addresses, enterprises, machines(lines), energy(lines))

    def _by_grade(self) -> tuple[Group, ...]:
        """Every address at its strongest grade, so that the parts make one; strongest first."""
        strongest: dict[str, Grade] = {}
        for line in self.lines:
            strongest[line.address] = max(line.grade, strongest.get(line.address, line.grade))
        groups = self._groups(lambda line: strongest[line.address].label)
        order = [grade.label for grade in sorted(Grade, reverse=True)]
        return tuple(sorted(groups, key=lambda group: order.index(group.key or "")))

    def _holders(self, lines: list[Line], summary: Summary | None = None) -> tuple[Holder, ...]:
        """Lines by enterprise, most energy first; those of nobody are left out."""
        found: dict[str, list[Line]] = {}
        for line in lines:
            enterprise = self._enterprise(line, summary)
            if enterprise is not None:
                found.setdefault(enterprise.enterprise_id, []).append(line)
        earlier: dict[str, float] = {}
        for line in self.earlier:
            enterprise = self._enterprise(line, self.before)
            if enterprise is not None:
                earlier[enterprise.enterprise_id] = earlier.get(enterprise.enterprise_id, 0.0) + line.energy_kwh.best
        holders = {key: self._holder(group, earlier.get(key), summary) for key, group in sorted(found.items())}
        return tuple(sorted(holders.values(), key=lambda holder: -holder.estimate.energy_kwh.best))

    def _holder(self, lines: list[Line], before_kwh: float | None, summary: Summary | None) -> Holder:
        by_site: dict[int, float] = {}
        for line in lines:
            if line.site_id is not None:
                by_site[line.site_id] = by_site.get(line.site_id, 0.0) + line.energy_kwh.best
        largest = (summary or self.now).sites[max(by_site, key=lambda site_id: (by_site[site_id], -site_id))]
        owner = self.frame.owners.of(largest)
        assert owner is not None  # a line without an enterprise is in no holder
        states = {self.cases[line.case_id].state for line in lines if line.case_id in self.cases}
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
            estimate=self._estimate(energy(lines)),
            before_kwh=before_kwh,
            first_ns=min(line.first_ns for line in lines),
            last_ns=max(line.last_ns for line in lines),
            new=all(line.new for line in lines),
            state=next((state for state in URGENCY if state in states), None),
        )

    def _gone(self) -> tuple[Holder, ...]:
        """Enterprises of which something was seen in the period before, and nothing now."""
        here = self._holders_of(self.lines, lambda _: True)
        lines = []
        for line in self.gone:
            enterprise = self._enterprise(line)
            if enterprise is not None and enterprise.enterprise_id not in here:
                lines.append(line)
        return tuple(dataclasses.replace(holder, before_kwh=None) for holder in self._holders(lines))

    def _mines(self) -> tuple[Mine, ...]:
        """The rows of the mining list, most energy first."""
        mines = map(self._mine, self.lines)
        return tuple(
            sorted(mines, key=lambda mine: (-mine.estimate.energy_kwh.best, mine.address, mine.algorithm or ""))
        )

    def _mine(self, line: Line) -> Mine:
        return Mine(
            address=line.address,
            owner=self.frame.owners.of(self.now.about(line)),
            algorithm=line.algorithm,
            work_unit=line.work_unit,
            coins=line.coins,
            pools=line.pools,
            grade=line.grade,
            machines=line.machines,
            shares=line.shares,
            accepted=line.accepted,
            hashrate_hps=self._rate(line.hashrate_hps),
            estimate=self._estimate(line.energy_kwh),
            first_ns=line.first_ns,
            last_ns=line.last_ns,
            new=line.new,
        )

    def _cases(self) -> tuple[CaseRow, ...]:
        """Cases of the region, overdue ones first, then by state and age."""
        rows = []
        for case in self.now.cases:
            if inside(case.site.division if case.site else None, self.frame.region):
                rows.append(
                    CaseRow(
                        case_id=case.case_id,
                        owner=self.frame.owners.owner(case.enterprise, case.site),
                        address=case.address,
                        state=case.state,
                        since_ns=case.since_ns,
                        due_ns=case.due_ns,
                        overdue=case.overdue(self.now.to_ns),
                        last_ns=case.last_ns,
                    )
                )
        return tuple(sorted(rows, key=_case_order))


def _is_person(enterprise: Enterprise) -> bool:
    return enterprise.individual


def _is_enterprise(enterprise: Enterprise) -> bool:
    return not enterprise.individual


def _group_order(group: Group) -> tuple[bool, int, float, str]:
    """Most addresses first, then most energy; what is not known last."""
    return group.key is None, -group.addresses, -group.energy_kwh.best, group.key or ""


def _case_order(case: CaseRow) -> tuple[bool, int, int, int]:
    """Overdue ones first, then by state and age."""
    return not case.overdue, URGENCY.index(case.state), case.since_ns, case.case_id
