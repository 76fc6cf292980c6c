"""What people wrote into a case as members of a JSON answer, and as lines for a terminal. What is not known is null."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from exporters.redaction.persons import without_names
from sensor.cases.steps import concluded
from sensor.cases.vocabulary import CONCLUSION_NAMES, MACHINE_NAMES, MEASURE_NAMES
from sensor.cli.json_text import instant
from sensor.cli.ledger_text import safe
from sensor.model.casework import CaseAttachment, CaseWork, FieldResult
from sensor.model.summary import Case, Change
from sensor.model.time import day_text, minute_text

UNKNOWN = "unknown"


def work_object(case: Case) -> dict[str, object]:
    """Whose it is, and what was concluded."""
    work = case.work
    return {
        "assignee": work.assignee,
        "due_is_own": work.own_due_ns is not None,
        "conclusion": work.conclusion,
        "measures": list(work.measures),
        "field_result": None if work.field_result is None else _field_object(work.field_result),
    }


def _field_object(found: FieldResult) -> dict[str, object]:
    machines = [{"kind": each.kind, "count": each.count, "model": each.model or None} for each in found.machines]
    return {
        "machines": machines,
        "machines_counted": found.machines_counted,
        "hours": found.hours,
        "energy_kwh": found.kwh,
        "power_kw": None if found.kilowatts is None else round(found.kilowatts, 3),
    }


def attachments_object(files: Sequence[CaseAttachment], case: Case, persons: bool) -> list[dict[str, object]]:
    """The files of a case, removed ones too."""
    return [
        {
            "number": file.number,
            "name": without_names(file.name, case.enterprise, case.site, persons),
            "kind": file.kind,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256 or None,
            "added_at": instant(file.added_ns),
            "added_by": file.added_by,
            "removed_at": instant(file.removed_ns),
            "removed_by": file.removed_by,
            "removed_why": file.removed_why and without_names(file.removed_why, case.enterprise, case.site, persons),
        }
        for file in files
    ]


def work_texts(case: Case, files: Sequence[CaseAttachment], zone: tzinfo, persons: bool) -> list[str]:
    """The same in lines."""
    work = case.work
    lines = [f"assigned to {safe(work.assignee or 'nobody')}"]
    if work.conclusion is not None or work.measures or work.field_result is not None:
        lines.append(conclusion_text(work))
    for file in files:
        name = safe(without_names(file.name, case.enterprise, case.site, persons))
        gone = "" if file.removed_ns is None else f", removed {day_text(file.removed_ns, zone)} by {file.removed_by}"
        added = f"{minute_text(file.added_ns, zone)} by {file.added_by}"
        lines.append(safe(f"attachment {file.number}: {name}, {file.kind}, {file.size_bytes} bytes, {added}{gone}"))
        if file.sha256:
            lines.append(f"  sha256 {file.sha256}")
    return lines


def conclusion_text(work: CaseWork) -> str:
    """`concluded: mine; power-cut; found 540 ASIC, 1,300 h, 370,000 kWh (285 kW)`."""
    texts = [UNKNOWN if work.conclusion is None else CONCLUSION_NAMES[work.conclusion][1]]
    texts.append(", ".join(MEASURE_NAMES[each][1] for each in work.measures) or f"measure {UNKNOWN}")
    return f"concluded: {'; '.join(texts)}; found: {field_text(work.field_result)}"


def field_text(found: FieldResult | None) -> str:
    """What was found at the place."""
    if found is None:
        return UNKNOWN
    parts = []
    for each in found.machines:
        count = UNKNOWN if each.count is None else f"{each.count:,}"
        parts.append(f"{count} {MACHINE_NAMES[each.kind][1]}{f' ({safe(each.model)})' if each.model else ''}")
    parts = [" + ".join(parts) or f"machines {UNKNOWN}"]
    parts.append(f"hours {UNKNOWN}" if found.hours is None else f"{found.hours:,.10g} h")
    parts.append(f"kWh {UNKNOWN}" if found.kwh is None else f"{found.kwh:,.10g} kWh metered")
    power = "" if found.kilowatts is None else f" ({found.kilowatts:,.4g} kW)"
    return ", ".join(parts) + power


def step_text(change: Change, zone: tzinfo) -> str:
    """What a step did beside its sentence; empty for a move and a note."""
    details = change.details or {}
    if change.kind == "assign":
        return f"assigned to {safe(str(details.get('assignee') or 'nobody'))}"
    if change.kind == "due":
        due = details.get("due_ns")
        return f"due {day_text(due, zone)}" if isinstance(due, int) else "due as its state says"
    if change.kind == "conclude":
        return conclusion_text(concluded(details)) if details else "concluded"
    if change.kind == "attach":
        return f"attachment {details.get('number', UNKNOWN)}, sha256 {details.get('sha256', UNKNOWN)}"
    return f"attachment {details.get('number', UNKNOWN)} removed" if change.kind == "remove" else ""
