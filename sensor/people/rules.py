"""Who may do what to whose account: three powers apart, and nobody widens himself. Pure.

An admin manages accounts and sees no case. An auditor reads the audit and changes nothing. A lead changes readers and
officers of his own divisions, within them. Whoever has the machine (the command line, as a user who may write the
store) stands outside of this, for he could write the tables as well; the audit has his name.
"""

from __future__ import annotations

from sensor.model.scope import Role
from sensor.model.text import N_
from sensor.people.account import AccountError, UserAccount, check_shape, within

#: What a role may do besides looking at its own account.
POWERS: dict[Role, frozenset[str]] = {
    "reader": frozenset({"see-cases"}),
    "officer": frozenset({"see-cases", "change-cases"}),
    "lead": frozenset({"see-cases", "change-cases", "assign-cases", "manage-officers"}),
    "auditor": frozenset({"read-audit"}),
    "admin": frozenset({"manage-people"}),
}
#: Why the last admin stays one.
LAST_ADMIN = N_("{login} is the last admin: somebody must be able to manage accounts")
#: Whom a lead may change, and into what.
LED: frozenset[Role] = frozenset({"reader", "officer"})


def may(account: UserAccount, power: str) -> bool:
    """Whether an account has a power now; who has to change his password first has none."""
    return not account.disabled and not account.must_change and power in POWERS[account.role]


def check_change(by: UserAccount | None, before: UserAccount | None, after: UserAccount, other_admins: int) -> None:
    """Whether somebody may make an account, or change it so; `by` is None for whoever has the machine, `before` for a
    new one. `other_admins` are the active ones beside it. Raises AccountError."""
    check_shape(after)
    if before is not None and before.is_active_admin and not after.is_active_admin and not other_admins:
        raise AccountError(LAST_ADMIN.format(login=before.login))
    if by is None:
        return
    if by.disabled or by.must_change:
        raise AccountError(N_("this account is disabled, or has to change its password first"))
    if before is not None and before.login == by.login:
        rights = (before.role, before.divisions, before.disabled) == (after.role, after.divisions, after.disabled)
        if not rights:
            raise AccountError(N_("nobody changes his own role, divisions or state"))
        return
    if by.role == "admin":
        return
    if by.role != "lead" or before is None:
        raise AccountError(N_("a role of {role} does not manage accounts").format(role=by.role))
    if not (before.role in LED and after.role in LED):
        raise AccountError(N_("a lead changes readers and officers alone"))
    if not (within(before.divisions, by.divisions) and within(after.divisions, by.divisions)):
        raise AccountError(N_("a lead's rights stay inside of his own divisions"))


def check_password_change(by: UserAccount | None, of: UserAccount) -> None:
    """Whether somebody may set a password. A lead may not: it would let him sign in as somebody else. Raises
    AccountError."""
    if by is None or (by.login == of.login and not by.disabled) or may(by, "manage-people"):
        return
    raise AccountError(N_("only an admin sets the password of somebody else"))


def check_revoke(by: UserAccount | None, of: UserAccount) -> None:
    """Whether somebody may end the sessions of an account, or its tokens. Raises AccountError."""
    if by is None or by.login == of.login or may(by, "manage-people"):
        return
    if may(by, "manage-officers") and of.role in LED and within(of.divisions, by.divisions):
        return
    raise AccountError(N_("only an admin, or a lead of its divisions, ends the sessions of somebody else"))


def check_token(by: UserAccount | None, of: UserAccount) -> None:
    """Whether somebody may make a token of an account. An admin may not: with it he would see cases. Raises
    AccountError."""
    if by is not None and by.login != of.login:
        raise AccountError(N_("a token is made by the account that it is of, or on the machine"))
    if of.disabled or "see-cases" not in POWERS[of.role]:
        raise AccountError(N_("{login} sees no cases, so a token of it would be of no use").format(login=of.login))
