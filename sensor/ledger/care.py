"""Backup, restoring and checking of a ledger, beside whatever process uses it. Opens no ledger as a sensor does: no
schema is changed, and nothing is created.

Of PostgreSQL only the records are checked: its own tools (pg_dump, pg_restore, pg_amcheck) do the rest.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from sensor.ledger.lease import LEASE_NS
from sensor.ledger.store.backup import copy_file
from sensor.ledger.store.errors import LedgerError, fault_of
from sensor.ledger.store.integrity import Integrity, check_file
from sensor.ledger.store.months import MonthSize, month_sizes
from sensor.ledger.store.opening import is_there, parsed_url, reading_refusal, rooted_hint
from sensor.ledger.store.read_only import connect_to_read, open_file
from sensor.ledger.store.records import load_attribution, load_enterprise, load_flow, load_report, loads
from sensor.model.sensor import ProcessIdentity
from sensor.model.time import SECOND_NS

#: Columns that hold records, and what reads them.
RECORDS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("findings", loads),
    ("parts", loads),
    ("nodes", loads),
    ("outbox", loads),
    ("reports", load_report),
    ("connections", load_flow),
    ("enterprises", load_enterprise),
    ("addresses", load_attribution),
)
#: Records that cannot be read and are listed.
MAX_LISTED = 20
POSTGRESQL = "PostgreSQL has its own tools for this: pg_dump copies a ledger while it is used, pg_restore restores it"
#: A lease whose beat is older than this, by this host's clock, is of a process that is gone: twice what it holds.
GONE_NS = 2 * LEASE_NS


class LedgerUsedError(LedgerError):
    """A process uses the ledger; one sentence."""


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What a check found."""

    schema: str | None
    records: int  # that were read
    unreadable: tuple[str, ...]  # a sentence each
    integrity: Integrity
    months: tuple[MonthSize, ...] = ()  # of tables that are cut by the month

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that is wrong."""
        return (*self.integrity.faults, *self.unreadable)


def stamp(now_ns: int) -> str:
    """A moment as a part of a file's name, UTC."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns // SECOND_NS))


def shown(url: str) -> str:
    """Where a ledger is, as it may be shown: its file, or its URL without the password. Raises LedgerError."""
    parsed = parsed_url(url)
    return parsed.render_as_string(hide_password=True) if parsed.get_backend_name() != "sqlite" else str(file_of(url))


def file_of(url: str) -> Path:
    """The file of a ledger. Raises LedgerError if it has none, or there is none."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise LedgerError(POSTGRESQL)
    if not parsed.database or parsed.database == ":memory:":
        raise LedgerError("a ledger in memory has no file")
    path = Path(parsed.database)
    if not is_there(path):
        raise LedgerError(f"there is no ledger at {path}{rooted_hint(url)}")
    reason = reading_refusal(path)
    if reason is not None:
        raise LedgerError(f"ledger {path}: {reason}")
    return path


def back_up_to(url: str, target: Path) -> Integrity:
    """Copy a ledger while it is used: the state of one moment. What a check of the copy says. Raises LedgerError if it
    cannot be copied; nothing is overwritten."""
    source = file_of(url)
    if target.exists():
        raise LedgerError(f"{target}: is there already; nothing was written")
    with translated(target):
        try:
            copy_file(source, target)
        except sqlite3.Error as error:
            fault, reason = fault_of(error)
            if fault in ("full", "other"):  # of the place where the copy was to be
                raise
            raise LedgerError(f"{source}: {reason}; nothing was copied", fault) from None
    return check_file(target)


@dataclass(frozen=True, slots=True)
class Restorer:
    """Who restores, and when."""

    process: ProcessIdentity
    is_running: Callable[[ProcessIdentity], bool]  # asked of processes of this kernel only
    now_ns: int


def restore_from(url: str, backup: Path, by: Restorer, prepare: Callable[[Path], None] = lambda _: None) -> Path | None:
    """Put a copy in a ledger's place; where the former file is now, None if there was none. `prepare` gets the file
    that was laid ready, before it takes its place.

    Raises LedgerError if the copy is no sound ledger, or LedgerUsedError if a process uses the ledger; then nothing was
    changed.
    """
    place = Path(parsed_url(url).database or "") if url.startswith("sqlite") else file_of(url)
    if not backup.is_file():
        raise LedgerError(f"{backup}: there is no such file")
    if place.exists() and place.samefile(backup):
        raise LedgerError(f"{backup}: is the ledger itself")
    found = check_file(backup)
    if found.faults:
        raise LedgerError(f"{backup}: the copy is damaged: {found.faults[0]}; nothing was changed", "damaged")
    if schema_of(backup) is None:
        raise LedgerError(f"{backup}: is no ledger of minewatch; nothing was changed")
    refuse_used(place, by)
    fresh = place.with_name(f"{place.name}.restored")
    with translated(fresh):
        copy_file(backup, fresh)
        with contextlib.closing(sqlite3.connect(fresh)) as connection, connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'leases'").fetchone():
                connection.execute("DELETE FROM leases")  # of processes of then
        give_like(place, fresh)
    prepare(fresh)
    refuse_used(place, by)
    with translated(place):
        former = set_aside(place, f"{place.name}.before-restore-{stamp(by.now_ns)}")
        fresh.replace(place)
        sync_folder(place.parent)
    return former


def check(url: str) -> LedgerCheck:
    """Check all of a ledger: its file, if it has one, and every record. Raises LedgerError if it cannot be opened."""
    is_file = parsed_url(url).get_backend_name() == "sqlite"
    path = file_of(url) if is_file else None
    integrity = Integrity() if path is None else check_file(path)
    if path is not None and integrity.faults and schema_of(path) is None:
        return LedgerCheck(None, 0, (), integrity)  # no record of it can be read either
    unreadable: list[str] = []
    records, months = 0, list[MonthSize]()
    engine = connect_to_read(url)
    try:
        schema = None
        with translated(path or engine.url.render_as_string(hide_password=True)), engine.connect() as connection:
            with contextlib.suppress(SQLAlchemyError):
                schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
                months = month_sizes(connection)
            for table, read in RECORDS:
                more, bad = _read_all(connection, table, read)
                records += more
                unreadable += bad
    finally:
        engine.dispose()
    return LedgerCheck(schema, records, tuple(unreadable[:MAX_LISTED]), integrity, tuple(months))


def _read_all(connection: Connection, table: str, read: Callable[[str], object]) -> tuple[int, list[str]]:
    """Read every record of a table; how many, and what is wrong with which."""
    count, bad = 0, list[str]()
    try:
        rows = connection.exec_driver_sql(f"SELECT record FROM {table} WHERE record IS NOT NULL")
        for number, (text,) in enumerate(rows, 1):
            try:
                read(text)
                count += 1
            except LedgerError as error:
                bad.append(f"{table}: row {number}: {error}")
    except SQLAlchemyError as error:
        bad.append(f"{table}: {fault_of(getattr(error, 'orig', None) or error)[1]}")
    return count, bad


def schema_of(path: Path) -> str | None:
    """The schema of a ledger's file; None for what is no ledger."""
    try:
        with contextlib.closing(open_file(path)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])
    except sqlite3.Error:
        return None


