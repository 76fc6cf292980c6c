"""The store of accounts: its own file beside the ledger, or its own schema in PostgreSQL, brought up to date when it is
opened.

Not among the ledger's tables: its file is read by a whole group, copies of it are handed on, and its one writer is the
line; hashes of passwords must be in none of those hands, and a sign-in must not wait for a sensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from sensor.ledger.store.beside import (
    StoreError,
    StorePlace,
    connect_beside,
    place_beside,
    reading_beside,
    writing_beside,
)
from sensor.people.schema import VERSION_TABLE

MIGRATIONS = Path(__file__).parent / "migrations"
#: The schema that this release makes.
NEWEST = "p0003"
#: How long a writer waits for another, in milliseconds.
BUSY_MS = 5_000
#: Any number; all writers of accounts in one PostgreSQL use this one.
WRITERS = 0x6D696E70


class PeopleError(StoreError):
    """The accounts cannot be opened, read or written now; one sentence."""


def people_place(ledger_url: str, own_url: str | None = None) -> StorePlace:
    """Where the accounts of a ledger's console stand. Raises PeopleError."""
    with _own_error():
        return place_beside(ledger_url, "people", own_url)


class PeopleStore:
    """One store; may be used from any thread."""

    def __init__(self, place: StorePlace) -> None:
        """Open it, or make it. Raises PeopleError."""
        self.place = place
        with _own_error():
            self.engine = connect_beside(place, BUSY_MS, lambda engine: _migrate(engine, place))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its beginning; all of it, or nothing. Raises PeopleError."""
        with _own_error(), writing_beside(self.engine, self.place) as connection:
            _lock(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view of one moment. Raises PeopleError."""
        with _own_error(), reading_beside(self.engine, self.place) as connection:
            yield connection

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _migrate(engine: Engine, place: StorePlace) -> None:
    with writing_beside(engine, place) as connection:
        _lock(connection)
        make_people_tables(connection, place)


def make_people_tables(connection: Connection, place: StorePlace) -> None:
    """Make this release's tables, or bring those of an earlier one up to date, within a transaction. Raises
    PeopleError."""
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    if current == NEWEST:
        return
    known_schemas = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known_schemas:
        raise PeopleError(f"people {place.shown}: made by a newer minewatch (schema {current})")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _own_error() -> Iterator[None]:
    try:
        yield
    except PeopleError:
        raise
    except StoreError as error:
        raise PeopleError(str(error), error.fault) from None
