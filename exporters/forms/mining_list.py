"""The mining list for power companies and telecom offices, as CSV or JSON: a row for each address, site and algorithm.

Hashrate and power are those of the time in which a miner was watched mining. Energy is what was seen, and beside it
what is projected to the whole period. Pure. Persons are not named unless asked for. A text cell that a spreadsheet
would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from exporters.forms.amounts import significant
from exporters.redaction.persons import shown_name, shown_site
from sensor.model.attribution import Enterprise
from sensor.model.casework import MACHINE_KINDS, CaseWork, FieldResult
from sensor.model.range import Range
from sensor.model.summary import SECONDS_PER_HOUR, Case, Line, Summary
from sensor.model.time import moment

#: A cell that begins so may be run by the program that opens the file (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Digits of estimates: bounds are rarely nearer than a per cent.
DIGITS = 4
KILO = 1_000.0
COLUMNS = (
    "case",
    "case_state",
    "enterprise",
    "uscc",
    "category",
    "division",
    "division_name",
    "site_address",
    "site_class",
    "site_class_confidence",
    "ip",
    "algorithm",
    "coins",
    "pools",
    "machines_at_least",
    "grade",
    "first_seen",
    "last_seen",
    "hours_mining",
    "hours_observed",
    "hours_of_period",
    "shares",
    "shares_of_unknown_work",
    "hashrate_low",
    "hashrate_best",
    "hashrate_high",
    "hashrate_unit",
    "hashrate_mean_best",
    "power_kw",
    "mean_power_kw",
    "energy",
    "energy_kwh_low",
    "energy_kwh_best",
    "energy_kwh_high",
    "energy_chance_down",
    "energy_chance_up",
    "energy_rest_down",
    "energy_rest_up",
    "projected_kwh_low",
    "projected_kwh_best",
    "projected_kwh_high",
    "hours_of_unknown_work",
    "hours_of_unknown_energy",
    "hours_at_assumed_rate",
    "capture_loss",
    "new",
    "period_from",
    "period_to",
    "case_assignee",
    "case_conclusion",
    "case_measures",
    "found_asics",
    "found_gpus",
    "found_cpus",
    "found_others",
    "found_hours",
    "found_kwh",
)


def rows(summary: Summary, zone: tzinfo, persons: bool = False) -> Iterator[dict[str, Any]]:
    """A row for each line, most energy first; times in the zone, None for what is not known."""
    ends = {"period_from": _time_text(summary.from_ns, zone), "period_to": _time_text(summary.to_ns, zone)}
    for line in sorted(summary.lines, key=lambda line: (-line.energy_kwh.best, line.address, line.algorithm or "")):
        hours = {"hours_of_period": significant(summary.seconds / SECONDS_PER_HOUR)}
        found = _found(summary.case(line))
        yield {**_whose(summary, line, persons), **_what(line, zone), **hours, **_figures(line), **ends, **found}


def as_csv(summary: Summary, zone: tzinfo, persons: bool = False) -> str:
    """The list as CSV (RFC 4180) with a head, after a byte order mark, by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows(summary, zone, persons):
        writer.writerow({name: _cell(row[name]) for name in COLUMNS})
    return "\ufeff" + text.getvalue()


def as_json(summary: Summary, zone: tzinfo, persons: bool = False) -> str:
    """The list as one JSON object: the period, and the rows with typed values."""
    head = {
        "period_from": _time_text(summary.from_ns, zone),
        "period_to": _time_text(summary.to_ns, zone),
        "watched": significant(summary.coverage.part, DIGITS),
        "projected": summary.watched,
        "notes": list(summary.notes),
    }
    return json.dumps({**head, "rows": list(rows(summary, zone, persons))}, ensure_ascii=True, indent=1) + "\n"


def _whose(summary: Summary, line: Line, persons: bool) -> dict[str, Any]:
    about, case = summary.about(line), summary.case(line)
    owner: Enterprise | None = about.enterprise if about else None
    hidden = owner is not None and owner.individual and not persons
    site = shown_site(owner, about.site if about else None, persons)
    return {
        "case": case.case_id if case else None,
        "case_state": case.state if case else None,
        "enterprise": None if owner is None else shown_name(owner, persons),
        "uscc": owner.uscc if owner and not hidden else None,
        "category": owner.category if owner else None,
        "division": site.division if site else None,
        "division_name": site.division_name if site else None,
        "site_address": site.address if site else None,
        "site_class": about.site_class.kind if about else None,
        "site_class_confidence": about.site_class.confidence if about else None,
    }


