"""In PostgreSQL what grows is cut by the month: months are made when they are needed and no others, what is old goes
with its month, a period reads its months alone, and the ledger says the same as SQLite's."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select, text

from sensor.cli.main import main
from sensor.ledger import Ledger, LedgerBounds
from sensor.ledger.read.hours import HourRange
from sensor.ledger.store import months
from sensor.ledger.store.backup import back_up
from sensor.ledger.store.database import reading, writing
from sensor.ledger.store.months import BY_MONTH, make_months, month_of, month_sizes, months_allowed, partitions
from sensor.ledger.store.schema import CONNECTIONS, METADATA, ROLLUPS
from sensor.ledger.write.connections import ConnectionWriter
from sensor.ledger.write.retention import delete_old_connections
from sensor.model.finding import Finding
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from tests.cli.test_json import answer
from tests.ledger.made import finding, flow
from tests.ledger.mining import DAY, HOUR, MONDAY, mined
from tests.ledger.servers import differences, postgresql
from tests.ledger.test_migrations import to_schema
from tests.ledger.test_rollups import agree

#: 2026-11-30 in UTC, what the clock says here.
NOW_S = 1_796_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty database of the server."""
    name = f"d{random.getrandbits(48):x}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months.time, "time", lambda: NOW_S)


def ns(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * SECOND_NS


def connection_row(number: int, first_ns: int, last_ns: int | None = None, finding_id: str = "f") -> dict[str, object]:
    key = {"finding_id": finding_id, "sensor_id": "s", "run_id": "r", "flow_id": number}
    last = first_ns if last_ns is None else last_ns
    return {**key, "ends": f"1:{number}", "first_ns": first_ns, "last_ns": last, "record": "{}"}


def rows_in(connection: Connection, table: str) -> int:
    return connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0


@given(moment=st.integers(0, 4_102_444_800 - 1))
def test_a_month_has_the_moments_that_its_bounds_enclose(moment: int) -> None:
    month = month_of(moment)
    for cut in BY_MONTH.values():
        first, end = cut.bounds(month)
        assert first <= moment * SECOND_NS // cut.unit_ns < end
        assert cut.bounds(month + 1)[0] == end


def test_months_from_2009_to_two_ahead_of_the_clock_are_made_and_no_others(url: str) -> None:
    ledger = Ledger.open(url)
    hostile = (-(1 << 63), -1, 0, ns(2008, 12, 31), ns(2027, 2), ns(2200, 1), (1 << 63) - 1)
    honest = (ns(2009, 1), ns(2026, 11), ns(2026, 12), ns(2027, 1, 31))
    with writing(ledger.engine) as connection:
        make_months(connection, CONNECTIONS, (*hostile, *honest))
        rows = [connection_row(number, first_ns) for number, first_ns in enumerate((*hostile, *honest))]
        connection.execute(insert(CONNECTIONS), rows)
        assert partitions(connection, CONNECTIONS) == {
            *("connections_other", "connections_2009_01", "connections_2026_11", "connections_2026_12"),
            "connections_2027_01",
        }
        assert rows_in(connection, "connections_other") == len(hostile)
        assert len(months_allowed()) == 18 * 12 + 1
    ledger.close()


def test_rows_that_came_before_their_month_go_into_it_when_it_is_made(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(url)
    late = ns(2027, 3, 5)
    with writing(ledger.engine) as connection:
        make_months(connection, CONNECTIONS, [late])  # too far ahead
        connection.execute(insert(CONNECTIONS), [connection_row(number, late + number) for number in range(5)])
        assert rows_in(connection, "connections_other") == 5
    monkeypatch.setattr(months.time, "time", lambda: NOW_S + 120 * 86_400)
    with writing(ledger.engine) as connection:
        make_months(connection, CONNECTIONS, [late])
        assert (rows_in(connection, "connections_other"), rows_in(connection, "connections_2027_03")) == (0, 5)
        assert differences(connection) == []
    ledger.close()


def test_a_reader_that_holds_the_table_delays_a_month_and_no_row(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "MOST_WAIT_MS", 100)
    ledger = Ledger.open(url)
    with ledger.engine.connect() as reader:
        assert rows_in(reader, "connections") == 0
        ledger.record([mined(1, MONDAY, MONDAY + HOUR, 20)], MONDAY)
        with writing(ledger.engine) as connection:
            assert partitions(connection, CONNECTIONS) == {"connections_other"}
            assert rows_in(connection, "connections_other") == 1
        assert ledger.prune(MONDAY + 4_000 * DAY) >= 0
    ledger.record([mined(1, MONDAY, MONDAY + 2 * HOUR, 40)], MONDAY)
    with writing(ledger.engine) as connection:
        assert rows_in(connection, "connections_other") == 0
        assert rows_in(connection, "connections") == rows_in(connection, "connections_2023_11") == 1
    ledger.close()


def test_a_month_that_was_taken_out_of_its_table_stops_no_row(url: str) -> None:
    ledger = Ledger.open(url)
    begun = ns(2026, 3)
    for number, detached in ((1, False), (2, True)):  # somebody archives the month between them
        with writing(ledger.engine) as connection:
            make_months(connection, CONNECTIONS, [begun])
            connection.execute(insert(CONNECTIONS), [connection_row(number, begun + number)])
            assert rows_in(connection, "connections_other") == int(detached)
            assert rows_in(connection, "connections_2026_03") == 1
            if not detached:
                connection.execute(text("ALTER TABLE connections DETACH PARTITION connections_2026_03"))
    ledger.close()


def test_a_connection_that_began_earlier_than_it_seemed_is_there_once(url: str) -> None:
    """Its month is another one, and its row no second one; found by its ends or not."""
    ledger = Ledger.open(url)
    border = ns(2023, 12)
    for first_ns, ends in ((border + 5, "1:a"), (border - 5, "1:a"), (border - 5 - 40 * DAY_NS, "1:b")):
        seen = flow(1)
        seen.first_ns, seen.last_ns = first_ns, border + HOUR_NS
        seen.key = dataclasses.replace(seen.key, community_id=ends)
        with writing(ledger.engine) as connection:
            writer = ConnectionWriter(connection, [finding(1, (seen,))])
            writer.add("finding-1", "s", "r", [seen], [])
            writer.write()
            rows = connection.execute(select(CONNECTIONS.c.first_ns, CONNECTIONS.c.ends)).all()
            assert [tuple(row) for row in rows] == [(first_ns, ends)]
            writer.take_out(dict(writer.of_finding("finding-1")))
            writer.add("finding-1", "s", "r", [seen], [])
            writer.write()
            assert rows_in(connection, "connections") == 1
    ledger.close()


def test_what_is_old_goes_with_its_month_and_the_rest_of_a_month_by_itself(url: str) -> None:
    ledger = Ledger.open(url)
    long_ago, month_before, present = ns(2026, 3), ns(2026, 8), ns(2026, 9)
    rows = [
        *(connection_row(number, long_ago + number) for number in range(10)),
        *(connection_row(100 + number, month_before + number * DAY_NS) for number in range(20)),
        connection_row(200, ns(2026, 5), present + 20 * DAY_NS),  # began long ago and goes on
        connection_row(300, present + DAY_NS),
    ]
    with writing(ledger.engine) as connection:
        connection.execute(
            text(
                "INSERT INTO findings (finding_id, miner_ip, grade, state, first_ns, last_ns, recorded_ns,"
                " record) VALUES ('f', '10.0.0.1', 6, 'opened', 0, 1, 1, '{}')"
            )
        )
        make_months(connection, CONNECTIONS, [row["first_ns"] for row in rows])  # type: ignore[misc]
        connection.execute(insert(CONNECTIONS), rows)
        assert delete_old_connections(connection, month_before + 10 * DAY_NS) == 20
        left = partitions(connection, CONNECTIONS)
        assert left == {"connections_other", *(f"connections_2026_{month:02}" for month in (5, 8, 9))}
        assert rows_in(connection, "connections") == 12
        assert delete_old_connections(connection, present) == 10
        assert partitions(connection, CONNECTIONS) == {
            "connections_other", "connections_2026_05", "connections_2026_09"
        }  # fmt: skip
        assert delete_old_connections(connection, (1 << 62)) == 2
        assert partitions(connection, CONNECTIONS) == {"connections_other"}
    ledger.close()


def test_old_roll_ups_go_with_their_months_as_they_do_row_by_row(url: str, tmp_path: Path) -> None:
    bounds = LedgerBounds(rollups_ns=90 * DAY_NS, hours_ns=20 * DAY_NS)
    gone, left = [], []
    for place in (url, f"sqlite:///{tmp_path}/ledger.db"):
        ledger = Ledger.open(place, bounds=bounds)
        for number in range(1, 5):
            start = MONDAY + number * 37 * DAY
            ledger.record([mined(number, start, start + 3 * DAY, 300, state="closed")], start)
        agree(ledger)
        ledger.prune(MONDAY + 150 * DAY)
        with reading(ledger.engine) as connection:
            query = select(ROLLUPS.c.hour, ROLLUPS.c.hours, ROLLUPS.c.shares).order_by(ROLLUPS.c.hour)
            left.append([tuple(row) for row in connection.execute(query)])
            gone.append([size.month for size in month_sizes(connection) if size.table == "rollups"])
        ledger.close()
    assert left[0] == left[1]
    assert gone == [["2024-02", "2024-03", "2024-04", None], []]


def plan(connection: Connection, query: str, **values: int) -> str:
    return "\n".join(connection.scalars(text(f"EXPLAIN {query}"), values))


def test_a_period_reads_its_months_alone(url: str) -> None:
    ledger = Ledger.open(url)
    for number in range(1, 9):
        start = MONDAY + number * 31 * DAY
        ledger.record([mined(number, start, start + HOUR, 20, state="closed")], start)
    with reading(ledger.engine) as connection:
        assert len(partitions(connection, ROLLUPS)) == 9
        hours = HourRange.beginning_in(ns(2024, 2, 3), ns(2024, 2, 10))
        query = select(ROLLUPS.c.shares).where(*hours.contain(ROLLUPS.c.hour))
        compiled = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        read = plan(connection, str(compiled))
        assert "rollups_2024_02" in read
        assert not [name for name in partitions(connection, ROLLUPS) - {"rollups_2024_02"} if name in read]
        at = ns(2024, 2, 3)
        read = plan(connection, "SELECT record FROM connections WHERE ends = '1:a' AND first_ns <= :at", at=at)
        assert "connections_2024_02" in read
        assert "connections_2024_03" not in read
    ledger.close()


def test_a_ledger_of_the_schema_before_is_cut_with_all_that_is_in_it(url: str) -> None:
    engine = to_schema(url, "0010")
    rows = [connection_row(number, ns(2023, 1) + number * 9 * DAY_NS) for number in range(100)]
    rows += [connection_row(1_000 + at, hostile) for at, hostile in enumerate((-5, 7, ns(2300 - 100, 1)))]
    measures = dict.fromkeys((column.name for column in ROLLUPS.columns), 1)
    hours = [{**measures, "series_id": number, "hour": 460_000 + 700 * number} for number in range(30)]
    hours += [{**measures, "series_id": 99, "hour": hour} for hour in (-3, 5, 2_000_000_000)]
    with engine.begin() as connection:
        connection.execute(insert(CONNECTIONS), rows)
        connection.execute(insert(ROLLUPS), hours)
        connection.exec_driver_sql("CREATE ROLE analyst_of_months LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO analyst_of_months")
        connection.exec_driver_sql("GRANT SELECT ON connections TO PUBLIC")
    engine.dispose()
    ledger = Ledger.open(url)
    with reading(ledger.engine) as connection:
        assert differences(connection) == []
        kept = [dict(row) for row in connection.execute(select(CONNECTIONS)).mappings()]
        assert sorted(kept, key=repr) == sorted(rows, key=repr)
        assert rows_in(connection, "rollups") == 33
        assert rows_in(connection, "connections_other") == rows_in(connection, "rollups_other") == 3
        names = partitions(connection, CONNECTIONS)
        assert {"connections_2023_01", "connections_2025_06"} < names
        for table in ("connections", "rollups"):
            may = text("SELECT has_table_privilege('analyst_of_months', :t, 'SELECT')")
            assert connection.scalar(may, {"t": table})
        assert rows_in(connection, "minewatch_before_0010.connections") == 103
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 20)], MONDAY)
    again = Ledger.open(url)
    assert again.reader.findings() == ledger.reader.findings()
    for opened in (ledger, again):
        opened.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(url: str) -> None:
    engine = to_schema(url, "0010")
    with engine.begin() as connection:
        connection.execute(insert(CONNECTIONS), [connection_row(1, MONDAY)])
        connection.exec_driver_sql("CREATE TABLE rollups_before (nothing integer)")  # in the way
    with pytest.raises(Exception, match="rollups_before"):
        Ledger.open(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0010"
        assert rows_in(connection, "connections") == 1
        assert connection.scalar(text("SELECT relkind FROM pg_class WHERE relname = 'connections'")) == "r"
    engine.dispose()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seen=st.lists(
        st.tuples(st.integers(1, 4), st.integers(-3, 3), st.integers(1, 40), st.sampled_from("ab")),
        min_size=1,
        max_size=8,
    )
)
def test_rows_are_those_of_sqlite_whatever_the_months(server: str, seen: list[tuple[int, int, int, str]]) -> None:
    border = ns(2024, 1)
    held = []
    for place in (server, "sqlite://"):
        ledger = Ledger.open(place)
        with writing(ledger.engine) as connection:
            for table in METADATA.sorted_tables:
                connection.execute(
                    table.delete().where(text("site_id <> 0")) if table.name == "sites" else table.delete()
                )
        for number, hours, length, sensor in seen:
            first = border + hours * HOUR_NS
            record = mined(number, first, first + length * HOUR_NS, 20 * length)
            flows = record.flows
            flows[0].key = dataclasses.replace(flows[0].key, flow_id=number)
            given_by = Ledger.open(place, sensor_id=sensor, run_id="r") if place != "sqlite://" else ledger
            given_by.reporter = (
                dataclasses.replace(given_by.reporter, sensor_id=sensor, run_id="r")
                if (place == "sqlite://")
                else given_by.reporter
            )
            given_by.record([record], first)
            if given_by is not ledger:
                given_by.close()
        with reading(ledger.engine) as connection:
            rows = [
                sorted(map(tuple, connection.execute(select(*columns))))
                for columns in (
                    [column for column in CONNECTIONS.columns if column.name != "record"],
                    [ROLLUPS.c.hour, ROLLUPS.c.shares, ROLLUPS.c.sessions],
                )
            ]
        held.append(rows)
        ledger.close()
    assert held[0] == held[1]


