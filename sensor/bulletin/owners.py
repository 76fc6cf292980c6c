"""Owners as a bulletin may show them: persons lose name and premises, places get their names. Pure, but for the table
of divisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sensor.attribution.books.divisions import Divisions
from sensor.bulletin.regions import city_code
from sensor.model.attribution import Enterprise, Site
from sensor.model.figures import Owner
from sensor.model.summary import SiteSummary


@dataclass(frozen=True)
class OwnerDisplay:
    """How owners are shown: with the divisions of a year, and persons by name only if that was asked for."""

    divisions: Divisions
    year: int
    name_persons: bool = False

    def owner(self, enterprise: Enterprise | None, site: Site | None) -> Owner | None:
        """An owner fit for the bulletin; None if nobody is known."""
        if enterprise is None:
            return None
        code = site.division if site else None
        hidden = enterprise.individual and not self.name_persons
        return Owner(
            name=None if hidden else enterprise.name,
            person=enterprise.individual,
            uscc=None if hidden else enterprise.uscc,
            category=enterprise.category,
            premises=site.address if site and not hidden else None,
            division=city_code(code) if hidden else code,
            division_name=self._place(
                city_code(code) if hidden else code, site.division_name if site and not hidden else None
            ),
        )

    def _place(self, code: str | None, book_name: str | None) -> str | None:
        """The name of a division; of one that the table does not have, the name in the books, else that of its city."""
        return self.name(code) or book_name or self.name(city_code(code))

    def of(self, summary: SiteSummary | None) -> Owner | None:
        """The owner of a site."""
        return self.owner(summary.enterprise, summary.site) if summary else None

    def name(self, code: str | None) -> str | None:
        """What a division is called; None if there is none of this code."""
        if not code:
            return None
        if code not in self._names:
            self._names[code] = self.divisions.name(code, self.year)
        return self._names[code]

    @cached_property
    def _names(self) -> dict[str, str | None]:
        return {}
