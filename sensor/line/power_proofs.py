"""Proves the tables of devices: their own examples, and that no row and no example of a dialect stands for a power
outside of what its class of machines can draw.

Knows formulas and tables; runs no pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sensor.model.finding import Finding
from sensor.model.quantities import Interval
from sensor.signatures.devices import Broken, DeviceTable, PowerExample

#: A share takes a machine at least the first and at most the second, in seconds. A first difficulty may be far too low
#: for a large machine; no pool lets anybody wait for more than some hours.
SHARE_SECONDS = (1e-7, 86_400.0)
#: A node asks for whole blocks, for which one machine may take years.
BLOCKS_ONLY = frozenset({"getblocktemplate"})


def power_failures(table: DeviceTable) -> list[Broken]:
    """Every example of the tables that does not hold, and every device outside of its class."""
    wrong = [Broken(*place, what) for place, what in _examples(table)]
    for row in table.devices:
        bounds = table.device_class(row.device_class) if row.device_class else None
        if row.device_class and table.classes and bounds is None:
            wrong.append(Broken(row.file, row.line, row.model, f"class {row.device_class!r} is not known"))
        if bounds and not bounds.least_watts <= row.power_watts * bounds.wall.typical <= bounds.most_watts:
            limits = f"{bounds.least_watts:g} to {bounds.most_watts:g} W"
            what = f"{row.power_watts:g} W is not what {bounds.name} draws, {limits}"
            wrong.append(Broken(row.file, row.line, row.model, what))
    return wrong


def _examples(table: DeviceTable) -> Iterator[tuple[tuple[str, int, str], str]]:
    for example in table.examples:
        place = (example.file, example.line, example.device or example.algorithm)
        for what in _differences(table, example):
            yield place, what


def _differences(table: DeviceTable, example: PowerExample) -> Iterator[str]:
    rate = None if example.rate_hps is None else Interval(example.rate_hps, example.rate_hps, example.rate_hps, 1.0)
    found = table.assess(example.algorithm, example.device, example.device_class, rate).efficiency
    model = found.device if found else None
    if "model" in example.expect and model != example.expect["model"]:
        yield f"model is {model!r}, expected {example.expect['model']!r}"
    joules, wanted = (found.joules if found else None), example.expect.get("joules", ...)
    if wanted is not ... and not _near(joules, wanted):
        yield f"joules is {joules!r}, expected {wanted!r}"
    bounds = example.expect.get("watts", ...)
    if bounds is ... or example.rate_hps is None:
        return
    watts = None if joules is None else joules * example.rate_hps
    if bounds is None and watts is not None:
        yield f"watts is {watts:g}, and no power may be given"
    elif isinstance(bounds, tuple) and (watts is None or not bounds[0] <= watts <= bounds[1]):
        yield f"watts is {watts if watts is None else round(watts, 3)}, expected {bounds[0]:g} to {bounds[1]:g}"


def _near(actual: float | None, wanted: object) -> bool:
    if actual is None or not isinstance(wanted, int | float):
        return actual is None and wanted is None
    return math.isclose(actual, wanted, rel_tol=1e-3)


def senseless(table: DeviceTable, finding: Finding) -> str | None:
    """What is wrong with the work of a share by the power it stands for; None if a machine could have done it.

    A share costs joules; a machine of the class needs between `SHARE_SECONDS` for it at what it may draw.
    """
    if finding.algorithm is None or not finding.hashes_per_share or finding.aggregator is not None:
        return None
    if finding.dialect in BLOCKS_ONLY:
        return None
    fewest, longest = SHARE_SECONDS
    hashes = finding.hashes_per_share
    slow, fast = hashes / longest, hashes / fewest
    rate = Interval(slow, slow, fast, 1.0)
    found = table.assess(finding.algorithm, finding.device, finding.device_class, rate)
    if found.efficiency is None and found.note and "outside" in found.note:
        return f"{hashes:g} hashes a share of {finding.algorithm} are outside of physical sense: {found.note}"
    return None
