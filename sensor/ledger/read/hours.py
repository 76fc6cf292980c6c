"""Which hours of the roll-ups a period has: those that begin in it. So periods add up, wherever they begin."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement

from sensor.model.time import HOUR_NS


class HourRange(NamedTuple):
    """Hours since the epoch, from the first to before the end."""

    first: int
    end: int

    @classmethod
    def beginning_in(cls, from_ns: int, to_ns: int) -> HourRange:
        """The hours that begin in [from_ns, to_ns)."""
        return cls(-(-from_ns // HOUR_NS), -(-to_ns // HOUR_NS))

    def contain(self, hour: Column[Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """The conditions of SQL that a column of hours lies within."""
        return hour >= self.first, hour < self.end
