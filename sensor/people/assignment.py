"""Whose work a case may become: who may assign it, and to whom. Pure, but for the table of divisions.

One sentence for every account that cannot take a case, so that nothing is learnt of accounts elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from sensor.attribution.books.divisions import DivisionError, Divisions
from sensor.attribution.books.jurisdiction import viewers_scope
from sensor.cases.states import CaseError
from sensor.people.account import UserAccount
from sensor.people.rules import may

NO_ASSIGNEE = "there is no account {login} that could take this case"
LEADS_ALONE = "only a lead assigns a case to somebody else, or takes it from somebody else"


def can_take(account: UserAccount, division: str | None, divisions: Divisions, year: int) -> bool:
    """Whether an account may work on the cases of a division (None: of none that is known)."""
    if not may(account, "change-cases"):
        return False
    try:
        return viewers_scope(account.viewer, divisions, year).holds(division)
    except DivisionError:
        return False


def check_assignee(
    accounts: Iterable[UserAccount], login: str, division: str | None, divisions: Divisions, year: int
) -> None:
    """Whether a case of a division can become an account's. Raises CaseError."""
    its = (account for account in accounts if account.login == login)
    if not any(can_take(account, division, divisions, year) for account in its):
        raise CaseError(NO_ASSIGNEE, login=login[:64])


def check_assigning(by: UserAccount, to: str | None, assignee: str | None) -> None:
    """Whether somebody may make a case another's: a lead may, an officer takes one himself or gives up his own. Raises
    CaseError."""
    if may(by, "assign-cases"):
        return
    own = by.login == to if to is not None else by.login == assignee
    if not own:
        raise CaseError(LEADS_ALONE)
