"""The scope of a viewer: from the codes that were granted to the divisions that are seen. Knows the table of divisions
and no ledger.

A code that never was is refused. Who was granted a division that is abolished sees what it became; who has a division
sees the old cases of what it was made of, also where those have codes of another city. Only what follows without doubt
is followed (`Divisions.heirs`): a name that several have must not widen what somebody sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sensor.attribution.books.divisions import Division, DivisionError, Divisions
from sensor.model.scope import EVERYTHING, EVERYWHERE, NOWHERE, Scope, Viewer, stem_of
from sensor.model.text import N_


def granted(codes: Iterable[str], divisions: Divisions, year: int) -> list[Division]:
    """The divisions of these codes, each with a note where it is abolished. Raises DivisionError for a code that never
    was, and for a name: rights are granted by code."""
    found = []
    for code in sorted(codes):
        if not (code.isascii() and code.isdigit()):
            form = N_("{text} is no code of a division: rights are granted by code (GB/T 2260)")
            raise DivisionError(form.format(text=repr(code)))
        found.append(divisions.division(code, year))
    return found


def scope_of(codes: Iterable[str] | Literal["all"], divisions: Divisions, year: int) -> Scope:
    """What is seen by whom these codes were granted. Raises DivisionError for a code that never was."""
    if codes == EVERYTHING:
        return EVERYWHERE
    stems: set[str] = set()
    for division in granted(codes, divisions, year):
        its = {division.code}
        if division.abolished is not None:
            its |= divisions.heirs(division.code)
        for code in its:
            stems.add(stem_of(code))
            stems |= {stem_of(former) for former in divisions.forebears(stem_of(code))}
    whole = [stem for stem in stems if not any(stem != other and stem.startswith(other) for other in stems)]
    return Scope(tuple(sorted(whole))) if whole else NOWHERE


def viewers_scope(viewer: Viewer, divisions: Divisions, year: int) -> Scope:
    """The same of a viewer; a role that sees no data has none, whatever was granted. Raises DivisionError."""
    return scope_of(viewer.divisions, divisions, year) if viewer.sees_data else NOWHERE
