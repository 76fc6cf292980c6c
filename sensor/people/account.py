"""An account, and what it may be: forms of logins, divisions and passwords. Pure; plain strings and sets."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sensor.model.scope import DATA_ROLES, EVERYTHING, ROLES, Role, Viewer, stem_of
from sensor.model.text import N_, printable

Divisions = frozenset[str] | Literal["all"]
Language = Literal["zh", "en"]
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
DIVISION = re.compile(r"[1-9]\d(\d{2}){0,2}", re.ASCII)
#: Characters of a password at least, bytes at most (Argon2 takes more, and a long one costs nothing but is no use), and
#: different characters in it at least. NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where nothing else is asked for;
#: lock-out bounds guesses here, so 12.
LEAST_CHARACTERS, MOST_BYTES, LEAST_DIFFERENT = 12, 1_024, 5
MOST_NAME = 80
NO_DIVISIONS: Divisions = frozenset()

#: The roles for translation.
ROLE_NAMES = (N_("reader"), N_("officer"), N_("lead"), N_("auditor"), N_("admin"))


class AccountError(ValueError):
    """Something an account cannot be, or what somebody may not do; one sentence."""


@dataclass(frozen=True, slots=True)
class UserAccount:
    """An account without its secrets."""

    login: str
    name: str
    role: Role
    divisions: Divisions
    language: Language = "zh"
    disabled: bool = False
    must_change: bool = False  # of somebody else's choosing is the password: it must be changed before anything else
    has_password: bool = False
    created_ns: int = 0
    signed_in_ns: int | None = None

    @property
    def viewer(self) -> Viewer:
        """The same for the rule of scope; who has to change his password first sees nothing before that."""
        divisions = NO_DIVISIONS if self.disabled or self.must_change else self.divisions
        return Viewer(self.login, self.role, divisions, self.language)

    @property
    def is_active_admin(self) -> bool:
        """Whether it can manage accounts now."""
        return self.role == "admin" and not self.disabled


def login_of(text: str) -> str:
    """A login as it is stored. Raises AccountError."""
    login = normal_login(text)
    if login is None:
        form = N_("{text} is no login: 1 to 64 of a-z, 0-9, dot, hyphen, underscore and @, the first a letter or digit")
        raise AccountError(form.format(text=repr(printable(text[:70], "·"))))
    return login


def normal_login(text: str) -> str | None:
    """What was typed as a login, as it is stored; None for what can be none."""
    login = text[:200].strip().lower()
    return login if LOGIN.fullmatch(login) else None


def role_of(text: str) -> Role:
    """A role by its name. Raises AccountError."""
    for role in ROLES:
        if role == text:
            return role
    form = N_("{text} is no role: {roles}")
    raise AccountError(form.format(text=repr(printable(text[:40], "·")), roles=", ".join(ROLES)))


def language_of(text: str) -> Language:
    """A language by its name. Raises AccountError."""
    if text == "zh":
        return "zh"
    if text == "en":
        return "en"
    raise AccountError(N_("{text} is no language: zh, en").format(text=repr(printable(text[:40], "·"))))


def divisions_of_codes(codes: Iterable[str]) -> Divisions:
    """Divisions by their codes of GB/T 2260, six digits each; or `all`. Whether there is such a division is not asked
    here. Raises AccountError."""
    given = list(codes)
    if given == [EVERYTHING]:
        return EVERYTHING
    for code in given:
        if not DIVISION.fullmatch(code):
            form = N_("{text} is no code of a division: 2, 4 or 6 digits, or all")
            raise AccountError(form.format(text=repr(printable(code[:40], "·"))))
    return frozenset(code.ljust(6, "0") for code in given)


def name_of(text: str) -> str:
    """A person's name as it is stored. Raises AccountError."""
    name = printable(" ".join(text.split()), "·")
    if not 1 <= len(name) <= MOST_NAME:
        raise AccountError(N_("a name has 1 to {most} characters").format(most=MOST_NAME))
    return name


def check_password(password: str, login: str) -> None:
    """Whether a new password will do. Raises AccountError, which does not repeat it."""
    text = normal_password(password)
    if text is None:
        raise AccountError(N_("the password is longer than {most} bytes").format(most=MOST_BYTES))
    if len(text) < LEAST_CHARACTERS:
        raise AccountError(N_("the password has less than {least} characters").format(least=LEAST_CHARACTERS))
    if login in text.lower():
        raise AccountError(N_("the login is in the password"))
    if len(set(text)) < LEAST_DIFFERENT:
        raise AccountError(N_("the password has less than {least} different characters").format(least=LEAST_DIFFERENT))


def normal_password(password: str) -> str | None:
    """A password as it is hashed, however the keyboard composed it; None for what is too long to be one."""
    if len(password) > MOST_BYTES:
        return None
    try:
        text = unicodedata.normalize("NFC", password)
        return text if len(text.encode()) <= MOST_BYTES else None
    except UnicodeEncodeError:  # lone surrogates
        return None


def check_shape(account: UserAccount) -> None:
    """Whether role and divisions go together. Raises AccountError."""
    if account.role in DATA_ROLES and not account.divisions:
        raise AccountError(N_("a {role} needs a division, or all").format(role=account.role))
    if account.role not in DATA_ROLES and account.divisions:
        raise AccountError(N_("an {role} has no divisions: he sees no case").format(role=account.role))


def within(inner: Divisions, outer: Divisions) -> bool:
    """Whether every division of one lies in another."""
    if outer == EVERYTHING:
        return True
    if inner == EVERYTHING:
        return False
    stems = tuple(stem_of(code) for code in outer)
    return all(code.startswith(stems) for code in inner) if stems else not inner


def common(one_side: Divisions, other: Divisions) -> Divisions:
    """What lies in both."""
    if one_side == EVERYTHING:
        return other
    if other == EVERYTHING:
        return one_side
    return frozenset(
        {code for code in one_side if within(frozenset({code}), other)}
        | {code for code in other if within(frozenset({code}), one_side)}
    )


def stored_divisions(divisions: Divisions) -> str:
    """Divisions as their column holds them."""
    return json.dumps(EVERYTHING if divisions == EVERYTHING else sorted(divisions))


def read_divisions(text: str) -> Divisions:
    """What `stored_divisions` wrote; nothing of what it did not write."""
    try:
        value = json.loads(text)
    except ValueError:
        return NO_DIVISIONS
    if value == EVERYTHING:
        return EVERYTHING
    right = isinstance(value, list) and all(isinstance(code, str) and DIVISION.fullmatch(code) for code in value)
    return frozenset(value) if right else NO_DIVISIONS
