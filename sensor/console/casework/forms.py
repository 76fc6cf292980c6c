"""The forms of one case: its allowed moves, a note, a due date, whose it is, what was concluded, files. Built for
whoever looks: a reader has none, an officer takes and gives up, a lead assigns and removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from exporters.forms.documents.labels import N_
from sensor.cases import states
from sensor.cases.commands import MAX_MODEL_CHARACTERS
from sensor.cases.file_kinds import FILE_KINDS, MOST_FILE_BYTES
from sensor.console.blocks import ChangeForm, ConsoleBlock, FormField, Sayings
from sensor.console.casework.sentences import CONCLUSION_TITLES, MACHINE_TITLES, MEASURE_TITLES
from sensor.console.desk import Visit
from sensor.console.figures import state_text
from sensor.model.casework import CaseAttachment, CaseWork, FieldResult
from sensor.model.scope import WORK_ROLES
from sensor.model.summary import Case
from sensor.model.time import day_of
from sensor.people.assignment import can_take

#: Accounts that a lead may choose among.
MOST_ACCOUNTS = 200
READ_ONLY = N_("The console may not write this ledger, so cases are only read here: ask whoever runs it.")
#: The forms of a page of one case, and their fields, beside the token and the steps that were read.
ACTIONS: dict[str, tuple[str, ...]] = {
    "move": ("state", "why"),
    "note": ("why",),
    "due": ("due", "why"),
    "assign": ("assignee", "why"),
    "conclude": (
        "conclusion",
        *(f"measure-{measure}" for measure in MEASURE_TITLES),
        *(f"{part}-{kind}" for kind in MACHINE_TITLES for part in ("count", "model")),
        "hours",
        "kwh",
        "why",
    ),
}
STEPS = "steps"


@dataclass(frozen=True)
class RefusedForm:
    """A form that was sent and not done: why, and what stood in it, so that nothing typed is lost."""

    action: str
    sentence: str
    given: Mapping[str, str] = field(default_factory=dict)


def may_work(visit: Visit) -> bool:
    """Whether the viewer has forms on this page."""
    return visit.token is not None and visit.viewer.role in WORK_ROLES and visit.desk.office is not None


def forms_of(
    visit: Visit, case: Case, files: Sequence[CaseAttachment], refused: RefusedForm | None
) -> tuple[ConsoleBlock, ...]:
    """All forms; none for whoever may not work, and a sentence where nobody may write here."""
    office = visit.desk.office
    if not may_work(visit) or office is None:
        return ()
    if office.clerk.refusal() is not None:
        return (Sayings("", (visit._(READ_ONLY),)),)
    maker = _CaseForms(visit, case, refused)
    forms = [maker.move(), maker.note(), maker.conclude(), *maker.assign(), maker.due()]
    if office.clerk.files is not None:
        forms += [maker.attach(), *maker.remove(files)]
    return tuple(forms)


class _CaseForms:
    """Makes them, filled in with what was refused, else with what stands in the case."""

    def __init__(self, visit: Visit, case: Case, refused: RefusedForm | None) -> None:
        self._visit, self._case, self._refused = visit, case, refused

    def _form(
        self,
        action: str,
        title: str,
        button: str,
        fields: tuple[FormField, ...],
        *,
        path: str = "",
        note: str = "",
        hidden: tuple[tuple[str, str], ...] = (),
        folded: bool = True,
        kind: str = "",
    ) -> ChangeForm:
        visit, was_refused = self._visit, self._refused is not None and self._refused.action == action
        to = visit.href(f"/cases/{self._case.case_id}/{path or action}")
        steps = (STEPS, str(len(self._case.changes)))
        return ChangeForm(
            action, title, to, button, visit.token or "", fields, (steps, *hidden), note,
            folded=folded and not was_refused, refused=self._refused.sentence if self._refused and was_refused else "",
            kind=kind,
        )  # fmt: skip

    def _given(self, action: str, name: str, otherwise: str = "") -> str:
        if self._refused is not None and self._refused.action == action:
            return self._refused.given.get(name, "")
        return otherwise

    def _why(self, action: str, title: str, *, required: bool = False) -> FormField:
        return FormField("why", title, "long", self._given(action, "why"), required=required)

    def move(self) -> ChangeForm:
        """The allowed moves, and no others."""
        _, visit = self._visit._, self._visit
        choices = tuple((state, state_text(visit, state)) for state in states.FOLLOWS[self._case.state])
        chosen = self._given("move", "state", choices[0][0])
        fields = (
            FormField("state", _("Next state"), "choice", chosen, choices),
            self._why("move", _("What was found or done"), required=True),
        )
        return self._form("move", _("Move on"), _("Move"), fields, folded=False)

    def note(self) -> ChangeForm:
        """A note, and no move."""
        _ = self._visit._
        fields = (self._why("note", _("Note"), required=True),)
        return self._form("note", _("Note without a move"), _("Note it"), fields)

    def due(self) -> ChangeForm:
        """When the present step is due."""
        _, own = self._visit._, self._case.work.own_due_ns
        there = "" if own is None else day_of(own, self._visit.desk.zone).isoformat()
        given = self._given("due", "due", there)
        fields = (
            FormField("due", _("Due on"), "date" if _is_date(given) else "text", given),
            self._why("due", _("Why, if that needs saying")),
        )
        note = _("Without a date it is due as its state says. The date is of this step, and ends with it.")
        return self._form("due", _("A due date of its own"), _("Set"), fields, note=note)

    def assign(self) -> tuple[ChangeForm, ...]:
        """A lead chooses an account; an officer takes the case, or gives it up."""
        _, now, login = self._visit._, self._case.work.assignee, self._visit.viewer.login
        why = self._why("assign", _("Why, if that needs saying"))
        if self._visit.viewer.role == "lead":
            choices = (("", _("nobody")), *((each, each) for each in self._accounts() if each != now))
            fields = (
                FormField("assignee", _("Assigned to"), "choice", self._given("assign", "assignee"), choices),
                why,
            )
            return (self._form("assign", _("Assign"), _("Assign it"), fields),)
        hidden, title = (("assignee", ""), _("Give it up")) if now == login else (("assignee", login), _("Take it"))
        return (self._form("assign", title, title, (why,), hidden=(hidden,)),)

    def _accounts(self) -> list[str]:
        """The logins that could take the case."""
        visit, office = self._visit, self._visit.desk.office
        division = self._case.site.division if self._case.site is not None else None
        every = office.accounts() if office is not None else []
        found = [each.login for each in every if can_take(each, division, visit.desk.divisions, visit.desk.year)]
        return sorted(found)[:MOST_ACCOUNTS]

    def conclude(self) -> ChangeForm:
        """Conclusion, measures and what was found at the place."""
        _, work = self._visit._, self._case.work
        there = stands_in_form(work)
        conclusions = (("", _("not known yet")), *((key, _(title)) for key, title in CONCLUSION_TITLES.items()))
        fields = [FormField("conclusion", _("Conclusion"), "choice", self._found("conclusion", there), conclusions)]
        measures = tuple((f"measure-{key}", _(title)) for key, title in MEASURE_TITLES.items())
        taken = " ".join(name for name, _title in measures if self._found(name, there))
        fields.append(FormField("measures", _("Measures"), "checks", taken, measures))
        for kind, title in MACHINE_TITLES.items():
            count, model = f"count-{kind}", f"model-{kind}"
            fields.append(FormField(count, _(title), "number", self._found(count, there), hint="540"))
            name = _("Model of: {kind}").format(kind=_(title))
            fields.append(FormField(model, name, value=self._found(model, there), most=MAX_MODEL_CHARACTERS))
        fields.append(FormField("hours", _("Hours that they ran"), "number", self._found("hours", there), hint="1300"))
        fields.append(FormField("kwh", _("kWh as metered"), "number", self._found("kwh", there), hint="370000"))
        fields.append(self._why("conclude", _("Remark")))
        note = _("What is left empty is not known; 0 says that there was none.")
        return self._form("conclude", _("Conclusion and field result"), _("Record"), tuple(fields), note=note)

    def _found(self, name: str, there: Mapping[str, str]) -> str:
        return self._given("conclude", name, there.get(name, ""))

    def attach(self) -> ChangeForm:
        """A file; the token stands before it, so that a foreign one is not read."""
        _ = self._visit._
        fields = (FormField("why", _("What it is"), "long", self._given("attach", "why")),
                  FormField("file", _("File"), "file", required=True))  # fmt: skip
        most, kinds = MOST_FILE_BYTES >> 20, ", ".join(kind.upper() for kind in FILE_KINDS)
        note = _("At most {most} MiB: {kinds}, by its content. It is kept as it is, and only handed out as a download.")
        text = note.format(most=most, kinds=kinds)
        return self._form(
            "attach", _("Attach a file"), _("Attach it"), fields, path="attachments", note=text, kind="file"
        )

    def remove(self, files: Sequence[CaseAttachment]) -> tuple[ChangeForm, ...]:
        """A lead removes a file."""
        _, present = self._visit._, [each for each in files if each.removed_ns is None]
        if self._visit.viewer.role != "lead" or not present:
            return ()
        choices = tuple((str(each.number), str(each.number)) for each in present)
        fields = (
            FormField("number", _("Attachment"), "choice", self._given("remove", "number"), choices),
            self._why("remove", _("Why it goes"), required=True),
        )
        note = _("That it was there, and why it went, stays.")
        title = _("Remove an attachment")
        return (self._form("remove", title, _("Remove it"), fields, path="attachments/remove", note=note),)


def stands_in_form(work: CaseWork) -> dict[str, str]:
    """What was concluded before, as fields: concluding again replaces it."""
    found = work.field_result or FieldResult()
    there = {"conclusion": work.conclusion or "", **{f"measure-{measure}": "yes" for measure in work.measures}}
    for each in found.machines:
        there[f"count-{each.kind}"] = "" if each.count is None else str(each.count)
        there[f"model-{each.kind}"] = each.model
    there["hours"] = "" if found.hours is None else f"{found.hours:.15g}"
    there["kwh"] = "" if found.kwh is None else f"{found.kwh:.15g}"
    return there


def _is_date(text: str) -> bool:
    """Whether a browser's date field can hold it; any other text would be lost there."""
    try:
        return not text or date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
