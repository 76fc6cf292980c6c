"""What `minewatch ledger show` says of hashrate, power and energy: the figures of every other output, over which time,
and whether seen or projected.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.amounts import counted, duration, percent, quantity, rate_unit
from sensor.model.range import Range, sum_of, total
from sensor.model.summary import Line, Summary, Total, totals
from sensor.model.text import printable


def texts(lines: Sequence[Line], period: Summary) -> list[str]:
    """One line of text for each algorithm of these lines, and one for what they rest on; none without lines."""
    if not lines:
        return []
    found = [text for row in totals(lines) for text in _of_algorithm(row, lines)]
    hours = f"{period.coverage.seconds / 3_600:.4g} of {period.seconds / 3_600:.4g} h watched"
    part = f"{percent(period.coverage.part)} of the sensors' hours"
    return [*found, f"{hours}, {part}" + ("" if period.watched else ": nothing is projected")]


def _of_algorithm(row: Total, lines: Sequence[Line]) -> list[str]:
    its = [line for line in lines if (line.algorithm, line.work_unit) == (row.algorithm, row.work_unit)]
    least = "at least " if row.missing_seconds > 0.0 else ""
    least_rate = "at least " if row.unrated_seconds > 0.0 else ""
    unit, mining = rate_unit(row.work_unit), max(line.times.mining_seconds for line in its)
    name = printable(row.algorithm or "algorithm not known", "·")
    watts = [line.rates.power_watts for line in its if line.rates.power_watts is not None]
    projected = [line.rates.projected_kwh for line in its if line.rates.projected_kwh is not None]
    hashrate, power = _shown(row.hashrate_hps, unit, least_rate), _shown(sum_of(watts), "W", least)
    texts = [
        f"{name}: at least {counted(row.machines, 'machine')}, hashrate {hashrate} while mining, power {power}, "
        f"watched mining for {duration(mining)}",
        f"{name}: energy seen {_shown(row.energy_kwh, 'kWh', least)}"
        + (f", projected to the whole period {_shown(total(projected), 'kWh', least)}" if projected else ""),
    ]
    if row.unrated_seconds > 0.0:
        texts.append(f"{name}: of {duration(row.unrated_seconds)} of mining the work is not known")
    unpriced = row.missing_seconds - row.unrated_seconds
    if unpriced > 0.0:
        texts.append(f"{name}: of {duration(unpriced)} of mining what a hash takes is not known, so its energy is not")
    if row.assumed_seconds > 0.0:
        texts.append(f"{name}: {duration(row.assumed_seconds)} of it at the login's own rate of other times")
    return texts


def _shown(value: Range | None, unit: str, least: str) -> str:
    """A figure with its bounds; "unknown" where there is none."""
    if value is None or value.high <= 0.0:
        return "unknown"
    if unit == "kWh":
        return f"{least}{value.best:.3g} kWh ({value.low:.3g} to {value.high:.3g})"
    return f"{least}{quantity(value.best, unit)} ({quantity(value.low, unit)} to {quantity(value.high, unit)})"
