"""Fixed words and refusals of case work as the console says them. The sentences are those of `sensor/cases`, which the
command line prints: a test finds one that is missing here.
"""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell
from exporters.redaction.persons import shown_work, without_names
from sensor.cases.states import CaseError
from sensor.cases.steps import concluded
from sensor.console.desk import Visit
from sensor.console.figures import state_text
from sensor.model.casework import CaseWork, Conclusion, FieldResult, MachineKind, Measure
from sensor.model.summary import Case, Change
from sensor.model.time import moment

CONCLUSION_TITLES: dict[Conclusion, str] = {
    "mine": N_("industrial mine"),
    "state-unit": N_("machine room of a state unit"),
    "household": N_("person at home"),
    "internet-cafe": N_("internet cafe"),
    "intruded": N_("intruded host"),
    "hosted": N_("customer of a data centre"),
    "not-found": N_("holder not found"),
    "not-mining": N_("not mining"),
    "other": N_("something else"),
}
MEASURE_TITLES: dict[Measure, str] = {
    "confiscated": N_("machines held or confiscated"),
    "power-cut": N_("sealed and power cut"),
    "network-cut": N_("network cut"),
    "account-closed": N_("account closed"),
    "promise": N_("written promise"),
    "warning": N_("warning talk"),
    "discipline": N_("discipline"),
    "transferred": N_("transferred to another authority"),
    "cleaned": N_("intruder's program removed"),
    "none": N_("no measure"),
}
MACHINE_TITLES: dict[MachineKind, str] = {
    "asic": N_("ASICs"),
    "gpu": N_("machines with graphics cards"),
    "cpu": N_("ordinary computers"),
    "other": N_("other machines"),
}
#: Said on the page that follows a form.
DONE_SENTENCES = {
    "move": N_("The case was moved."),
    "note": N_("The note stands in the history."),
    "due": N_("The due date was set."),
    "assign": N_("The case was assigned."),
    "conclude": N_("Conclusion and field result were recorded."),
    "attach": N_("The file was attached."),
    "remove": N_("The attachment was removed."),
}
REFUSALS = (
    N_("there is no case {case}"),
    N_("{text} is no state of a case; there are {choices}"),
    N_("a case that is {before} is already {after}; it can go to {states}"),
    N_("a case that is {before} cannot go to {after}; it can go to {states}"),
    N_("say what was found or done"),
    N_("the text has more than {most} characters"),
    N_("the text has characters that do not print"),
    N_("a due date lies ahead, and this one has passed"),
    N_("a due date lies at most two years ahead"),
    N_("nothing is awaited of a case that is {before}, so it has no due date"),
    N_("the case has no due date of its own"),
    N_("{text} is no login"),
    N_("the case is already assigned to {login}"),
    N_("the case is assigned to nobody"),
    N_("say a conclusion, a measure or what was found"),
    N_("machines are counted from 0 to {most}"),
    N_("hours lie between 0 and {most}"),
    N_("kilowatt-hours lie between 0 and {most}"),
    N_("each kind of machine is counted once"),
    N_("this file is attached already, as number {number}"),
    N_("the case has no attachment {number}"),
    N_("the history of this case has {most} steps, and takes no more"),
    N_("the case was changed since this page was read: look at it, and try again"),
    N_("say what is to be done"),
    N_("{text} is no number: write digits, as 1300 or 1,300.5"),
    N_("{text} is no number of machines: write digits, as 540"),
    N_("{text} is no date: write it as 2026-03-31"),
    N_("{text} is no kind of machine; there are {choices}"),
    N_("{text} is no conclusion; there are {choices}"),
    N_("{text} is no measure; there are {choices}"),
    N_("no measure was taken, or there was one: both cannot be"),
    N_("the file is empty"),
    N_("a file has at most {most} MiB"),
    N_("the file is none of these by its content: {choices}"),
    N_("a case has at most {most} attachments"),
    N_("there is no room for more attachments: all of them have at most {most} GiB"),
    N_("there is no folder for attachments: ledger.attachments names one"),
    N_("there is no account {login} that could take this case"),
    N_("only a lead assigns a case to somebody else, or takes it from somebody else"),
)


