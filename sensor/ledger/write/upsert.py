"""Insert, or change the row that is there: one statement of SQLite and PostgreSQL alike. Knows no table but those that
are cut by the month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from sensor.ledger.store.months import BY_MONTH, is_cut, make_months


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    add: Sequence[str] = (),
    replace: Sequence[str] = (),
) -> None:
    """Put rows into a table; of one that is there, some columns are added to and some replaced, and the others stay.
    A table that is cut by the month gets the months first; of it the column of the cut is in the key."""
    if not rows:
        return
    keys = list(table.primary_key)
    if is_cut(connection, table):
        column = BY_MONTH[table.name].column
        make_months(connection, table, (row[column.name] for row in rows))
        keys += [] if column.primary_key else [column]
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    given = statement.excluded
    changes = {name: table.c[name] + given[name] for name in add} | {name: given[name] for name in replace}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows))
