"""From summaries of the ledger to the figures of a bulletin: who, where, how much. Pure sums; nothing is rounded.

An address counts once however many algorithms it mines by; hashrates are summed within one algorithm only. Energy adds
over all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sensor.bulletin.checks import check_rows, unlisted_in
from sensor.bulletin.holders import URGENCY, Holders
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period
from sensor.bulletin.regions import city_code, inside, lines_in
from sensor.bulletin.turnover import address_of, groups, turnover
from sensor.estimate.costs import estimate
from sensor.model.attribution import Enterprise
from sensor.model.coverage import Coverage
from sensor.model.evidence import Grade
from sensor.model.figures import ByAlgorithm, CaseRow, Estimate, Figures, Group, MeterCheck, Mine, Rates
from sensor.model.range import Range
from sensor.model.summary import Line, Summary, energy, machines, totals

#: Parts of a period whose coverage is shown one by one.
MOST_STRETCHES = 62
Days = Sequence[tuple[date, Range]]


@dataclass(frozen=True)
class Frame:
    """What a bulletin is about, and how it shows and prices things."""

    period: Period
    region: str | None
    owners: OwnerDisplay
    rates: Rates
    successors: tuple[str, ...] = ()  # divisions that came after an abolished `region`: they belong to it

    @property
    def divisions(self) -> tuple[str, ...] | None:
        """The codes whose sites it is about; None: everywhere."""
        return None if self.region is None else (self.region, *self.successors)


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
        self.lines = lines_in(now, frame.divisions)
        self.earlier = [line for line in lines_in(before, frame.divisions) if not _is_false_alarm(line, now)]
        self.addresses = len({line.address for line in self.lines})
        self.holders = Holders(now, before, frame.owners, frame.rates)

    def figures(self, days: Days, meters: tuple[MeterCheck, ...] | None) -> Figures:
        frame, period, lines = self.frame, self.frame.period, self.lines
        holders, now, before = self.holders, self.now, self.before
        present = {line.address for line in lines}
        absent = holders.absent(lines, self.earlier)
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
            address_turnover=turnover(
                groups(lines, address_of), groups(self.earlier, address_of), lambda line: line.address_new, now
            ),
            enterprise_turnover=turnover(
                groups(lines, holders.enterprise_of),
                groups(self.earlier, holders.enterprise_before),
                lambda line: line.new,
                now,
            ),
            persons=len(groups(lines, holders.person_of)),
            addresses_unowned=len({line.address for line in lines if holders.holder_of(line) is None}),
            machines=machines(lines),
            egress_mbit_s=self._egress(),
            estimate=self._estimate(lines),
            before_kwh=energy(self.earlier),
            growth=holders.growth_of(lines, self.earlier),
            coins=tuple(sorted({coin for line in lines for coin in line.coins})),
            days=tuple(days),
            by_algorithm=self._by_algorithm(),
            by_coin=self._groups(lambda line: "/".join(line.coins) or None),
            by_city=self._groups(self._city, frame.owners.name),
            by_owner=self._groups(self._category),
            by_class=self._groups(self._kind),
            by_grade=self._by_grade(),
            holders=holders.present(lines, self.earlier),
            gone=tuple(holder for holder, gone in absent if gone),
            unobserved=tuple(holder for holder, gone in absent if not gone),
            mines=self._mines(),
            cases=self._cases(),
            meters=meters,
            coverage=now.coverage,
            coverage_before=before.coverage,
            watched_days=tuple(watched_days(now, period)),
            grounds=now.grounds,
            capture_loss=now.capture_loss,
            elsewhere=len({line.address for line in now.lines} - present),
            notes=now.notes,
            to_check=tuple(check_rows(now, frame.owners, frame.divisions)),
            unlisted=unlisted_in(now, frame.divisions),
        )

    def _estimate(self, lines: Iterable[Line]) -> Estimate:
        return estimate(lines, self.now.seconds, self.frame.rates, self.now.grounds)

    def _egress(self) -> float | None:
        """Mean megabits a second of the time observed; None if nobody listened."""
        watched = self.now.coverage_seconds
        return sum(line.stream_bytes for line in self.lines) * 8 / 1e6 / watched if watched > 0.0 else None

    def _enterprise(self, line: Line) -> Enterprise | None:
        site = self.now.about(line)
        return site.enterprise if site else None

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
        found = []
        for row in totals(self.lines):
            its = [line for line in self.lines if (line.algorithm, line.work_unit) == (row.algorithm, row.work_unit)]
            counts = (row.addresses, row.machines, row.shares)
            speeds = (row.hashrate_hps, row.mean_hashrate_hps)
            found.append(ByAlgorithm(row.algorithm, row.work_unit, *counts, *speeds, self._estimate(its)))
        return tuple(found)

    def _groups(
        self, key_of: Callable[[Line], str | None], name: Callable[[str | None], str | None] = lambda _: None
    ) -> tuple[Group, ...]:
        """Lines by a key, most addresses first, what is not known last."""
        found: dict[str | None, list[Line]] = {}
        for line in self.lines:
            found.setdefault(key_of(line), []).append(line)
        rows = [self._group(key, name(key), lines) for key, lines in found.items()]
        return tuple(sorted(rows, key=_group_order))

    def _group(self, key: str | None, name: str | None, lines: list[Line]) -> Group:
        addresses = len({line.address for line in lines})
        enterprises = len(groups(lines, self.holders.enterprise_of))
        missing = sum(line.missing_seconds for line in lines)
        part = addresses / self.addresses
        return Group(key, name, addresses, part, enterprises, machines(lines), energy(lines), missing)

    def _by_grade(self) -> tuple[Group, ...]:
        """Every address at its strongest grade, so that the parts make one; strongest first."""
        strongest: dict[str, Grade] = {}
        for line in self.lines:
            strongest[line.address] = max(line.grade, strongest.get(line.address, line.grade))
        rows = self._groups(lambda line: strongest[line.address].label)
        order = [grade.label for grade in sorted(Grade, reverse=True)]
        return tuple(sorted(rows, key=lambda group: order.index(group.key or "")))

    def _mines(self) -> tuple[Mine, ...]:
        """The rows of the mining list, most energy first."""
        mines = map(self._mine, self.lines)
        return tuple(
            sorted(mines, key=lambda mine: (-mine.estimate.energy_kwh.best, mine.address, mine.algorithm or ""))
        )

    def _mine(self, line: Line) -> Mine:
        figures = line.rates
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
            hashrate_hps=figures.hashrate_hps,
            mean_hashrate_hps=figures.mean_hashrate_hps,
            mining_seconds=line.times.mining_seconds,
            observed_seconds=line.times.observed_seconds,
            estimate=self._estimate([line]),
            first_ns=line.first_ns,
            last_ns=line.last_ns,
            new=line.new,
        )

    def _cases(self) -> tuple[CaseRow, ...]:
        """Cases of the region, overdue ones first, then by state and age."""
        rows = []
        for case in self.now.cases:
            if inside(case.site.division if case.site else None, self.frame.divisions):
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


def watched_days(now: Summary, period: Period) -> Iterator[tuple[date, date, Coverage]]:
    """The coverage of each day; of a long period that of stretches of several days."""
    days = list(period.days())
    several = -(-len(days) // MOST_STRETCHES)
    for start in range(0, len(days), several):
        stretch = days[start : start + several]
        yield stretch[0].first, stretch[-1].last, now.coverage.within(stretch[0].from_ns, stretch[-1].to_ns)


def _is_false_alarm(line: Line, now: Summary) -> bool:
    """Whether a line of the period before was called a false alarm since."""
    subjects = {(case.site_id, case.address) for case in now.cases if case.state == "false-alarm"}
    return (line.site_id, None) in subjects or (None, line.address) in subjects


def _group_order(group: Group) -> tuple[bool, int, float, str]:
    """Most addresses first, then most energy; what is not known last."""
    return group.key is None, -group.addresses, -group.energy_kwh.best, group.key or ""


def _case_order(case: CaseRow) -> tuple[bool, int, int, int]:
    """Overdue ones first, then by state and age."""
    return not case.overdue, URGENCY.index(case.state), case.since_ns, case.case_id
