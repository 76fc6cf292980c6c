"""Who looks, and at which divisions: the one rule of scope, denied by default. Plain data; knows no table of divisions.

A scope is applied where a query is built (`sensor/ledger/read/selection.py`), so that lists, counts, sums, searches and
exports can be of nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["reader", "officer", "lead", "auditor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
#: Those that see findings and cases. Three powers are apart: who runs the console sees no case, who audits sees the
#: audit alone.
DATA_ROLES: frozenset[Role] = frozenset({"reader", "officer", "lead"})
#: Those that work on cases.
WORK_ROLES: frozenset[Role] = frozenset({"officer", "lead"})
#: Of these, those that may ask for the name of a private person, with a reason.
NAMING_ROLES: frozenset[Role] = frozenset({"officer", "lead"})
EVERYTHING: Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """The divisions that are in it, by the digits that their codes begin with (GB/T 2260). `None` is everywhere, places
    of which no division is known included; without a stem nothing is in it."""

    stems: tuple[str, ...] | None

    @property
    def everywhere(self) -> bool:
        """Whether nothing is left out."""
        return self.stems is None

    def holds(self, code: str | None) -> bool:
        """Whether a division is in it. What lies nowhere is in no scope but that of everywhere."""
        if self.stems is None:
            return True
        return code is not None and any(code.startswith(stem) for stem in self.stems)


EVERYWHERE = Scope(None)
NOWHERE = Scope(())


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, and what was granted: one role, and divisions or all of them."""

    login: str
    role: Role
    divisions: frozenset[str] | Literal["all"]  # codes of GB/T 2260 as they were granted; empty: nothing
    language: Literal["zh", "en"] = "zh"

    @property
    def sees_data(self) -> bool:
        """Whether the role sees findings and cases at all."""
        return self.role in DATA_ROLES


def stem_of(code: str) -> str:
    """The digits that every code in a division begins with: 32 of 320000, 3205 of 320500, 320505 of itself."""
    text = code.ljust(6, "0")
    return text[:2] if text.endswith("0000") else text[:4] if text.endswith("00") else text
