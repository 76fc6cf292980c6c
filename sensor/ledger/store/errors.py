"""What is wrong with a ledger, as one sentence and a kind. Tells a full disk, damage and a lock apart by the codes of
the driver, not by its words: "database disk image is malformed" is no full disk."""

from __future__ import annotations

import errno
import sqlite3
from typing import Literal, get_args

from sqlalchemy.exc import DataError, IntegrityError

LedgerFault = Literal["full", "damaged", "locked", "other"]
FAULTS: tuple[LedgerFault, ...] = get_args(LedgerFault)
#: Beginnings of the names of SQLite's codes (sqlite.org/rescode.html), the kind of fault and what is said. An error
#: while the log's index is made longer is how a full disk shows itself there.
CODES: tuple[tuple[str, LedgerFault, str], ...] = (
    ("SQLITE_FULL", "full", "the disk is full"),
    ("SQLITE_IOERR_SHMSIZE", "full", "the disk is full"),
    ("SQLITE_CORRUPT", "damaged", "the database is damaged"),
    ("SQLITE_NOTADB", "damaged", "this is not a database, or its first page is damaged"),
    ("SQLITE_BUSY", "locked", "it is locked by another process"),
    ("SQLITE_LOCKED", "locked", "it is locked by another process"),
    ("SQLITE_CANTOPEN", "other", "it cannot be opened: no such folder, or no permission"),
    ("SQLITE_READONLY", "other", "no permission to write"),
    ("SQLITE_IOERR", "other", "the disk failed (input/output error)"),
)
#: Parts of messages of drivers that have no codes, in the same way.
PHRASES: tuple[tuple[str, LedgerFault, str], ...] = (
    ("malformed", "damaged", "the database is damaged"),
    ("could not decode", "damaged", "the database is damaged: text of it is none"),
    ("invalid page", "damaged", "the database is damaged"),
    ("not a database", "damaged", "this is not a database"),
    ("disk is full", "full", "the disk is full"),
    ("no space left", "full", "the disk is full"),
    ("locked", "locked", "it is locked by another process"),
    ("lock timeout", "locked", "it is locked by another process"),
    ("unable to open", "other", "it cannot be opened: no such folder, or no permission"),
    ("readonly", "other", "no permission to write"),
    ("disk i/o error", "other", "the disk failed (input/output error)"),
)


class LedgerError(Exception):
    """The ledger cannot be opened, read or written now; one sentence. Nothing of what was tried stays in it."""

    def __init__(self, text: str, fault: LedgerFault = "other") -> None:
        super().__init__(text)
        self.fault: LedgerFault = fault


class OutdatedLedgerError(LedgerError):
    """A ledger of an older release, which has to be brought up to date before it can be read."""

    def __init__(self, shown: str, what: str) -> None:
        super().__init__(
            f"ledger {shown}: {what} of an older minewatch: the service brings it up to date when it starts"
        )


class DamagedRecordError(LedgerError):
    """A record of the ledger is none any more: the database is damaged, though its pages hang together."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"ledger: the database is damaged: a record in it cannot be read ({reason})", "damaged")


def is_of_data(error: LedgerError) -> bool:
    """Whether what was to be written is the reason, and not the database: trying again is useless."""
    return isinstance(error.__cause__, DataError | IntegrityError)


def fault_of(error: BaseException) -> tuple[LedgerFault, str]:
    """The kind of what a driver or the system raised, and the reason in words."""
    text = str(error)
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return ("full", "the disk is full") if full else ("other", (error.strerror or text).lower())
    code = getattr(error, "sqlite_errorname", None) if isinstance(error, sqlite3.Error) else None
    if code is not None:
        for start, fault, reason in CODES:
            if code.startswith(start):
                return fault, reason
    for part, fault, reason in PHRASES:
        if part in text.lower():
            return fault, reason
    return "other", text.splitlines()[0] if text else type(error).__name__
