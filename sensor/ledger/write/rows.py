"""Rows of a table by their identities, read in pages. Knows no table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, Table, select

#: Identities asked for in one query; SQLite takes 32,766 parameters, older ones 999.
PAGE = 500


def rows_of(connection: Connection, table: Table, identities: Sequence[str]) -> list[RowMapping]:
    """The rows of these identities; the table's primary key is one column."""
    key = next(iter(table.primary_key))
    wanted = sorted(set(identities))
    pages = [wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE)]
    return [row for page in pages for row in connection.execute(select(table).where(key.in_(page))).mappings()]
