"""What people may do to a case, each as one command: command line and console make these and nothing else.

A command is checked against the case as it stands, and becomes one step of its history. Pure: writing it is
`sensor/ledger/write/casework.py`. Who may give a command to whose case is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sensor.cases import states
from sensor.cases.states import CaseError
from sensor.model.case_state import State
from sensor.model.casework import NOTHING_FOUND, CaseAttachment, Conclusion, FieldResult, Measure, StepKind
from sensor.model.time import DAY_NS

#: Characters of what is written into a history; of a model's name.
MAX_REASON_CHARACTERS, MAX_MODEL_CHARACTERS = 2_000, 60
#: How far ahead a due date may lie; steps of a history until people can add none.
FURTHEST_NS, MOST_STEPS = 731 * DAY_NS, 2_000
#: Machines of a kind, hours, kilowatt-hours: ten times the largest raid that was published, a century, and what a
#: whole province mines in a year.
MOST_MACHINES, MOST_HOURS, MOST_KWH = 1_000_000, 876_000.0, 1e10
#: As accounts have them (`sensor/people/account.py`).
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
#: What is pasted along with text and has no meaning in it: breaks and joins of no width, soft hyphens.
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))

NOTHING_SAID = "say what was found or done"
TOO_LONG = "the text has more than {most} characters"
NOT_PRINTABLE = "the text has characters that do not print"
PAST_DUE = "a due date lies ahead, and this one has passed"
FAR_DUE = "a due date lies at most two years ahead"
NOT_AWAITED = "nothing is awaited of a case that is {before}, so it has no due date"
NO_OWN_DUE = "the case has no due date of its own"
NO_LOGIN = "{text} is no login"
IS_ASSIGNED = "the case is already assigned to {login}"
IS_NOBODYS = "the case is assigned to nobody"
NOTHING_CONCLUDED = "say a conclusion, a measure or what was found"
MACHINES_RANGE = "machines are counted from 0 to {most}"
HOURS_RANGE = "hours lie between 0 and {most}"
KWH_RANGE = "kilowatt-hours lie between 0 and {most}"
KIND_TWICE = "each kind of machine is counted once"
IS_ATTACHED = "this file is attached already, as number {number}"
NO_ATTACHMENT = "the case has no attachment {number}"
HISTORY_FULL = "the history of this case has {most} steps, and takes no more"
CHANGED_SINCE = "the case was changed since this page was read: look at it, and try again"
NO_COMMAND = "say what is to be done"


@dataclass(frozen=True, slots=True)
class MoveCase:
    """Into another state."""

    state: State
    why: str


@dataclass(frozen=True, slots=True)
class NoteCase:
    """A note; the case stays where it is."""

    why: str


@dataclass(frozen=True, slots=True)
class SetDue:
    """When the present step is due, in place of what its state says; None: as its state says again."""

    due_ns: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class AssignCase:
    """Whose work it is, by login; None: nobody's."""

    assignee: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ConcludeCase:
    """What it was, what was done, and what was found at the place; in place of all that was concluded before."""

    conclusion: Conclusion | None = None
    measures: tuple[Measure, ...] = ()
    field_result: FieldResult = NOTHING_FOUND
    why: str = ""


@dataclass(frozen=True, slots=True)
class AttachFile:
    """A file that is stored by its hash already."""

    name: str
    sha256: str
    size_bytes: int
    kind: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """An attachment goes; that it was there stays."""

    number: int
    why: str


CaseCommand = MoveCase | NoteCase | SetDue | AssignCase | ConcludeCase | AttachFile | RemoveFile
KINDS: dict[type[CaseCommand], StepKind] = {
    MoveCase: "move",
    NoteCase: "note",
    SetDue: "due",
    AssignCase: "assign",
    ConcludeCase: "conclude",
    AttachFile: "attach",
    RemoveFile: "remove",
}
#: Those that must say why.
SAY_WHY = (MoveCase, NoteCase, RemoveFile)


