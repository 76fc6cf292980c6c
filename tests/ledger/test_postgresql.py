"""SQLite and PostgreSQL give the same answers."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from sensor.ledger import Backlog, Ledger, LedgerBounds, LedgerError, StoredFinding
from sensor.ledger.store.database import connect, reading
from sensor.ledger.store.records import Record
from tests.exporters.test_eve import RECORDS
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.mining import HOUR, MONDAY, mined, owned, told
from tests.ledger.servers import differences, postgresql
from tests.ledger.test_ledger import DAY, NOW


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


def lived(url: str) -> tuple[list[list[Record]], list[StoredFinding], list[Backlog], list[Record], int]:
    """A ledger's life: two runs, muting, closing, dropping, pruning. What it answered."""
    answers: list[list[Record]] = []
    for run in ("first", "second"):
        ledger = Ledger.open(url, bounds=LedgerBounds(outbox_rows=150, closed_ns=DAY), run_id=run)
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
    entries = ledger.reader.findings()
    ledger.close()
    return answers, entries, backlogs, events, gone


def test_both_databases_give_the_same_answers(server: str, tmp_path: Path) -> None:
    assert lived(server) == lived(f"sqlite:///{tmp_path}/ledger.db")


def test_the_migrations_make_the_tables_of_the_schema(server: str) -> None:
    engine = connect(server)
    with reading(engine) as connection:
        assert differences(connection) == []
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


@contextlib.contextmanager
def another(server: str) -> Iterator[str]:
    """A database of its own on the server."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE another")
    yield server.replace("/postgres?", "/another?")
    engine.dispose()


def judged(url: str) -> list[object]:
    """What a ledger says of mining, cases and periods after weeks: owners, moves, relapse, false alarm, days instead of
    hours."""
    ledger = Ledger.open(url, bounds=LedgerBounds(hours_ns=3 * DAY))
    generator = random.Random(3)
    for number in range(100, 130):
        start = MONDAY + generator.randrange(4 * DAY)
        owner = owned(number // 4) if number % 5 else None
        end = start + generator.randrange(HOUR, 3 * DAY)
        ledger.record(list(told(number, start, end, 2 * HOUR, number / 12, coin=None, attribution=owner)), start)
        ledger.record(
            [dataclasses.replace(mined(number, start + 20 * DAY, start + 20 * DAY + HOUR, 9), attribution=owned(1))],
            start,
        )
    ledger.add_coverage(MONDAY, MONDAY + 18 * DAY)
    closed: list[object] = [one.case_id for one in ledger.review_cases(MONDAY + 18 * DAY)]
    ledger.set_case(2, "false-alarm", MONDAY + 25 * DAY, who="Li", why="an exhibit")
    weeks = [
        rounded(dataclasses.asdict(ledger.reader.summary(MONDAY + week * 7 * DAY, MONDAY + (week + 1) * 7 * DAY)))
        for week in range(4)
    ]
    ledger.prune(MONDAY + 30 * DAY)
    weeks += [rounded(dataclasses.asdict(ledger.reader.summary(MONDAY, MONDAY + 28 * DAY)))]
    made_cases: list[object] = list(ledger.reader.cases())
    ledger.close()
    return [closed, weeks, made_cases]


def rounded(value: object) -> object:
    """Sums made in another order differ in their last digits."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value


def test_both_databases_say_the_same_of_periods_and_cases(server: str, tmp_path: Path) -> None:
    with another(server) as fresh:
        ours, theirs = judged(f"sqlite:///{tmp_path}/ledger.db"), judged(fresh)
    assert ours[0]
    assert ours == theirs


def test_a_role_that_may_only_select_reads_and_writes_nothing(server: str) -> None:
    ledger = Ledger.open(server)
    ledger.record([finding(70_001)], 1)
    count = len(ledger.reader.findings())
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE desk LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO desk")
    for url in (re.sub(r"//[^@]*@", "//desk@", server), server):
        reader = Ledger.open_to_read(url)
        assert len(reader.reader.findings()) == count
        with pytest.raises(LedgerError, match=r"permission denied|read-only"):
            reader.record([finding(70_002)], 2)
        reader.close()
    assert len(ledger.reader.findings()) == count
    ledger.close()
