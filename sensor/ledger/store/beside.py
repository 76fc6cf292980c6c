"""Opens a store that stands beside the ledger and is none of its tables: a file of SQLite, or in the ledger's
PostgreSQL a schema, of its own.

So its writers do not wait for the ledger's, whoever may read the ledger may not therefore read it, and a copy of the
ledger does not carry it away. Knows nothing of what stands in it.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from sensor.ledger.store.errors import LedgerError, LedgerFault, fault_of
from sensor.ledger.store.opening import engine_for, is_there, parsed_url, refusal
from sensor.ledger.store.ownership import belong_to_folder
from sensor.ledger.store.read_only import connect_to_read, refuse_if_moved, why_unreadable

#: Of a new file: the service's alone. Its log's files get the same from SQLite.
MODE = 0o600
#: How long opening a file waits for others that open it, in seconds.
FIRST_S = 10.0
#: Marks connections that write.
WRITES = "minewatch_writes"


class StorePlace(NamedTuple):
    """Where a store stands, and what sentences call it."""

    what: str
    url: str

    @property
    def shown(self) -> str:
        """The URL without a password; of a file its path."""
        parsed = parsed_url(self.url)
        return (
            str(parsed.database)
            if parsed.get_backend_name() == "sqlite"
            else f"{parsed.render_as_string(hide_password=True)} (schema {self.schema})"
        )

    @property
    def schema(self) -> str:
        """The schema in PostgreSQL."""
        return f"minewatch_{self.what}"

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return parsed_url(self.url).get_backend_name() == "sqlite"

    @property
    def exists(self) -> bool:
        """Whether there is a file, where it is one."""
        return not self.is_sqlite or is_there(Path(str(parsed_url(self.url).database)))


class StoreError(LedgerError):
    """A store beside the ledger cannot be opened, read or written now; one sentence."""


class StoreConflictError(StoreError):
    """Another process wrote the same in between."""


def place_beside(ledger_url: str, what: str, own_url: str | None = None) -> StorePlace:
    """Where a store of a ledger stands: `ledger.db.audit` beside `ledger.db`, or where its own URL says. Raises
    LedgerError for what is no URL, and for a ledger in memory."""
    if own_url is not None:
        parsed = parsed_url(own_url)
    else:
        parsed = parsed_url(ledger_url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            parsed = parsed.set(database=f"{parsed.database}.{what}", query={})
    if parsed.get_backend_name() == "sqlite" and (not parsed.database or parsed.database.startswith(":memory:")):
        raise StoreError(f"{what}: a ledger in memory has no place beside it")
    return StorePlace(what, parsed.render_as_string(hide_password=False))


def connect_beside(place: StorePlace, busy_ms: int, prepare: Callable[[Engine], None]) -> Engine:
    """An engine that writes; the store is made if there is none, and `prepare(engine)` brings its tables up to date.
    Raises StoreError. Whoever comes while others make it tries again: where the log is to be made, SQLite does not wait
    by itself."""
    until = time.monotonic() + FIRST_S
    while True:
        try:
            return _connect(place, busy_ms, prepare)
        except StoreError as error:
            if error.fault != "locked" or time.monotonic() > until:
                raise
        time.sleep(random.uniform(0.005, 0.05))


def _connect(place: StorePlace, busy_ms: int, prepare: Callable[[Engine], None]) -> Engine:
    with own_words(place):
        engine = engine_for(place.url, {} if place.is_sqlite else {"options": f"-c search_path={place.schema}"})
        if place.is_sqlite:
            _make(Path(str(engine.url.database)))
            event.listen(engine, "connect", lambda connection, _: _pragmas(connection, busy_ms))
            event.listen(engine, "begin", _begin)
        try:
            if not place.is_sqlite:
                _make_schema(engine, place)
            prepare(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def connect_beside_to_read(place: StorePlace) -> Engine:
    """An engine that only reads, and leaves nothing behind. Raises StoreError."""
    with own_words(place):
        if not place.exists:
            raise StoreError(f"{place.what} {place.shown}: there is none")
        engine = connect_to_read(place.url)
        if not place.is_sqlite:
            event.listen(engine, "connect", lambda connection, _: _search(connection, place.schema))
        elif (reason := why_unreadable(engine)) is not None:
            engine.dispose()
            raise StoreError(f"{place.what} {place.shown}: {reason}")
    return engine


@contextmanager
def writing_beside(engine: Engine, place: StorePlace) -> Iterator[Connection]:
    """One transaction that holds the write lock from its beginning. Raises StoreError."""
    with own_words(place), engine.execution_options(**{WRITES: True}).begin() as connection:
        yield connection


@contextmanager
def reading_beside(engine: Engine, place: StorePlace) -> Iterator[Connection]:
    """A view of one moment. Raises StoreError."""
    with own_words(place), engine.connect() as connection:
        yield connection
        refuse_if_moved(connection)


@contextmanager
def own_words(place: StorePlace) -> Iterator[None]:
    """Whatever the database or the system raises within becomes a StoreError that names the store."""
    try:
        yield
    except StoreError:
        raise
    except LedgerError as error:
        raise StoreError(str(error).replace("ledger ", f"{place.what} ", 1), error.fault) from None
    except IntegrityError as error:
        raise StoreConflictError(f"{place.what} {place.shown}: written by another process", "locked") from error
    except (SQLAlchemyError, OSError) as error:
        fault, reason = _fault(error)
        raise StoreError(f"{place.what} {place.shown}: {reason}", fault) from error


def _fault(error: Exception) -> tuple[LedgerFault, str]:
    return fault_of(getattr(error, "orig", None) or error)


def _make(path: Path) -> None:
    """Make a file where there is none, of whoever has its folder. Raises StoreError where it cannot be written."""
    if not path.exists():
        with contextlib.suppress(OSError):  # what is wrong is said below
            path.touch(MODE, exist_ok=True)
            belong_to_folder(path)
    if (reason := refusal(path)) is not None or not os.access(path, os.W_OK):
        raise StoreError(f"{path}: {reason or 'no permission to write it'}")


def _make_schema(engine: Engine, place: StorePlace) -> None:
    """Make a schema of PostgreSQL; of two processes at once one may fail, for the other has done it. Raises StoreError
    where this role may not."""
    schema, has_it = place.schema, f"SELECT to_regnamespace('{place.schema}') IS NOT NULL"
    with engine.begin() as connection:
        if connection.exec_driver_sql(has_it).scalar():
            return
    with contextlib.suppress(SQLAlchemyError), engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    with engine.begin() as connection:
        if not connection.exec_driver_sql(has_it).scalar():
            mend = f"CREATE SCHEMA {schema} AUTHORIZATION {engine.url.username or 'minewatch'}"
            raise StoreError(f"{place.what} {place.shown}: this role may not make the schema: {mend}")


def _search(connection: Any, schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {schema}")
    connection.commit()


def _pragmas(connection: Any, busy_ms: int) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={busy_ms}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
