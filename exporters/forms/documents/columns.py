"""Columns and cells that tables of bulletins share: owners without persons' names, coins, times, energies. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from exporters.forms.amounts import significant
from exporters.forms.documents.labels import CATEGORIES
from exporters.forms.documents.model import Absent, Cell, Column, RangeCell, ranged, rounded
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import visible
from sensor.model.figures import Estimate, Owner
from sensor.model.range import Openness, Range
from sensor.model.summary import SECONDS_PER_HOUR
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

    def unknown(self) -> Absent:
        """There is mining, and what it amounts to is not known."""
        return Absent("unknown", self._("unknown"))

    def not_observed(self) -> Absent:
        """Nobody listened, or too little."""
        return Absent("not-observed", self._("not observed"))

    def not_projected(self) -> Absent:
        """Too little was watched to go beyond what was seen."""
        return Absent("not-projected", self._("not projected"))

    def seen(self, value: Range | None, estimate: Estimate) -> Cell:
        """A figure of what was seen: "unknown" where there was mining and no figure, "at least" where some of it is."""
        missing = estimate.missing_seconds > 0.0
        return estimated(value, at_least=missing) or (self.unknown() if missing else None)

    def rate(self, value: Range | None, estimate: Estimate) -> Cell:
        """The same of a hashrate, which needs no efficiency."""
        missing = estimate.unrated_seconds > 0.0
        return estimated(value, at_least=missing) or (self.unknown() if missing else None)

    def projected(self, value: Range | None, estimate: Estimate, watched: bool) -> Cell:
        """A figure of the whole period."""
        if value is None and (not watched or (estimate.energy_kwh.high > 0.0 and estimate.projected_kwh is None)):
            return self.not_projected()
        return self.seen(value, estimate)

    def hours(self, seconds: float) -> Cell:
        """Hours of a time; nothing for none."""
        return rounded(seconds / SECONDS_PER_HOUR) if seconds > 0.0 else None

    def unknown_hours(self, estimate: Estimate) -> tuple[Cell, Cell, Cell]:
        """Hours of unknown work, of unknown energy, and at an assumed rate."""
        times = (estimate.unrated_seconds, estimate.missing_seconds, estimate.assumed_seconds)
        work, energy, assumed = map(self.hours, times)
        return work, energy, assumed

    def openness(self, value: Range | None) -> str:
        """What leaves a figure open, in words: by how much chance, by how much the rest."""
        if value is None or value.rest is None:
            return ""
        rest = self._("−{down}/+{up} % by efficiency and loss").format(
            down=_percent(value.rest.down), up=_percent(value.rest.up)
        )
        if value.chance is None:
            return self._("−{down}/+{up} % by all together").format(
                down=_percent(value.rest.down), up=_percent(value.rest.up)
            )
        return self._("±{chance} % by chance, {rest}").format(chance=_percent(max(value.chance)), rest=rest)

    def flag(self, value: bool, text: str) -> Cell:
        """The text where something is so."""
        return text if value else None


def estimated(value: Range | None, at_least: bool = False) -> RangeCell | None:
    """An estimate as a cell; nothing where there is none (all of it is 0)."""
    return ranged(value.low, value.best, value.high, at_least) if value is not None and value.high > 0 else None


def part(value: float | None) -> Cell:
    """A part of a whole."""
    return None if value is None else rounded(value)


def change(value: float | None) -> Cell:
    """A change of an estimate, in two digits: its bounds support no more."""
    return None if value is None else rounded(value, 2)


def rate_columns(_: Translate, units: Iterable[str]) -> tuple[tuple[str, Column], ...]:
    """A column of hashrates while mining for each unit of work there is: hashes and solutions are never in one."""
    present = set(units)
    hashes = Column("hashrate_hps", _("Hashrate while mining"), "prefixed", "H/s", ranged=True)
    solutions = Column("solution_rate_sps", _("Solution rate while mining"), "prefixed", "Sol/s", ranged=True)
    rates = [(HASHES, hashes)] if HASHES in present or not present else []
    return (*rates, *((("solutions", solutions),) if present - {HASHES} else ()))


def mean_columns(_: Translate, units: Iterable[str]) -> tuple[tuple[str, Column], ...]:
    """The same of means over the time observed."""
    titles = {
        HASHES: Column("mean_hashrate_hps", _("Mean hashrate of the time watched"), "prefixed", "H/s", ranged=True),
        "solutions": Column(
            "mean_solution_rate_sps", _("Mean solution rate of the time watched"), "prefixed", "Sol/s", ranged=True
        ),
    }
    return tuple((unit, titles[unit]) for unit, _column in rate_columns(_, units))


def opened(openness: Openness | None) -> tuple[Cell, Cell]:
    """Down and up as cells."""
    return (None, None) if openness is None else (part(openness.down), part(openness.up))


def _percent(value: float) -> str:
    """A part as per cent, in two digits."""
    return f"{significant(100 * max(0.0, value), 2):g}"
