"""The mining list for power companies and telecom offices, as CSV or JSON: a row for each address, site and algorithm.

Pure. Persons are not named unless asked for. A text cell that a spreadsheet would take for a formula gets an apostrophe
before it.
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
from sensor.model.summary import SECONDS_PER_HOUR, Line, Summary
from sensor.model.time import moment

#: A cell that begins so may be run by the program that opens the file (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
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
    "shares",
    "hashrate_low",
    "hashrate_best",
    "hashrate_high",
    "hashrate_unit",
    "energy_kwh_low",
    "energy_kwh_best",
    "energy_kwh_high",
    "mean_power_kw",
    "capture_loss",
    "new",
    "period_from",
    "period_to",
)


def rows(summary: Summary, zone: tzinfo, persons: bool = False) -> Iterator[dict[str, Any]]:
    """A row for each line, most energy first; times in the zone, None for what is not known."""
    ends = {"period_from": _time_text(summary.from_ns, zone), "period_to": _time_text(summary.to_ns, zone)}
    for line in sorted(summary.lines, key=lambda line: (-line.energy_kwh.best, line.address, line.algorithm or "")):
        yield {
            **_whose(summary, line, persons),
            **_what(line, zone),
            "mean_power_kw": _kilowatts(summary, line),
            **ends,
        }


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
        "hours_mining": significant(line.seconds / SECONDS_PER_HOUR),
        "shares": line.shares,
        "hashrate_low": significant(line.hashrate_hps.low),
        "hashrate_best": significant(line.hashrate_hps.best),
        "hashrate_high": significant(line.hashrate_hps.high),
        "hashrate_unit": f"{line.work_unit}/s",
        "energy_kwh_low": significant(line.energy_kwh.low),
        "energy_kwh_best": significant(line.energy_kwh.best),
        "energy_kwh_high": significant(line.energy_kwh.high),
        "capture_loss": significant(line.capture_loss),
        "new": line.new,
    }


def _kilowatts(summary: Summary, line: Line) -> float:
    return significant(line.energy_kwh.best / (summary.seconds / SECONDS_PER_HOUR))


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