def refuse_used(place: Path, by: Restorer) -> None:
    """Raise LedgerUsedError where a process holds a lease of the ledger, or has its file open."""
    if not place.exists():
        return
    for sensor_id, beat_ns, holder in _holders(place):
        here = by.process.shares_processes_with(holder)
        if by.is_running(holder) if here else by.now_ns - beat_ns < GONE_NS:
            where = f"process {holder.pid} on {holder.host}"
            raise LedgerUsedError(f"{place}: sensor {sensor_id} ({where}) uses it: stop it first; nothing was changed")
    for pid in _users(place):
        raise LedgerUsedError(f"{place}: process {pid} has it open: stop it first; nothing was changed")


def _holders(place: Path) -> list[tuple[str, int, ProcessIdentity]]:
    """Who holds leases: sensor, last beat by its clock, process; none where that cannot be read any more."""
    columns = "sensor_id, beat_ns, host, boot_id, pid_namespace, pid, started_ticks"
    try:
        with contextlib.closing(open_file(place)) as connection:
            rows = connection.execute(f"SELECT {columns} FROM leases").fetchall()
    except sqlite3.Error:
        return []
    return [(row[0], row[1], ProcessIdentity(*row[2:])) for row in rows]


def _users(place: Path) -> list[int]:
    """Other processes that have a file open, as far as this one may see."""
    wanted, found = place.stat(), []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        pid = int(folder.parent.name)
        with contextlib.suppress(OSError):
            for handle in folder.iterdir() if pid != os.getpid() else ():
                with contextlib.suppress(OSError):
                    if os.path.samestat(handle.stat(), wanted):
                        found.append(pid)
    return sorted(set(found))


def set_aside(place: Path, name: str) -> Path | None:
    """Rename a ledger with its log, so that both still belong together."""
    if not place.exists():
        return None
    former = place.with_name(name)
    for end in ("-shm", "-wal", ""):
        part = place.with_name(place.name + end)
        if part.exists():
            part.rename(former.with_name(former.name + end))
    return former


def give_like(place: Path, fresh: Path) -> None:
    """Give a file the mode and the owner of another."""
    if place.exists():
        shutil.copymode(place, fresh)
        its = place.stat()
        if (its.st_uid, its.st_gid) != (fresh.stat().st_uid, fresh.stat().st_gid):
            os.chown(fresh, its.st_uid, its.st_gid)


def sync_folder(folder: Path) -> None:
    """Names of a folder are on the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def translated(place: Path | str) -> Iterator[None]:
    """What the system or the driver raises within, as a LedgerError."""
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        fault, reason = fault_of(getattr(error, "orig", None) or error)
        raise LedgerError(f"{place}: {reason}", fault) from None
