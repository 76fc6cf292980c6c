"""The figures of a bulletin: sums over a summary of the ledger, by algorithm, coin, place, kind of owner and
enterprise. Plain data.

`sensor/bulletin` makes it, `exporters/forms/documents/bulletin.py` writes it. Nothing is rounded here. Energy is what
was seen in the period; rates (hashrate, watts, kWh a day) are means of the time in which the sensor listened. Times are
nanoseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from sensor.model.evidence import Grade
from sensor.model.summary import Kind, Range, State
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
    """What mining costs: energy seen in the period, and the same as power, a day, a week, CO2 and surcharge."""

    energy_kwh: Range = _NONE
    power_watts: Range = _NONE
    day_kwh: Range = _NONE
    week_kwh: Range = _NONE
    co2_kg: Range = _NONE  # of the energy seen
    surcharge_yuan: Range = _NONE  # on the energy seen


@dataclass(frozen=True, slots=True)
class ByAlgorithm:
    """One algorithm; its hashrate is never added to another's."""

    algorithm: str | None
    work_unit: str
    addresses: int
    machines: int
    shares: int
    hashrate_hps: Range
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
    before_kwh: float | None  # best estimate of the period before; None: nothing was seen then
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
    hashrate_hps: Range
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

    addresses: int
    addresses_before: int
    addresses_new: int
    addresses_gone: int
    addresses_unowned: int  # whose holder is not known
    enterprises: int
    enterprises_before: int
    persons: int
    machines: int
    egress_mbit_s: float
    estimate: Estimate
    before_kwh: Range
    coins: tuple[str, ...]
    days: tuple[tuple[date, Range], ...]  # energy

    by_algorithm: tuple[ByAlgorithm, ...]
    by_coin: tuple[Group, ...]
    by_city: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    by_class: tuple[Group, ...]
    by_grade: tuple[Group, ...]
    holders: tuple[Holder, ...]  # most energy first
    gone: tuple[Holder, ...]  # of the period before; their estimate is of then
    mines: tuple[Mine, ...]
    cases: tuple[CaseRow, ...]
    meters: tuple[MeterCheck, ...] | None  # None: no meter was given

    coverage_seconds: float  # time in which the sensor listened; 0: not known
    capture_loss: float
    elsewhere: int  # addresses left out because their place is not in the region, or not known
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the period."""
        return (self.to_ns - self.from_ns) / SECOND_NS
