"""The files of machines, efficiencies and device classes, read into a table. Every mistake is a sentence with its line.

Knows the keys of these files; looks nothing up.
"""

from __future__ import annotations

from sensor.signatures.device_classes import ClassRow, WallFactor
from sensor.signatures.devices import (
    DeviceRow,
    DeviceTable,
    Efficiency,
    PowerExample,
    RangeRow,
    joules_each,
    model_key,
    per_second,
)
from sensor.signatures.located import YamlEntry

DEVICE_FILE_KEYS = ("kind", "name", "description", "references", "devices", "examples")
DEVICE_KEYS = (
    "model",
    "maker",
    "class",
    "algorithm",
    "hashrate",
    "unit",
    "power_watts",
    "year",
    "note",
    "source",
    "confidence",
)
RANGE_FILE_KEYS = ("kind", "name", "description", "references", "efficiencies", "examples")
RANGE_KEYS = (
    "algorithms",
    "classes",
    "stated_only",
    "low",
    "typical",
    "high",
    "unit",
    "year",
    "note",
    "source",
    "confidence",
)
CLASS_FILE_KEYS = ("kind", "name", "description", "references", "classes", "examples")
CLASS_KEYS = ("class", "agents", "least_watts", "most_watts", "wall", "source", "confidence")
WALL_KEYS = ("low", "typical", "high")
#: Above any miner.
MOST_HPS = 1e20
CONFIDENCES = ("high", "medium", "low")
#: No machine of before the first specialised ones is in the table.
OLDEST_YEAR, LATEST_YEAR = 2009, 2100


def compile_devices(entry: YamlEntry, file: str) -> DeviceTable:
    """One file of machines."""
    entry.only(DEVICE_FILE_KEYS)
    keys = ("device", "algorithm", "hps", "model", "joules", "watts")
    rows = [row for item in _items(entry, "devices") if (row := _device(item, file)) is not None]
    return DeviceTable(devices=tuple(rows), examples=_examples(entry, file, keys))


def compile_efficiencies(entry: YamlEntry, file: str) -> DeviceTable:
    """One file of ranges by algorithm."""
    entry.only(RANGE_FILE_KEYS)
    keys = ("algorithm", "class", "hps", "joules", "watts")
    rows = [row for item in _items(entry, "efficiencies") if (row := _range(item)) is not None]
    return DeviceTable(ranges=tuple(rows), examples=_examples(entry, file, keys))


def _items(entry: YamlEntry, key: str) -> list[YamlEntry]:
    if key not in entry.keys:
        entry.fail(f"{key} is missing")
        return []
    return [item for item in entry.keys[key].each() if item.is_map()]


def _device(entry: YamlEntry, file: str) -> DeviceRow | None:
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
        key=model_key(model),
        maker=entry.text("maker"),
        algorithm=entry.text("algorithm"),
        hashrate_hps=hashrate * unit,
        power_watts=power,
        source=entry.text("source"),
        confidence=entry.choice("confidence", CONFIDENCES),
        device_class=entry.optional("class"),
        year=_year(entry),
        file=file,
        line=entry.line,
    )


def _year(entry: YamlEntry) -> int | None:
    return entry.number("year", None, OLDEST_YEAR, LATEST_YEAR) if "year" in entry.keys else None


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
    stated_only = "stated_only" in entry.keys and entry.keys["stated_only"].scalar is True
    return RangeRow(algorithms, entry.texts("classes"), efficiency, stated_only, _year(entry))


def compile_classes(entry: YamlEntry, file: str) -> DeviceTable:
    """One file of device classes."""
    entry.only(CLASS_FILE_KEYS)
    rows = [row for item in _items(entry, "classes") if (row := _class(item)) is not None]
    return DeviceTable(
        classes=tuple(rows), examples=_examples(entry, file, ("algorithm", "class", "hps", "joules", "watts"))
    )


def _class(entry: YamlEntry) -> ClassRow | None:
    entry.only(CLASS_KEYS)
    least, most = _amount(entry, "least_watts"), _amount(entry, "most_watts")
    wall = entry.keys.get("wall")
    if wall is None or not wall.is_map():
        entry.fail("wall is missing: low, typical and high")
        return None
    wall.only(WALL_KEYS)
    low, typical, high = (_amount(wall, key) for key in WALL_KEYS)
    entry.choice("confidence", CONFIDENCES)
    if least is None or most is None or low is None or typical is None or high is None:
        return None
    if not least < most:
        entry.fail("least_watts must be below most_watts")
    if not 1 <= low <= typical <= high:
        wall.fail("low, typical and high must be in this order, and at least 1")
    factor = WallFactor(low, typical, high)
    return ClassRow(entry.text("class"), entry.texts("agents"), least, most, factor, entry.text("source"))


def _amount(entry: YamlEntry, key: str, most: float = 1e12) -> float | None:
    value = entry.keys[key].scalar if key in entry.keys else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < most:
        entry.keys.get(key, entry).fail(f"{key} must be a number above 0 (write 2.0e+6, not 2e6)")
        return None
    return float(value)


def _examples(entry: YamlEntry, file: str, keys: tuple[str, ...]) -> tuple[PowerExample, ...]:
    found = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(keys)
            expect: dict[str, object] = {key: item.keys[key].scalar for key in ("model", "joules") if key in item.keys}
            if "watts" in item.keys:
                expect["watts"] = _bounds(item.keys["watts"])
            rate = _amount(item, "hps", MOST_HPS) if "hps" in item.keys else None
            if "watts" in expect and rate is None:
                item.fail("watts needs hps, the hashrate")
            device, device_class = item.optional("device"), item.optional("class")
            found.append(PowerExample(file, item.line, device, item.text("algorithm"), device_class, expect, rate))
    if not found:
        entry.fail("examples is missing: a file carries its own proof")
    return tuple(found)


def _bounds(entry: YamlEntry) -> tuple[float, float] | None:
    """Two numbers of watts between which the best guess must lie; null: there must be none."""
    if entry.shape == "scalar" and entry.scalar is None:
        return None
    numbers = [float(item.scalar) for item in entry.items if isinstance(item.scalar, int | float)]
    if len(numbers) != 2 or not 0 < numbers[0] < numbers[1]:
        entry.fail("must be two numbers, or null where no power may be given")
        return None
    return numbers[0], numbers[1]
