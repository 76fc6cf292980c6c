"""What a machine draws: joules a hash of known devices, and the range of an algorithm where the device is not known.
The rows are data.

Knows units and names; knows no sessions, and makes nothing up: an algorithm without a row has no figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sensor.signatures.located import YamlEntry

DEVICE_FILE_KEYS = ("kind", "name", "description", "references", "devices", "examples")
DEVICE_KEYS = ("model", "maker", "algorithm", "hashrate", "unit", "power_watts", "year", "note", "source", "confidence")
RANGE_FILE_KEYS = ("kind", "name", "description", "references", "efficiencies", "examples")
RANGE_KEYS = ("algorithms", "classes", "low", "typical", "high", "unit", "note", "source", "confidence")
CONFIDENCES = ("high", "medium", "low")
PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
#: Makers give their figures at 25 degrees and within 5 to 10 %.
DEVICE_SPREAD = 0.10
#: A machine that was last sold before this is not looked for; one below so many watts is a toy (a microcontroller that
#: hashes), which only its own name brings in.
OLDEST_YEAR, LEAST_WATTS = 2016, 2.0


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
    """Joules for one hash, as a range, and whose they are."""

    device: str | None  # the model; None for the range of an algorithm
    low_joules: float
    joules: float
    high_joules: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One machine at one algorithm."""

    model: str
    key: str  # the model as it is compared
    maker: str
    algorithm: str
    hashrate_hps: float
    power_watts: float
    source: str
    confidence: str
    year: int | None = None  # of its release


@dataclass(frozen=True, slots=True)
class RangeRow:
    """The efficiencies of an algorithm, of all device classes or of some."""

    algorithms: tuple[str, ...]
    classes: tuple[str, ...]
    efficiency: Efficiency


@dataclass(frozen=True, slots=True)
class PowerExample:
    """A device or algorithm and the joules that must be found for it."""

    file: str
    line: int
    device: str | None
    algorithm: str
    device_class: str | None
    expect: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """All rows in force."""

    devices: tuple[DeviceRow, ...] = ()
    ranges: tuple[RangeRow, ...] = ()
    examples: tuple[PowerExample, ...] = ()

    def device(self, name: str | None, algorithm: str | None) -> DeviceRow | None:
        """The machine an agent names: its model as a whole, or followed by nothing but punctuation or something in
        brackets.
        """
        if not name or algorithm is None:
            return None
        key = _key(name)
        group = self._names(algorithm)
        return next((row for row in self.devices if row.key == key and row.algorithm in group), None)

    def efficiency(
        self, algorithm: str | None, device: str | None = None, device_class: str | None = None
    ) -> Efficiency | None:
        """Joules a hash: of the device if it is known, else of the algorithm; None if neither has a row."""
        row = self.device(device, algorithm)
        if row is not None:
            joules = row.power_watts / row.hashrate_hps
            return Efficiency(
                row.model,
                joules * (1 - DEVICE_SPREAD),
                joules,
                joules * (1 + DEVICE_SPREAD),
                row.source,
                row.confidence,
            )
        for candidate in self.ranges:
            if algorithm in candidate.algorithms and (
                not candidate.classes or _of_class(device_class, candidate.classes)
            ):
                return candidate.efficiency
        return None

    def smallest_hps(self, algorithm: str, device: str | None = None) -> float | None:
        """The least hashrate of a machine sold for an algorithm in the last ten years, in hashes a second, and of a
        device that is named, whatever it is; None if no machine is known."""
        group = self._names(algorithm)
        own = self.device(device, algorithm)
        rates = [
            row.hashrate_hps
            for row in self.devices
            if row.algorithm in group
            and (row.year is None or row.year >= OLDEST_YEAR)
            and row.power_watts >= LEAST_WATTS
        ]
        return min([*rates, *([own.hashrate_hps] if own is not None else [])], default=None)

    def _names(self, algorithm: str) -> set[str]:
        """The algorithm by all names that have the same joules a hash."""
        return {algorithm}.union(*(row.algorithms for row in self.ranges if algorithm in row.algorithms))

    def add(self, other: DeviceTable) -> DeviceTable:
        """Both, the first before the other's."""
        return DeviceTable(self.devices + other.devices, self.ranges + other.ranges, self.examples + other.examples)

    def failures(self) -> list[Broken]:
        """Every example that does not hold."""
        wrong = []
        for example in self.examples:
            found = self.efficiency(example.algorithm, example.device, example.device_class)
            place = (example.file, example.line, example.device or example.algorithm)
            model = found.device if found else None
            if "model" in example.expect and model != example.expect["model"]:
                wrong.append(Broken(*place, f"model is {model!r}, expected {example.expect['model']!r}"))
            joules, wanted = (found.joules if found else None), example.expect.get("joules", ...)
            if wanted is not ... and not _near(joules, wanted):
                wrong.append(Broken(*place, f"joules is {joules!r}, expected {wanted!r}"))
        return wrong


