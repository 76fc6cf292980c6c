"""What people wrote into a case as members of a JSON answer. What is not known is null."""

from __future__ import annotations

from collections.abc import Sequence

from exporters.redaction.persons import shown_work, without_names
from sensor.answers.values import instant
from sensor.model.casework import CaseAttachment, FieldResult
from sensor.model.summary import Case


def work_object(case: Case, persons: bool) -> dict[str, object]:
    """Whose it is, and what was concluded."""
    work = shown_work(case.work, case.enterprise, case.site, persons)
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
