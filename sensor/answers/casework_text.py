"""What people wrote into a case as lines, in the language of who reads them, safe for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from exporters.forms.documents.languages import ENGLISH, Language
from exporters.redaction.persons import shown_work, without_names
from sensor.cases.steps import concluded
from sensor.cases.vocabulary import CONCLUSION_NAMES, MACHINE_NAMES, MEASURE_NAMES
from sensor.model.casework import CaseAttachment, CaseWork, FieldResult
from sensor.model.summary import Case, Change
from sensor.model.text import N_, printable
from sensor.model.time import day_text, minute_text

UNKNOWN = N_("unknown")


def work_texts(
    case: Case, files: Sequence[CaseAttachment], zone: tzinfo, persons: bool, language: Language = ENGLISH
) -> list[str]:
    """Whose it is, what was concluded, its files."""
    work = shown_work(case.work, case.enterprise, case.site, persons)
    lines = [_assigned_text(work.assignee, language)]
    if work.conclusion is not None or work.measures or work.field_result is not None:
        lines.append(conclusion_text(work, language))
    for file in files:
        lines.append(_safe(_file_text(file, case, zone, persons, language)))
        if file.sha256:
            lines.append(f"  sha256 {file.sha256}")
    return lines


def _file_text(file: CaseAttachment, case: Case, zone: tzinfo, persons: bool, language: Language) -> str:
    _ = language.translate
    facts = {
        "number": file.number,
        "name": without_names(file.name, case.enterprise, case.site, persons),
        "kind": file.kind,
        "size": file.size_bytes,
        "moment": minute_text(file.added_ns, zone),
        "who": file.added_by,
    }
    text = _("attachment {number}: {name}, {kind}, {size} bytes, {moment} by {who}").format(**facts)
    if file.removed_ns is None:
        return text
    day = day_text(file.removed_ns, zone)
    return text + _(", removed {day} by {who}").format(day=day, who=file.removed_by)


def _assigned_text(assignee: object, language: Language) -> str:
    if not assignee:
        return language.translate(N_("assigned to nobody"))
    return language.translate(N_("assigned to {login}")).format(login=_safe(str(assignee)))


def conclusion_text(work: CaseWork, language: Language = ENGLISH) -> str:
    """`concluded: industrial mine; sealed and power cut; found: 540 ASICs, 1,300 h, 370,000 kWh metered (285 kW)`."""
    _ = language.translate
    conclusion = _(UNKNOWN) if work.conclusion is None else CONCLUSION_NAMES[work.conclusion][_place(language)]
    measures = _(", ").join(MEASURE_NAMES[each][_place(language)] for each in work.measures)
    found = field_text(work.field_result, language)
    facts = {"conclusion": conclusion, "measures": measures or _("measure unknown"), "found": found}
    return _("concluded: {conclusion}; {measures}; found: {found}").format(**facts)


def field_text(found: FieldResult | None, language: Language = ENGLISH) -> str:
    """What was found at the place."""
    _ = language.translate
    if found is None:
        return _(UNKNOWN)
    parts = []
    for each in found.machines:
        count = _(UNKNOWN) if each.count is None else f"{each.count:,}"
        model = f" ({_safe(each.model)})" if each.model else ""
        parts.append(f"{count} {MACHINE_NAMES[each.kind][_place(language)]}{model}")
    parts = [" + ".join(parts) or _("machines unknown")]
    parts.append(_("hours unknown") if found.hours is None else f"{found.hours:,.10g} h")
    kwh = _("kWh unknown") if found.kwh is None else _("{energy} kWh metered").format(energy=f"{found.kwh:,.10g}")
    parts.append(kwh)
    power = "" if found.kilowatts is None else f" ({found.kilowatts:,.4g} kW)"
    return _(", ").join(parts) + power


def step_text(change: Change, case: Case, zone: tzinfo, persons: bool, language: Language = ENGLISH) -> str:
    """What a step did beside its sentence; empty for a move and a note."""
    details, _ = change.details or {}, language.translate
    if change.kind == "assign":
        return _assigned_text(details.get("assignee"), language)
    if change.kind == "due":
        due = details.get("due_ns")
        if not isinstance(due, int):
            return _("due as its state says")
        return _("due {day}").format(day=day_text(due, zone))
    if change.kind == "conclude":
        work = shown_work(concluded(details), case.enterprise, case.site, persons)
        return conclusion_text(work, language) if details else _("concluded")
    number = details.get("number", UNKNOWN)
    if change.kind == "attach":
        facts = {"number": number, "digest": details.get("sha256", UNKNOWN)}
        return _("attachment {number}, sha256 {digest}").format(**facts)
    return _("attachment {number} removed").format(number=number) if change.kind == "remove" else ""


def _place(language: Language) -> int:
    """Of the pairs of names."""
    return 0 if language.name == "zh" else 1


def _safe(text: str) -> str:
    return printable(text, "·")
