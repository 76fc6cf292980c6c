"""`minewatch people add|list|set|disable|enable|password|revoke|tokens|tidy`: arguments and sentences.

A password is read from the terminal, or as one line from standard input; never from an argument, which every user of
the machine could read. Every mistake that can be seen is said before it is asked for.
"""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sensor.answers.values import instant
from sensor.cli import people_tidy
from sensor.cli.audited import open_trail
from sensor.cli.frame import CommandError, flag_overrides, load_configuration, say
from sensor.cli.json_text import print_json
from sensor.cli.ledger_text import counted, print_table, safe
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.model.time import minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.people.account import Divisions, UserAccount
    from sensor.people.door import PeopleDoor
    from sensor.people.tokens import ApiToken

#: Characters of a line on standard input at most.
MOST_CHARACTERS = 2_000


def run(options: argparse.Namespace) -> int:
    """One action. Raises CommandError."""
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    actions = {"add": _add, "list": _list, "set": _set, "disable": _disable, "enable": _enable, "password": _password}
    actions |= {"revoke": _revoke, "tokens": _tokens, "tidy": people_tidy.run}
    reads = options.action == "list" or (options.action == "tokens" and options.tokens in (None, "list"))
    with opened_door(settings, f"people {options.action}", to_read=reads) as door:
        return actions[options.action](options, settings, door)


@contextmanager
def opened_door(settings: Configuration, action: str, *, to_read: bool) -> Iterator[PeopleDoor]:
    """The accounts of the configuration. Raises CommandError, also for every mistake and trouble within."""
    try:
        import argon2  # noqa: F401  (what it is needed for says it too late)
    except ImportError:
        raise CommandError(RUN_ERROR, "people: argon2 is not installed: pip install 'minewatch[console]'") from None
    from sensor.ledger.store.ownership import wrong_owner
    from sensor.people.account import AccountError
    from sensor.people.opening import open_door
    from sensor.people.store import PeopleError, people_place

    try:
        place = people_place(settings.ledger.url, settings.people.url)
        if to_read and not place.exists:
            raise PeopleError(f"people {place.shown}: there are no accounts yet: minewatch people add")
        with open_trail(settings) as trail:
            door = open_door(settings.ledger.url, settings.people, trail)
            try:
                yield door
            finally:
                door.close()
        if (sentence := wrong_owner(place.url)) is not None:
            say(sentence)
    except AccountError as error:
        raise CommandError(USAGE, f"{action}: {error}") from None
    except PeopleError as error:
        raise CommandError(RUN_ERROR, str(error)) from None


def _add(options: argparse.Namespace, settings: Configuration, door: PeopleDoor) -> int:
    from sensor.people.account import AccountError, UserAccount, check_shape, language_of, login_of, name_of, role_of
    from sensor.people.accounts import ActingPerson

    login = login_of(options.login)
    account = UserAccount(
        login,
        name_of(options.name or login),
        role_of(options.role),
        _divisions(options.division or [], settings),
        language_of(options.language or "zh"),
    )
    check_shape(account)
    if any(other.login == login for other in door.accounts.all()):
        raise AccountError(f"there is an account {login} already")
    password = None if options.no_password else _new_password(login)
    door.accounts.add(ActingPerson.on_the_machine(), account, password, time.time_ns())
    print(f"{login}: {account.role}" + (f", {_shown(account.divisions)}" if account.divisions else ""))
    return OK


def _list(options: argparse.Namespace, settings: Configuration, door: PeopleDoor) -> int:
    accounts, now_ns = door.accounts.all(), time.time_ns()
    if options.json:
        print_json({"accounts": [_object(account, door, now_ns) for account in accounts]})
        return OK
    zone = settings.ledger.zone
    table: list[Sequence[str]] = [("login", "name", "role", "divisions", "state", "last sign-in", "sessions")]
    for account in accounts:
        when = "-" if account.signed_in_ns is None else minute_text(account.signed_in_ns, zone)
        sessions = str(len(door.sessions(account, now_ns)))
        name, state = safe(account.name), _state(account)
        table.append((account.login, name, account.role, _shown(account.divisions) or "-", state, when, sessions))
    if accounts:
        print_table(table)
    print(counted(len(accounts), "account", "accounts"))
    if accounts and not any(account.is_active_admin for account in accounts):
        say("nobody can manage accounts in the console: minewatch people add LOGIN --role admin")
    return OK


def _set(options: argparse.Namespace, settings: Configuration, door: PeopleDoor) -> int:
    from sensor.model.scope import DATA_ROLES
    from sensor.people.account import AccountError, language_of, role_of
    from sensor.people.accounts import AccountPatch

    given = (options.role, options.division, options.name, options.language)
    if all(value is None for value in given):
        raise AccountError("nothing to be changed: --role, --division, --name or --language")
    divisions = None if options.division is None else _divisions(options.division, settings)
    if divisions is None and options.role is not None and options.role not in DATA_ROLES:
        divisions = frozenset()  # such a role has none, whatever the account had
    patch = AccountPatch(
        None if options.role is None else role_of(options.role),
        divisions,
        options.name,
        None if options.language is None else language_of(options.language),
    )
    return _change(options.login, patch, door)


def _disable(options: argparse.Namespace, _: Configuration, door: PeopleDoor) -> int:
    from sensor.people.accounts import AccountPatch

    return _change(options.login, AccountPatch(disabled=True), door)


def _enable(options: argparse.Namespace, _: Configuration, door: PeopleDoor) -> int:
    from sensor.people.accounts import AccountPatch

    return _change(options.login, AccountPatch(disabled=False), door)


