"""Who mines in a simulated province with many sensors, where and when, drawn by a seed: enterprises with premises,
subscribers whose addresses change, machines that come and go, sensors that fail; and enterprises that do not mine,
about whom something is reported all the same.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from tests.province.roster import (
    DESKTOP,
    GPU_RIG,
    KS5M,
    L7,
    M50S,
    POOLS,
    S19_PRO,
    S19_XP,
    S21,
    Z15,
    ZONE,
    Device,
)

#: Monday, 2 March 2026, midnight in the province.
FIRST_NS = int(datetime(2026, 3, 2, tzinfo=ZONE).timestamp()) * SECOND_NS
DEVICES = (S21, S19_PRO, S19_XP, M50S, L7, KS5M, Z15, DESKTOP, GPU_RIG)
DIALECTS = {"sha256d": "stratum-v1", "scrypt": "stratum-v1", "kheavyhash": "kaspa", "rx/0": "cryptonote"}
COINS = {"sha256d": "BTC", "scrypt": "LTC", "kheavyhash": "KAS", "rx/0": "XMR", "ethash": "ETC"}
CITIES = ("苏州市", "无锡市", "南京市", "徐州市", "常州市", "南通市")
PROVINCE = "江苏省"
#: Of all shares; those are no proof to the pool.
REJECTED = 0.005
Span = tuple[int, int]  # nanoseconds, the end not included
Kind = Literal["mining", "suppressed", "observer", "probe", "attempt"]


@dataclass(frozen=True)
class Holder:
    """Whose addresses they are."""

    name: str
    category: Literal["企业", "个人"]
    account: str | None = None  # of a subscriber: its address is leased


@dataclass(frozen=True)
class Premises:
    """Where a holder's machines stand, and which sensors see them."""

    holder: Holder | None  # None: its addresses stand in no book
    text: str
    city: str
    sensors: tuple[int, ...]


@dataclass(frozen=True)
class Stay:
    """How long a machine had an address."""

    address: str
    span: Span


@dataclass(frozen=True)
class ManyMachine:
    """One machine, or what only looks like one."""

    number: int
    premises: Premises
    device: Device
    rate_hps: float
    watts: float
    share_s: float  # mean time between two shares
    on: tuple[Span, ...]
    stays: tuple[Stay, ...]
    kind: Kind = "mining"

    @property
    def login(self) -> str:
        """As it signs in."""
        return f"wallet{self.number // 40:05d}.m{self.number}"

    @property
    def pool(self) -> str:
        """Its pool's address."""
        return POOLS[self.device.algorithm].address


@dataclass(frozen=True)
class SensorPlan:
    """When a sensor listened, each span a process of its own, and which part of the bytes it loses."""

    number: int
    up: tuple[Span, ...]
    loss: float

    @property
    def sensor_id(self) -> str:
        """Its name."""
        return f"sensor-{self.number:04d}"


@dataclass(frozen=True)
class Roster:
    """The whole province."""

    days: int
    sensors: tuple[SensorPlan, ...]
    machines: tuple[ManyMachine, ...]
    end_ns: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "end_ns", FIRST_NS + self.days * DAY_NS)

    def of_kind(self, *kinds: Kind) -> list[ManyMachine]:
        """Machines of some kinds."""
        return [machine for machine in self.machines if machine.kind in kinds]

    @property
    def addresses(self) -> set[str]:
        """Where anybody truly mines, allowed or not."""
        return {stay.address for machine in self.of_kind("mining") for stay in machine.stays}


