"""What case work needs beside the pages: who writes the ledger, where files are, and who may take a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sensor.ledger.casework import CaseClerk
from sensor.people.account import UserAccount


@dataclass(frozen=True)
class CaseOffice:
    """Given to a desk where people sign in; a demonstration has none, and only reads."""

    clerk: CaseClerk
    accounts: Callable[[], list[UserAccount]]