def _near(actual: float | None, wanted: object) -> bool:
    if actual is None or not isinstance(wanted, int | float):
        return actual is None and wanted is None
    return math.isclose(actual, wanted, rel_tol=1e-3)


def _of_class(device_class: str | None, classes: tuple[str, ...]) -> bool:
    """gpu stands for gpu-nvidia, too, but cpu-or-gpu is neither."""
    return device_class is not None and any(
        device_class == name or (name == "gpu" and device_class.startswith("gpu-")) for name in classes
    )


def _key(name: str) -> str:
    """A model's name as it is compared: case, blanks, hyphens and a closing full stop do not matter."""
    return re.sub(r"[\s_-]+", " ", name).strip(" .,;|/").lower()


def per_second(unit: str) -> float | None:
    """Hashes (or solutions) a second in one of a unit: `TH/s`, `kSol/s`, `G/s`."""
    found = re.fullmatch(r"([kMGTPE]?)(?:H|Sol)?/s", unit)
    return PREFIXES[found[1]] if found else None


def joules_each(unit: str) -> float | None:
    """Joules a hash in one of a unit: `J/TH` is 1e-12."""
    found = re.fullmatch(r"J/([kMGTPE]?)(?:H|Sol)", unit)
    return 1.0 / PREFIXES[found[1]] if found else None


def compile_devices(entry: YamlEntry, file: str) -> DeviceTable:
    """One file of machines."""
    entry.only(DEVICE_FILE_KEYS)
    rows = [row for item in _items(entry, "devices") if (row := _device(item)) is not None]
    return DeviceTable(devices=tuple(rows), examples=_examples(entry, file, ("device", "algorithm", "model", "joules")))


def compile_efficiencies(entry: YamlEntry, file: str) -> DeviceTable:
    """One file of ranges by algorithm."""
    entry.only(RANGE_FILE_KEYS)
    rows = [row for item in _items(entry, "efficiencies") if (row := _range(item)) is not None]
    return DeviceTable(ranges=tuple(rows), examples=_examples(entry, file, ("algorithm", "class", "joules")))


def _items(entry: YamlEntry, key: str) -> list[YamlEntry]:
    if key not in entry.keys:
        entry.fail(f"{key} is missing")
        return []
    return [item for item in entry.keys[key].each() if item.is_map()]


def _device(entry: YamlEntry) -> DeviceRow | None:
    entry.only(DEVICE_KEYS)
    unit = per_second(entry.text("unit"))
    hashrate, power = _amount(entry, "hashrate"), _amount(entry, "power_watts")
    if unit is None:
        entry.keys.get("unit", entry).fail("must be a unit such as TH/s or kSol/s")
    if unit is None or hashrate is None or power is None:
        return None
    model = entry.text("model")
    return DeviceRow(
        model=model,
        key=_key(model),
        maker=entry.text("maker"),
        algorithm=entry.text("algorithm"),
        hashrate_hps=hashrate * unit,
        power_watts=power,
        source=entry.text("source"),
        confidence=entry.choice("confidence", CONFIDENCES),
        year=_year(entry),
    )


def _year(entry: YamlEntry) -> int | None:
    value = entry.keys["year"].scalar if "year" in entry.keys else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _range(entry: YamlEntry) -> RangeRow | None:
    entry.only(RANGE_KEYS)
    unit = joules_each(entry.text("unit"))
    if unit is None:
        entry.keys.get("unit", entry).fail("must be a unit such as J/TH or J/kSol")
    low, typical, high = (_amount(entry, key) for key in ("low", "typical", "high"))
    if unit is None or low is None or typical is None or high is None:
        return None
    if not low <= typical <= high:
        entry.fail("low, typical and high must be in this order")
    algorithms = entry.texts("algorithms")
    if not algorithms:
        entry.fail("algorithms is missing")
    efficiency = Efficiency(
        None, low * unit, typical * unit, high * unit, entry.text("source"), entry.choice("confidence", CONFIDENCES)
    )
    return RangeRow(algorithms, entry.texts("classes"), efficiency)


def _amount(entry: YamlEntry, key: str) -> float | None:
    value = entry.keys[key].scalar if key in entry.keys else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        entry.keys.get(key, entry).fail(f"{key} must be a number above 0 (write 2.0e+6, not 2e6)")
        return None
    return float(value)


def _examples(entry: YamlEntry, file: str, keys: tuple[str, ...]) -> tuple[PowerExample, ...]:
    found = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(keys)
            expect: dict[str, object] = {key: item.keys[key].scalar for key in ("model", "joules") if key in item.keys}
            found.append(
                PowerExample(
                    file, item.line, item.optional("device"), item.text("algorithm"), item.optional("class"), expect
                )
            )
    if not found:
        entry.fail("examples is missing: a file carries its own proof")
    return tuple(found)
