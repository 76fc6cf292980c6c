"""Rows go after their time, and the chain holds: what is left is as tamper-evident as it was."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.store import AuditError, AuditReader, AuditStore, audit_place
from sensor.audit.verify import AuditVerdict, verify
from sensor.ledger.store.beside import StorePlace
from sensor.model.audit_head import AuditAnchor, AuditHead
from sensor.model.time import HOUR_NS
from tests.ledger.servers import postgresql

BY = AuditActor(account="li")


def filled(place: StorePlace, count: int = 12) -> AuditStore:
    store = AuditStore.open(place)
    began_ns = time.time_ns()
    numbers = range(1, count + 1)
    times = [(f"page.{each}", began_ns + each * HOUR_NS) for each in numbers]
    store.append([AuditEntry(BY, "view", action, at_ns, objects=["case:7"]) for action, at_ns in times])
    return store


def verdict(place: StorePlace, *heads: AuditHead) -> AuditVerdict:
    reader = AuditReader(place)
    try:
        return verify(reader.rows(), [AuditAnchor(head) for head in heads])
    finally:
        reader.close()


def head(place: StorePlace) -> AuditHead:
    reader = AuditReader(place)
    try:
        found = reader.head(0)
        assert found is not None
        return found
    finally:
        reader.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    if request.param == "sqlite":
        return audit_place(f"sqlite:///{tmp_path}/ledger.db")
    url = request.getfixturevalue("server")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS minewatch_audit CASCADE"))
    engine.dispose()
    return audit_place(url)


def test_what_is_left_of_a_chain_holds_goes_on_and_agrees_with_its_anchors(place: StorePlace) -> None:
    store = filled(place)
    before = head(place)
    now_ns = time.time_ns()
    assert store.seal(now_ns - HOUR_NS, now_ns) is None  # nothing is so old
    for hours, removed in ((2.5, 3), (5.5, 3), (5.6, 0)):  # with the row that opened the chain
        sealed = store.seal(now_ns + int(hours * HOUR_NS), now_ns)
        assert (0 if sealed is None else sealed.removed) == removed
        found = verdict(place, before)
        assert (found.sound, found.sealed) == (True, 3 if hours < 5 else 6)
    store.append([AuditEntry(BY, "view", "page.again", 20)])
    after = head(place)
    found = verdict(place, before, after)
    assert (found.sound, found.chain, found.anchored) == (True, before.chain, after.rows)
    store.close()
    again = AuditStore.open(place)  # another process goes on, too
    again.append([AuditEntry(BY, "view", "page.again", 21)])
    again.close()
    assert verdict(place, before, after).sound


def rows_gone(place: StorePlace) -> int:
    """Remove all but the youngest rows; the number of the last that went."""
    store = filled(place)
    try:
        sealed = store.seal(1 << 62, time.time_ns())
        assert sealed is not None
        return sealed.rows
    finally:
        store.close()


def test_rows_that_went_are_gone_and_the_chain_says_which(place: StorePlace) -> None:
    last = rows_gone(place)
    found = verdict(place)
    assert (found.sound, found.sealed, found.count) == (True, last, 2)
    reader = AuditReader(place)
    kept_rows = [row.action for row in reader.rows()]
    reader.close()
    assert kept_rows == ["page.12", "audit.sealed"]
    engine = create_engine(place.url)
    schema = "" if place.is_sqlite else "minewatch_audit."
    with engine.connect() as connection, pytest.raises(Exception, match="rows of the audit stay as they are"):
        connection.execute(text(f"DELETE FROM {schema}audit_rows"))  # the guard is there again
    engine.dispose()
    if place.is_sqlite:
        path = Path(str(place.url).removeprefix("sqlite:///"))
        assert b"page.3" not in path.read_bytes()


def changed(tmp_path: Path, statement: str) -> AuditVerdict:
    """The verdict of a sealed chain after somebody changed it."""
    place = audit_place(f"sqlite:///{tmp_path}/ledger.db")
    last = rows_gone(place)
    store = AuditStore.open(place)
    store.append([AuditEntry(BY, "view", f"later.{number}", 30 + number) for number in range(3)])
    store.close()
    with sqlite3.connect(tmp_path / "ledger.db.audit") as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_rows_no_{verb}")
        connection.execute(statement.format(first=last + 1, seal=last + 2))
    return verdict(place)


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        ("DELETE FROM audit_rows WHERE sequence = {first}", {"missing"}),
        ("DELETE FROM audit_rows WHERE sequence = {seal}", {"missing"}),
        ("DELETE FROM audit_rows WHERE sequence <= {seal}", {"missing"}),
        ("UPDATE audit_rows SET digest = 'x' WHERE sequence = {first}", {"changed"}),
        ("UPDATE audit_rows SET record = replace(record, 'rows\":12', 'rows\":11') WHERE sequence = {seal}",
         {"changed", "missing"}),
    ],
)  # fmt: skip
def test_whoever_cuts_more_or_changes_what_is_left_is_found(
    tmp_path: Path, statement: str, kinds: set[str]
) -> None:  # fmt: skip
    found = changed(tmp_path, statement)
    assert not found.sound
    assert kinds <= {fault.kind for fault in found.faults}


def test_nothing_is_added_to_a_chain_of_which_the_beginning_is_gone_unsaid(tmp_path: Path) -> None:
    changed(tmp_path, "DELETE FROM audit_rows WHERE sequence <= {seal}")
    store = AuditStore.open(audit_place(f"sqlite:///{tmp_path}/ledger.db"))
    with pytest.raises(AuditError, match="first row is missing"):
        store.append([AuditEntry(BY, "view", "page", 1)])
    store.close()
