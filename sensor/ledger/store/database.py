"""Opens the database, brings its schema up to date, and turns what a driver raises into one sentence.

SQLite runs in WAL mode with synchronous FULL: what was committed survives a power cut, and readers never wait for the
writer. Every writing transaction takes the lock when it begins, so that none fails half-way because another came in
between.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from sensor.ledger.store.backup import BackupError, back_up
from sensor.ledger.store.errors import LedgerError, OutdatedLedgerError, fault_of
from sensor.ledger.store.opening import engine_for, is_there, parsed_url, refusal
from sensor.ledger.store.ownership import belong_to_folder, can_write
from sensor.ledger.store.read_only import connect_to_read, refuse_if_moved, why_unreadable

if TYPE_CHECKING:
    from alembic.config import Config

#: How long a writer waits for another process (`minewatch ledger set`), in milliseconds; the line waits meanwhile.
BUSY_MS = 2_000
#: Pages (of 4 KiB) in the write-ahead log before they are moved into the database, and what the log may keep of its
#: length afterwards.
CHECKPOINT_PAGES, LOG_BYTES = 1_000, 16_777_216
#: Any number; all writers of one PostgreSQL database use this one.
WRITERS = 0x6D696E65
#: Of a new database file: findings name people's machines.
MODE = 0o640
MIGRATIONS = Path(__file__).parents[1] / "migrations"
NEWER = "ledger {shown}: made by a newer minewatch (schema {current}); this one would damage it"


def connect(url: str) -> Engine:
    """An engine for a URL; its schema is brought up to date. Raises LedgerError."""
    engine = engine_for(url, {"timeout": BUSY_MS / 1000} if url.startswith("sqlite") else {})
    path = file_of_engine(engine)
    if path is not None and is_there(path) and not os.access(path, os.W_OK):
        # Opening it would make a log beside it that is this user's, and the service could not open its ledger any more.
        raise LedgerError(f"ledger {path}: {refusal(path) or 'no permission to write it'}")
    if engine.dialect.name == "postgresql":
        event.listen(engine, "begin", take_writers_lock)
    if engine.dialect.name == "sqlite":
        if path is not None:
            with contextlib.suppress(OSError):  # opening it gives the better message
                _make(path)
        event.listen(engine, "connect", set_pragmas)
        event.listen(engine, "begin", begin_transaction)
    try:
        with translated_errors(engine):
            _migrate(engine)
    except LedgerError as error:
        engine.dispose()
        reason = refusal(path) if path is not None and error.fault == "other" else None
        if reason is None:
            raise
        raise LedgerError(f"ledger {path}: {reason}", error.fault) from None
    return engine


def open_to_read(url: str) -> Engine:
    """An engine that only reads, of a database whose schema is this release's. Raises LedgerError, and
    OutdatedLedgerError where it is an older one's."""
    engine = connect_to_read(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with translated_errors(engine):
            current = _revision(engine)
        if current == newest_schema():
            return engine
        if current is None:
            raise LedgerError(f"ledger {shown}: there is none in it")
        if current in _revisions():
            raise OutdatedLedgerError(shown, f"its schema ({current}) is")
        raise LedgerError(NEWER.format(shown=shown, current=current))
    except LedgerError as error:
        engine.dispose()
        reason = why_unreadable(engine) if error.fault == "other" else None
        if reason is None:
            raise
        raise LedgerError(f"ledger {shown}: {reason}") from None


def is_own(url: str) -> bool:
    """Whether a database is a file of this user's, which he may bring up to date. Raises LedgerError for no URL."""
    path = parsed_url(url).database
    return url.startswith("sqlite") and path is not None and can_write(Path(path))


def _make(path: Path) -> None:
    """Make a file where there is none, of whoever has its folder."""
    if not path.exists():
        path.touch(MODE, exist_ok=True)
        belong_to_folder(path)


def exists(url: str) -> bool:
    """Whether there is something to open: opening a missing file of SQLite would create it. True for what is no URL:
    opening it raises the LedgerError that says so."""
    try:
        parsed = parsed_url(url)
    except LedgerError:
        return True
    return (
        parsed.get_backend_name() != "sqlite"
        or not parsed.database
        or parsed.database == ":memory:"
        or is_there(Path(parsed.database))
    )


def file_of_engine(engine: Engine) -> Path | None:
    """The file of a database; None if it has none of its own."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


@contextmanager
def translated_errors(engine: Engine) -> Iterator[None]:
    """Whatever the database raises within becomes a LedgerError."""
    try:
        yield
    except SQLAlchemyError as error:
        fault, reason = fault_of(getattr(error, "orig", None) or error)
        raise LedgerError(f"ledger {engine.url.render_as_string(hide_password=True)}: {reason}", fault) from error
    except OSError as error:
        fault, reason = fault_of(error)
        raise LedgerError(f"ledger {engine.url.render_as_string(hide_password=True)}: {reason}", fault) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that holds the write lock from its beginning; all of it, or nothing. Raises LedgerError."""
    with translated_errors(engine), engine.execution_options(minewatch_writes=True).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A view of one moment. Raises LedgerError, also where it turns out at the end to be of two."""
    with translated_errors(engine), engine.connect() as connection:
        yield connection
        refuse_if_moved(connection)


def empty_log(engine: Engine) -> None:
    """Write SQLite's log into the file and cut it: what was deleted stands in neither. Where a reader holds it up, the
    next checkpoint does it."""
    if engine.dialect.name == "sqlite":
        with translated_errors(engine):
            raw = engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()


def rewrite_file(engine: Engine) -> None:
    """Write a file anew without its free pages, in which rows of before may stand yet. Others wait for as long as it
    takes. Raises LedgerError."""
    with translated_errors(engine):
        raw = engine.raw_connection()  # within no transaction
        try:
            raw.cursor().execute("VACUUM")
        finally:
            raw.close()
    empty_log(engine)


def set_pragmas(connection: Any, _: object) -> None:
    """How a connection of SQLite writes."""
    connection.isolation_level = None  # the driver begins no transactions of its own
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        f"journal_size_limit={LOG_BYTES}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def begin_transaction(connection: Connection) -> None:
    """Begin one; who writes takes the lock at once."""
    writes = connection.get_execution_options().get("minewatch_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def take_writers_lock(connection: Connection) -> None:
    """Writers one after another: a number of the outbox that becomes visible late would be behind a cursor already."""
    if connection.get_execution_options().get("minewatch_writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


@cache
def newest_schema() -> str:
    """The schema that this release makes."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_migrations()).get_current_head() or ""


def _migrations() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _revision(engine: Engine) -> str | None:
    """The schema of a database; None if it has none."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _revisions() -> set[str]:
    """All schemas that this release knows."""
    from alembic.script import ScriptDirectory

    return {revision.revision for revision in ScriptDirectory.from_config(_migrations()).walk_revisions()}


def _migrate(engine: Engine) -> None:
    """Run the migrations that are missing, after a copy was made; a schema from the future is left alone."""
    current = _revision(engine)
    if current == newest_schema():
        return
    shown = engine.url.render_as_string(hide_password=True)
    if current is not None and current not in _revisions():
        raise LedgerError(NEWER.format(shown=shown, current=current))
    if current is not None:
        try:
            back_up(engine, current)
        except BackupError as error:
            raise LedgerError(f"ledger {shown}: {error}", error.fault) from None
    with engine.execution_options(minewatch_writes=True).begin() as connection:
        make_tables(connection)


def make_tables(connection: Connection) -> None:
    """Make this release's tables, or bring those of an earlier one up to date, within a transaction."""
    from alembic import command

    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
