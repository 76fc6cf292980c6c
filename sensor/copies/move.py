"""Copies a desk into another database, PostgreSQL or files, with all numbers as they are. The target is there whole or
not at all; the source is only read, but for the rows of its audit that say so.

In PostgreSQL one transaction makes and fills all schemas. Files are made under other names, and get theirs at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, MetaData, inspect, select

from sensor.audit import store as audit_store
from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.store import AuditReader, AuditStore
from sensor.audit.verify import verify
from sensor.copies.places import DeskPlaces, file_of_place, place_of_file
from sensor.copies.tables import TableSums, copy_tables, sums_of
from sensor.ledger.care import GONE_NS, LedgerUsedError, Restorer, refuse_used, sync_folder, translated
from sensor.ledger.store import database, schema
from sensor.ledger.store.beside import (
    StorePlace,
    connect_beside,
    connect_beside_to_read,
    own_words,
    place_beside,
    reading_beside,
    writing_beside,
)
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.opening import engine_for
from sensor.ledger.store.ownership import belong_to_folder
from sensor.model.sensor import ProcessIdentity
from sensor.people import schema as people_schema
from sensor.people.store import PeopleStore, make_people_tables

ACTION, BUSY_MS, LEDGER_MODE = "desk.move", 5_000, 0o640
#: Rows of processes of then.
LEAVE_OUT = ("leases",)
TABLES: dict[str, MetaData] = {
    "ledger": schema.METADATA, "people": people_schema.METADATA, "audit": audit_store.METADATA,
}  # fmt: skip


class MovedDesk(NamedTuple):
    """What arrived."""

    shown: str
    rows: dict[str, int]  # by table
    audit: str | None  # the head of the audit as it arrived


def move_desk(places: DeskPlaces, to_url: str, by: Restorer, actor: AuditActor) -> MovedDesk:
    """Copy a desk to a URL. Stores that have a place of their own stay there. Raises LedgerError, and LedgerUsedError
    where a process uses the source; StoreError."""
    pairs = _pairs(places, to_url)
    _refuse_writers(places, pairs, by)
    if any(source.what == "people" for source, _ in pairs):
        PeopleStore(places.people).close()  # brings an older one up to date
    _refuse_unsound(places)
    entry = AuditEntry(actor, "change", ACTION, by.now_ns, {"to": shown_target(to_url)})
    asked = _note(places.audit, places, replace(entry, phase="asked"))
    pairs = _pairs(places, to_url)  # the row may have made the audit
    try:
        is_file = pairs[0][1].is_sqlite
        sums = _into_files(pairs) if is_file else _into_server(pairs)
    except BaseException:
        with contextlib.suppress(LedgerError):  # the first row says that it was asked for
            _note(places.audit, places, replace(entry, phase="failed", of=asked))
        raise
    rows = {name: its.rows for name, its in sums.items()}
    living = next((target for source, target in pairs if source.what == "audit"), places.audit)
    head = _head(living, by.now_ns)
    _note(living, places, replace(entry, phase="done", of=asked, after={"rows": sum(rows.values())}))
    return MovedDesk(shown_target(to_url), rows, head)


def shown_target(url: str) -> str:
    """A URL without its password. Raises LedgerError."""
    return StorePlace("ledger", url).shown.removesuffix(" (schema minewatch_ledger)")


def _pairs(places: DeskPlaces, to_url: str) -> list[tuple[StorePlace, StorePlace]]:
    """What is copied from where to where, the ledger first. Raises LedgerError."""
    url = places.ledger.url
    found = [(places.ledger, StorePlace("ledger", to_url))]
    for place in (places.people, places.audit):
        if place == place_beside(url, place.what) and _is_there(place):
            found.append((place, place_beside(to_url, place.what)))
    if found[0][0].shown == found[0][1].shown:
        raise LedgerError(f"{found[0][1].shown}: is the ledger itself")
    return found


def _is_there(place: StorePlace) -> bool:
    """Whether a store was ever made. Raises StoreError."""
    if not place.exists:
        return False
    engine = connect_beside_to_read(place)
    try:
        with reading_beside(engine, place) as connection:
            return inspect(connection).has_table(next(iter(TABLES[place.what].tables)))
    finally:
        engine.dispose()


def _refuse_writers(places: DeskPlaces, pairs: list[tuple[StorePlace, StorePlace]], by: Restorer) -> None:
    """Raises LedgerUsedError where a sensor runs, or a file of the source is open."""
    for source, _ in pairs:
        if source.is_sqlite:
            refuse_used(file_of_place(source), by)
    engine = database.open_to_read(places.ledger.url)
    try:
        with database.reading(engine) as connection:
            for row in connection.execute(select(schema.LEASES)):
                holder = ProcessIdentity(row.host, row.boot_id, row.pid_namespace, row.pid, row.started_ticks)
                here = by.process.shares_processes_with(holder)
                if by.is_running(holder) if here else by.now_ns - row.beat_ns < GONE_NS:
                    where = f"process {row.pid} on {row.host}"
                    raise LedgerUsedError(f"sensor {row.sensor_id} ({where}) uses it: stop it first")
    finally:
        engine.dispose()


def _refuse_unsound(places: DeskPlaces) -> None:
    """A chain that does not hold is not carried on elsewhere as if it did. Raises StoreError."""
    if not _is_there(places.audit):
        return
    reader = AuditReader(places.audit)
    try:
        verdict = verify(reader.rows())
    finally:
        reader.close()
    if not verdict.sound:
        raise LedgerError(f"the audit is not sound: {verdict.faults[0].sentence} (minewatch audit verify)")


def _note(place: StorePlace, places: DeskPlaces, entry: AuditEntry) -> int:
    store = AuditStore.open(place, places.algorithm)
    try:
        return store.append([entry])[0]
    finally:
        store.close()


def _head(place: StorePlace, now_ns: int) -> str | None:
    reader = AuditReader(place)
    try:
        head = reader.head(now_ns)
        return None if head is None else head.text
    finally:
        reader.close()


def _into_server(pairs: list[tuple[StorePlace, StorePlace]]) -> TableSums:
    """All of it in one transaction. Raises LedgerError."""
    place, sums = pairs[0][1], TableSums()
    engine = engine_for(place.url, {})
    try:
        with own_words(place), engine.begin() as connection:
            _refuse_full_schemas(connection)
            for source, target in pairs:
                if target.what != "ledger":
                    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {target.schema}")
                    connection.exec_driver_sql(f"SET LOCAL search_path TO {target.schema}")
                _make(connection, target)
                sums |= _filled(source, connection)
    finally:
        engine.dispose()
    return sums


def _refuse_full_schemas(connection: Connection) -> None:
    there = inspect(connection)
    for what, metadata in TABLES.items():
        schema_name = None if what == "ledger" else StorePlace(what, "").schema
        found = sorted(set(there.get_table_names(schema=schema_name)) & {*metadata.tables, "alembic_version"})
        if found:
            raise LedgerError(f"the target has tables of minewatch already ({found[0]}): nothing was written into it")


def _into_files(pairs: list[tuple[StorePlace, StorePlace]]) -> TableSums:
    """Each under another name, then all under theirs, the ledger last. Raises LedgerError."""
    sums, begun = TableSums(), list[tuple[Path, Path]]()
    for _, target in pairs:
        path = file_of_place(target)
        if path.exists():
            raise LedgerError(f"{path}: is there already: nothing was written into it")
    try:
        for source, target in pairs:
            path = file_of_place(target)
            unfinished = path.with_name(f"{path.name}.part")
            _remove(unfinished)
            begun.append((unfinished, path))
            sums |= _filled_file(source, place_of_file(target.what, unfinished))
        with translated(file_of_place(pairs[0][1])):
            begun[0][0].chmod(LEDGER_MODE)
            for unfinished, path in reversed(begun):
                belong_to_folder(unfinished)
                unfinished.rename(path)
            sync_folder(begun[0][1].parent)
    finally:
        for unfinished, _ in begun:
            _remove(unfinished)
    return sums


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _filled_file(source: StorePlace, target: StorePlace) -> TableSums:
    def prepare(engine: Engine) -> None:
        with writing_beside(engine, target) as connection:
            _make(connection, target)

    engine = connect_beside(target, BUSY_MS, prepare)
    try:
        with writing_beside(engine, target) as connection:
            return _filled(source, connection)
    finally:
        engine.dispose()


def _make(connection: Connection, target: StorePlace) -> None:
    makers: dict[str, Callable[[Connection], None]] = {
        "ledger": database.make_tables,
        "people": lambda its: make_people_tables(its, target),
        "audit": audit_store.make_audit_tables,
    }
    makers[target.what](connection)


def _filled(source: StorePlace, target: Connection) -> TableSums:
    """Copy a store's rows, and read what arrived. Raises LedgerError where it is not what was sent."""
    metadata = TABLES[source.what]
    with _reading(source) as connection:
        sent = copy_tables(connection, target, metadata, LEAVE_OUT, guarded=source.what == "audit")
    arrived = sums_of(target, metadata, list(sent))
    for name, its in sent.items():
        if arrived[name] != its:
            text = f"{name}: {its.rows} rows were sent, and {arrived[name].rows} others arrived: nothing was kept"
            raise LedgerError(text)
    return sent


@contextlib.contextmanager
def _reading(place: StorePlace) -> Iterator[Connection]:
    engine = database.open_to_read(place.url) if place.what == "ledger" else connect_beside_to_read(place)
    try:
        if place.what == "ledger":
            with database.reading(engine) as connection:
                yield connection
        else:
            with reading_beside(engine, place) as connection:
                yield connection
    finally:
        engine.dispose()
