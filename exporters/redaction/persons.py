"""Persons out of lists: whoever the books call an individual stands there as a person, with the city and no more.

Pure. It goes with no name, number, street, account or machine of theirs; what leads into a network is another matter
(`finding`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from sensor.model.attribution import Enterprise, Site
from sensor.model.casework import CaseWork
from sensor.model.text import N_

#: What stands for a person.
PERSON = N_("(a person)")


def shown_name(enterprise: Enterprise, persons: bool) -> str:
    """A name as lists have it."""
    return PERSON if enterprise.individual and not persons else enterprise.name


def shown_site(enterprise: Enterprise | None, site: Site | None, persons: bool) -> Site | None:
    """Premises as lists have them: of a person the city alone, by its code of GB/T 2260."""
    if site is None or persons or enterprise is None or not enterprise.individual:
        return site
    code = site.division
    return Site(None, f"{code[:4]}00" if code and len(code) == 6 else None, None)


def without_names(text: str, enterprise: Enterprise | None, site: Site | None, persons: bool) -> str:
    """A text that somebody wrote, without what leads to the person it is about."""
    if persons or enterprise is None or not enterprise.individual:
        return text
    return hidden_in(text, (enterprise.name, *enterprise.aliases, enterprise.uscc, site.address if site else None))


def shown_work(work: CaseWork, enterprise: Enterprise | None, site: Site | None, persons: bool) -> CaseWork:
    """What was written into a case: models of machines are free text, and may have the person's name."""
    found = work.field_result
    if found is None:
        return work
    machines = tuple(
        dataclasses.replace(each, model=without_names(each.model, enterprise, site, persons)) for each in found.machines
    )
    return dataclasses.replace(work, field_result=dataclasses.replace(found, machines=machines))


def hidden_in(text: str, secrets: Iterable[str | None]) -> str:
    """A text with a person in the place of each of these, the longest first."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, PERSON)
    return text
