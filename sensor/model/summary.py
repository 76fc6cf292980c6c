"""What a ledger knows of a period: who mined where, how much, and the state of the cases. Plain data; knows no SQL.

The ledger answers with a `Summary` (`sensor/ledger/read/periods.py`); bulletins and lists are made of it. Hashrates and
work are of one algorithm and are never added to those of another; energy may be added over all. Times are nanoseconds
since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.model.attribution import Enterprise, Site
from sensor.model.case_state import State as State
from sensor.model.casework import NO_WORK, CaseWork, StepDetails, StepKind
from sensor.model.coverage import Coverage, Grounds
from sensor.model.evidence import Grade
from sensor.model.range import Range as Range
from sensor.model.range import sum_of, total
from sensor.model.rates import MinerRates, MiningTimes, rates
from sensor.model.time import SECOND_NS
from sensor.model.unproven import Unlisted, Unproven

Kind = Literal["mine", "hosting", "data-centre-mine", "intruded", "household", "proxy", "unclear"]

SECONDS_PER_HOUR = 3_600.0
NS = SECOND_NS


@dataclass(frozen=True, slots=True)
class SiteClass:
    """What kind of place a site is, how sure, and why."""

    kind: Kind  # "hosting": a data centre with mining tenants; "data-centre-mine": one payee's farm in its range
    confidence: float  # 0..1
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a case: who put it into this state, when and why."""

    at_ns: int
    state: State
    who: str
    why: str
    kind: StepKind | None = None
    details: StepDetails | None = None  # what it wrote beside its sentence


@dataclass(frozen=True, slots=True)
class Case:
    """What is being done about one site, or about an address whose owner nobody knows."""

    case_id: int
    state: State
    since_ns: int  # when it came into this state
    opened_ns: int
    due_ns: int | None  # when the next step should have been taken; None where none is awaited
    site_id: int | None
    address: str | None  # where no owner is known; of a subscriber behind one "one of several behind" it
    enterprise: Enterprise | None
    site: Site | None
    first_ns: int  # mining seen, first and last
    last_ns: int
    changes: tuple[Change, ...] = ()  # oldest first
    work: CaseWork = NO_WORK  # by its changes

    def overdue(self, now_ns: int) -> bool:
        """Whether the next step should have been taken by now."""
        return self.due_ns is not None and self.due_ns < now_ns


class CaseSubject(NamedTuple):
    """What a case is of: a site, or (0 and) an address."""

    site_id: int
    address: str


class Place(NamedTuple):
    """What a line is of."""

    address: str
    site_id: int  # 0: nobody is named
    algorithm: str  # "": not known


