"""The commands that the options of `minewatch ledger set` stand for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sensor.cases import states, typed
from sensor.cases.commands import (
    AssignCase,
    AttachFile,
    CaseCommand,
    ConcludeCase,
    MoveCase,
    NoteCase,
    RemoveFile,
    SetDue,
)
from sensor.cases.states import CaseError
from sensor.cases.vocabulary import parse_conclusion, parse_measures
from sensor.model.casework import MachineKind

if TYPE_CHECKING:
    pass

#: What stands for no account, and for no date.
NOBODY, NO_DATE = "nobody", "none"


def commands_of(options: argparse.Namespace, zone: ZoneInfo, why: str) -> list[CaseCommand]:
    """In the order in which they are done; a file is the last. The first one says why, and every other that has to.
    Raises CaseError."""
    given: list[CaseCommand] = []

    def reason() -> str:
        return "" if given else why

    if options.conclusion is not None or options.measure or options.machines or options.hours or options.kwh:
        conclusion = None if options.conclusion is None else parse_conclusion(options.conclusion)
        machines = _machines(options.machines)
        found = typed.field_result(machines, options.hours, options.kwh)
        given.append(ConcludeCase(conclusion, parse_measures(options.measure), found, reason()))
    if options.state is not None:
        given.append(MoveCase(states.parse_state(options.state), why))
    if options.assign is not None:
        login = options.assign.strip().lower()
        given.append(AssignCase(None if login == NOBODY else login, reason()))
    if options.due is not None:
        day = options.due.strip()
        given.append(SetDue(None if day == NO_DATE else _day(day, zone), reason()))
    if options.remove is not None:
        given.append(RemoveFile(options.remove, why))
    if options.attach is not None:  # its hash is not known yet
        given.append(AttachFile("", "", 0, "", reason()))
    return given or [NoteCase(why)]


def _machines(texts: list[str]) -> dict[MachineKind, tuple[str, str]]:
    found: dict[MachineKind, tuple[str, str]] = {}
    for kind, its in map(typed.machines_text, texts):
        if kind in found:
            raise CaseError(typed.KIND_TWICE)
        found[kind] = its
    return found


def _day(text: str, zone: ZoneInfo) -> int:
    found = typed.due_ns(text, zone)
    if found is None:
        raise CaseError(typed.NO_DATE, text=repr(text))
    return found
