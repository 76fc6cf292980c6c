"""Insert, or change the rows that are there: of SQLite and PostgreSQL alike. Knows no table but those that are cut by
the month."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite

from sensor.ledger.store.months import BY_MONTH, is_cut, make_months

#: Rows of one statement of PostgreSQL.
PAGE = 1_000


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    add: Collection[str] = (),
    replace: Collection[str] = (),
) -> None:
    """Put rows into a table; of one that is there, some columns are added to and some replaced, and the others stay.
    All rows have the same columns. A table that is cut by the month gets the months first; of it the column of the cut
    is in the key."""
    its = list(table.primary_key)
    if is_cut(connection, table) and rows:
        column = BY_MONTH[table.name].column
        make_months(connection, table, (row[column.name] for row in rows))
        its += [] if column.primary_key else [column]

    def or_change(statement: Any) -> Any:
        given = statement.excluded
        changes = {name: table.c[name] + given[name] for name in add} | {name: given[name] for name in replace}
        return statement.on_conflict_do_update(index_elements=its, set_=changes)

    keys = {tuple(row[column.name] for column in its) for row in rows}
    # One statement may change a row once.
    _insert(connection, table, rows, or_change, together=len(keys) == len(rows))


def put(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Put whole rows into a table, in place of those that are there."""
    others = [column.name for column in table.columns if not column.primary_key]
    upsert(connection, table, rows, replace=others)


def append(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Put new rows into a table that numbers them, in their order."""
    _insert(connection, table, rows, lambda statement: statement, together=True)


def _insert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    with_rest: Callable[[Any], Any],
    *,
    together: bool,
) -> None:
    """Insert rows that have the same columns; PostgreSQL reads a page of them out of one text, ten times as fast as one
    by one. `with_rest` adds to the statement what is to be done with those that are there."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(with_rest(sqlite.insert(table)), list(rows))
        return
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        as_json = _as_json(page) if together else None
        if as_json is None:
            connection.execute(with_rest(postgresql.insert(table)), list(page))
            continue
        names = list(page[0])
        columns = ", ".join(f'"{name}"' for name in names)
        source = text(f'SELECT {columns} FROM json_populate_recordset(NULL::"{table.name}", CAST(:rows AS json))')
        source = source.bindparams(bindparam("rows", as_json))
        selected = source.columns(*(table.c[name] for name in names))
        connection.execute(with_rest(postgresql.insert(table).from_select(names, selected)))


def _as_json(rows: Sequence[dict[str, Any]]) -> str | None:
    """Rows as one text; None where JSON has not what is in them."""
    if any(isinstance(value, float) and not math.isfinite(value) for row in rows for value in row.values()):
        return None
    try:
        return msgspec.json.encode(rows).decode()
    except (TypeError, OverflowError, UnicodeEncodeError):
        return None