def test_the_copy_before_a_schema_changes_has_each_row_once(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.record([mined(number, MONDAY, MONDAY + 40 * DAY, 20) for number in range(3)], MONDAY)
    back_up(ledger.engine, "0011")
    with reading(ledger.engine) as connection:
        for table in ("connections", "rollups"):
            assert rows_in(connection, f"minewatch_before_0011.{table}") == rows_in(connection, table)
        copied = text("SELECT relname FROM pg_class WHERE relnamespace = 'minewatch_before_0011'::regnamespace")
        assert not [name for name in connection.scalars(copied) if "2023" in name or "other" in name]
    ledger.close()


def test_sizes_are_said_by_month(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger.open(url)
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 20)], MONDAY)
    with reading(ledger.engine) as connection:
        sizes = month_sizes(connection)
    assert [(size.table, size.month) for size in sizes] == [
        ("connections", "2023-11"), ("connections", None), ("rollups", "2023-11"), ("rollups", None)
    ]  # fmt: skip
    assert all(size.size_bytes > 0 for size in sizes)
    ledger.close()
    found = answer(capsys, "ledger check", "ledger", "check", "--ledger", url)
    assert [size["month"] for size in found["months"]] == ["2023-11", None, "2023-11", None]
    assert main(["ledger", "check", "--ledger", url]) == 0
    assert "connections 2023-11: 0.1 MB" in capsys.readouterr().out


def test_two_writers_that_need_one_month_make_it_once(url: str) -> None:
    ledgers = [Ledger.open(url, sensor_id=f"s{number}", run_id=f"r{number}") for number in range(2)]
    troubles: list[BaseException] = []

    def tell(ledger: Ledger, base: int) -> None:
        try:
            for number in range(8):
                at = MONDAY + number * 31 * DAY
                found: list[Finding] = [mined(base + number, at, at + HOUR, 20)]
                ledger.record(found, at)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=tell, args=(ledger, 100 * at)) for at, ledger in enumerate(ledgers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not troubles
    with reading(ledgers[0].engine) as connection:
        assert rows_in(connection, "connections_other") == rows_in(connection, "rollups_other") == 0
        assert rows_in(connection, "connections") == 16
    for ledger in ledgers:
        ledger.close()
