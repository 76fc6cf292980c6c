"""Which cases, lines and findings a list is about: what its options ask for, and whether one of them fits.

A person who is not to be named is not found by name or code either.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.redaction.persons import shown_site, without_names
from sensor.attribution.books.divisions import Divisions
from sensor.bulletin.regions import inside
from sensor.cases.states import parse_state
from sensor.cli.frame import CommandError, say
from sensor.model.attribution import Enterprise, Site
from sensor.model.evidence import Grade
from sensor.model.exit_codes import CONFIG
from sensor.model.summary import Case, State

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration


def divisions_of(settings: Configuration) -> Divisions:
    """The table of divisions, with the local file of the configuration. Raises CommandError."""
    local = settings.attribution.divisions
    try:
        return Divisions(Path(local) if local else None)
    except (OSError, ValueError) as error:
        raise CommandError(CONFIG, f"attribution.divisions: {error}") from None


def division_codes(text: str, settings: Configuration) -> tuple[str, ...]:
    """The codes that a division's code or name stands for, its successors' too if it was abolished, which is said.
    Raises DivisionError, and CommandError for a table that cannot be read."""
    division = divisions_of(settings).division(text, datetime.now(UTC).year)
    if division.note is not None:
        say(division.note)
    return division.codes


@dataclass(frozen=True)
class OwnerFilter:
    """What is asked of whose something is, and how sure it is; nothing asked fits everything."""

    divisions: tuple[str, ...] | None
    enterprise: str | None  # part of a name or code, in lower case
    text: str | None  # part of anything shown, in lower case
    least_grade: Grade | None
    state: State | None
    persons: bool

    @classmethod
    def of_options(cls, options: argparse.Namespace, settings: Configuration) -> OwnerFilter:
        """Raises CaseError for no state, ValueError for no division, CommandError for an unreadable table."""
        return cls(
            divisions=None if options.division is None else division_codes(options.division, settings),
            enterprise=_wanted("--enterprise", options.enterprise),
            text=_wanted("--text", options.text),
            least_grade=next((grade for grade in Grade if grade.label == options.grade), None),
            state=None if options.state is None else parse_state(options.state),
            persons=options.persons,
        )

    def fits_case(self, case: Case, grade: Grade | None, addresses: Iterable[str] = ()) -> bool:
        """Whether a case is one of those, whatever its state; `grade` is None where it is not known."""
        history = (text for change in case.changes for text in (change.who, change.why))
        texts = (str(case.case_id), case.state, case.address, *addresses, *history)
        return self.fits_owner(case.enterprise, case.site, grade, texts)

    def fits_owner(
        self, enterprise: Enterprise | None, site: Site | None, grade: Grade | None, texts: Iterable[str | None]
    ) -> bool:
        """Whether whose it is, how sure it is and the other texts about it are as asked."""
        if not inside(site.division if site else None, self.divisions):
            return False
        if self.least_grade is not None and (grade is None or grade < self.least_grade):
            return False
        names = self._names(enterprise)
        if self.enterprise is not None and not _any_has(names, self.enterprise):
            return False
        if self.text is None:
            return True
        shown = shown_site(enterprise, site, self.persons)
        places = (shown.address, shown.division, shown.division_name) if shown else ()
        others = (text and without_names(text, enterprise, site, self.persons) for text in texts)
        return _any_has((*names, *places, *others), self.text)

    def _names(self, enterprise: Enterprise | None) -> tuple[str | None, ...]:
        if enterprise is None or (enterprise.individual and not self.persons):
            return ()
        return (enterprise.name, *enterprise.aliases, enterprise.uscc, enterprise.enterprise_id)


def _wanted(option: str, text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise ValueError(f"{option} must say something")
    return text and text.strip().casefold()


def _any_has(texts: Iterable[str | None], wanted: str) -> bool:
    return any(wanted in text.casefold() for text in texts if text)
