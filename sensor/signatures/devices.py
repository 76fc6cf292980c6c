"""What a machine draws: joules a hash of known devices, and the range of an algorithm where the device is not known.
The rows are data.

A row counts for its own class of machines only: what an ASIC needs for a hash is never the figure of a GPU. Where the
class is not known, the range covers all classes whose machines can be what was seen. Joules are at the wall: a row's
own figure times the wall factor of its class. Knows units and names; knows no sessions, and makes nothing up: an
algorithm without a row has no figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sensor.model.quantities import Interval
from sensor.model.text import N_
from sensor.signatures.device_classes import ClassRow, WallFactor, classes_of

PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
#: Makers of Cuckoo Cycle machines count graphs; one in about 42 has a cycle of 42 (John Tromp, "Cuckoo Cycle").
GRAPHS_A_SOLUTION = 42.0
#: Makers give their figures at 25 degrees and within 5 to 10 %.
DEVICE_SPREAD = 0.10
#: Classes whose machines compute one thing only; what the others mine is a program.
ONE_PURPOSE = frozenset({"asic", "asic-hobby"})
#: A machine that was last sold before this is not looked for; one below so many watts is a toy (a microcontroller that
#: hashes), which only its own name brings in.
OLDEST_YEAR, LEAST_WATTS = 2016, 2.0
#: Algorithms whose least hashrate is remembered; a pool may name any.
MAX_REMEMBERED = 64


class Broken(NamedTuple):
    """An example of a table that does not hold."""

    file: str
    line: int
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}: {self.what}"


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Joules at the wall for one hash, as a range, and whose they are."""

    device: str | None  # the model; None for the range of an algorithm
    low_joules: float
    joules: float
    high_joules: float
    source: str
    confidence: str
    classes: tuple[str, ...] = ()  # of machines that the range covers; empty: the row is of any

    def at_the_wall(self, factor: WallFactor, device_class: str) -> Efficiency:
        """The same with losses and overhead of a class of machines."""
        return replace(
            self,
            low_joules=self.low_joules * factor.low,
            joules=self.joules * factor.typical,
            high_joules=self.high_joules * factor.high,
            classes=(device_class,),
        )


class Assessment(NamedTuple):
    """An efficiency, or none; and what has to be said about it."""

    efficiency: Efficiency | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One machine at one algorithm."""

    model: str
    key: str  # the model as it is compared
    maker: str
    algorithm: str
    hashrate_hps: float
    power_watts: float  # as the source has it: at the wall for ASICs, of board or package for others
    source: str
    confidence: str
    device_class: str | None = None
    year: int | None = None
    file: str = "devices"
    line: int = 1

    @property
    def efficiency(self) -> Efficiency:
        """Joules a hash by the row's own figures, before the wall."""
        joules = self.power_watts / self.hashrate_hps
        low, high = joules * (1 - DEVICE_SPREAD), joules * (1 + DEVICE_SPREAD)
        return Efficiency(self.model, low, joules, high, self.source, self.confidence)


@dataclass(frozen=True, slots=True)
class RangeRow:
    """The efficiencies of an algorithm, of all device classes or of some."""

    algorithms: tuple[str, ...]
    classes: tuple[str, ...]
    efficiency: Efficiency
    stated_only: bool = False  # counts only where the agent states the class: nobody would mine so otherwise
    year: int | None = None


