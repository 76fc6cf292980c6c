"""Writes the commands of people to cases, for command line and console alike: one transaction each, a bounded wait.

The daemon is the ledger's writer for what sensors see; beside it this writes for a moment, as `ledger set` always did.
Who may command what is decided before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from sqlalchemy import Engine

from sensor.cases.commands import AttachFile, CaseCommand, CaseStand
from sensor.cases.file_kinds import kind_of, stored_name
from sensor.cases.states import CaseError
from sensor.ledger.read.selection import Selection
from sensor.ledger.store.attachment_rows import removed_hashes, stored_hashes
from sensor.ledger.store.attachments import AttachmentFolder
from sensor.ledger.store.database import reading, writing
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.short_write import check_schema, engine_of_short_writes, writing_refusal
from sensor.ledger.write import casework, forget
from sensor.ledger.write.casework import CaseStep
from sensor.model.scope import EVERYWHERE, Scope

NO_FOLDER = "there is no folder for attachments: ledger.attachments names one"


class CaseClerk:
    """Any thread may command."""

    def __init__(self, engine: Engine, files: AttachmentFolder | None = None) -> None:
        """`files` is the folder of attachments; without one there are none."""
        self._engine, self.files = engine, files

    @classmethod
    def beside_readers(cls, url: str, files: AttachmentFolder | None = None) -> CaseClerk:
        """One for a process that otherwise only reads, and keeps nothing open. Raises LedgerError for no URL."""
        return cls(engine_of_short_writes(url), files)

    def refusal(self) -> str | None:
        """Why nothing can be written by this process's user; None where it can."""
        return writing_refusal(self._engine)

    def command(
        self,
        case_id: int,
        given: Sequence[CaseCommand],
        who: str,
        at_ns: int,
        *,
        steps: int | None = None,
        scope: Scope = EVERYWHERE,
    ) -> CaseStep:
        """Do commands to a case, all or none. `steps`: how long its history was when it was read. Raises CaseError,
        NoSuchCaseError also for a case outside of the scope, and LedgerError where it cannot be written now."""
        if (reason := self.refusal()) is not None:
            raise LedgerError(f"ledger: {reason}")
        check_schema(self._engine)
        within = None if scope.everywhere else Selection(scope).cases
        with writing(self._engine) as connection:
            done = casework.apply(connection, case_id, given, who, at_ns, steps=steps, within=within)
        self._drop_removed(done)
        return done

    def attach(
        self,
        case_id: int,
        content: bytes,
        name: str,
        who: str,
        at_ns: int,
        *,
        why: str = "",
        before: Sequence[CaseCommand] = (),
        steps: int | None = None,
        scope: Scope = EVERYWHERE,
    ) -> CaseStep:
        """Store a file and attach it, after other commands. Raises CaseError for one that is none of the kinds, as
        well; AttachmentError where it cannot be stored. A file that no case takes is not kept."""
        if self.files is None:
            raise CaseError(NO_FOLDER)
        kind, digest = kind_of(content, name), self.files.store(content)
        command = AttachFile(stored_name(name), digest, len(content), kind, why)
        try:
            done = self.command(case_id, [*before, command], who, at_ns, steps=steps, scope=scope)
        except BaseException:
            with suppress(LedgerError):
                self.drop_unused({digest})
            raise
        self.files.store(content)  # where its last other case let it go in between
        return done

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    def _drop_removed(self, done: CaseStep) -> None:
        """The files of attachments that were removed, if no other case has them."""
        there = {each.sha256 for each in done.before.attachments if each.removed_ns is None}
        self.drop_unused(there - {each.sha256 for each in done.after.attachments if each.removed_ns is None})

    def drop_unused(self, digests: Collection[str]) -> int:
        """Delete those of these files that no case has any more; how many. Raises LedgerError."""
        if not digests or self.files is None:
            return 0
        with reading(self._engine) as connection:
            gone = set(digests) - stored_hashes(connection)
        return sum(self.files.drop(digest) for digest in gone)

    def drop_left_over(self) -> int:
        """Delete the files of all attachments that were forgotten or removed, those too that a process left which died
        before it could; how many. Raises LedgerError."""
        if self.files is None:
            return 0
        with reading(self._engine) as connection:
            removed, forgotten = removed_hashes(connection), forget.has_hashes(connection)
        gone = sum(self.files.drop(digest) for digest in removed)
        if forgotten:
            with writing(self._engine) as connection:
                forget.blank_hashes(connection)
        return gone


def changed_facts(done: CaseStep) -> tuple[dict[str, str | int | None], dict[str, str | int | None]]:
    """A case before and after, as the audit has it: its state, and what else is another one."""
    before, after = _facts(done.before), _facts(done.after)
    names = [name for name in before if name == "state" or before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def _facts(stand: CaseStand) -> dict[str, str | int | None]:
    files = [str(each.number) for each in stand.attachments if each.removed_ns is None]
    return {
        "state": stand.state,
        "assignee": stand.assignee,
        "due_ns": stand.own_due_ns,
        "conclusion": stand.conclusion,
        "attachments": ", ".join(files),
    }
