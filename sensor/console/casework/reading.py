"""The command that a form of one case stands for: the same values as options of the command line have."""

from __future__ import annotations

from collections.abc import Mapping

from sensor.cases import commands as verbs
from sensor.cases import typed
from sensor.cases.commands import AssignCase, CaseCommand, ConcludeCase, MoveCase, NoteCase, RemoveFile, SetDue
from sensor.cases.states import CaseError, parse_state
from sensor.cases.vocabulary import parse_conclusion, parse_measures
from sensor.console.casework.bulk import STEPS as STEPS_TYPED
from sensor.console.casework.forms import STEPS
from sensor.console.desk import Visit
from sensor.model.casework import MACHINE_KINDS, MEASURES


def steps_of(form: Mapping[str, str]) -> int:
    """How long the history was when the page was read. A form without it is none of ours."""
    text = form.get(STEPS, "")
    if not STEPS_TYPED.fullmatch(text):
        raise CaseError(verbs.CHANGED_SINCE)
    return int(text)


def command_of_form(visit: Visit, action: str, form: Mapping[str, str]) -> CaseCommand:
    """The command that a form stands for. Raises CaseError."""
    why = form["why"]
    if action == "move":
        return MoveCase(parse_state(form["state"]), why)
    if action == "due":
        return SetDue(typed.due_ns(form["due"], visit.desk.zone), why)
    if action == "assign":
        return AssignCase(form["assignee"].strip().lower() or None, why)
    if action == "remove":
        return RemoveFile(int(typed.count(form["number"]) or 0), why)
    if action == "conclude":
        conclusion = parse_conclusion(form["conclusion"]) if form["conclusion"] else None
        measures = parse_measures(each for each in MEASURES if form[f"measure-{each}"])
        machines = {kind: (form[f"count-{kind}"], form[f"model-{kind}"]) for kind in MACHINE_KINDS}
        return ConcludeCase(conclusion, measures, typed.field_result(machines, form["hours"], form["kwh"]), why)
    return NoteCase(why)