def _found(case: Case | None) -> dict[str, Any]:
    """What was concluded of its case, and found at the place beside the estimate; of all of the case, not of the
    line."""
    work = CaseWork() if case is None else case.work
    found = work.field_result or FieldResult()
    counts = {each.kind: each.count for each in found.machines}
    machines = {f"found_{kind}s": counts.get(kind) for kind in MACHINE_KINDS}
    return {
        "case_assignee": work.assignee,
        "case_conclusion": work.conclusion,
        "case_measures": " ".join(work.measures) or None,
        **machines,
        "found_hours": found.hours,
        "found_kwh": found.kwh,
    }


def _what(line: Line, zone: tzinfo) -> dict[str, Any]:
    return {
        "ip": line.address,
        "algorithm": line.algorithm,
        "coins": " ".join(line.coins),
        "pools": " ".join(line.pools),
        "machines_at_least": line.machines,
        "grade": line.grade.label,
        "first_seen": _time_text(line.first_ns, zone),
        "last_seen": _time_text(line.last_ns, zone),
        "shares": line.shares,
        "shares_of_unknown_work": line.unknown_shares,
        "capture_loss": significant(line.capture_loss),
        "new": line.new,
    }


def _figures(line: Line) -> dict[str, Any]:
    """Hashrate and power while it was watched mining, their means over the time observed, energy seen and projected.
    What is not known is None, and `energy` says so."""
    figures, kwh = line.rates, line.energy_kwh
    chance, rest = kwh.chance, kwh.rest
    return {
        "hours_mining": significant(line.times.mining_seconds / SECONDS_PER_HOUR, DIGITS),
        "hours_observed": significant(line.times.observed_seconds / SECONDS_PER_HOUR, DIGITS),
        **_bounds("hashrate", figures.hashrate_hps),
        "hashrate_unit": f"{line.work_unit}/s",
        "hashrate_mean_best": _best(figures.mean_hashrate_hps),
        "power_kw": _best(figures.power_watts, KILO),
        "mean_power_kw": _best(figures.mean_power_watts, KILO),
        "energy": _energy_is(line),
        **_bounds("energy_kwh", figures.energy_kwh),
        "energy_chance_down": None if chance is None else significant(chance.down, 2),
        "energy_chance_up": None if chance is None else significant(chance.up, 2),
        "energy_rest_down": None if rest is None else significant(rest.down, 2),
        "energy_rest_up": None if rest is None else significant(rest.up, 2),
        **_bounds("projected_kwh", figures.projected_kwh),
        "hours_of_unknown_work": significant(line.unrated_seconds / SECONDS_PER_HOUR, DIGITS),
        "hours_of_unknown_energy": significant(line.missing_seconds / SECONDS_PER_HOUR, DIGITS),
        "hours_at_assumed_rate": significant(line.assumed_seconds / SECONDS_PER_HOUR, DIGITS),
    }


def _energy_is(line: Line) -> str:
    """What the energy of a row is: all that was seen, a lower bound of it, or not known."""
    if line.energy_kwh.high <= 0.0:
        return "unknown"
    return "at least" if line.missing_seconds > 0.0 else "seen"


def _bounds(name: str, value: Range | None) -> dict[str, float | None]:
    ends = (None, None, None) if value is None else (value.low, value.best, value.high)
    named = zip(("low", "best", "high"), ends, strict=True)
    return {f"{name}_{end}": None if figure is None else significant(figure, DIGITS) for end, figure in named}


def _best(value: Range | None, scale: float = 1.0) -> float | None:
    return None if value is None else significant(value.best / scale, DIGITS)


def _time_text(ns: int, zone: tzinfo) -> str:
    return moment(ns, zone).isoformat()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = value.encode("utf-8", "backslashreplace").decode()
        return f"'{text}" if text.startswith(FORMULA) else text
    return value
