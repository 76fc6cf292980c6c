"""Rows that are written at once are as if they were written one after another, on SQLite and PostgreSQL alike; numbers
of new rows are taken before, and none is used twice.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select

from sensor.ledger import Ledger
from sensor.ledger.store.amounts import MEASURES, WHOLE
from sensor.ledger.store.database import connect, writing
from sensor.ledger.store.schema import CASES, MACHINES, ROLLUPS
from sensor.ledger.write.numbers import RowNumbers
from sensor.ledger.write.upsert import put, upsert
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.servers import postgresql

INTEGERS = st.integers(-(1 << 40), 1 << 40)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
HOURS = st.fixed_dictionaries(
    {
        "series_id": st.integers(1, 3),
        "hour": st.integers(1, 3),
        "hours": st.just(1),
        **{name: INTEGERS if at < WHOLE else st.floats(-1e9, 1e9, allow_nan=False) for at, name in enumerate(MEASURES)},
    }
)
RIGS = st.fixed_dictionaries(
    {
        "miner_ip": st.sampled_from(["10.0.0.1", "10.0.0.2"]),
        "name": TEXTS,
        "site_id": st.just(0),
        **{name: st.none() | TEXTS for name in ("algorithm", "device", "device_class", "agent")},
        "first_ns": INTEGERS,
        "last_ns": INTEGERS,
    }
)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    with postgresql() as url:
        made = {"postgresql": connect(url), "sqlite": connect(f"sqlite:///{tmp_path_factory.mktemp('rows')}/l.db")}
        yield made
        for engine in made.values():
            engine.dispose()


def rows_after(engine: Engine, table: Any, write: Any) -> list[Any]:
    """All rows of a table after it was emptied and written."""
    with writing(engine) as connection:
        connection.execute(delete(table))
        write(connection)
        return sorted(map(tuple, connection.execute(select(table))), key=repr)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOURS, max_size=8))
def test_hours_add_up_the_same_in_one_statement_and_one_by_one(
    engines: dict[str, Engine], hours: list[dict[str, Any]]
) -> None:
    def together(connection: Any) -> None:
        upsert(connection, ROLLUPS, hours, add=MEASURES)

    def one_by_one(connection: Any) -> None:
        for hour in hours:
            upsert(connection, ROLLUPS, [hour], add=MEASURES)

    found = [rows_after(engine, ROLLUPS, way) for engine in engines.values() for way in (together, one_by_one)]
    assert all(one == found[0] for one in found)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RIGS, max_size=8))
def test_of_rows_of_one_key_the_last_stays(engines: dict[str, Engine], rigs: list[dict[str, Any]]) -> None:
    def together(connection: Any) -> None:
        put(connection, MACHINES, rigs)

    expected = {(rig["miner_ip"], rig["name"]): tuple(rig[column.name] for column in MACHINES.columns) for rig in rigs}
    for engine in engines.values():
        assert rows_after(engine, MACHINES, together) == sorted(expected.values(), key=repr)


def test_what_json_has_not_is_written_as_it_is(engines: dict[str, Engine]) -> None:
    hour = dict.fromkeys(MEASURES[:WHOLE], 0) | dict.fromkeys(MEASURES[WHOLE:], math.inf)
    row = {"series_id": 1, "hour": 1, "hours": 1, **hour}
    for engine in engines.values():
        (found,) = rows_after(engine, ROLLUPS, lambda connection: put(connection, ROLLUPS, [row]))
        assert math.inf in found


def test_numbers_go_on_without_a_gap_beside_rows_that_the_database_numbers(engines: dict[str, Engine]) -> None:
    case = {"site_id": 7, "state": "new", "since_ns": 1, "opened_ns": 1, "first_ns": 1, "last_ns": 1}
    for engine in engines.values():
        with writing(engine) as connection:
            before = connection.scalar(insert(CASES).returning(CASES.c.case_id), {**case, "address": "a"})
        assert before is not None
        with writing(engine) as connection:
            numbers = RowNumbers(connection, CASES)
            taken = [numbers.take(), numbers.take()]
            numbers.note()
            put(connection, CASES, [{**case, "case_id": number, "address": f"b{number}"} for number in taken])
        with writing(engine) as connection:
            after = connection.scalar(insert(CASES).returning(CASES.c.case_id), {**case, "address": "c"})
        assert [*taken, after] == [before + 1, before + 2, before + 3]


def test_numbers_of_a_transaction_that_failed_are_not_used_by_another_row(engines: dict[str, Engine]) -> None:
    for engine in engines.values():
        with contextlib.suppress(RuntimeError), writing(engine) as connection:
            numbers = RowNumbers(connection, CASES)
            numbers.take()
            numbers.note()
            raise RuntimeError
        with writing(engine) as connection:
            number = RowNumbers(connection, CASES).take()
            assert connection.scalar(select(CASES.c.case_id).where(CASES.c.case_id == number)) is None


def test_cases_that_open_in_one_step_have_their_histories(engines: dict[str, Engine]) -> None:
    stories = []
    for engine in engines.values():
        ledger = Ledger.open(engine.url.render_as_string(hide_password=False))
        found = [finding(number, (flow(number, number, 100),), miner_ip=f"10.1.0.{number}") for number in range(5)]
        ledger.record(found, 200 * SECOND)
        cases = [case for case in ledger.reader.cases() if str(case.address).startswith("10.1.0.")]
        changes = [ledger.reader.case(case.case_id) for case in cases]
        stories.append([(one.address, [(step.state, step.why) for step in one.changes]) for one in changes if one])
        ledger.close()
    assert stories[0] == stories[1]
    assert len(stories[0]) == 5
    assert all(len(changes) == 1 for _, changes in stories[0])
