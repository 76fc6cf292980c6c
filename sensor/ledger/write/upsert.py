"""Insert, or change the row that is there: one statement of SQLite and PostgreSQL alike. Knows no table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    add: Sequence[str] = (),
    replace: Sequence[str] = (),
) -> None:
    """Put rows into a table; of one that is there, some columns are added to and some replaced, and the others stay."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    given = statement.excluded
    changes = {name: table.c[name] + given[name] for name in add} | {name: given[name] for name in replace}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes), list(rows)
    )
