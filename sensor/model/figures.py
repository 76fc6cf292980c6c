"""The figures of a bulletin: sums over a summary of the ledger, by algorithm, coin, place, kind of owner and
enterprise. Plain data.

`sensor/bulletin` makes it, `exporters/forms/documents/bulletin.py` writes it. Nothing is rounded here. What is not
known, or not observed, is None. Energy is what was seen in the period, or is named projected. Times are nanoseconds
since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from sensor.model.coverage import Coverage, Grounds
from sensor.model.evidence import Grade
from sensor.model.range import Range
from sensor.model.summary import Kind, State
from sensor.model.time import SECOND_NS

Verdict = Literal["consistent", "inconsistent", "not-comparable"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What a kilowatt-hour stands for."""

    co2_kg_per_kwh: float
    surcharge_yuan_per_kwh: float


_NONE = Range()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What mining costs. Energy is 0 throughout where none of it is known; `missing_seconds` above 0 makes it, and all
    that follows from it, a lower bound."""

    energy_kwh: Range = _NONE  # seen
    power_watts: Range | None = None  # while the miners mine
    mean_power_watts: Range | None = None  # of the time observed
    projected_kwh: Range | None = None  # of the whole period, observed or not; this and the next two: None, if too
    day_kwh: Range | None = None  # little was watched
    week_kwh: Range | None = None
    co2_kg: Range = _NONE  # of the energy seen
    surcharge_yuan: Range = _NONE  # on the energy seen
    missing_seconds: float = 0.0  # of mining that was watched, and whose energy is not known
    unrated_seconds: float = (
        0.0  # of mining that was watched, and whose work is not known: above 0 hashrates are bounds
    )
    assumed_seconds: float = 0.0  # of mining at unknown work, taken to be at the login's own rate of other times


@dataclass(frozen=True, slots=True)
class Turnover:
    """What became of a number: before + new + back - gone - unobserved = now."""

    before: int  # in the period before, of the same length
    new: int  # never seen before
    back: int  # seen before, but not in the period before
    gone: int  # not seen any more, though the sensors that saw it listened
    unobserved: int  # not seen any more, and too little was watched to say that it is gone
    now: int


@dataclass(frozen=True, slots=True)
class ByAlgorithm:
    """One algorithm; its hashrate is never added to another's."""

    algorithm: str | None
    work_unit: str
    addresses: int
    machines: int
    shares: int
    hashrate_hps: Range | None  # of its miners while they mine
    mean_hashrate_hps: Range | None  # of the time observed
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Group:
    """Addresses that have something in common: a coin, a city, a kind of owner, a class of site, a grade."""

    key: str | None  # None: not known
    name: str | None  # where the key is a code, what it means
    addresses: int
    part: float  # of all addresses
    enterprises: int
    machines: int
    energy_kwh: Range
    missing_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Owner:
    """An enterprise or a person as a bulletin may show it. A person has no name here, nor an address, unless it was
    asked for.
    """

    name: str | None
    person: bool = False
    uscc: str | None = None
    category: str | None = None
    premises: str | None = None
    division: str | None = None  # six digits
    division_name: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """One enterprise or person with everything that mines there."""

    owner: Owner
    kind: Kind  # of the site that takes most energy
    confidence: float
    sites: int
    addresses: int
    machines: int
    algorithms: tuple[str, ...]
    coins: tuple[str, ...]
    grade: Grade  # the strongest
    estimate: Estimate
    growth: float | None  # of energy against the period before; None: not seen then, or not both were watched
    first_ns: int
    last_ns: int
    new: bool  # nothing of it in the period before, nor earlier
    state: State | None = None  # of its case; of several the one that is furthest from its end