def _change(login: str, patch: object, door: PeopleDoor) -> int:
    from sensor.people.accounts import AccountPatch, ActingPerson

    assert isinstance(patch, AccountPatch)
    before = door.accounts.get(login)
    after = door.accounts.change(ActingPerson.on_the_machine(), before.login, patch, time.time_ns())
    divisions = f", {_shown(after.divisions)}" if after.divisions else ""
    print(f"{after.login}: {after.role}{divisions}, {_state(after)}")
    if not before.disabled and (before.role != after.role or after.disabled):
        print("its sessions ended")
    return OK


def _password(options: argparse.Namespace, _: Configuration, door: PeopleDoor) -> int:
    from sensor.people.accounts import ActingPerson

    account = door.accounts.get(options.login)
    password = _new_password(account.login)
    door.accounts.set_password(ActingPerson.on_the_machine(), account.login, password, time.time_ns())
    print(f"{account.login}: the password is set, and must be changed at the next sign-in; its sessions ended")
    return OK


def _revoke(options: argparse.Namespace, _: Configuration, door: PeopleDoor) -> int:
    from sensor.people.accounts import ActingPerson

    login = door.accounts.get(options.login).login
    ended = door.accounts.revoke(ActingPerson.on_the_machine(), login, time.time_ns(), tokens=options.tokens)
    print(f"{login}: {ended} ended")
    return OK


def _tokens(options: argparse.Namespace, settings: Configuration, door: PeopleDoor) -> int:
    from sensor.people.accounts import ActingPerson

    now_ns, machine = time.time_ns(), ActingPerson.on_the_machine()
    if options.tokens == "add":
        login = door.accounts.get(options.login).login
        divisions = None if options.division is None else _divisions(options.division, settings)
        token, secret = door.tokens.add(machine, login, options.label, options.scope, divisions, options.days, now_ns)
        say(f"token {token.token_id} of {login}; it is shown this once:")
        print(secret)
        return OK
    if options.tokens == "revoke":
        token = door.tokens.revoke(machine, options.token, now_ns)
        print(f"token {token.token_id} of {token.login} is ended")
        return OK
    asked: str | None = getattr(options, "login", None)
    found = door.tokens.of(None if asked is None else door.accounts.get(asked).login)
    if options.json:
        print_json({"tokens": [_token_object(token, now_ns) for token in found]})
        return OK
    table: list[Sequence[str]] = [("token", "login", "label", "scopes", "divisions", "ends", "state")]
    for token in found:
        until, state = minute_text(token.expires_ns, settings.ledger.zone), _token_state(token, now_ns)
        scopes = " ".join(sorted(token.scopes))
        table.append((token.token_id, token.login, safe(token.label), scopes, _shown(token.divisions), until, state))
    if found:
        print_table(table)
    print(counted(len(found), "token", "tokens"))
    return OK


def _divisions(texts: Sequence[str], settings: Configuration) -> Divisions:
    """Divisions by code or name, looked up in the table. Raises CommandError for one that never was."""
    from datetime import UTC, datetime

    from sensor.attribution.books.divisions import DivisionError
    from sensor.cli.case_filter import divisions_of
    from sensor.people.account import divisions_of_codes

    if list(texts) in ([], ["all"]):
        return divisions_of_codes(texts)
    codes = []
    for text in texts:
        try:
            division = divisions_of(settings).division(text, datetime.now(UTC).year)
        except DivisionError as error:
            raise CommandError(USAGE, f"--division: {error}") from None
        if division.note is not None:
            say(division.note)
        codes.append(division.code)
    return divisions_of_codes(codes)


def _new_password(login: str) -> str:
    """A password that will do: asked for twice at a terminal, one line elsewhere. Raises AccountError."""
    from sensor.people.account import AccountError, check_password

    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {login}: ")
        if getpass.getpass("Once more: ") != password:
            raise AccountError("both are not the same")
    else:
        line = sys.stdin.readline(MOST_CHARACTERS)
        password = line.rstrip("\r\n")
        if not password:
            raise AccountError("the password is one line on standard input, and there is none")
    check_password(password, login)
    return password


def _shown(divisions: Divisions) -> str:
    return divisions if isinstance(divisions, str) else " ".join(sorted(divisions))


def _state(account: UserAccount) -> str:
    if account.disabled:
        return "disabled"
    if not account.has_password:
        return "no password"
    return "must change its password" if account.must_change else "active"


def _token_state(token: ApiToken, now_ns: int) -> str:
    if token.revoked_ns is not None:
        return "revoked"
    return "live" if token.is_live(now_ns) else "over"


def _object(account: UserAccount, door: PeopleDoor, now_ns: int) -> dict[str, object]:
    fields = dataclasses.asdict(account)
    kept_names = ("login", "name", "role", "language", "disabled", "must_change", "has_password")
    return {
        **{name: fields[name] for name in kept_names},
        "divisions": account.divisions if isinstance(account.divisions, str) else sorted(account.divisions),
        "created": instant(account.created_ns),
        "signed_in": instant(account.signed_in_ns),
        "sessions": len(door.sessions(account, now_ns)),
    }


def _token_object(token: ApiToken, now_ns: int) -> dict[str, object]:
    return {
        "token": token.token_id,
        "login": token.login,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "divisions": token.divisions if isinstance(token.divisions, str) else sorted(token.divisions),
        "created": instant(token.created_ns),
        "ends": instant(token.expires_ns),
        "state": _token_state(token, now_ns),
    }
