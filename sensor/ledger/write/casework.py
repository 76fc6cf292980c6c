"""Commands of people to a case, each one step of its history. SQL within a transaction.

What the sensor does to cases by itself is `sensor/ledger/write/cases.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, true, update

from sensor.cases import commands as verbs
from sensor.cases.commands import (
    AssignCase,
    AttachFile,
    CaseCommand,
    CaseStand,
    ConcludeCase,
    MoveCase,
    RemoveFile,
    SetDue,
    check,
    reason_text,
)
from sensor.cases.states import CaseError, NoSuchCaseError
from sensor.cases.steps import step_details
from sensor.ledger.store.attachment_rows import attachments_of
from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import ATTACHMENTS, CASES, CHANGES
from sensor.ledger.write.cases import case_record, write_move
from sensor.model.summary import State

#: Files of one case, and bytes of all files, that are not removed.
MOST_FILES, MOST_TOTAL_BYTES = 40, 8 << 30
TOO_MANY_FILES = "a case has at most {most} attachments"
NO_ROOM = "there is no room for more attachments: all of them have at most {most} GiB"


@dataclass(frozen=True, slots=True)
class CaseStep:
    """What a command did: the case before it and after it."""

    case_id: int
    before: CaseStand
    after: CaseStand


def apply(
    connection: Connection,
    case_id: int,
    given: Sequence[CaseCommand],
    who: str,
    at_ns: int,
    *,
    steps: int | None = None,
    within: ColumnElement[bool] | None = None,
) -> CaseStep:
    """Do commands to a case, all of them or, by the error that it raises, none: CaseError for what cannot be done,
    NoSuchCaseError for none, also for one that is not `within`. `steps` is how long the history was when whoever
    commands read it: a longer one is refused."""
    query = select(CASES).where(CASES.c.case_id == case_id, true() if within is None else within)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NoSuchCaseError(case_id)
    before = _stand(connection, row)
    if steps is not None and steps != before.steps:
        raise CaseError(verbs.CHANGED_SINCE)
    if not given:
        raise CaseError(verbs.NO_COMMAND)
    stand = before
    for command in given:
        check(command, stand, at_ns)
        _write(connection, row, stand, command, who, at_ns)
        row = connection.execute(select(CASES).where(CASES.c.case_id == case_id)).mappings().one()
        stand = _stand(connection, row)
    return CaseStep(case_id, before, stand)


def _stand(connection: Connection, row: RowMapping) -> CaseStand:
    case_id = row["case_id"]
    steps = connection.scalar(select(func.count()).where(CHANGES.c.case_id == case_id)) or 0
    files = tuple(attachments_of(connection, case_id))
    return CaseStand(row["state"], steps, row["assignee"], row["own_due_ns"], row["conclusion"], files)


def _write(
    connection: Connection, row: RowMapping, stand: CaseStand, command: CaseCommand, who: str, at_ns: int
) -> None:
    case, why = case_record(row), reason_text(command.why)
    details = step_details(command)
    values: dict[str, object] = {}
    if isinstance(command, MoveCase):
        write_move(connection, case, command.state, who, why, at_ns)
        return
    if isinstance(command, AssignCase):
        values = {"assignee": command.assignee}
    elif isinstance(command, SetDue):
        values = {"own_due_ns": command.due_ns}
    elif isinstance(command, ConcludeCase):
        values = {"conclusion": command.conclusion}
    elif isinstance(command, AttachFile):
        number = _attach(connection, case.case_id, stand, command, who, at_ns)
        details = {"number": number, **(details or {})}
    elif isinstance(command, RemoveFile):
        its = (ATTACHMENTS.c.case_id == case.case_id, ATTACHMENTS.c.number == command.number)
        gone = {"removed_ns": at_ns, "removed_by": column_text(who), "removed_why": why}
        connection.execute(update(ATTACHMENTS).where(*its).values(gone))
    if values:
        connection.execute(update(CASES).where(CASES.c.case_id == case.case_id).values(values))
    step = {
        "case_id": case.case_id,
        "at_ns": max(at_ns, case.since_ns),
        "state": case.state,
        "who": column_text(who),
        "why": why,
        "kind": verbs.KINDS[type(command)],
        "details": None if details is None else json.dumps(details),
    }
    connection.execute(insert(CHANGES).values(step))


def _attach(
    connection: Connection,
    case_id: int,
    stand: CaseStand,
    command: AttachFile,
    who: str,
    at_ns: int,
) -> int:
    """The number of the attachment within its case. Raises CaseError where there are too many, or too much."""
    if len(stand.present) >= MOST_FILES:
        raise CaseError(TOO_MANY_FILES, most=str(MOST_FILES))
    stored = select(ATTACHMENTS.c.sha256, func.max(ATTACHMENTS.c.size_bytes).label("size"))
    stored = stored.where(ATTACHMENTS.c.removed_ns.is_(None)).group_by(ATTACHMENTS.c.sha256)
    whole = int(connection.scalar(select(func.coalesce(func.sum(stored.subquery().c.size), 0))) or 0)
    if whole + command.size_bytes > MOST_TOTAL_BYTES:
        raise CaseError(NO_ROOM, most=str(MOST_TOTAL_BYTES >> 30))
    number = max((each.number for each in stand.attachments), default=0) + 1
    row = {
        "case_id": case_id,
        "number": number,
        "sha256": command.sha256,
        "size_bytes": command.size_bytes,
        "kind": command.kind,
        "name": column_text(command.name),
        "added_ns": at_ns,
        "added_by": column_text(who),
    }
    connection.execute(insert(ATTACHMENTS).values(row))
    return number


def set_state(connection: Connection, case_id: int, state: State, who: str, why: str, at_ns: int) -> State:
    """Move a case by command; the state it was in. Raises CaseError if there is none, or it cannot go there."""
    return apply(connection, case_id, [MoveCase(state, why)], who, at_ns).before.state


def add_note(connection: Connection, case_id: int, who: str, why: str, at_ns: int) -> State:
    """Write something into a case's history that moves it nowhere; the state it is in. Raises CaseError if there is
    none."""
    return apply(connection, case_id, [verbs.NoteCase(why)], who, at_ns).before.state