@dataclass(frozen=True, slots=True)
class CaseStand:
    """A case as a command finds it."""

    state: State
    steps: int
    assignee: str | None
    own_due_ns: int | None
    conclusion: str | None = None
    attachments: tuple[CaseAttachment, ...] = ()

    @property
    def present(self) -> dict[int, CaseAttachment]:
        """The attachments that were not removed, by number."""
        return {each.number: each for each in self.attachments if each.removed_ns is None}


def reason_text(text: str) -> str:
    """A sentence as it is stored: on one line, without what has no meaning. Raises CaseError."""
    plain = " ".join(text.translate(INVISIBLE).split())
    if not plain.isprintable():
        raise CaseError(NOT_PRINTABLE)
    if len(plain) > MAX_REASON_CHARACTERS:
        raise CaseError(TOO_LONG, most=f"{MAX_REASON_CHARACTERS:,}")
    return plain


def check(command: CaseCommand, stand: CaseStand, now_ns: int) -> None:
    """Whether a command can be done to a case now. Raises CaseError."""
    if stand.steps >= MOST_STEPS:
        raise CaseError(HISTORY_FULL, most=f"{MOST_STEPS:,}")
    _check_kind(command, stand, now_ns)
    if not reason_text(command.why) and isinstance(command, SAY_WHY):
        raise CaseError(NOTHING_SAID)


def _check_kind(command: CaseCommand, stand: CaseStand, now_ns: int) -> None:
    if isinstance(command, MoveCase):
        states.check_move(stand.state, command.state)
    elif isinstance(command, SetDue):
        _check_due(command, stand, now_ns)
    elif isinstance(command, AssignCase):
        _check_assign(command, stand)
    elif isinstance(command, ConcludeCase):
        _check_conclusion(command)
    elif isinstance(command, AttachFile):
        there = [each for each in stand.present.values() if each.sha256 == command.sha256]
        if there:
            raise CaseError(IS_ATTACHED, number=str(there[0].number))
    elif isinstance(command, RemoveFile) and command.number not in stand.present:
        raise CaseError(NO_ATTACHMENT, number=str(command.number))


def _check_due(command: SetDue, stand: CaseStand, now_ns: int) -> None:
    if stand.state not in states.OPEN:
        raise CaseError(NOT_AWAITED, before=stand.state)
    if command.due_ns is None:
        if stand.own_due_ns is None:
            raise CaseError(NO_OWN_DUE)
    elif command.due_ns <= now_ns:
        raise CaseError(PAST_DUE)
    elif command.due_ns > now_ns + FURTHEST_NS:
        raise CaseError(FAR_DUE)


def _check_assign(command: AssignCase, stand: CaseStand) -> None:
    to = command.assignee
    if to is None:
        if stand.assignee is None:
            raise CaseError(IS_NOBODYS)
    elif not LOGIN.fullmatch(to):
        raise CaseError(NO_LOGIN, text=repr(to[:70]))
    elif to == stand.assignee:
        raise CaseError(IS_ASSIGNED, login=to)


def _check_conclusion(command: ConcludeCase) -> None:
    found = command.field_result
    if command.conclusion is None and not command.measures and found.is_empty:
        raise CaseError(NOTHING_CONCLUDED)
    if len({each.kind for each in found.machines}) < len(found.machines):
        raise CaseError(KIND_TWICE)
    for each in found.machines:
        if each.count is not None and not 0 <= each.count <= MOST_MACHINES:
            raise CaseError(MACHINES_RANGE, most=f"{MOST_MACHINES:,}")
        if not each.model.isprintable():
            raise CaseError(NOT_PRINTABLE)
        if len(each.model) > MAX_MODEL_CHARACTERS:
            raise CaseError(TOO_LONG, most=str(MAX_MODEL_CHARACTERS))
    if found.hours is not None and not 0.0 <= found.hours <= MOST_HOURS:  # NaN lies nowhere
        raise CaseError(HOURS_RANGE, most=f"{MOST_HOURS:,.0f}")
    if found.kwh is not None and not 0.0 <= found.kwh <= MOST_KWH:
        raise CaseError(KWH_RANGE, most=f"{MOST_KWH:,.0f}")
