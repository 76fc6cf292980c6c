"""A case as a member of a JSON answer, and the figures of a period by algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from exporters.redaction.persons import without_names
from sensor.answers.casework_object import work_object
from sensor.answers.casework_text import step_text
from sensor.answers.owner_object import enterprise_object, site_object
from sensor.answers.values import bounds, instant, rounded
from sensor.cases import states
from sensor.model.range import sum_of, total
from sensor.model.summary import Case, Line, SiteClass, Summary, Total, totals


def case_object(case: Case, now_ns: int, persons: bool) -> dict[str, object]:
    """A case as lists have it."""
    address = case.address and case.address.rpartition(" ")[2]
    return {
        "case": case.case_id,
        "state": case.state,
        "state_since": instant(case.since_ns),
        "opened_at": instant(case.opened_ns),
        "due_at": instant(case.due_ns),
        "overdue": case.overdue(now_ns),
        "first_seen": instant(case.first_ns),
        "last_seen": instant(case.last_ns),
        "site_id": case.site_id,
        "address": address,
        "shared_address": case.address is not None and case.address != address,
        "enterprise": enterprise_object(case.enterprise, persons),
        "site": site_object(case.enterprise, case.site, persons),
        **work_object(case, persons),
    }


def history_object(case: Case, persons: bool) -> list[dict[str, object]]:
    """What became of a case, oldest first."""
    return [
        {
            "at": instant(change.at_ns),
            "state": change.state,
            "who": change.who,
            "why": without_names(change.why, case.enterprise, case.site, persons),
            "kind": change.kind,
            "did": step_text(change, case, UTC, persons) or None,
        }
        for change in case.changes
    ]


def next_states(case: Case) -> list[str]:
    """The states that a case can go to."""
    return list(states.FOLLOWS[case.state])


def class_object(site_class: SiteClass | None) -> dict[str, object] | None:
    """What kind of place a site is."""
    if site_class is None:
        return None
    return {
        "kind": site_class.kind,
        "confidence": rounded(site_class.confidence),
        "reasons": list(site_class.reasons),
    }


def figures_object(lines: Sequence[Line], period: Summary) -> dict[str, object]:
    """What some lines of a period amount to, by algorithm, and what was watched of it."""
    return {
        "from": instant(period.from_ns),
        "until": instant(period.to_ns),
        "watched_seconds": rounded(period.coverage.seconds),
        "period_seconds": rounded(period.seconds),
        "watched_part": rounded(period.coverage.part),
        "algorithms": [_algorithm(row, lines) for row in totals(lines)],
    }


def _algorithm(row: Total, lines: Sequence[Line]) -> dict[str, object]:
    """The sums of one algorithm; a figure is null where it is not known."""
    its = [line for line in lines if (line.algorithm, line.work_unit) == (row.algorithm, row.work_unit)]
    projected = [line.rates.projected_kwh for line in its if line.rates.projected_kwh is not None]
    return {
        "algorithm": row.algorithm,
        "work_unit": row.work_unit,
        "machines_at_least": row.machines,
        "mining_seconds": rounded(max(line.times.mining_seconds for line in its)),
        "shares": row.shares,
        "hashrate_hps": bounds(row.hashrate_hps),
        "hashrate_is_lower_bound": row.unrated_seconds > 0.0,
        "power_watts": bounds(sum_of(line.rates.power_watts for line in its)),
        "energy_kwh": bounds(row.energy_kwh),
        "energy_is_lower_bound": row.missing_seconds > 0.0,
        "projected_kwh": bounds(total(projected)) if projected else None,
        "unknown_work_seconds": rounded(row.unrated_seconds),
        "unknown_energy_seconds": rounded(row.missing_seconds),
        "assumed_rate_seconds": rounded(row.assumed_seconds),
    }
