"""Opens a ledger to read it and leaves nothing behind: no schema is changed, no file is made beside it.

A plain reader of SQLite's WAL mode needs the log's files, and makes them where they are not: with its own owner, so
that the service could not open its ledger any more. What is opened here depends on what stands there
(sqlite.org/wal.html, "Read-Only Databases"):

- log and index: they are read, by whoever may;
- no log: nobody has it open, and the file is read as it stands. If it changes meanwhile, what was read is refused;
- a log without its index (a crash, a copy): a private copy of both is read.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from sensor.ledger.store.errors import LedgerError, fault_of
from sensor.ledger.store.opening import engine_for, parsed_url, reading_refusal

#: How long a reader waits for a lock, in seconds.
BUSY_S = 2.0
#: A file that was written so recently may be written again without its time showing it: clocks of files tick in some
#: milliseconds.
TICK_S = 0.02
#: What is remembered of a connection, until all was read.
STAND = "minewatch_stand"


class _Stand(NamedTuple):
    """A file as it stood when reading began."""

    path: Path
    node: int
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> _Stand:
        """That of a file. Raises OSError."""
        found = path.stat()
        return cls(path, found.st_ino, found.st_size, max(found.st_mtime_ns, found.st_ctime_ns))

    def holds(self) -> bool:
        """Whether nobody has written to it since, nor begun to."""
        try:
            return _Stand.of(self.path) == self and not _beside(self.path, "wal").exists()
        except OSError:
            return False


class _Reader(sqlite3.Connection):
    """A connection that takes its private copy away with it."""

    stand: _Stand | None = None
    copied: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Close it, and delete the copy."""
        super().close()
        if self.copied is not None:
            self.copied.cleanup()


def connect_to_read(url: str) -> Engine:
    """An engine for a URL that can only read. Raises LedgerError for a URL that is none; nothing is opened yet."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return engine_for(url, {"options": "-c default_transaction_read_only=on"})
    path = Path(parsed.database).absolute()
    engine = create_engine(parsed, creator=lambda: open_file(path), poolclass=NullPool)
    event.listen(engine, "connect", _remember)
    event.listen(engine, "begin", _begin)
    return engine


def has_moved(connection: sqlite3.Connection) -> bool:
    """Whether a file that was read as it stands was written meanwhile."""
    stand = getattr(connection, "stand", None)
    return stand is not None and not stand.holds()


def refuse_if_moved(connection: Connection) -> None:
    """Raises LedgerError if the file was written while it was read as it stood: what was read may be of two times."""
    stand = connection.info.get(STAND)
    if stand is not None and not stand.holds():
        raise LedgerError(f"ledger {stand.path}: its service began to write while it was read: try again", "locked")


def _beside(path: Path, what: str) -> Path:
    return Path(f"{path}-{what}")


def open_file(path: Path) -> sqlite3.Connection:
    """A connection that reads a ledger's file. Raises sqlite3.Error."""
    log, index = _beside(path, "wal"), _beside(path, "shm")
    if log.exists() and not index.exists():
        return _open_copy(path, log)
    if log.exists():
        return _open(path, "mode=ro")
    with contextlib.suppress(OSError):  # opening it says why
        if time.time() - path.stat().st_mtime < TICK_S:
            time.sleep(TICK_S)
    try:
        stand = _Stand.of(path)
    except OSError:
        stand = None
    connection = _open(path, "mode=ro&immutable=1")
    connection.stand = stand
    return connection


def _open(path: Path, how: str) -> _Reader:
    """As SQLite is told by a URI (sqlite.org/uri.html)."""
    uri = f"{path.absolute().as_uri().replace('file://', 'file:', 1)}?{how}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, factory=_Reader, check_same_thread=False)
    connection.isolation_level = None  # the driver begins no transactions of its own
    connection.execute("PRAGMA query_only=ON")
    return connection


def _open_copy(path: Path, log: Path) -> _Reader:
    """A connection to a copy of a database and its log, made while neither changed."""
    folder = tempfile.TemporaryDirectory(prefix="minewatch-")
    copy = Path(folder.name) / path.name
    try:
        before = [_Stand.of(file)[1:] for file in (path, log)]
        for file, target in ((path, copy), (log, _beside(copy, "wal"))):
            shutil.copyfile(file, target)
            target.chmod(0o600)
        moved = before != [_Stand.of(file)[1:] for file in (path, log)]
    except OSError as error:
        folder.cleanup()
        raise sqlite3.OperationalError(f"a private copy cannot be made: {fault_of(error)[1]}") from None
    if moved:
        folder.cleanup()
        raise sqlite3.OperationalError("it is locked: its service began to write")
    connection = _open(copy, "mode=rw")
    connection.copied = folder
    return connection


def _remember(connection: Any, record: Any) -> None:
    record.info[STAND] = getattr(connection, "stand", None)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def why_unreadable(engine: Engine) -> str | None:
    """Why a ledger's file cannot be read, as the end of a sentence; None where nothing of the kind is seen."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name:
        return None
    path = Path(name)
    for file in (path, _beside(path, "wal"), _beside(path, "shm")):
        if (file == path or file.exists()) and (reason := reading_refusal(file)) is not None:
            return reason if file == path else f"{file.name}: {reason}"
    return None
