"""What `minewatch ledger show` says of hashrate, power and energy: the figures of every other output, over which time,
and whether seen or projected.
"""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.amounts import digits, digits_of, duration, percent, quantity, rate_unit
from exporters.forms.documents.languages import ENGLISH, Language
from sensor.model.range import Range, sum_of, total
from sensor.model.summary import Line, Summary, Total, totals
from sensor.model.text import N_, printable

#: A figure with its bounds, and one that is a lower bound.
FIGURE, LEAST = N_("{best} ({low} to {high})"), N_("at least {best} ({low} to {high})")


def texts(lines: Sequence[Line], period: Summary, language: Language = ENGLISH) -> list[str]:
    """One line of text for each algorithm of these lines, and one for what they rest on; none without lines."""
    if not lines:
        return []
    found = [text for row in totals(lines) for text in _of_algorithm(row, lines, language)]
    form = N_("{watched} of {hours} h watched, {part} of the sensors' hours")
    if not period.watched:
        form = N_("{watched} of {hours} h watched, {part} of the sensors' hours: nothing is projected")
    basis = language.translate(form).format(
        watched=f"{period.coverage.seconds / 3_600:.4g}",
        hours=f"{period.seconds / 3_600:.4g}",
        part=percent(period.coverage.part),
    )
    return [*found, basis]


def _of_algorithm(row: Total, lines: Sequence[Line], language: Language) -> list[str]:
    _ = language.translate
    its = [line for line in lines if (line.algorithm, line.work_unit) == (row.algorithm, row.work_unit)]
    name = printable(row.algorithm or _("algorithm not known"), "·")
    watts = [line.rates.power_watts for line in its if line.rates.power_watts is not None]
    projected = [line.rates.projected_kwh for line in its if line.rates.projected_kwh is not None]
    partial = row.missing_seconds > 0.0
    rate = figure_text(row.hashrate_hps, rate_unit(row.work_unit), row.unrated_seconds > 0.0, language)
    mining = _(MINING_ONE if row.machines == 1 else MINING).format(
        name=name,
        count=f"{row.machines:,}",
        rate=rate,
        power=figure_text(sum_of(watts), "W", partial, language),
        time=duration(max(line.times.mining_seconds for line in its)),
    )
    energy = _(SEEN_AND_PROJECTED if projected else SEEN).format(
        name=name,
        seen=figure_text(row.energy_kwh, "kWh", partial, language),
        projected=figure_text(total(projected), "kWh", partial, language) if projected else "",
    )
    return [mining, energy, *_missing(row, name, language)]


MINING_ONE = N_(
    "{name}: at least {count} machine, hashrate {rate} while mining, power {power}, watched mining for {time}"
)
MINING = N_("{name}: at least {count} machines, hashrate {rate} while mining, power {power}, watched mining for {time}")
SEEN = N_("{name}: energy seen {seen}")
SEEN_AND_PROJECTED = N_("{name}: energy seen {seen}, projected to the whole period {projected}")


def _missing(row: Total, name: str, language: Language) -> list[str]:
    """Of which time something is not known, or taken from elsewhere."""
    unpriced = row.missing_seconds - row.unrated_seconds
    forms = (
        (row.unrated_seconds, N_("{name}: of {time} of mining the work is not known")),
        (unpriced, N_("{name}: of {time} of mining what a hash takes is not known, so its energy is not")),
        (row.assumed_seconds, N_("{name}: {time} of it at the login's own rate of other times")),
    )
    return [
        language.translate(form).format(name=name, time=duration(seconds)) for seconds, form in forms if seconds > 0.0
    ]


def figure_text(value: Range | None, unit: str, partial: bool, language: Language) -> str:
    """A figure with its bounds; "unknown" where there is none."""
    if value is None or value.high <= 0.0:
        return language.translate(N_("unknown"))
    count = digits_of(value.low, value.best, value.high)
    if unit == "kWh":  # documents and meters have it so, whatever its size
        low, middle, high = (digits(amount, count) for amount in (value.low, value.best, value.high))
        middle = f"{middle} {unit}"
    else:
        low, middle, high = (quantity(amount, unit, count) for amount in (value.low, value.best, value.high))
    return language.translate(LEAST if partial else FIGURE).format(best=middle, low=low, high=high)
