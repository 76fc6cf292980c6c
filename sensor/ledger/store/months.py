"""Tables of PostgreSQL that are cut by the month: those that grow for as long as something is watched. What is old goes
with its month, and a question about a period reads its months alone. SQLite has them whole.

Roll-ups are cut by their hour. Connections are cut by their first packet, which belongs to the key there: a row whose
first packet turns out to be earlier is deleted and inserted. Rows of months that are not made (before 2009, further
ahead than the clock allows, or while a reader holds the table) lie in a partition of their own, and go into their month
when it is made.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.exc import DBAPIError

from sensor.ledger.store.schema import CONNECTIONS, ROLLUPS
from sensor.model.time import HOUR_NS, SECOND_NS

#: Of no mining is there anything before Bitcoin (2009-01); so many months after the present one are made.
FIRST_YEAR, MONTHS_AHEAD = 2009, 2
#: How long making or dropping a month waits for readers of the table; an autovacuum gives way after 1 s. Then rows lie
#: in the other partition, or the old month stays until the next time.
MOST_WAIT_MS = 1_500
#: What PostgreSQL says where a lock is not to be had in time, two wait for each other, the role may make no table, or
#: one of the month's name is there already: somebody took it out of its table.
REFUSED = frozenset({"55P03", "40P01", "42501", "42P07"})
#: A roll-up begins at its hour and is of a day at most.
LONGEST_ROLLUP_HOURS = 24


class MonthTable(NamedTuple):
    """A table that is cut by a column, which counts in units of so many nanoseconds since the epoch."""

    table: Table
    column: Column[int]
    unit_ns: int

    @property
    def other(self) -> str:
        """The partition of what lies in no month."""
        return f"{self.table.name}_other"

    def partition(self, month: int) -> str:
        """The name of a month's partition."""
        return f"{self.table.name}_{month // 12:04}_{month % 12 + 1:02}"

    def bounds(self, month: int) -> tuple[int, int]:
        """From and to of a month, in the column's unit."""
        return _start_s(month) * SECOND_NS // self.unit_ns, _start_s(month + 1) * SECOND_NS // self.unit_ns


class MonthSize(NamedTuple):
    """What a partition takes."""

    table: str
    month: str | None  # YYYY-MM; None: of what lies in no month
    size_bytes: int  # with its indexes
    rows: int | None  # about; None: never counted


BY_MONTH = {
    table.name: MonthTable(table, column, unit_ns)
    for table, column, unit_ns in ((ROLLUPS, ROLLUPS.c.hour, HOUR_NS), (CONNECTIONS, CONNECTIONS.c.first_ns, 1))
}


def month_of(moment_s: int) -> int:
    """The month of a moment, in UTC: twelve times the year, and the months before it in that year."""
    day = datetime.fromtimestamp(moment_s, UTC)
    return day.year * 12 + day.month - 1


def _start_s(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp())


def months_allowed() -> range:
    """The months that may be made."""
    return range(FIRST_YEAR * 12, month_of(int(time.time())) + MONTHS_AHEAD + 1)


def is_cut(connection: Connection, table: Table) -> bool:
    """Whether a table is cut by the month in this database."""
    return connection.dialect.name == "postgresql" and table.name in BY_MONTH


def make_months(connection: Connection, table: Table, values: Iterable[int]) -> None:
    """Make the months of these values of a table's column, as far as they may be made, within a writing transaction."""
    if not is_cut(connection, table):
        return
    cut, allowed = BY_MONTH[table.name], months_allowed()
    first, end = cut.bounds(allowed.start)[0], cut.bounds(allowed.stop - 1)[1]
    wanted = {month_of(value * cut.unit_ns // SECOND_NS) for value in set(values) if first <= value < end}
    if not wanted:
        return
    there = partitions(connection, table)
    for month in sorted(wanted):
        if cut.partition(month) not in there:
            _make(connection, cut, month)


def partitions(connection: Connection, table: Table) -> set[str]:
    """The names of a table's partitions."""
    query = text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = CAST(:t AS regclass)"
    )
    return set(connection.scalars(query, {"t": table.name}))


def _make(connection: Connection, cut: MonthTable, month: int) -> bool:
    """Make a month, with the rows that lay elsewhere until now; whether that could be done."""
    name, parent, (first, end) = cut.partition(month), cut.table.name, cut.bounds(month)
    within = f"{cut.column.name} >= {first} AND {cut.column.name} < {end}"
    return _altered(
        connection,
        f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)",
        f"LOCK TABLE {cut.other} IN ACCESS EXCLUSIVE MODE",
        f"WITH gone AS (DELETE FROM {cut.other} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM gone",
        f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
    )


def _altered(connection: Connection, *statements: str) -> bool:
    """Run statements that change a table, all of them or, where others hold it for too long, none."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {MOST_WAIT_MS}")
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("SET LOCAL lock_timeout = DEFAULT")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in REFUSED:
            raise
        return False
    return True


def drop_old_rollups(connection: Connection, before_hour: int) -> int:
    """Drop the months of roll-ups all of which ended by an hour; how many rows went."""
    gone = 0
    for month, name in _months(connection, ROLLUPS):
        if BY_MONTH[ROLLUPS.name].bounds(month)[1] + LONGEST_ROLLUP_HOURS <= before_hour:
            gone += _drop(connection, name)
    return gone


def drop_old_connections(connection: Connection, before_ns: int) -> int:
    """Drop the months of connections none of which was seen since a moment; how many rows went."""
    gone = 0
    for month, name in _months(connection, CONNECTIONS):
        if BY_MONTH[CONNECTIONS.name].bounds(month)[1] > before_ns:
            break
        later = text(f"SELECT 1 FROM {name} WHERE last_ns >= :before LIMIT 1")
        if connection.scalar(later, {"before": before_ns}) is None:
            gone += _drop(connection, name)
    return gone


def _months(connection: Connection, table: Table) -> list[tuple[int, str]]:
    """The months of a table with their partitions, oldest first."""
    if not is_cut(connection, table):
        return []
    found = ((_month_named(table, name), name) for name in partitions(connection, table))
    return sorted((month, name) for month, name in found if month is not None)


def _month_named(table: Table, partition: str) -> int | None:
    year, _, month = partition.removeprefix(f"{table.name}_").partition("_")
    return int(year) * 12 + int(month) - 1 if year.isdigit() and month.isdigit() else None


def _drop(connection: Connection, name: str) -> int:
    """Drop a partition; how many rows went: none where others hold the table for too long."""
    rows = connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0
    return rows if _altered(connection, f"DROP TABLE {name}") else 0


def month_sizes(connection: Connection) -> list[MonthSize]:
    """What each partition takes, by table and month, the rest last; nothing where no table is cut."""
    found = []
    query = text(
        "SELECT c.relname, pg_total_relation_size(c.oid), c.reltuples FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(:t)"
    )
    for name, cut in sorted(BY_MONTH.items()):
        if not is_cut(connection, cut.table):
            continue
        sizes = []
        for partition, size, rows in connection.execute(query, {"t": name}):
            month = _month_named(cut.table, partition)
            label = None if month is None else f"{month // 12:04}-{month % 12 + 1:02}"
            sizes.append(MonthSize(name, label, int(size), None if rows < 0 else int(rows)))
        found += sorted(sizes, key=lambda entry: (entry.month is None, entry.month or ""))
    return found
