"""Columns and cells that tables of bulletins share: owners without persons' names, coins, times, energies. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from exporters.forms.documents.labels import CATEGORIES
from exporters.forms.documents.model import Cell, Column, RangeCell, ranged, rounded
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import visible
from sensor.model import summary
from sensor.model.figures import Owner
from sensor.model.time import MINUTE_NS, moment

HASHES = "hashes"


class Cells:
    """Makes cells in one language and one time zone."""

    def __init__(self, translate: Translate, zone: ZoneInfo) -> None:
        self._, self._zone = translate, zone

    def owner(self, owner: Owner | None) -> str:
        """Who it is; a person's name is not there to be shown."""
        if owner is None:
            return self._("holder not known")
        return visible(owner.name) if owner.name else self._("a private person")

    def place(self, owner: Owner | None) -> Cell:
        """The division's name, with its code where the name is not known."""
        if owner is None:
            return None
        return visible(owner.division_name or owner.division or "") or None

    def category(self, key: str | None) -> str:
        """A kind of owner."""
        return self._(CATEGORIES.get(key, key)) if key else self._("not known")

    def several(self, names: Iterable[str], most: int = 6) -> Cell:
        """Names in a row, the first few of them."""
        shown = [visible(name) for name in names]
        more = [f"+{len(shown) - most}"] if len(shown) > most else []
        return ", ".join(shown[:most] + more) or None

    def moment(self, ns: int | None) -> Cell:
        """An instant in the document's time zone, to the minute."""
        return None if ns is None else moment(ns // MINUTE_NS * MINUTE_NS, self._zone)

    def flag(self, value: bool, text: str) -> Cell:
        """The text where something is so."""
        return text if value else None


def estimated(value: summary.Range) -> RangeCell | None:
    """An estimate as a cell; nothing where there is none (all of it is 0)."""
    return ranged(value.low, value.best, value.high) if value.high > 0 else None


def part(value: float | None) -> Cell:
    """A part of a whole."""
    return None if value is None else rounded(value)


def rate_columns(_: Translate, units: Iterable[str]) -> tuple[tuple[str, Column], ...]:
    """A column of hashrates for each unit of work there is: hashes and solutions are never in one."""
    present = set(units)
    hashes = Column("hashrate_hps", _("Hashrate"), "prefixed", "H/s", ranged=True)
    solutions = Column("solution_rate_sps", _("Solution rate"), "prefixed", "Sol/s", ranged=True)
    rates = [(HASHES, hashes)] if HASHES in present or not present else []
    return (*rates, *((("solutions", solutions),) if present - {HASHES} else ()))
