"""Steps of a history as they are stored beside their sentences, and what stands in a case by all of them. Pure.

What a case is now is read from its history, so that the same can be told of any moment in the past. A move ends the due
date that the step before it had; mining again, and a false alarm that is taken back, begin a new round, whose
conclusion is still to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sensor.cases.commands import AssignCase, AttachFile, CaseCommand, ConcludeCase, MoveCase, RemoveFile, SetDue
from sensor.model.case_state import State
from sensor.model.casework import (
    CONCLUSIONS,
    MACHINE_KINDS,
    MEASURES,
    CaseWork,
    FieldResult,
    FoundMachines,
    StepDetails,
    StepKind,
)


class HistoryEntry(Protocol):
    """One step, as far as it matters here."""

    @property
    def state(self) -> State: ...
    @property
    def kind(self) -> StepKind | None: ...
    @property
    def details(self) -> StepDetails | None: ...


def begins_round(before: State, after: State) -> bool:
    """Whether a move begins a new round."""
    return after == "relapsed" or before == "false-alarm"


def step_details(command: CaseCommand) -> dict[str, object] | None:
    """What of a command is stored beside its sentence; None where that is all."""
    if isinstance(command, SetDue):
        return {"due_ns": command.due_ns}
    if isinstance(command, AssignCase):
        return {"assignee": command.assignee}
    if isinstance(command, ConcludeCase):
        found = command.field_result
        return {
            "conclusion": command.conclusion,
            "measures": list(command.measures),
            "machines": [[each.kind, each.count, each.model] for each in found.machines],
            "hours": found.hours,
            "kwh": found.kwh,
        }
    if isinstance(command, AttachFile):
        its = {"name": command.name, "sha256": command.sha256, "size_bytes": command.size_bytes, "kind": command.kind}
        return dict(its)
    return {"number": command.number} if isinstance(command, RemoveFile) else None


def work_of(steps: Iterable[HistoryEntry]) -> CaseWork:
    """What stands in a case after these steps, oldest first. Raises ValueError, TypeError for details that are none."""
    work, before = CaseWork(), None
    for step in steps:
        if before is not None and step.state != before:
            work = _moved(work, new_round=begins_round(before, step.state))
        before = step.state
        if step.details is not None:
            work = _with(work, step.kind, step.details)
    return work


def command_facts(given: Iterable[CaseCommand]) -> dict[str, str | int]:
    """Commands by their names and values, as the audit has them; a file by its hash, for its name may be a person's."""
    facts: dict[str, str | int] = {}
    for command in given:
        if isinstance(command, MoveCase):
            facts["state"] = command.state
            continue
        for name, value in (step_details(command) or {}).items():
            if name == "machines" and isinstance(command, ConcludeCase):
                value = ", ".join(f"{each.kind}={each.count}:{each.model}" for each in command.field_result.machines)
            elif isinstance(value, list):
                value = ", ".join(map(str, value))
            elif isinstance(value, float):
                value = f"{value:.15g}"
            if name != "name" and value not in ("", None):
                facts[name] = value if isinstance(value, int) else str(value)
    return facts


def concluded(details: Mapping[str, Any]) -> CaseWork:
    """Conclusion, measures and field result of a step that concluded."""
    conclusion = next((each for each in CONCLUSIONS if each == details.get("conclusion")), None)
    named = details.get("measures") or []
    return CaseWork(None, None, conclusion, tuple(each for each in MEASURES if each in named), _field_result(details))


def _moved(work: CaseWork, *, new_round: bool) -> CaseWork:
    if new_round:
        return CaseWork(work.assignee)
    return CaseWork(work.assignee, None, work.conclusion, work.measures, work.field_result)


def _with(work: CaseWork, kind: StepKind | None, details: Mapping[str, Any]) -> CaseWork:
    if kind == "due":
        due = None if details["due_ns"] is None else int(details["due_ns"])
        return CaseWork(work.assignee, due, work.conclusion, work.measures, work.field_result)
    if kind == "assign":
        login = None if details["assignee"] is None else str(details["assignee"])
        return CaseWork(login, work.own_due_ns, work.conclusion, work.measures, work.field_result)
    if kind == "conclude":
        its = concluded(details)
        return CaseWork(work.assignee, work.own_due_ns, its.conclusion, its.measures, its.field_result)
    return work


def _field_result(details: Mapping[str, Any]) -> FieldResult | None:
    machines = []
    for kind, count, model in details.get("machines") or []:
        its = next((each for each in MACHINE_KINDS if each == kind), None)
        if its is not None:
            machines.append(FoundMachines(its, None if count is None else int(count), str(model)))
    hours, kwh = details.get("hours"), details.get("kwh")
    found = FieldResult(tuple(machines), None if hours is None else float(hours), None if kwh is None else float(kwh))
    return None if found.is_empty else found
