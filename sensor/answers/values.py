"""Values of answers: times are RFC 3339 in UTC, figures have their digits, what is not known is null, never 0."""

from __future__ import annotations

from typing import Protocol

from exporters.forms.amounts import significant
from sensor.model.time import rfc3339_text

#: Significant digits of estimates: they are never nearer. What was measured has those of events.
DIGITS = 4


class Bounds(Protocol):
    """An estimate with its bounds."""

    @property
    def low(self) -> float: ...
    @property
    def best(self) -> float: ...
    @property
    def high(self) -> float: ...


def instant(ns: int | None) -> str | None:
    """`2026-01-02T03:04:05Z`; None stays None."""
    return None if ns is None else rfc3339_text(ns)


def rounded(value: float | None) -> float | None:
    """A figure that was measured, to the digits that it has; None stays None."""
    return None if value is None else significant(value)


def bounds(value: Bounds | None) -> dict[str, float] | None:
    """An estimate's low, best and high; None where there is none, and where it is 0 for lack of anything known."""
    if value is None or value.high <= 0.0:
        return None
    ends = {"low": value.low, "best": value.best, "high": value.high}
    return {name: significant(end, DIGITS) for name, end in ends.items()}