@dataclass(frozen=True, slots=True)
class Line:
    """One address of a site mining by one algorithm in the period. A suppressed finding (allow-list), or one below
    `speaks`, is in none."""

    address: str
    site_id: int | None  # into Summary.sites; None: nobody is named
    algorithm: str | None
    work_unit: str  # "hashes" or "solutions"
    coins: tuple[str, ...]  # those known, sorted
    pools: tuple[str, ...]  # the catalogue's name, else host:port as it was asked for, else address:port; sorted
    dialects: tuple[str, ...]
    grade: Grade
    machines: int  # at least so many
    first_ns: int  # mining by this algorithm first seen, ever
    last_ns: int  # last seen within the period, to the hour
    seconds: float  # the connections' time within the period, summed over findings
    sessions: int
    shares: int  # submitted
    accepted: int
    work_hashes: float  # behind the shares that were seen: a sum over events
    hashes: Range  # estimated work, capture loss made up for
    energy_kwh: Range  # seen
    stream_bytes: int  # of the mining connections, without headers
    capture_loss: float
    new: bool  # nothing of this address, site and algorithm before the period
    case_id: int | None
    times: MiningTimes  # within the period
    sensors: tuple[str, ...] = ()  # that saw it, ever; empty: not known
    address_new: bool = False  # nothing of this address before the period, whatever it did
    address_machines: int | None = None  # at least so many of its algorithm at the address, whoever holds it
    unknown_shares: int = 0  # of the shares, those whose work is not known
    unknown_seconds: float = 0.0  # watched mining at unknown work: in no figure
    assumed_seconds: float = 0.0  # watched mining at unknown work, taken to be at the login's own rate of other times

    @property
    def place(self) -> Place:
        """What it is of."""
        return Place(self.address, self.site_id or 0, self.algorithm or "")

    @property
    def rates(self) -> MinerRates:
        """Its hashrate, power and energy."""
        return rates(self.hashes, self.energy_kwh, self.times)

    @property
    def unrated_seconds(self) -> float:
        """Of the time it was watched mining, that whose work is not known; above 0 the hashrate is a lower bound."""
        return self._without(self.hashes)

    @property
    def missing_seconds(self) -> float:
        """Of the time it was watched mining, that whose energy is not known, for the work is not, or what a hash takes;
        above 0 the energy is a lower bound."""
        unpriced = self.times.unpriced_seconds if self.energy_kwh.most > 0.0 else 0.0
        return self._without(self.energy_kwh) + unpriced

    def _without(self, figure: Range) -> float:
        if figure.most <= 0.0 and self.shares:
            return max(self.unknown_seconds, self.times.mining_seconds)
        return self.unknown_seconds


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """One site with what is known of it beyond the lines."""

    site_id: int
    enterprise: Enterprise | None
    site: Site | None
    site_class: SiteClass
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over lines of one algorithm."""

    algorithm: str | None
    work_unit: str
    addresses: int
    machines: int
    shares: int
    work_hashes: float
    hashrate_hps: Range | None  # of its miners while they mine
    mean_hashrate_hps: Range | None  # of the time observed
    energy_kwh: Range
    missing_seconds: float  # of mining whose energy is not known
    unrated_seconds: float  # of mining whose work is not known
    assumed_seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A period [from_ns, to_ns): an hour of the roll-ups belongs to the period in which it begins, so periods add
    up."""

    from_ns: int
    to_ns: int
    lines: tuple[Line, ...]  # by site, address, algorithm
    gone: tuple[Line, ...]  # of the period before, of the same length: sensors listened, and nothing is seen any more
    sites: dict[int, SiteSummary]
    cases: tuple[Case, ...]  # those open at any time of the period, with their changes up to its end
    coverage: Coverage
    capture_loss: float  # mean of the lines', by the time they were watched
    notes: tuple[str, ...] = field(default=())  # what the reader should know of the figures
    unobserved: tuple[Line, ...] = ()  # of the period before; nothing is seen, for too little was watched
    grounds: Grounds = field(default=Grounds())
    to_check: tuple[Unproven, ...] = ()  # in no line, nor in any other figure
    unlisted: tuple[Unlisted, ...] = ()  # more of that, suppressed

    def about(self, line: Line) -> SiteSummary | None:
        """The site of a line; None where nobody is named."""
        return None if line.site_id is None else self.sites.get(line.site_id)

    @property
    def seconds(self) -> float:
        """Length of the period."""
        return (self.to_ns - self.from_ns) / NS

    @property
    def coverage_seconds(self) -> float:
        """How long at least one sensor listened; 0: the period was not observed."""
        return self.coverage.seconds

    @property
    def watched(self) -> bool:
        """Whether enough was watched for anything to follow beyond what was seen."""
        return self.coverage.part > 0.0 and self.coverage.part >= self.grounds.least_watched

    @property
    def addresses(self) -> int:
        """Different addresses that mined."""
        return len({line.address for line in self.lines})

    @property
    def enterprises(self) -> int:
        """Different enterprises named."""
        owners = (self.sites[line.site_id].enterprise for line in self.lines if line.site_id is not None)
        return len({enterprise.enterprise_id for enterprise in owners if enterprise is not None})

    @property
    def energy_kwh(self) -> Range:
        """Over all algorithms: energy may be added."""
        return energy(self.lines)

    def totals(self) -> tuple[Total, ...]:
        """One for each algorithm, most energy first."""
        return totals(self.lines)

    def case(self, line: Line) -> Case | None:
        """The case a line belongs to."""
        return next((case for case in self.cases if case.case_id == line.case_id), None)


def energy(lines: Iterable[Line]) -> Range:
    """Energy of lines of any algorithm."""
    return total(line.energy_kwh for line in lines)


def machines_by_address(lines: Iterable[Line]) -> dict[str, int]:
    """At least so many machines of each address: one that switched algorithms has the same ones, and one that changed
    hands, or whose holder is not always known, is no second one.
    """
    groups: dict[tuple[str, str | None], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.address, line.algorithm), []).append(line)
    most: dict[str, int] = {}
    for (address, _), group in groups.items():
        its = sum(line.machines for line in group)
        counted = [line.address_machines for line in group if line.address_machines is not None]
        if counted:
            its = min(its, max([*counted, *(line.machines for line in group)]))
        most[address] = max(its, most.get(address, 0))
    return most


def machines(lines: Iterable[Line]) -> int:
    """At least so many machines over all addresses."""
    return sum(machines_by_address(lines).values())


def totals(lines: Iterable[Line]) -> tuple[Total, ...]:
    """Sums over lines, one for each algorithm and unit of work, most energy first; never across them."""
    groups: dict[tuple[str | None, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.algorithm, line.work_unit), []).append(line)
    sums = [_total(algorithm, unit, group) for (algorithm, unit), group in groups.items()]
    return tuple(sorted(sums, key=lambda each: (-each.energy_kwh.best, each.algorithm or "")))


def _total(algorithm: str | None, unit: str, group: list[Line]) -> Total:
    return Total(
        algorithm=algorithm,
        work_unit=unit,
        addresses=len({line.address for line in group}),
        machines=machines(group),
        shares=sum(line.shares for line in group),
        work_hashes=sum(line.work_hashes for line in group),
        hashrate_hps=sum_of(line.rates.hashrate_hps for line in group),
        mean_hashrate_hps=sum_of(line.rates.mean_hashrate_hps for line in group),
        energy_kwh=energy(group),
        missing_seconds=sum(line.missing_seconds for line in group),
        unrated_seconds=sum(line.unrated_seconds for line in group),
        assumed_seconds=sum(line.assumed_seconds for line in group),
    )
