"""Records of the interface: what the lists and sheets of the console show, as objects for programs. What the command
line has, too, has the same keys here (`sensor/answers`). Persons have no name, code or street, whoever asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from exporters.redaction.attribution import without_persons
from sensor.answers.case_object import case_object, class_object, figures_object, history_object, next_states
from sensor.answers.finding_object import finding_object
from sensor.answers.owner_object import enterprise_object, site_object
from sensor.answers.sensor_object import policy_object, sensor_state
from sensor.answers.shared_object import shared_object
from sensor.answers.values import bounds, instant, rounded
from sensor.console.desk import Visit
from sensor.console.pages.findings import suppressed_text
from sensor.console.pages.overview import by_division, owners_counted
from sensor.estimate.costs import estimate
from sensor.ledger.read.lists.owners import ListedAddress, ListedEnterprise, ListedSite, Seen
from sensor.ledger.read.lists.records import ListedFinding
from sensor.ledger.read.lists.shared import ListedShared
from sensor.ledger.read.owners import AddressOwner
from sensor.ledger.read.sensors import SensorSummary
from sensor.model.summary import Case, Line, machines
from sensor.model.time import MILLISECOND_NS

#: A record: keys and values of JSON.
JsonRecord = dict[str, Any]
#: Keys that lead to an officer: who did something, what in words, and whose a case is.
OFFICERS = frozenset({"who", "did", "assignee"})


def without_officers(record: JsonRecord) -> JsonRecord:
    """The record without them: they are persons, too, and stand in the audit."""
    return {name: value for name, value in record.items() if name not in OFFICERS}


def basis_record(visit: Visit) -> JsonRecord:
    """What figures of an answer rest on: the week, and how much of it was watched."""
    summary = visit.week.summary
    return {
        "from": instant(summary.from_ns),
        "until": instant(summary.to_ns),
        "time_zone": visit.desk.zone.key,
        "watched_seconds": rounded(summary.coverage.seconds),
        "period_seconds": rounded(summary.seconds),
        "watched_part": rounded(summary.coverage.part),
        "watched_enough": summary.watched,
    }


def amounts_record(visit: Visit, lines: Sequence[Line]) -> JsonRecord | None:
    """What lines of the week come to; null where nothing was seen in it."""
    if not lines:
        return None
    week, desk = visit.week.summary, visit.desk
    its = estimate(lines, week.seconds, desk.rates, desk.grounds)
    return {
        "machines_at_least": machines(lines),
        "mining_seconds": rounded(max(line.times.mining_seconds for line in lines)),
        "power_watts": bounds(its.power_watts),
        "energy_kwh": bounds(its.energy_kwh),
        "energy_is_lower_bound": its.missing_seconds > 0.0,
        "projected_kwh": bounds(its.projected_kwh),
    }


def figures_record(visit: Visit, lines: Sequence[Line]) -> JsonRecord:
    """The week of one thing: in all, and by algorithm; hashrates of different ones are never added."""
    return {**figures_object(lines, visit.week.summary), "total": amounts_record(visit, lines)}


def seen_record(seen: Seen) -> JsonRecord:
    """How much was ever seen of something."""
    return {
        "addresses": seen.addresses,
        "grade": seen.grade.label,
        "first_seen": instant(seen.first_ns),
        "last_seen": instant(seen.last_ns),
    }


def finding_record(_: Visit, found: ListedFinding) -> JsonRecord:
    """A finding."""
    answer = found.stored.finding.attribution
    redacted = dataclasses.replace(
        found.stored, finding=without_persons(found.stored.finding), suppressed=suppressed_text(found)
    )
    enterprise, site = (None, None) if answer is None else (answer.enterprise, answer.site)
    return {
        **finding_object(redacted, persons=False),
        "watched_seconds": rounded(redacted.finding.watched_seconds),
        "capture_loss": rounded(redacted.finding.capture_loss),
        "site_id": found.site_id or None,
        "case": found.case_id,
        "enterprise": enterprise_object(enterprise, persons=False),
        "site": site_object(enterprise, site, persons=False),
    }


def case_record(visit: Visit, case: Case) -> JsonRecord:
    """A case, as a list has it, without whose it is at the desk."""
    return without_officers(case_object(case, visit.now_ns, persons=False))


def whole_case_record(visit: Visit, case: Case) -> JsonRecord:
    """A case with all that stands on its sheet. Who moved it is named in the audit, and to no other department."""
    history = [without_officers(change) for change in history_object(case, persons=False)]
    site = None if case.site_id is None else visit.week.site(case.site_id)
    lines = [line for line in visit.week.summary.lines if line.case_id == case.case_id]
    return {
        **case_record(visit, case),
        "addresses": visit.reader.case_addresses(case),
        "site_class": class_object(None if site is None else site.site_class),
        "figures": figures_record(visit, lines),
        "history": history,
        "can_go_to": next_states(case),
    }


def enterprise_record(visit: Visit, found: ListedEnterprise) -> JsonRecord:
    """An organisation at which mining was seen."""
    enterprise = found.enterprise
    return {
        "enterprise": enterprise_object(enterprise, persons=False),
        "sites": [site_object(enterprise, site, persons=False) for site in found.sites],
        "case_states": list(found.states),
        "seen": seen_record(found.seen),
        "figures": figures_record(visit, visit.week.by_enterprise.get(enterprise.enterprise_id, ())),
    }


def site_record(visit: Visit, found: ListedSite) -> JsonRecord:
    """Premises at which mining was seen."""
    owner, of_week = found.owner, visit.week.site(found.site_id)
    return {
        "site_id": found.site_id,
        "enterprise": enterprise_object(owner.enterprise, persons=False),
        "site": site_object(owner.enterprise, owner.site, persons=False),
        "site_class": class_object(None if of_week is None else of_week.site_class),
        "seen": seen_record(found.seen),
        "figures": figures_record(visit, visit.week.by_site.get(found.site_id, ())),
    }


def address_record(visit: Visit, found: ListedAddress) -> JsonRecord:
    """An address that mined."""
    owner, lines = found.owner, visit.week.by_address.get(found.address, ())
    return {
        "address": found.address,
        "site_id": found.site_id or None,
        "enterprise": enterprise_object(owner.enterprise, persons=False),
        "site": site_object(owner.enterprise, owner.site, persons=False),
        "pools": sorted({pool for line in lines for pool in line.pools}),
        "seen": seen_record(found.seen),
        "figures": figures_record(visit, lines),
    }


def weak_address_record(visit: Visit, address: str) -> JsonRecord:
    """An address of which there are findings, all of them too weak for figures."""
    nobody: JsonRecord = {"site_id": None, "enterprise": None, "site": None, "pools": [], "seen": None}
    return {"address": address, **nobody, "figures": figures_record(visit, ())}


def owner_record(owner: AddressOwner) -> JsonRecord:
    """Whose an address was, from when to when."""
    first_ns, last_ns, answer = owner
    return {
        "from": instant(first_ns),
        "until": instant(last_ns),
        "result": answer.result,
        "enterprise": enterprise_object(answer.enterprise, persons=False),
    }


def sensor_record(visit: Visit, sensor: SensorSummary) -> JsonRecord:
    """A sensor, and when it listened in the week. How many findings it has is no division's, and not said."""
    coverage = visit.week.coverage
    days = [(day.first, coverage.within(day.from_ns, day.to_ns)) for day in visit.period.days()]

    def seconds(of: Any) -> float:
        return next((its.seconds for its in of.sensors if its.sensor_id == sensor.sensor_id), 0.0)

    return {
        "sensor_id": sensor.sensor_id,
        "kind": sensor.kind,
        "state": sensor_state(sensor),
        "first_report": instant(sensor.first_ns),
        "last_report": instant(sensor.last_ns),
        "retired_at": instant(sensor.retired_ns),
        "clock_offset_ms": rounded(sensor.clock_offset_ns / MILLISECOND_NS),
        "clock_note": sensor.clock_note,
        "policies": [policy_object(state) for state in sensor.policies],
        "watched_seconds": rounded(seconds(coverage)),
        "watched_part": rounded(seconds(coverage) / coverage.period_seconds),
        "days": [{"day": day.isoformat(), "watched_seconds": rounded(seconds(its))} for day, its in days],
    }


def shared_record(_: Visit, found: ListedShared) -> JsonRecord:
    """What is shared, and by how many."""
    return shared_object(found)


def week_record(visit: Visit) -> JsonRecord:
    """The figures of a week: of all that the token sees, by algorithm and by division. Counts are null where nobody
    listened and nothing was seen."""
    summary = visit.week.summary
    lines = summary.lines
    counted, observed = owners_counted(summary), visit.week.coverage.part > 0.0 or bool(lines)
    counts = {
        "organisations": counted.organisations,
        "persons": counted.persons,
        "sites": counted.sites,
        "addresses": summary.addresses,
        "new_addresses": len({line.address for line in lines if line.address_new}),
    }
    divisions = [
        {
            "division": code or None,
            "division_name": (visit.owners.name(code) or None) if code else None,
            "sites": len({line.site_id for line in sums.lines if line.site_id is not None}),
            "addresses": len({line.address for line in sums.lines}),
            "total": amounts_record(visit, sums.lines),
        }
        for code, sums in by_division(visit.week)
    ]
    return {
        "week": visit.period.name,
        **{name: count if observed else None for name, count in counts.items()},
        "figures": figures_record(visit, lines),
        "divisions": divisions,
    }
