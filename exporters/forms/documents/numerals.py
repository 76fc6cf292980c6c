"""How a cell's value reads for people: digits grouped, prefixes chosen, per cent, moments in the document's time zone.

Pure, and the same in both languages (Chinese documents write numbers and SI units as English ones do). A number is
never rounded here: what the model holds is shown in full, only shifted by a prefix.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exporters.forms.amounts import prefixed
from exporters.forms.documents.model import Cell, Kind, RangeCell

NOTHING = "–"
_UNIT, _HUNDREDTH = Decimal(1), Decimal("0.01")


def shown(value: Cell, kind: Kind = "text", unit: str = "") -> str:
    """A cell as text; a range as its best value with the bounds in brackets."""
    if value is None:
        return NOTHING
    if isinstance(value, RangeCell):
        return f"{figure(value.best, kind, unit)} ({bounds(value, kind)})"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, str):
        return value
    return figure(value, kind, unit)


def best(value: Cell, kind: Kind = "text", unit: str = "") -> str:
    """The same without bounds."""
    return figure(value.best, kind, unit) if isinstance(value, RangeCell) else shown(value, kind, unit)


def bounds(value: RangeCell, kind: Kind) -> str:
    """The bounds of a range at the scale of its best value, whose unit stands beside it."""
    scale = _scale(value.best or value.high, kind)[0]
    return f"{number(value.low, scale)}–{number(value.high, scale)}"


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
        value = value.best
    return figure_parts(value, kind, unit) if isinstance(value, int | float) else (shown(value, kind, unit), "")


def number(value: float, scale: Decimal = _UNIT) -> str:
    """All digits of a number, shifted, thousands grouped by commas."""
    text = f"{Decimal(repr(value)) / scale:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scale(value: float, kind: Kind) -> tuple[Decimal, str]:
    if kind in ("part", "change"):
        return _HUNDREDTH, ""
    if kind == "prefixed":
        scale, prefix = prefixed(abs(value))
        return Decimal(int(scale)), prefix
    return _UNIT, ""
