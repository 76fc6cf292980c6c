"""Whoever must be audited waits for his row, within a bound, and is refused without it; a change has a row before it
and after it; no secret and nothing endless is ever written."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.audit.chain import canonical, link
from sensor.audit.entry import BLANK, ROW_BYTES, AuditActor, AuditEntry, bodies
from sensor.audit.store import AuditError, AuditReader, AuditStore, audit_place
from sensor.audit.trail import MOST_WAITING, AuditTrail
from sensor.ledger.store.beside import StorePlace
from tests.audit.rows import CHAIN, LI, NOW, entry, verified


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    return audit_place(f"sqlite:///{tmp_path}/ledger.db")


def records(place: StorePlace) -> list[dict[str, Any]]:
    reader = AuditReader(place)
    try:
        return [json.loads(row.record) for row in reader.rows()][1:]  # type: ignore[arg-type]
    finally:
        reader.close()


def test_a_row_is_on_the_disk_when_record_returns(place: StorePlace) -> None:
    trail = AuditTrail(AuditStore.open(place))
    for number in range(5):
        sequence = trail.record(entry(number))
        assert verified(place).count == sequence == number + 2
    trail.close()
    with pytest.raises(AuditError, match="closed"):
        trail.record(entry(9))


def test_many_at_once_share_transactions_and_each_hears_its_number(place: StorePlace) -> None:
    trail = AuditTrail(AuditStore.open(place))
    futures = [trail.post(entry(number)) for number in range(300)]
    assert [future.result(30) for future in futures] == list(range(2, 302))
    trail.close()
    assert verified(place).sound


def test_closing_writes_what_still_waits(place: StorePlace) -> None:
    trail = AuditTrail(AuditStore.open(place))
    futures = [trail.post(entry(number)) for number in range(100)]
    trail.close()
    assert all(future.done() for future in futures)
    assert verified(place).count == 101


def test_who_cannot_be_audited_is_refused_within_the_bound(place: StorePlace, tmp_path: Path) -> None:
    trail = AuditTrail(AuditStore.open(place), wait_s=0.3)
    trail.record(entry(1))
    holder = sqlite3.connect(tmp_path / "ledger.db.audit", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(AuditError):
        trail.record(entry(2))
    changed = False
    with pytest.raises(AuditError), trail.change(entry(3)):
        changed = True
    assert not changed
    assert time.monotonic() - began < 3.0
    holder.execute("ROLLBACK")
    holder.close()
    time.sleep(0.1)
    assert trail.record(entry(4)) >= 3
    trail.close()
    assert verified(place).sound


class _Slow:
    """A store that waits until it may go on."""

    def __init__(self) -> None:
        self.go, self.written = threading.Event(), 0

    def append(self, entries: Sequence[AuditEntry], within_s: float) -> list[int]:
        self.go.wait(10 + within_s)
        self.written += len(entries)
        return list(range(len(entries)))

    def close(self) -> None:
        pass


def test_the_queue_is_bounded_and_what_was_given_up_is_not_written() -> None:
    store = _Slow()
    trail = AuditTrail(store, wait_s=0.05)
    first = trail.post(entry(0))
    while not first.running():
        time.sleep(0.01)
    with pytest.raises(AuditError, match="within"):
        trail.record(entry(1))
    for number in range(MOST_WAITING - 1):
        trail.post(entry(number))
    with pytest.raises(AuditError, match="wait to be written"):
        trail.post(entry(0))
    store.go.set()
    trail.close()
    assert store.written == MOST_WAITING  # all but the one that nobody waited for any more


def test_a_change_that_fails_says_why_and_one_that_is_made_what(place: StorePlace) -> None:
    trail = AuditTrail(AuditStore.open(place), clock=lambda: NOW + 7)
    with pytest.raises(ValueError, match="no such move"), trail.change(entry(1)):
        raise ValueError("no such move")
    with trail.change(entry(2)) as change:
        change.before, change.after = {"state": "new"}, {"state": "notified"}
    trail.close()
    asked, failed, again, done = records(place)
    assert (asked["phase"], failed["phase"], failed["of"]) == ("asked", "failed", asked["sequence"])
    assert failed["query"]["reason"] == "ValueError: no such move"
    assert (again["phase"], done["phase"], done["of"]) == ("asked", "done", again["sequence"])
    assert (done["before"], done["after"], done["at_ns"]) == ({"state": "new"}, {"state": "notified"}, NOW + 7)
    assert {record["kind"] for record in (asked, failed, again, done)} == {"change"}


def test_an_entry_that_cannot_be_written_harms_none_beside_it(place: StorePlace) -> None:
    trail = AuditTrail(AuditStore.open(place))
    too_many = entry(1, objects=[f"case:{number}" for number in range(20_000)])
    futures = [trail.post(each) for each in (entry(0), too_many, entry(2))]
    assert isinstance(futures[1].exception(30), AuditError)
    assert [futures[0].result(30), futures[2].result(30)] == [2, 3]
    trail.close()


TEXT = st.text(max_size=3_000)
VALUES = st.dictionaries(
    TEXT, st.one_of(TEXT, st.integers(), st.none(), st.booleans(), st.lists(st.text(max_size=200), max_size=40))
)


@given(TEXT, VALUES, VALUES, st.lists(TEXT, max_size=40), TEXT)
def test_any_entry_is_bounded_canonical_and_without_its_secrets(
    name: str, query: dict[str, Any], after: dict[str, Any], objects: list[str], why: str
) -> None:
    actor = AuditActor(account=name, stated=why)
    hidden = {**query, "password": "tr0ub4dor", "New_Password": "tr0ub4dor", "api-key": "tr0ub4dor"}
    entry = AuditEntry(actor, "change", "case.set", NOW, hidden, objects, None, {"csrf": "tr0ub4dor", **after}, why)
    for row in link([(actor.name, body) for body in bodies(entry)], 0, "0" * 64, CHAIN, "sm3"):
        assert len(row.record) <= ROW_BYTES
        assert canonical(json.loads(row.record)) == row.record
        if "tr0ub4dor" not in repr((name, query, after, objects, why)):
            assert b"tr0ub4dor" not in row.record


def test_the_greatest_entry_of_quotation_marks_is_within_the_bound() -> None:
    worst = '"' * 7_000
    values = {f"{number}{worst}": worst for number in range(100)}
    entry = AuditEntry(AuditActor(*[worst] * 7), "change", worst, NOW, values, [worst] * 250, values, values, worst)
    (body,) = bodies(entry)
    assert len(canonical(body)) < ROW_BYTES
    assert body["cut"] is True


def test_values_of_secrets_are_blank_whoever_hands_them_in() -> None:
    for name in ("password", "Passwort-passwd", "token", "session", "Cookie", "Authorization", "secret", "apikey"):
        (body,) = bodies(entry(0, query={name: "x"}))
        assert body["query"] == {name: BLANK}


def test_two_texts_that_are_cut_can_be_told_apart() -> None:
    cut = [next(iter(bodies(entry(0, why="x" * 7_000 + end)))) for end in "ab"]
    assert cut[0]["why"] != cut[1]["why"]


def test_what_is_stated_is_no_identity() -> None:
    assert AuditActor(system_user="root", stated="li").name == "system:root"
    assert AuditActor(stated="li").name == "system:unknown"
    assert LI.name == "account:li"
