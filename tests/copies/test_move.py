"""A desk in another database is the same: numbers, times, hashes, passwords and the chain; and goes on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, func, insert, inspect, select, text

from sensor.copies import move, tables
from sensor.copies.move import move_desk
from sensor.ledger import Ledger
from sensor.ledger.care import LedgerUsedError
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.schema import CASES, OUTBOX, SITES
from sensor.model.sensor import ProcessIdentity
from tests.console.province import client, desk_of, miner, paths, viewer
from tests.copies.desks import ACTOR, MadeDesk, places_of, restorer, verdict_of
from tests.ledger.mining import MONDAY
from tests.ledger.servers import postgresql
from tests.people.desk import NOW, PASSWORD, audited, opened


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """A database of the test's own in that server."""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS desk WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE desk"))
    yield server.replace("/postgres?", "/desk?")
    admin.dispose()


def shown(url: str) -> dict[str, str]:
    """Every page of its console, for two viewers."""
    ledger = Ledger.open_to_read(url)
    try:
        desk, found = desk_of(ledger), {}
        for who in (viewer("lead"), viewer("officer", "320500", language="en")):
            browser = client(desk, who)
            found |= {f"{who.login}{path}": browser.get(path).text for path in paths(ledger)}
        return found
    finally:
        ledger.close()


NUMBERED = (OUTBOX.c.sequence, CASES.c.case_id, SITES.c.site_id)
EVENT = {"event_id": "x", "created_ns": MONDAY, "begin_bytes": 0, "record": "{}"}


def numbers_of(url: str) -> list[int]:
    """The numbers that a ledger gives next: of an event, a case and a site."""
    ledger = Ledger.open(url)
    try:
        ledger.record([miner(3)], MONDAY)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(insert(OUTBOX).values(**EVENT))
            found = [connection.scalar(select(func.max(column))) for column in NUMBERED]
        engine.dispose()
        return [int(number or 0) for number in found]
    finally:
        ledger.close()


def test_a_desk_goes_to_postgresql_and_back_and_is_the_same(desk: MadeDesk, empty: str, tmp_path: Path) -> None:
    source = create_engine(desk.url)
    with source.begin() as connection:  # rows went, and their numbers must not come again
        connection.execute(insert(OUTBOX).values(sequence=41, **EVENT))
        connection.execute(delete(OUTBOX))
    source.dispose()
    anchored, pages = desk.head(), shown(desk.url)
    there = move_desk(desk.places, empty, restorer(), ACTOR)
    assert there.rows["accounts"] == 3
    assert there.rows["audit_rows"] == anchored.rows + 1
    assert "leases" not in there.rows
    assert shown(empty) == pages
    assert verdict_of(empty, anchored).sound
    assert [row["phase"] for row in audited(empty) if row["action"] == "desk.move"] == ["asked", "done"]
    with opened(empty) as door:
        assert door.session_of(desk.cookie, NOW) is not None
        assert door.tokens.bearer(desk.secret, NOW) is not None
        assert door.sign_in("li", PASSWORD, "192.0.2.7", NOW, None)
    back = f"sqlite:///{tmp_path}/back.db"
    move_desk(places_of(empty), back, restorer(), ACTOR)
    assert shown(back) == pages
    assert verdict_of(back, anchored).sound
    assert numbers_of(back) == numbers_of(empty)
    assert numbers_of(empty)[0] == 43
    assert not list(tmp_path.glob("*.part*"))
    assert (tmp_path / "back.db").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "back.db.people").stat().st_mode & 0o777 == 0o600


def in_server(url: str) -> list[str]:
    """Tables of ours in a server."""
    engine = create_engine(url)
    try:
        there = inspect(engine)
        return [
            name for schema in (None, "minewatch_people", "minewatch_audit") for name in there.get_table_names(schema)
        ]
    finally:
        engine.dispose()


