"""The store: eight processes in one chain, in SQLite and in PostgreSQL; bounded rows; nobody waits for the ledger."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from sensor.audit.entry import AuditEntry
from sensor.audit.store import AuditError, AuditReader, AuditStore, audit_place
from sensor.ledger import Ledger
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.database import writing
from tests.audit.rows import LI, NOW, by_hand, entry, filled, found, verified
from tests.ledger.servers import postgresql

PROCESSES, ROWS_EACH = 8, 40
WRITER = """
import sys, time
from sensor.audit.store import AuditStore, audit_place
from tests.audit.rows import entry
url, number, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = AuditStore.open(audit_place(url))
for row in range(count):
    store.append([entry(number * 1_000 + row)], 60.0)
store.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    with postgresql() as server:
        yield server


def test_eight_processes_append_at_once_and_nothing_forks(url: str) -> None:
    """None of them makes the store first: that is a race, too."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(number), str(ROWS_EACH)], env=environment, stderr=subprocess.PIPE
        )
        for number in range(PROCESSES)
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=240)
        assert writer.returncode == 0, err.decode()
    verdict = verified(audit_place(url))
    assert verdict.sound, verdict.faults
    assert verdict.count == 1 + PROCESSES * ROWS_EACH
    reader = AuditReader(audit_place(url))
    pages = [row.at_ns - NOW for row in reader.rows() if row.action == "case.show"]  # type: ignore[operator]
    reader.close()
    for number in range(PROCESSES):  # each one's rows in its own order, and all of them
        assert [page for page in pages if page // 1_000 == number] == [number * 1_000 + row for row in range(ROWS_EACH)]


def test_a_second_row_after_the_same_one_is_refused_by_the_database(url: str) -> None:
    place = audit_place(url)
    filled(place, 3)
    table = "audit_rows" if place.is_sqlite else "minewatch_audit.audit_rows"
    engine = create_engine(place.url)
    copy = f"INSERT INTO {table} SELECT sequence + 10, at_ns, actor, action, previous, 'x', record FROM {table}"
    with pytest.raises(DatabaseError), engine.begin() as connection:
        connection.execute(text(f"{copy} WHERE sequence = 2"))
    for statement in (f"UPDATE {table} SET actor = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    assert verified(place).sound


def test_a_writer_of_the_ledger_keeps_nobody_waiting(url: str) -> None:
    ledger = Ledger.open(url)
    place = audit_place(url)
    filled(place, 1)
    store, reader = AuditStore.open(place), AuditReader(place)
    with writing(ledger.engine):  # the ledger's lock is held all the time
        began = time.monotonic()
        store.append([entry(7)], 0.5)
        assert len(reader.newest(10)) == 3
        assert time.monotonic() - began < 1.0
    store.close()
    reader.close()
    ledger.close()


def test_a_locked_store_is_given_up_within_the_bound(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    store = AuditStore.open(place)
    store.append([entry(1)])
    holder = sqlite3.connect(tmp_path / "ledger.db.audit", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(AuditError, match="locked") as error:
        store.append([entry(2)], 0.3)
    assert error.value.fault == "locked"
    assert time.monotonic() - began < 2.0
    holder.execute("ROLLBACK")
    holder.close()
    assert store.append([entry(3)]) == [3]
    store.close()
    assert verified(place).count == 3


def test_a_store_is_its_owners_alone_and_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    store = AuditStore.open(place)
    store.append([entry(1)])
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert set(files) == {"ledger.db.audit", "ledger.db.audit-wal", "ledger.db.audit-shm"}
    assert set(files.values()) == {0o600}
    store.close()


def test_a_reader_leaves_no_file_and_needs_a_store_that_is_there(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(AuditError, match="there is none"):
        AuditReader(place)
    assert not list(tmp_path.iterdir())
    filled(place, 2)
    assert verified(place).sound
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db.audit"]


@pytest.mark.parametrize(
    ("statement", "kind", "sequence"),
    [
        ("UPDATE audit_rows SET actor = 'account:wang' WHERE sequence = 4", "changed", 4),
        ("UPDATE audit_rows SET record = CAST('{}' AS TEXT) WHERE sequence = 4", "changed", 4),
        ("UPDATE audit_rows SET at_ns = CAST(x'fffe' AS TEXT) WHERE sequence = 4", "changed", 4),
        ("UPDATE audit_rows SET sequence = 400 WHERE sequence = 4", "moved", 400),
        ("DELETE FROM audit_rows WHERE sequence = 4", "missing", 4),
        ("DELETE FROM audit_rows WHERE sequence = 1", "missing", 1),
    ],
)
def test_what_a_hand_does_to_the_file_is_found(tmp_path: Path, statement: str, kind: str, sequence: int) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    filled(place, 8)
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute(statement)
    assert (kind, sequence) in found(verified(place))


def test_nothing_is_added_to_a_chain_whose_first_row_is_gone(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    filled(place, 3)
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("DELETE FROM audit_rows WHERE sequence = 1")
    store = AuditStore.open(place)
    with pytest.raises(AuditError, match="first row is missing"):
        store.append([entry(9)])
    store.close()


def test_rows_of_sm3_are_verified_by_it(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    filled(place, 2)
    store = AuditStore.open(place, "sm3")
    store.append([entry(5)])
    store.close()
    verdict = verified(place)
    assert verdict.sound
    assert verdict.algorithm == "sm3"


def test_an_entry_of_many_objects_becomes_rows_that_name_them_all(tmp_path: Path) -> None:
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    names = [f"enterprise:{number:016x}" for number in range(1_001)]
    store = AuditStore.open(place)
    assert store.append([entry(1, objects=names), entry(2)]) == [2, 7]
    with pytest.raises(AuditError, match="objects in one entry"):
        store.append([AuditEntry(LI, "export", "list.export", NOW, objects=names * 20)])
    store.close()
    assert verified(place).count == 7


def test_a_role_that_may_not_make_the_schema_is_told_how_it_is_made() -> None:
    with postgresql() as server:
        engine = create_engine(server)
        with engine.begin() as connection:
            connection.execute(text("CREATE ROLE poor LOGIN"))
        user = str(engine.url.username)
        poor = server.replace(f"//{user}@", "//poor@")
        with pytest.raises(AuditError, match="CREATE SCHEMA minewatch_audit AUTHORIZATION poor"):
            AuditStore.open(audit_place(poor))
        with engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA minewatch_audit AUTHORIZATION poor"))
        engine.dispose()
        filled(audit_place(poor), 2)
        assert verified(audit_place(poor)).sound


def test_a_ledger_in_memory_has_no_audit() -> None:
    for name in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(AuditError, match="in memory"):
            audit_place(name)
    assert audit_place("sqlite:////var/lib/minewatch/ledger.db") == StorePlace(
        "audit", "sqlite:////var/lib/minewatch/ledger.db.audit"
    )
