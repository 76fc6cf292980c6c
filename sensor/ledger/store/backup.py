"""A copy of the ledger before its schema is changed: beside SQLite's file, in PostgreSQL in a schema of its own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.schema import CreateSchema

from sensor.ledger.store.errors import LedgerError, fault_of
from sensor.ledger.store.read_only import has_moved, open_file

#: Of the copy: nobody but the owner needs it.
MODE = 0o600


class BackupError(LedgerError):
    """No copy could be made; one sentence."""


def back_up(engine: Engine, revision: str) -> str | None:
    """Copy a ledger of a schema's revision; where the copy is, None for one in memory. An older copy of the same
    revision is replaced. Raises BackupError, SQLAlchemyError."""
    if engine.dialect.name == "postgresql":
        return _copy_tables(engine, f"minewatch_before_{revision}")
    name = engine.url.database
    if not name or name == ":memory:":
        return None
    place = Path(f"{name}.before-{revision}")
    try:
        copy_file(Path(name), place)
    except (OSError, sqlite3.Error) as error:
        fault, reason = fault_of(error)
        text = f"no copy could be made at {place} before the schema is changed: {reason}"
        raise BackupError(text, fault) from None
    return str(place)


def copy_file(source: Path, place: Path) -> None:
    """Copy a database of SQLite as it is at one moment, its log included, while others use it. The copy is there whole
    or not at all; nobody but its owner can read it. Raises OSError, sqlite3.Error."""
    unfinished = place.with_name(place.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(MODE)
        with (
            contextlib.closing(open_file(source)) as original,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            original.backup(copy)
            if has_moved(original):
                raise sqlite3.OperationalError(f"{source} is locked: its service began to write")
            copy.execute("PRAGMA journal_mode=DELETE")  # a copy in WAL mode gets files beside it from whoever reads it
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(place)
    except BaseException:
        for end in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)
        raise


def _copy_tables(engine: Engine, schema: str) -> str:
    with engine.begin() as connection:
        quoted = engine.dialect.identifier_preparer.quote
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
        connection.execute(CreateSchema(schema))
        parts = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))
        for table in sorted(set(inspect(connection).get_table_names()) - parts):  # a partition's rows are its table's
            connection.exec_driver_sql(f"CREATE TABLE {quoted(schema)}.{quoted(table)} AS TABLE {quoted(table)}")
    return f"schema {schema}"
