"""The register of enterprises: which names and codes of all books are one organisation, and its premises.

The same unified social credit code is the same enterprise. A name without a code is that enterprise only if exactly one
code has been filed under the name, and the claim is then the weaker. A person is never joined by name: two people of
one name are two people.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import NamedTuple

from sensor.model.attribution import Enterprise, Site
from sensor.sheets.text import comparable


class Filing(NamedTuple):
    """An organisation as one row of a book has it."""

    name: str
    uscc: str | None
    category: str | None
    industry: str | None
    mark: str = ""  # of persons: their masked number or their premises, which keep two of one name apart


class Register:
    """Filings in, enterprises out once all books are read."""

    def __init__(self) -> None:
        self._filings: dict[Filing, int] = {}
        self._sites: dict[Site, int] = {}
        self.enterprises: list[Enterprise] = []  # by the number of the filing, after `settle`
        self.sites: list[Site] = []
        self._filed: list[Filing] = []

    def file(self, filing: Filing) -> int:
        """The number of a filing."""
        return self._filings.setdefault(filing, len(self._filings))

    def filing(self, number: int) -> Filing:
        """A filing by its number, after `settle`."""
        return self._filed[number]

    def site(self, site: Site) -> int:
        """The number of premises."""
        return self._sites.setdefault(site, len(self._sites))

    def settle(self) -> None:
        """Decide which filings are one enterprise."""
        by_code: dict[str, list[Filing]] = {}
        codes_of_name: dict[str, set[str]] = {}
        for filing in self._filings:
            if filing.uscc:
                by_code.setdefault(filing.uscc, []).append(filing)
                codes_of_name.setdefault(comparable(filing.name), set()).add(filing.uscc)
        coded = {code: _joined(code, filings) for code, filings in by_code.items()}
        self.enterprises = [_entry(filing, coded, codes_of_name) for filing in self._filings]
        self.sites, self._filed = list(self._sites), list(self._filings)

    @property
    def count(self) -> int:
        """Different enterprises."""
        return len({enterprise.enterprise_id for enterprise in self.enterprises})


def _joined(code: str, filings: list[Filing]) -> Enterprise:
    names = list(dict.fromkeys(filing.name for filing in filings))
    category = next((filing.category for filing in filings if filing.category), None)
    industry = next((filing.industry for filing in filings if filing.industry), None)
    return Enterprise(code, names[0], code, category, industry, "code", tuple(names[1:]))


def _entry(filing: Filing, coded: dict[str, Enterprise], codes_of_name: dict[str, set[str]]) -> Enterprise:
    if filing.uscc:
        return coded[filing.uscc]
    name = comparable(filing.name)
    codes = codes_of_name.get(name, set())
    if len(codes) == 1 and filing.category != "individual":
        return replace(coded[next(iter(codes))], identified_by="name")
    seed = f"{name} {filing.mark}" if filing.category == "individual" else name
    identity = f"name:{hashlib.sha256(seed.encode()).hexdigest()[:16]}"
    return Enterprise(identity, filing.name, None, filing.category, filing.industry, "name")
