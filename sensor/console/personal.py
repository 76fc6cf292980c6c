"""The seam between the pages and what an account keeps for itself: named views of lists, and its last visit.

The pages know no accounts; whoever signs people in gives one object of this kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class NamedView(Protocol):
    """A list with its filters, by a name."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def route(self) -> str:
        """Whose filters they are."""
        ...

    @property
    def query(self) -> str:
        """As it stands in the address bar."""
        ...


class PersonalDesk(Protocol):
    """What an account keeps. What it raises keeps the page from being shown."""

    def views(self, login: str) -> Sequence[NamedView]:
        """Its views."""
        ...

    def last_visit_ns(self, login: str, now_ns: int) -> int | None:
        """When it last looked at the overview before this visit; None: never."""
        ...