def refusal_text(visit: Visit, error: CaseError) -> str:
    """Why a command was refused, in the visit's language."""
    comma = "、" if visit.language == "zh" else ", "
    figures = {}
    for name, text in error.figures.items():
        if name in ("before", "after", "states"):
            text = comma.join(state_text(visit, each) for each in text.split(", "))
        figures[name] = text
    sentence = visit._(error.sentence).format(**figures) if figures else visit._(error.sentence)
    return sentence[:1].upper() + sentence[1:]


def who_text(visit: Visit, who: str) -> str:
    """Who made a step: an account of the console, a user of the system, or the sensor."""
    kind, colon, login = who.partition(":")
    return visit._("account {login}").format(login=login) if colon and kind == "account" else who


def step_text(visit: Visit, case: Case, change: Change) -> str:
    """What a step did beside its sentence; empty for a move and a note."""
    _, details = visit._, change.details or {}
    if change.kind == "assign":
        login = details.get("assignee")
        return _("Assigned to {login}.").format(login=login) if login else _("Assigned to nobody.")
    if change.kind == "due":
        due = details.get("due_ns")
        if not isinstance(due, int):
            return _("Due as its state says.")
        return _("Next step due on {day}.").format(day=f"{moment(due, visit.desk.zone):%Y-%m-%d}")
    if change.kind == "conclude":
        work = shown_work(concluded(details), case.enterprise, case.site, persons=False)
        return conclusion_text(visit, work) if details else _("Concluded.")
    if change.kind == "attach":
        name = without_names(str(details.get("name", "")), case.enterprise, case.site, persons=False)
        sentence = _("Attachment {number}: {name}, SHA-256 {digest}.")
        return sentence.format(number=details.get("number"), name=name, digest=details.get("sha256"))
    if change.kind == "remove":
        return _("Attachment {number} removed.").format(number=details.get("number"))
    return ""


def conclusion_text(visit: Visit, work: CaseWork) -> str:
    """Conclusion, measures and what was found in one sentence."""
    _ = visit._
    return _("Conclusion: {conclusion}. Measures: {measures}. Found at the place: {found}.").format(
        conclusion=conclusion_title(visit, work), measures=measures_title(visit, work), found=found_text(visit, work)
    )


def conclusion_title(visit: Visit, work: CaseWork) -> str:
    """The conclusion, or that it is not known."""
    return visit.cells.unknown().text if work.conclusion is None else visit._(CONCLUSION_TITLES[work.conclusion])


def measures_title(visit: Visit, work: CaseWork) -> str:
    """The measures, or that they are not known."""
    comma = "、" if visit.language == "zh" else ", "
    titles = comma.join(visit._(MEASURE_TITLES[measure]) for measure in work.measures)
    return titles or visit.cells.unknown().text


def found_text(visit: Visit, work: CaseWork) -> str:
    """What was found at the place, each part or that it is not known."""
    found, _, unknown = work.field_result or FieldResult(), visit._, visit.cells.unknown().text
    comma = "，" if visit.language == "zh" else ", "
    hours = unknown if found.hours is None else f"{found.hours:,.10g} h"
    kwh = unknown if found.kwh is None else f"{found.kwh:,.10g} kWh"
    parts = (machines_text(visit, found), _("hours: {hours}").format(hours=hours), _("metered: {kwh}").format(kwh=kwh))
    return comma.join(parts)


def found_cells(visit: Visit, case: Case) -> tuple[Cell, ...]:
    """Conclusion, measures and field result in a list; what is not known is empty."""
    work = shown_work(case.work, case.enterprise, case.site, persons=False)
    found = work.field_result or FieldResult()
    return (
        None if work.conclusion is None else conclusion_title(visit, work),
        measures_title(visit, work) if work.measures else None,
        machines_text(visit, found) if found.machines else None,
        _whole(found.hours),
        _whole(found.kwh),
    )


def _whole(value: float | None) -> Cell:
    """A number as it was written."""
    return int(value) if value is not None and value.is_integer() else value


def machines_text(visit: Visit, found: FieldResult) -> str:
    """Machines by kind, or that they are not known."""
    comma, unknown = ("、" if visit.language == "zh" else ", "), visit.cells.unknown().text
    parts = []
    for each in found.machines:
        count = unknown if each.count is None else f"{each.count:,}"
        parts.append(f"{visit._(MACHINE_TITLES[each.kind])} {count}{f' ({each.model})' if each.model else ''}")
    return comma.join(parts) or visit._("machines: {count}").format(count=unknown)
