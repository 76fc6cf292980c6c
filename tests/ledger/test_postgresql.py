"""SQLite and PostgreSQL give the same answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sensor.ledger import Backlog, Bounds, Entry, Ledger, LedgerError
from sensor.ledger.database import connect, reading
from sensor.ledger.records import Record
from sensor.ledger.schema import METADATA
from tests.exporters.test_eve import RECORDS
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.servers import postgresql
from tests.ledger.test_ledger import DAY, NOW


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


def lived(url: str) -> tuple[list[list[Record]], list[Entry], list[Backlog], list[Record], int]:
    """A ledger's life: two runs, muting, closing, dropping, pruning. What it answered."""
    answers: list[list[Record]] = []
    for run in ("first", "second"):
        ledger = Ledger.open(url, bounds=Bounds(outbox_rows=150, closed_ns=DAY), run_id=run)
        ledger.outbox.subscribe(["eve", "siem"])
        answers.append(ledger.record(RECORDS, NOW))
        for step in range(4):
            at = 1_000 * len(answers) + 100 * step
            found = [finding(number, (flow(at + number, at),)) for number in range(20)]
            answers.append(ledger.record(found, NOW + step, {"finding-3": "known"}))
            ledger.outbox.commit("eve", 30 * (step + 1), refused=step)
        answers.append(list(ledger.close_stale(NOW + DAY, SECOND)))
        ledger.close()
    gone = ledger.prune(NOW + 3 * DAY)
    events = [event.record for event in ledger.outbox.read(0, 1_000)]
    backlogs = [ledger.outbox.backlog(name) for name in ("eve", "siem", "nobody")]
    entries = ledger.findings()
    ledger.close()
    return answers, entries, backlogs, events, gone


def test_both_databases_give_the_same_answers(server: str, tmp_path: Path) -> None:
    assert lived(server) == lived(f"sqlite:///{tmp_path}/ledger.db")


def test_the_migrations_make_the_tables_of_the_schema(server: str) -> None:
    engine = connect(server)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_two_writers_at_once_leave_no_event_behind_a_cursor(server: str) -> None:
    ledgers = [Ledger.open(server, run_id=f"writer-{number}") for number in range(2)]
    ledgers[0].outbox.subscribe(["reader"])
    start = ledgers[0].outbox.backlog("reader").position

    def write(number: int) -> None:
        for step in range(60):
            ledgers[number].record([finding(10_000 + 1_000 * number + step)], NOW)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    seen, position = 0, start
    while any(thread.is_alive() for thread in threads) or seen < 120:
        events = ledgers[0].outbox.read(position, 50)
        seen += len(events)
        position = events[-1].sequence if events else position
    assert seen == 120
    for ledger in ledgers:
        ledger.close()


def test_a_server_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError) as caught:
        Ledger.open(f"postgresql+psycopg://user:hunter2@/x?host={tmp_path}")
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
