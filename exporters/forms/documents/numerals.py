"""How a cell's value reads for people: digits grouped, prefixes chosen, per cent, moments in the document's time zone.

Pure, and the same in both languages (Chinese documents write numbers and SI units as English ones do). A number is
shown as the model holds it, in four digits at most, only shifted by a prefix. A range is shown with the digits that its
bounds support, as in every other form (`exporters/forms/amounts.py`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exporters.forms.amounts import (
    AT_LEAST,
    digits_of,
    grouped,
    prefixed,
    significant,
)
from exporters.forms.documents.model import Absent, Cell, Kind, RangeCell

NOTHING = "–"
_UNIT, _HUNDREDTH = Decimal(1), Decimal("0.01")


def shown(value: Cell, kind: Kind = "text", unit: str = "") -> str:
    """A cell as text; a range as its best value with the bounds in brackets."""
    if value is None:
        return NOTHING
    if isinstance(value, Absent):
        return value.text
    if isinstance(value, RangeCell):
        return f"{best(value, kind, unit)} ({bounds(value, kind)})"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, str):
        return value
    return figure(value, kind, unit)


def best(value: Cell, kind: Kind = "text", unit: str = "") -> str:
    """The same without bounds."""
    if isinstance(value, RangeCell):
        return (AT_LEAST if value.at_least else "") + figure(_supported(value)[1], kind, unit)
    return shown(value, kind, unit)


def bounds(value: RangeCell, kind: Kind) -> str:
    """The bounds of a range at the scale of its best value, whose unit stands beside it."""
    low, middle, high = _supported(value)
    scale = _scale(middle or high, kind)[0]
    return f"{number(low, scale)}–{number(high, scale)}"


def _supported(value: RangeCell) -> tuple[float, float, float]:
    """Low, best and high with as many digits as the bounds support."""
    digits = digits_of(value.low, value.best, value.high)
    return significant(value.low, digits), significant(value.best, digits), significant(value.high, digits)


def figure(value: float, kind: Kind, unit: str = "") -> str:
    """One number with its unit."""
    return " ".join(filter(None, figure_parts(value, kind, unit)))


def figure_parts(value: float, kind: Kind, unit: str = "") -> tuple[str, str]:
    """The number and its unit, apart."""
    scale, prefix = _scale(value, kind)
    if kind == "change":
        return f"{'+' if value > 0 else '−' if value < 0 else '±'}{number(abs(value), scale)}", "%"
    return number(value, scale), "%" if kind == "part" else f"{prefix}{unit}"


def parts(value: Cell, kind: Kind = "text", unit: str = "") -> tuple[str, str]:
    """A cell without bounds: its text, and its unit."""
    if isinstance(value, RangeCell):
        text, shown_unit = figure_parts(_supported(value)[1], kind, unit)
        return (AT_LEAST if value.at_least else "") + text, shown_unit
    return figure_parts(value, kind, unit) if isinstance(value, int | float) else (shown(value, kind, unit), "")


def key_figure(value: Cell, kind: Kind, unit: str, at_least: bool) -> tuple[str, str]:
    """The text of a key figure, and its unit."""
    text, shown_unit = parts(value, kind, unit)
    return (AT_LEAST + text if at_least and isinstance(value, int | float) else text), shown_unit


def number(value: float, scale: Decimal = _UNIT) -> str:
    """All digits of a number, shifted, thousands grouped by commas."""
    return grouped(Decimal(repr(value + 0.0)) / scale)


def _scale(value: float, kind: Kind) -> tuple[Decimal, str]:
    if kind in ("part", "change"):
        return _HUNDREDTH, ""
    if kind == "prefixed":
        scale, prefix = prefixed(max(1.0, abs(value)))  # smaller ones are written out
        return Decimal(repr(scale)), prefix
    return _UNIT, ""
