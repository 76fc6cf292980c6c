"""The audit's store: rows in, in one chain whoever writes; rows out, for its reader and for `verify`.

Its own file beside the ledger, or its own schema in PostgreSQL, so nobody who looks at a page waits for the writer of
the ledger. A row is appended by a transaction that holds the write lock from before the last row is read, so two
processes never follow the same row; and if they did, the unique `previous` refuses the second.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Delete,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)

from sensor.audit.chain import ALGORITHMS, OPENED, SEALED, START, Algorithm, StoredRow, has_sm3, link
from sensor.audit.entry import AuditEntry, EntryTooLargeError, bodies
from sensor.audit.seal import SealedRows, seal_in
from sensor.audit.system_user import system_actor
from sensor.ledger.store.beside import (
    StoreConflictError,
    StoreError,
    StorePlace,
    connect_beside,
    connect_beside_to_read,
    place_beside,
    reading_beside,
    writing_beside,
)
from sensor.model.audit_head import AuditHead
from sensor.model.time import SECOND_NS

METADATA = MetaData()
ROWS = Table(
    "audit_rows",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("actor", Text, nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("previous", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("record", LargeBinary, nullable=False),
)
#: Against accidents: who may write the file can take them away, which `verify` is for.
SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER audit_rows_no_{verb} BEFORE {verb} ON audit_rows "
    "BEGIN SELECT RAISE(ABORT, 'rows of the audit stay as they are'); END"
    for verb in ("update", "delete")
)
POSTGRESQL_GUARDS = (
    "CREATE OR REPLACE FUNCTION audit_rows_stay() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'rows of the audit stay as they are'; END $$",
    "CREATE TRIGGER audit_rows_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_rows "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_rows_stay()",
)
#: Any number; all writers of one chain in PostgreSQL use this one, and those of the ledger another.
WRITERS = 0x6D696E61
#: How long a writer tries to get the lock, in seconds; how long SQLite waits by itself, and the longest pause between
#: two tries: SQLite's own waits grow to a tenth of a second and let some process starve (3.2 s were seen of eight).
WITHIN_S, BUSY_MS, PAUSE_S = 10.0, 50, 0.02
#: Rows read at once.
PAGE = 500


class AuditError(StoreError):
    """The audit cannot be opened, read or written now; one sentence. What must be audited does not happen then."""


def audit_place(ledger_url: str, own_url: str | None = None) -> StorePlace:
    """Where the audit of a ledger stands. Raises AuditError."""
    with _own_error():
        return place_beside(ledger_url, "audit", own_url)


class AuditStore:
    """Appends rows; used by one thread at a time."""

    def __init__(self, engine: Engine, place: StorePlace, algorithm: Algorithm) -> None:
        self._engine, self._place, self._algorithm = engine, place, algorithm

    @classmethod
    def open(cls, place: StorePlace, algorithm: Algorithm = "sha256") -> AuditStore:
        """Open the store, or make it. Raises AuditError."""
        if algorithm == "sm3" and not has_sm3():
            raise AuditError("audit: audit.hash is sm3, and this system's OpenSSL has no SM3")
        with _own_error():
            return cls(connect_beside(place, BUSY_MS, lambda engine: _prepare(engine, place)), place, algorithm)

    def append(self, entries: Sequence[AuditEntry], within_s: float = WITHIN_S) -> list[int]:
        """Write all of the entries, in their order, or (AuditError) none; the number of each one's first row. They are
        on the disk when this returns."""
        try:
            rows: list[list[tuple[str, Mapping[str, object]]]]
            rows = [[(entry.actor.name, body) for body in bodies(entry)] for entry in entries]
        except EntryTooLargeError as error:
            raise AuditError(f"audit: {error}") from None
        until = time.monotonic() + within_s
        while True:
            try:
                with _own_error(), writing_beside(self._engine, self._place) as connection:
                    return self._append(connection, rows)
            except AuditError as error:
                if error.fault != "locked" or time.monotonic() > until:
                    raise
            time.sleep(random.uniform(0.001, PAUSE_S))

    def seal(self, before_ns: int, now_ns: int) -> SealedRows | None:
        """Remove the oldest rows, those of before a moment, but for the last row of all; None where there are none. A
        row of the chain says so, in the same transaction. Raises AuditError."""
        with _own_error(), writing_beside(self._engine, self._place) as connection:
            self._lock(connection)
            younger = connection.scalar(select(func.min(ROWS.c.sequence)).where(ROWS.c.at_ns >= before_ns))
            ends = connection.scalar(select(func.max(ROWS.c.sequence))) or 0
            last = min(ends, younger or ends) - 1
            digest = connection.scalar(select(ROWS.c.digest).where(ROWS.c.sequence == last))
            if digest is None:
                return None
            old = ROWS.c.sequence <= last
            removed = connection.scalar(select(func.count()).select_from(ROWS).where(old)) or 0
            sealed = SealedRows(last, str(digest), removed)
            entry = AuditEntry(system_actor(), "change", SEALED, now_ns, after=sealed._asdict(), phase="done")
            self._append(connection, [[(entry.actor.name, body) for body in bodies(entry)]])
            _without_guard(connection, delete(ROWS).where(old))
        return sealed

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    def _lock(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")

    def _append(self, connection: Connection, entries: list[list[tuple[str, Mapping[str, object]]]]) -> list[int]:
        self._lock(connection)
        newest = select(ROWS.c.sequence, ROWS.c.digest).order_by(ROWS.c.sequence.desc()).limit(1)
        last = connection.execute(newest).one_or_none()
        sequence, previous = (0, START) if last is None else (last.sequence, last.digest)
        chain = secrets.token_hex(8) if last is None else _chain_of(connection)
        if last is None:
            opened = AuditEntry(system_actor(), "opened", OPENED, time.time_ns())
            entries = [[(opened.actor.name, body) for body in bodies(opened)], *entries]
        flat = [row for rows in entries for row in rows]
        chained = list(link(flat, sequence, previous, chain, self._algorithm))
        if chained:
            connection.execute(insert(ROWS), [row._asdict() for row in chained])
        starts, at = [], sequence + 1
        for rows in entries:
            starts.append(at)
            at += len(rows)
        return starts[1:] if last is None else starts


class AuditReader:
    """Reads rows as they stand, and leaves nothing behind."""

    def __init__(self, place: StorePlace) -> None:
        """Raises AuditError."""
        self.place = place
        with _own_error():
            self._engine = connect_beside_to_read(place)
        if place.is_sqlite:
            event.listen(self._engine, "connect", _any_text)

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    def rows(self) -> Iterator[StoredRow]:
        """All rows in their order, whatever stands in them. Raises AuditError."""
        with _own_error(), reading_beside(self._engine, self.place) as connection:
            if not inspect(connection).has_table(ROWS.name):
                raise AuditError(f"audit {self.place.shown}: there is none in it")
            # Names and no types: what stands in a column need not be of its type.
            names = ", ".join(StoredRow._fields)
            statement = text(f"SELECT {names} FROM {ROWS.name} ORDER BY sequence, previous, digest")
            found = connection.execution_options(yield_per=PAGE).execute(statement)
            for row in found:
                yield StoredRow(*row)

    def newest(self, most: int, before: int | None = None, conditions: Sequence[Any] = ()) -> list[StoredRow]:
        """The newest rows, newest first, before a number; `conditions` are of the columns of ROWS. Raises
        AuditError."""
        query = select(ROWS).order_by(ROWS.c.sequence.desc()).limit(most).where(*conditions)
        if before is not None:
            query = query.where(ROWS.c.sequence < before)
        with _own_error(), reading_beside(self._engine, self.place) as connection:
            return [StoredRow(*row) for row in connection.execute(query)]

    def head(self, now_ns: int) -> AuditHead | None:
        """How the chain stands; None before its first row. Raises AuditError."""
        newest = select(ROWS.c.sequence, ROWS.c.digest, ROWS.c.record).order_by(ROWS.c.sequence.desc()).limit(1)
        with _own_error(), reading_beside(self._engine, self.place) as connection:
            row = connection.execute(newest).one_or_none() if inspect(connection).has_table(ROWS.name) else None
            if row is None:
                return None
            algorithm = str(_field(row.record, "hash"))
            if algorithm not in ALGORITHMS:
                raise AuditError(f"audit {self.place.shown}: its last row is damaged (minewatch audit verify)")
            at_ns = now_ns - now_ns % SECOND_NS
            return AuditHead(_chain_of(connection), row.sequence, algorithm, row.digest, at_ns)


def _without_guard(connection: Connection, statement: Delete) -> None:
    """Delete what a row of the chain says to be gone; within the transaction nobody else can."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE audit_rows DISABLE TRIGGER audit_rows_no_change")
        connection.execute(statement)
        connection.exec_driver_sql("ALTER TABLE audit_rows ENABLE TRIGGER audit_rows_no_change")
        return
    connection.exec_driver_sql("PRAGMA secure_delete=ON")  # zeros where the rows were
    connection.exec_driver_sql("DROP TRIGGER audit_rows_no_delete")
    connection.execute(statement)
    connection.exec_driver_sql(SQLITE_GUARDS[1])


