"""Numbers for new rows of a table before they are written, so that all are written at once. Within the transaction of
the one writer: nobody else takes a number meanwhile.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, func, select, text


class RowNumbers:
    """The next numbers of a table whose key is a number."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table
        self._key: Column[int] = next(iter(table.primary_key))
        self._next: int | None = None
        self._taken = False

    def take(self) -> int:
        """A number that no row has."""
        if self._next is None:
            self._next = self._first()
        number, self._next = self._next, self._next + 1
        self._taken = True
        return number

    def note(self) -> None:
        """Say to the database which were taken: at the latest with the rows."""
        if self._taken and self._next is not None and self._connection.dialect.name == "postgresql":
            self._connection.execute(select(func.setval(self._sequence(), self._next - 1)))
        self._taken = False

    def _first(self) -> int:
        if self._connection.dialect.name != "postgresql":
            return (self._connection.scalar(select(func.max(self._key))) or 0) + 1
        query = text(f"SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM {self._sequence()}")
        number = self._connection.scalar(query)
        assert isinstance(number, int)
        return number

    def _sequence(self) -> str:
        """What numbers the table on PostgreSQL; of it the name is not hostile."""
        name = self._connection.scalar(select(func.pg_get_serial_sequence(self._table.name, self._key.name)))
        assert isinstance(name, str)
        return name
