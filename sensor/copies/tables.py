"""Rows from one database into another, as they are: numbers stay, sequences go on, and what arrived is compared with
what was sent, row by row, whatever order a database has them in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Double, MetaData, Table, delete, func, insert, select, text

from sensor.ledger.store.months import BY_MONTH, is_cut, make_months

#: Rows that are sent at once.
AT_ONCE = 1_000
#: A sum of hashes has as many bits as each of them.
MODULUS = 1 << 256


class TableSum(NamedTuple):
    """How many rows a table has, and the sum of their hashes: the same whatever their order."""

    rows: int
    digest: int


TableSums = dict[str, TableSum]


def copy_tables(
    source: Connection, target: Connection, metadata: MetaData, leave_out: Sequence[str] = (), *, guarded: bool = False
) -> TableSums:
    """Copy all tables; what was sent, by table. What the target's making has put into them goes first, but from tables
    from which nothing can be deleted (`guarded`), which are empty."""
    found = {}
    tables = [table for table in metadata.sorted_tables if table.name not in leave_out]
    for table in () if guarded else tables:
        target.execute(delete(table))
    for table in tables:
        found[table.name] = _copied(source, target, table)
        _go_on(source, target, table)
    return found


def sums_of(connection: Connection, metadata: MetaData, names: Sequence[str]) -> TableSums:
    """What tables have."""
    return {name: _sum(_rows(connection, metadata.tables[name])) for name in names}


def _rows(connection: Connection, table: Table) -> Iterator[Mapping[str, Any]]:
    found = connection.execute(select(table).execution_options(yield_per=AT_ONCE)).mappings()
    for row in found:
        yield {column.name: _plain(row[column.name], column.type) for column in table.columns}


def _plain(value: Any, kind: object) -> Any:
    """A value as both databases have it."""
    if isinstance(value, memoryview):
        return bytes(value)
    return float(value) if isinstance(kind, Double) and value is not None else value


def _copied(source: Connection, target: Connection, table: Table) -> TableSum:
    rows, digest, batch = 0, 0, list[Mapping[str, Any]]()
    for row in _rows(source, table):
        rows, digest = rows + 1, (digest + _hash(row)) % MODULUS
        batch.append(row)
        if len(batch) == AT_ONCE:
            _insert(target, table, batch)
            batch = []
    if batch:
        _insert(target, table, batch)
    return TableSum(rows, digest)


def _insert(target: Connection, table: Table, batch: list[Mapping[str, Any]]) -> None:
    if is_cut(target, table):
        make_months(target, table, (row[BY_MONTH[table.name].column.name] for row in batch))
    target.execute(insert(table), batch)


def _sum(rows: Iterator[Mapping[str, Any]]) -> TableSum:
    count, digest = 0, 0
    for row in rows:
        count, digest = count + 1, (digest + _hash(row)) % MODULUS
    return TableSum(count, digest)


def _hash(row: Mapping[str, Any]) -> int:
    values = [value.hex() if isinstance(value, bytes) else value for value in row.values()]
    data = json.dumps(values, ensure_ascii=True).encode()
    return int.from_bytes(hashlib.sha256(data).digest())


def _go_on(source: Connection, target: Connection, table: Table) -> None:
    """The next number is one that never was: also after rows with higher ones were deleted."""
    column = table.autoincrement_column
    if column is None:
        return
    highest = int(target.scalar(select(func.max(column))) or 0)
    last = max(highest, _last_number(source, table, column.name))
    if target.dialect.name == "postgresql":
        sequence = target.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name})
        if sequence is not None and last:
            target.execute(text("SELECT setval(:s, :n)"), {"s": sequence, "n": last})
    elif table.dialect_options["sqlite"]["autoincrement"] and last:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :t"), {"t": table.name})
        target.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:t, :n)"), {"t": table.name, "n": last})


def _last_number(source: Connection, table: Table, column: str) -> int:
    """The last number that was given; 0 where that is not written down."""
    if source.dialect.name == "postgresql":
        sequence = source.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column})
        if sequence is None:
            return 0
        return int(source.scalar(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")) or 0)
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return 0
    found = source.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :t"), {"t": table.name})
    return int(found or 0)