def make_roster(sensors: int, addresses: int, days: int, seed: str, dark_days: tuple[int, int] | None = None) -> Roster:
    """Draw a province with so many mining addresses. In the dark days, from one up to another, no sensor listens."""
    draw = _Draw(sensors, days, np.random.default_rng([*seed.encode()]))
    plans = tuple(draw.sensor(number, dark_days) for number in range(sensors))
    while len(draw.taken) < addresses:
        draw.premises(addresses)
    for number in range(max(4, addresses // 20)):
        draw.innocent(number)
    return Roster(days, plans, tuple(draw.machines))


class _Draw:
    """The draw while it goes on."""

    def __init__(self, sensors: int, days: int, rng: np.random.Generator) -> None:
        self.sensors, self.days, self.rng = sensors, days, rng
        self.end_ns = FIRST_NS + days * DAY_NS
        self.machines: list[ManyMachine] = []
        self.taken: set[str] = set()  # addresses of those that mine
        self.holders = 0
        self._leased: list[tuple[str, int]] = []  # leased addresses that somebody left, and when
        self._fixed = self._pool = 0

    def sensor(self, number: int, dark_days: tuple[int, int] | None) -> SensorPlan:
        """Restarts within minutes, and of some an outage of days; the last sensor is lost for good at half-time."""
        gaps: list[Span] = []
        for _ in range(int(self.rng.integers(1, 3))):
            at = self._moment(0.05, 0.95)
            gaps.append((at, at + int(self.rng.integers(60, 600)) * SECOND_NS))
        if self.rng.random() < 0.25:
            at = self._moment(0.1, 0.8)
            gaps.append((at, at + int(self.rng.uniform(0.5, 3) * DAY_NS)))
        if number == self.sensors - 1:
            gaps.append((FIRST_NS + self.days * DAY_NS // 2, self.end_ns))
        if dark_days is not None:
            gaps.append((FIRST_NS + dark_days[0] * DAY_NS, FIRST_NS + dark_days[1] * DAY_NS))
        loss = float(self.rng.choice([0.0, 0.0, 0.0, 0.0, 0.02]))
        return SensorPlan(number, tuple(without([(FIRST_NS, self.end_ns)], gaps)), loss)

    def premises(self, most: int) -> None:
        """One more holder with its machines."""
        drawn = self.rng.random()
        if drawn < 0.06:
            place = self._premises(None, self._seen_by())
            self._machine(place, (Stay(self._fixed_address(), (FIRST_NS, self.end_ns)),))
            return
        self.holders += 1
        if drawn < 0.30:
            category: Literal["企业", "个人"] = "个人" if drawn < 0.18 else "企业"
            name = f"示例用户{self.holders:05d}" if category == "个人" else f"示例商行{self.holders:05d}"
            place = self._premises(Holder(name, category, f"kd-{self.holders:05d}"), self._seen_by())
            self._machine(place, self._leases())
            return
        holder = Holder(f"示例{self.holders:05d}有限公司", "企业")
        for _ in range(int(self.rng.choice([1, 1, 1, 2, 3]))):
            place = self._premises(holder, self._seen_by())
            for _ in range(int(self.rng.choice([1, 1, 2, 3, 6]))):
                if len(self.taken) >= most:
                    return
                stays = (Stay(self._fixed_address(), (FIRST_NS, self.end_ns)),)
                for _ in range(int(self.rng.choice([1, 1, 1, 1, 1, 2]))):
                    self._machine(place, stays)

    def innocent(self, number: int) -> None:
        """An enterprise that does not mine, or may: nobody is to read its name."""
        kind: Kind = ("observer", "probe", "attempt", "suppressed")[number % 4]  # type: ignore[assignment]
        place = self._premises(Holder(f"无辜{number:05d}有限公司", "企业"), self._seen_by())
        address = f"203.0.{113 + number // 250}.{number % 250 + 1}"
        self._machine(place, (Stay(address, (FIRST_NS, self.end_ns)),), kind)

    def _machine(self, place: Premises, stays: tuple[Stay, ...], kind: Kind = "mining") -> None:
        device = DEVICES[int(self.rng.integers(len(DEVICES)))]
        factor = float(self.rng.uniform(0.85, 1.05))
        watts = device.watts * factor * float(self.rng.uniform(0.97, 1.03))
        share_s = float(self.rng.uniform(1_800, 3_600))
        number = len(self.machines)
        rate = device.rate_hps * factor
        self.machines.append(ManyMachine(number, place, device, rate, watts, share_s, self._habit(), stays, kind))
        if kind == "mining":
            self.taken |= {stay.address for stay in stays}

    def _habit(self) -> tuple[Span, ...]:
        """When it is switched on."""
        begin_ns = FIRST_NS + int(self.rng.uniform(0, 2 * HOUR_NS))
        drawn = self.rng.random()
        if drawn < 0.60:
            return ((begin_ns, self.end_ns),)
        if drawn < 0.64:
            nights = [(FIRST_NS + day * DAY_NS - 2 * HOUR_NS, FIRST_NS + day * DAY_NS + 8 * HOUR_NS)
                      for day in range(self.days + 1)]  # fmt: skip
            return tuple((max(start, FIRST_NS), min(end, self.end_ns)) for start, end in nights)
        if drawn < 0.78:
            return ((begin_ns, self._moment(0.25, 0.75)),)
        if drawn < 0.86:
            return ((self._moment(0.1, 0.75), self.end_ns),)
        if drawn < 0.93:
            leaves = self._moment(0.2, 0.4)
            return ((begin_ns, leaves), (leaves + int(self.days * DAY_NS * self.rng.uniform(0.3, 0.45)), self.end_ns))
        spans: list[Span] = []
        for _ in range(int(self.rng.integers(2, 5))):
            at = self._moment(0.0, 0.9)
            spans.append((at, min(self.end_ns, at + int(self.rng.uniform(0.5, 2.5) * DAY_NS))))
        return tuple(joined(spans))

    def _leases(self) -> tuple[Stay, ...]:
        """An address that changes some times: a fresh one, or one that somebody left a day ago or earlier."""
        cuts = sorted(self._moment(0.05, 0.95) for _ in range(int(self.rng.integers(0, 4))))
        borders = [FIRST_NS, *cuts, self.end_ns]
        stays = []
        for start, end in itertools.pairwise(borders):
            free = [entry for entry in self._leased if entry[1] + DAY_NS < start]
            if free and self.rng.random() < 0.3:
                entry = free[int(self.rng.integers(len(free)))]
                self._leased.remove(entry)
                address = entry[0]
            else:
                address = f"198.19.{self._pool >> 8 & 255}.{self._pool & 255}"
                self._pool += 1
            self._leased.append((address, end))
            stays.append(Stay(address, (start, end)))
        return tuple(stays)

    def _premises(self, holder: Holder | None, sensors: tuple[int, ...]) -> Premises:
        number = int(self.rng.integers(10_000_000))
        city = CITIES[int(self.rng.integers(len(CITIES)))]
        return Premises(holder, f"{city}示例路{number}号", city, sensors)

    def _seen_by(self) -> tuple[int, ...]:
        """A sensor; for some places two or three, of which all see the same connections."""
        count = min(self.sensors, int(self.rng.choice([1, 2, 3], p=[0.70, 0.25, 0.05])))
        return tuple(sorted(int(number) for number in self.rng.choice(self.sensors, count, replace=False)))

    def _fixed_address(self) -> str:
        self._fixed += 1
        return f"198.18.{self._fixed >> 8 & 255}.{self._fixed & 255}"

    def _moment(self, low: float, high: float) -> int:
        return FIRST_NS + int(self.rng.uniform(low, high) * self.days * DAY_NS) // SECOND_NS * SECOND_NS


def joined(spans: list[Span]) -> list[Span]:
    """Spans in order, those that meet as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def without(spans: list[Span], gaps: list[Span]) -> list[Span]:
    """What is left of spans."""
    left = joined(spans)
    for start, end in joined(gaps):
        cut = [part for one in left for part in ((one[0], min(one[1], start)), (max(one[0], end), one[1]))]
        left = [part for part in cut if part[0] < part[1]]
    return sorted(left)


def common(spans: list[Span], others: list[Span]) -> list[Span]:
    """What lies in both."""
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in spans for b in others)
    return sorted(pair for pair in pairs if pair[0] < pair[1])


def seconds(spans: list[Span]) -> float:
    """How long spans that lie apart are."""
    return sum(end - start for start, end in spans) / SECOND_NS