@dataclass(frozen=True, slots=True)
class PowerExample:
    """A device or algorithm and the joules, or the watts at a hashrate, that must be found for it."""

    file: str
    line: int
    device: str | None
    algorithm: str
    device_class: str | None
    expect: Mapping[str, object]
    rate_hps: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """All rows in force."""

    devices: tuple[DeviceRow, ...] = ()
    ranges: tuple[RangeRow, ...] = ()
    examples: tuple[PowerExample, ...] = ()
    classes: tuple[ClassRow, ...] = ()
    _least_hps: dict[str, float | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def device(self, name: str | None, algorithm: str | None) -> DeviceRow | None:
        """The machine an agent names: its model as a whole, or followed by nothing but punctuation or something in
        brackets.
        """
        if not name or algorithm is None:
            return None
        key = model_key(name)
        group = self._names(algorithm)
        return next((row for row in self.devices if row.key == key and row.algorithm in group), None)

    def only_algorithm(self, name: str | None) -> str | None:
        """The algorithm of a machine by its model, if all its rows have the same one and it can run no program."""
        key = model_key(name) if name else None
        found = {(row.algorithm, row.device_class) for row in self.devices if row.key == key}
        algorithm, device_class = found.pop() if len(found) == 1 else (None, None)
        return algorithm if device_class in ONE_PURPOSE else None

    def device_class(self, name: str) -> ClassRow | None:
        """The class of that name."""
        return next((row for row in self.classes if row.name == name), None)

    def efficiency(
        self, algorithm: str | None, device: str | None = None, device_class: str | None = None
    ) -> Efficiency | None:
        """Joules a hash: of the device if it is known, else of the algorithm; None if neither has a row."""
        return self.assess(algorithm, device, device_class).efficiency

    def assess(
        self,
        algorithm: str | None,
        device: str | None = None,
        device_class: str | None = None,
        rate: Interval | None = None,
        machines: int = 1,
    ) -> Assessment:
        """Joules a hash for a session of this hashrate, made by at most so many machines, and a note to go with it.

        Without an efficiency the note says why. A class is left out if its machines could not draw what the rate would
        mean for them: 8 TH/s of ethash is no single machine of any class.
        """
        if algorithm is None:
            return Assessment()
        row = self.device(device, algorithm)
        found = [self._at_wall(row.efficiency, row.device_class)] if row else self._ranges(algorithm, device_class)
        if not found:
            elsewhere = any(algorithm in other.algorithms for other in self.ranges)
            nothing = N_("power unknown: no figure for {algorithm} on {device}")
            return Assessment(None, nothing.format(algorithm=algorithm, device=device_class) if elsewhere else None)
        fit = [part for part in found if rate is None or self._sensible(part, rate, machines)]
        if not fit:
            names = ", ".join(name for part in found for name in part.classes) or "machine"
            outside = N_("power unknown: at this hashrate it would be outside of what {devices} can draw")
            return Assessment(None, outside.format(devices=names))
        if len(fit) == 1:
            return Assessment(fit[0])
        names = ", ".join(name for part in fit for name in part.classes)
        covers = N_("device class not known: the power covers {devices}").format(devices=names)
        return Assessment(_envelope(fit), covers)

    def _ranges(self, algorithm: str, stated: str | None) -> list[Efficiency]:
        """For each class that is possible the first row of the algorithm; a row of no class is of any."""
        possible = classes_of(self.classes, stated)
        found: dict[str, Efficiency] = {}
        for row in self.ranges:
            if algorithm not in row.algorithms:
                continue
            if not row.classes:
                return list(found.values()) or [row.efficiency]
            for name in row.classes:
                if row.stated_only:
                    wanted = stated is not None and "-or-" not in stated and stated.partition("-")[0] == name
                else:
                    wanted = possible is None or name in possible
                if wanted and name not in found:
                    found[name] = self._at_wall(row.efficiency, name)
        return list(found.values())

    def _at_wall(self, efficiency: Efficiency, device_class: str | None) -> Efficiency:
        row = self.device_class(device_class) if device_class else None
        return efficiency.at_the_wall(row.wall, row.name) if row else efficiency

    def _sensible(self, efficiency: Efficiency, rate: Interval, machines: int) -> bool:
        rows = [row for name in efficiency.classes if (row := self.device_class(name))]
        if not rows:
            return True
        least, most = min(row.least_watts for row in rows), max(row.most_watts for row in rows) * machines
        return rate.high * efficiency.high_joules >= least and rate.best * efficiency.joules <= most

    def smallest_hps(self, algorithm: str, device: str | None = None) -> float | None:
        """The least hashrate of a machine sold for an algorithm in the last ten years, in hashes a second, and of a
        device that is named, whatever it is; None if no machine is known."""
        if algorithm not in self._least_hps:
            if len(self._least_hps) >= MAX_REMEMBERED:
                self._least_hps.clear()
            group = self._names(algorithm)
            self._least_hps[algorithm] = min(
                (
                    row.hashrate_hps
                    for row in self.devices
                    if row.algorithm in group
                    and (row.year is None or row.year >= OLDEST_YEAR)
                    and row.power_watts >= LEAST_WATTS
                ),
                default=None,
            )
        least, own = self._least_hps[algorithm], self.device(device, algorithm)
        if own is None:
            return least
        return own.hashrate_hps if least is None else min(least, own.hashrate_hps)

    def _names(self, algorithm: str) -> set[str]:
        """The algorithm by all names that have the same joules a hash."""
        return {algorithm}.union(*(row.algorithms for row in self.ranges if algorithm in row.algorithms))

    def add(self, other: DeviceTable) -> DeviceTable:
        """Both, the first before the other's."""
        return DeviceTable(
            self.devices + other.devices,
            self.ranges + other.ranges,
            self.examples + other.examples,
            self.classes + other.classes,
        )


def _envelope(parts: list[Efficiency]) -> Efficiency:
    """From the best of all to the worst of all; what is usual stands first."""
    return Efficiency(
        None,
        min(part.low_joules for part in parts),
        parts[0].joules,
        max(part.high_joules for part in parts),
        "; ".join(part.source for part in parts),
        min((part.confidence for part in parts), key=("low", "medium", "high").index),
        tuple(name for part in parts for name in part.classes),
    )


def model_key(name: str) -> str:
    """A model's name as it is compared: case, blanks, hyphens and a closing full stop do not matter."""
    return re.sub(r"[\s_-]+", " ", name).strip(" .,;|/").lower()


def per_second(unit: str) -> float | None:
    """Hashes (or solutions) a second in one of a unit: `TH/s`, `kSol/s`, `G/s`, `graph/s`."""
    if unit == "graph/s":
        return 1.0 / GRAPHS_A_SOLUTION
    found = re.fullmatch(r"([kMGTPE]?)(?:H|Sol)?/s", unit)
    return PREFIXES[found[1]] if found else None


def joules_each(unit: str) -> float | None:
    """Joules a hash (or solution) in one of a unit: `J/TH` is 1e-12."""
    if unit == "J/graph":
        return GRAPHS_A_SOLUTION
    found = re.fullmatch(r"J/([kMGTPE]?)(?:H|Sol)", unit)
    return 1.0 / PREFIXES[found[1]] if found else None