def test_a_move_that_ends_half_way_leaves_the_source_as_it_was_and_the_target_empty(
    desk: MadeDesk, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = desk.state(), tables._copied
    for failing in ("cases", "accounts", "audit_rows"):

        def fails(source: Any, target: Any, table: Any, failing: str = failing) -> tables.TableSum:
            if table.name == failing:
                raise KeyboardInterrupt
            return real(source, target, table)

        monkeypatch.setattr(tables, "_copied", fails)
        for url in (empty, f"sqlite:///{tmp_path}/fresh.db"):
            with pytest.raises(KeyboardInterrupt):
                move_desk(desk.places, url, restorer(), ACTOR)
        assert in_server(empty) == []
        assert not list(tmp_path.glob("fresh.db*"))
    monkeypatch.setattr(tables, "_copied", real)
    after = desk.state()
    del before["ledger.db.audit"], after["ledger.db.audit"]
    assert after == before
    assert [row["phase"] for row in audited(desk.url)[-2:]] == ["asked", "failed"]
    move_desk(desk.places, empty, restorer(), ACTOR)  # and the next one is not in its way


def test_rows_that_arrive_as_others_are_not_kept(
    desk: MadeDesk, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    real = tables.sums_of

    def others(*given: Any) -> tables.TableSums:
        found = real(*given)
        return {name: its._replace(digest=its.digest + (name == "accounts")) for name, its in found.items()}

    monkeypatch.setattr(move, "sums_of", others)
    with pytest.raises(LedgerError, match="accounts: 3 rows were sent, and 3 others arrived"):
        move_desk(desk.places, empty, restorer(), ACTOR)
    assert in_server(empty) == []


def test_a_target_with_anything_of_ours_is_refused(desk: MadeDesk, empty: str, tmp_path: Path) -> None:
    engine = create_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA minewatch_people"))
        connection.execute(text("CREATE TABLE minewatch_people.accounts (login text)"))
    engine.dispose()
    with pytest.raises(LedgerError, match="tables of minewatch already"):
        move_desk(desk.places, empty, restorer(), ACTOR)
    (tmp_path / "there.db.audit").write_bytes(b"x")
    with pytest.raises(LedgerError, match="is there already"):
        move_desk(desk.places, f"sqlite:///{tmp_path}/there.db", restorer(), ACTOR)
    assert sorted(path.name for path in tmp_path.glob("there.db*")) == ["there.db.audit"]
    with pytest.raises(LedgerError, match="is the ledger itself"):
        move_desk(desk.places, desk.url, restorer(), ACTOR)


def test_nothing_moves_while_a_sensor_runs(desk: MadeDesk, tmp_path: Path) -> None:
    other = ProcessIdentity("elsewhere", "b", "p", 7, 7)
    ledger = Ledger.open(desk.url)
    with ledger.engine.begin() as connection:
        values = {"sensor_id": "edge", "run_id": "r", **other_columns(other), "beat_ns": NOW}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        connection.execute(text(f"INSERT INTO leases ({names}) VALUES ({marks})"), values)
    ledger.close()
    before = desk.state()
    with pytest.raises(LedgerUsedError, match="sensor edge"):
        move_desk(desk.places, f"sqlite:///{tmp_path}/fresh.db", restorer(), ACTOR)
    assert desk.state() == before


def other_columns(process: ProcessIdentity) -> dict[str, object]:
    return {
        "host": process.host, "boot_id": process.boot_id, "pid_namespace": process.pid_namespace, "pid": process.pid,
        "started_ticks": process.started_ticks,
    }  # fmt: skip


def test_a_chain_that_does_not_hold_is_not_moved(desk: MadeDesk, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(desk.folder / "ledger.db.audit") as connection:
        connection.execute("DROP TRIGGER audit_rows_no_update")
        connection.execute("UPDATE audit_rows SET actor = 'nobody' WHERE sequence = 3")
    with pytest.raises(LedgerError, match="row 3 was changed"):
        move_desk(desk.places, f"sqlite:///{tmp_path}/fresh.db", restorer(), ACTOR)
    assert not list(tmp_path.glob("fresh.db*"))


def test_the_sum_of_rows_is_that_of_any_order_and_of_no_other_rows() -> None:
    rows = [{"a": number, "b": hashlib.sha256(bytes([number])).digest()} for number in range(20)]
    whole = tables._sum(iter(rows))
    assert tables._sum(iter(rows[::-1])) == whole
    assert tables._sum(iter(rows[1:])) != whole
    assert tables._sum(iter([{**rows[0], "a": 99}, *rows[1:]])) != whole
