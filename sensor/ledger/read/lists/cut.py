"""A page of a list by its keys: where it begins, and how long it is.

Rows are in the order of a number, largest first, and of a unique text where numbers are equal. The next page begins
behind a row, not at a count of rows: so none is lost or repeated when rows come in meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, or_


class ListKey(NamedTuple):
    """A row's place in its list."""

    rank: int
    name: str


@dataclass(frozen=True)
class ListCut:
    """So many rows behind a key; without one from the beginning, without a length all."""

    after: ListKey | None = None
    most: int | None = None

    def of(
        self, query: Select[Any], rank: ColumnElement[Any], name: ColumnElement[Any], *, rising: bool = False
    ) -> Select[Any]:
        """The query in order, cut; the smallest number first if it is rising."""
        if self.after is not None:
            at = self.after.rank
            # The first condition follows from the second one; by it a database begins where the page does.
            query = query.where(rank >= at if rising else rank <= at)
            query = query.where(or_(rank > at if rising else rank < at, name > self._name(name)))
        query = query.order_by(rank if rising else rank.desc(), name)
        return query if self.most is None else query.limit(self.most)

    def _name(self, name: ColumnElement[Any]) -> Any:
        assert self.after is not None
        return int(self.after.name) if name.type.python_type is int else self.after.name


def like(text: str) -> str:
    """The pattern of LIKE for a text anywhere within another; `\\` escapes."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