def _chain_of(connection: Connection) -> str:
    """The name of the chain, from its first row; where that was removed, the row that says so must be there."""
    first = connection.execute(select(ROWS.c.sequence, ROWS.c.record).order_by(ROWS.c.sequence).limit(1)).one_or_none()
    name = None if first is None else _field(first.record, "chain")
    if first is not None and first.sequence != 1:
        newest = select(ROWS.c.record).where(ROWS.c.action == SEALED).order_by(ROWS.c.sequence.desc()).limit(1)
        sealed = seal_in(connection.scalar(newest))
        name = name if sealed is not None and sealed.rows == first.sequence - 1 else None
    if not isinstance(name, str) or not re.fullmatch(r"[0-9a-f]{16}", name, re.ASCII):
        raise AuditError("audit: its first row is missing or damaged: nothing is added to it (minewatch audit verify)")
    return name


def _field(record: object, name: str) -> object:
    """A field of a stored record; None where there is none."""
    try:
        fields = json.loads(record) if isinstance(record, bytes) else None
    except (ValueError, RecursionError):
        return None
    return fields.get(name) if isinstance(fields, dict) else None


def _prepare(engine: Engine, place: StorePlace) -> None:
    """Make the table where there is none."""
    with writing_beside(engine, place) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
        if not inspect(connection).has_table(ROWS.name):
            make_audit_tables(connection)


def make_audit_tables(connection: Connection) -> None:
    """Make the table and its guards, within a transaction."""
    METADATA.create_all(connection, checkfirst=False)
    for guard in SQLITE_GUARDS if connection.dialect.name == "sqlite" else POSTGRESQL_GUARDS:
        connection.exec_driver_sql(guard)


def _any_text(connection: Any, _: object) -> None:
    """Text that is no UTF-8 is a row that was changed, not an error."""
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _own_error() -> Iterator[None]:
    try:
        yield
    except AuditError:
        raise
    except StoreConflictError as error:
        raise AuditError(str(error), "locked") from None
    except StoreError as error:
        raise AuditError(str(error), error.fault) from None