@dataclass(frozen=True, slots=True)
class Mine:
    """One address by one algorithm: a row of the mining list."""

    address: str
    owner: Owner | None
    algorithm: str | None
    work_unit: str
    coins: tuple[str, ...]
    pools: tuple[str, ...]
    grade: Grade
    machines: int
    shares: int
    accepted: int
    hashrate_hps: Range | None  # while it was watched mining
    mean_hashrate_hps: Range | None  # of the time observed
    mining_seconds: float  # watched mining
    observed_seconds: float  # sensors that see it listened
    estimate: Estimate
    first_ns: int
    last_ns: int
    new: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as it stood at the end of the period."""

    case_id: int
    owner: Owner | None
    address: str | None
    state: State
    since_ns: int
    due_ns: int | None
    overdue: bool
    last_ns: int  # mining last seen


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One finding to be checked, which is in no other figure (`sensor/model/unproven.py`)."""

    address: str
    owner: Owner | None
    pool: str | None  # address:port
    pool_name: str | None
    dialect: str | None  # None: it rests on an encrypted session
    confidence: float
    p: float | None  # how often chance alone would look like this
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is so: a code that documents have sentences for, with the figures that belong into them."""

    code: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeterCheck:
    """Metered load of one enterprise or site beside the load that its mining should be."""

    meter: str  # what the file calls it
    verdict: Verdict
    reasons: tuple[Reason, ...]
    measured_kwh: float | None  # in the part of the period that has readings
    expected_kwh: Range | None  # mining in the same time
    owner: Owner | None = None
    metered_share: float = 0.0  # part of the period that has readings
    evenness: float | None = None  # mean load by highest load
    step_watts: Range | None = None  # rise of the load when mining began
    fall_watts: Range | None = None  # fall of the load when mining stopped


@dataclass(frozen=True, slots=True)
class Figures:
    """All of a bulletin. [first, last] are days of the time zone, both included."""

    first: date
    last: date
    from_ns: int
    to_ns: int
    timezone: str
    week: str | None  # ISO 8601, "2026-W10", where the period is one
    region: str | None  # code of the division, None: everywhere
    region_name: str | None
    rates: Rates
    persons_named: bool

    address_turnover: Turnover
    enterprise_turnover: Turnover
    persons: int
    addresses_unowned: int  # whose holder is not known
    machines: int
    egress_mbit_s: float | None  # mean of the time observed
    estimate: Estimate
    before_kwh: Range  # seen in the period before
    growth: float | None  # of energy against the period before; None: not both were watched
    coins: tuple[str, ...]
    days: tuple[tuple[date, Range], ...]  # energy seen

    by_algorithm: tuple[ByAlgorithm, ...]
    by_coin: tuple[Group, ...]
    by_city: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    by_class: tuple[Group, ...]
    by_grade: tuple[Group, ...]
    holders: tuple[Holder, ...]  # most energy first
    gone: tuple[Holder, ...]  # of the period before; their estimate is of then
    unobserved: tuple[Holder, ...]  # the same, of which too little was watched to say that they are gone
    mines: tuple[Mine, ...]
    cases: tuple[CaseRow, ...]
    meters: tuple[MeterCheck, ...] | None  # None: no meter was given

    coverage: Coverage
    coverage_before: Coverage
    watched_days: tuple[tuple[date, date, Coverage], ...]  # the period in days, or in stretches of days, first and last
    grounds: Grounds
    capture_loss: float
    elsewhere: int  # addresses left out because their place is not in the region, or not known
    notes: tuple[str, ...] = ()
    to_check: tuple[CheckRow, ...] = ()  # by address
    unlisted: int = 0  # more of them, which `findings.least_grade` suppresses

    @property
    def addresses(self) -> int:
        """Addresses that mine."""
        return self.address_turnover.now

    @property
    def addresses_new(self) -> int:
        """Of them, those that were never seen before."""
        return self.address_turnover.new

    @property
    def addresses_gone(self) -> int:
        """Addresses of the period before that are not seen any more, though it was listened for them."""
        return self.address_turnover.gone

    @property
    def enterprises(self) -> int:
        """Enterprises at which is mined; private persons are not among them."""
        return self.enterprise_turnover.now

    @property
    def watched(self) -> bool:
        """Whether enough was watched for anything to follow beyond what was seen."""
        return self.coverage.part > 0.0 and self.coverage.part >= self.grounds.least_watched

    @property
    def seconds(self) -> float:
        """Length of the period."""
        return (self.to_ns - self.from_ns) / SECOND_NS
