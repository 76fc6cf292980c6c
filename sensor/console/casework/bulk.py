"""Commands to several cases at once: boxes in the list, and one form below it."""

from __future__ import annotations

import dataclasses
import re

from exporters.forms.documents.labels import N_
from sensor.cases import states
from sensor.cases.commands import AssignCase, CaseCommand, MoveCase, NoteCase
from sensor.console.blocks import ChangeForm, ConsolePage, FormField, PagePart
from sensor.console.desk import Visit
from sensor.console.figures import state_text
from sensor.console.refusal import RefusalError

#: Cases that one form moves at most, and how its boxes are called: by the case's number, with the steps that its
#: history had when it was read.
MOST_CASES, BOX = 100, re.compile(r"case-(\d{1,18})", re.ASCII)
STEPS = re.compile(r"\d{1,9}", re.ASCII)
BACK = re.compile(r"/cases(\?[A-Za-z0-9_=&%.+~-]{0,1500})?", re.ASCII)
FIELDS = ("do", "to", "why", "back")
NO_SUCH_DOING = N_("This form cannot be read.")
NO_CASE_CHOSEN = N_("No case was chosen.")
TOO_MANY_CASES = N_("At most {most} cases can be chosen at once.")
#: Every state that some case may go to.
TARGETS = tuple(state for state in states.STATES if any(state in after for after in states.FOLLOWS.values()))


def with_choices(visit: Visit, page: ConsolePage) -> ConsolePage:
    """The list with a box for each case, and the form below it; unchanged where nothing may be written."""
    office, listing = visit.desk.office, page.listing
    if office is None or listing is None or not listing.table.rows or office.clerk.refusal() is not None:
        return page
    choices = tuple((f"case-{name}", step) for name, step in zip(listing.identities, listing.steps, strict=True))
    chosen = dataclasses.replace(listing, choices=choices)
    parts = tuple(
        dataclasses.replace(part, blocks=tuple(chosen if block is listing else block for block in part.blocks))
        for part in page.parts
    )
    bulk = PagePart("bulk", visit._("With the chosen cases"), (_form(visit),))
    return dataclasses.replace(page, parts=(*parts, bulk), listing=chosen)


def _form(visit: Visit) -> ChangeForm:
    _, viewer = visit._, visit.viewer
    moves = tuple((f"move-{state}", _("Move to: {state}").format(state=state_text(visit, state))) for state in TARGETS)
    choices = (("note", _("Note without a move")), ("take", _("Take them")), *moves)
    fields = [FormField("do", _("What is to be done"), "choice", "note", choices)]
    if viewer.role == "lead":
        fields[0] = FormField("do", fields[0].title, "choice", "note", (*choices, ("assign", _("Assign to the login"))))
        fields.append(FormField("to", _("Login, where it is to assign; empty for nobody")))
    fields.append(FormField("why", _("What was found or done"), "long"))
    note = _("Those for which it is not allowed stay as they are, and are named.")
    hidden = (("back", visit.here()),)
    return ChangeForm(
        "bulk", _("One thing for all of them"), visit.href("/cases"), _("Do it"), visit.token or "", tuple(fields),
        hidden, note,
    )  # fmt: skip


def chosen_cases(form: dict[str, str]) -> dict[int, int]:
    """The cases whose boxes were ticked, with the steps that were read. Raises RefusalError."""
    chosen = {}
    for name, text in form.items():
        box = BOX.fullmatch(name)
        if box is None:
            continue
        if not STEPS.fullmatch(text):
            raise RefusalError(400, NO_SUCH_DOING)
        chosen[int(box[1])] = int(text)
    if not chosen:
        raise RefusalError(400, NO_CASE_CHOSEN)
    if len(chosen) > MOST_CASES:
        raise RefusalError(400, TOO_MANY_CASES, most=str(MOST_CASES))
    return chosen


def command_of(form: dict[str, str], login: str) -> CaseCommand:
    """What is to be done with each. Raises RefusalError for what no form of ours has, CaseError."""
    do, why = form["do"], form["why"]
    if do == "note":
        return NoteCase(why)
    if do == "take":
        return AssignCase(login, why)
    if do == "assign":
        return AssignCase(form["to"].strip().lower() or None, why)
    state = next((each for each in TARGETS if do == f"move-{each}"), None)
    if state is None:
        raise RefusalError(400, NO_SUCH_DOING)
    return MoveCase(state, why)


def way_back(form: dict[str, str]) -> str:
    """The list that the form stood below, if it is one."""
    return form["back"] if BACK.fullmatch(form["back"]) else "/cases"


@dataclasses.dataclass(frozen=True)
class BulkAnswer:
    """What became of one case."""

    case_id: int
    refused: str | None = None  # why it stays as it was
    there: bool = True  # it is one of the viewer's
