"""Rows of a table by their identities: read in pages, inserted or updated in two statements. Knows no table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, bindparam, insert, select, update

#: Identities asked for in one query; SQLite takes 32,766 parameters, older ones 999.
PAGE = 500


def rows_of(connection: Connection, table: Table, identities: Sequence[str]) -> list[RowMapping]:
    """The rows of these identities; the table's primary key is one column."""
    key = next(iter(table.primary_key))
    wanted = sorted(set(identities))
    pages = [wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE)]
    return [row for page in pages for row in connection.execute(select(table).where(key.in_(page))).mappings()]


def write_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], stored: Collection[str]) -> None:
    """Insert the rows that are new and update those whose identity is among the stored ones."""
    key = next(iter(table.primary_key))
    new = [row for row in rows if row[key.name] not in stored]
    changed = [{**row, "identity": row[key.name]} for row in rows if row[key.name] in stored]
    if new:
        connection.execute(insert(table), new)
    if changed:
        values: dict[str, Any] = {
            column.name: bindparam(column.name) for column in table.columns if column.name != key.name
        }
        connection.execute(update(table).where(key == bindparam("identity")).values(values), changed)
