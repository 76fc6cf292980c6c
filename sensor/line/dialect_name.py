"""What a session's dialect is called: its own name, or that of its family while other dialects fit nearly as well.

A name is an accusation in detail: coin, algorithm and the worth of a share hang on it. Several dialects share their
first messages, so the family is named until one of them has shown what the others do not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sensor.model.naming import FAMILY_IDS, MIXED, MIXED_ID
from sensor.model.text import N_
from sensor.signatures.model import Dialect


class DialectName(NamedTuple):
    """What a finding is called."""

    name: str
    signature_id: int
    rev: int
    title: str
    fits: tuple[str, ...] = ()  # the dialects that it may be, where only the family is named

    @property
    def is_open(self) -> bool:
        """Whether it is not known which dialect it is."""
        return bool(self.fits)

    @property
    def reason(self) -> str:
        """Why it is not known."""
        if len(self.fits) == 1:
            return N_("it speaks as {dialect} does, but its jobs have another form: what is mined is not known").format(
                dialect=self.fits[0]
            )
        return N_("what was said fits {dialects}: which of them it is, and what is mined, is not known yet").format(
            dialects=", ".join(self.fits)
        )


def name_of(best: Dialect, rivals: Sequence[Dialect], *, has_foreign_jobs: bool = False) -> DialectName:
    """The name of the best dialect; while rivals fit nearly as well, or all jobs have another form than its own, that
    of the family. A dialect that says nothing of what is mined keeps its name: it is as general as the family, and most
    of the family's sessions are its own.
    """
    header = best.header
    is_open = bool(rivals) or (has_foreign_jobs and _says_what_is_mined(best))
    fits = tuple(sorted({dialect.name for dialect in (best, *rivals)})) if is_open else ()
    if not is_open or not _says_what_is_mined(best):
        return DialectName(header.name, header.id, header.rev, header.title, fits)
    families = {dialect.family for dialect in (best, *rivals)}
    family = families.pop() if len(families) == 1 else MIXED
    name = family if family in FAMILY_IDS else MIXED
    title = f"{name.capitalize()}: which of its dialects it is is not known"
    return DialectName(name, FAMILY_IDS.get(name, MIXED_ID), 1, title, fits)


def _says_what_is_mined(dialect: Dialect) -> bool:
    return bool(dialect.coin or dialect.algorithm or any(rule.login is not None for rule in dialect.coins))
