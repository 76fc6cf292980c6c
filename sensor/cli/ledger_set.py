"""`minewatch ledger set CASE|ADDRESS [STATE]`: move a case on, write a note into its history, or whatever else a person
may do to it: the console has the same commands (`sensor/cases/commands.py`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from sensor.cases import states as cases
from sensor.cases.commands import (
    KINDS,
    AssignCase,
    AttachFile,
    CaseCommand,
    MoveCase,
    NoteCase,
    RemoveFile,
    SetDue,
)
from sensor.cases.file_kinds import MOST_FILE_BYTES
from sensor.cases.states import CaseError
from sensor.cases.steps import command_facts
from sensor.cli.audited import audited, history_name
from sensor.cli.case_commands import commands_of
from sensor.cli.case_filter import divisions_of
from sensor.cli.frame import CommandError, os_reason
from sensor.cli.language import command_language
from sensor.cli.ledger_text import case_number, state_text, subject
from sensor.ledger.casework import CaseClerk, changed_facts
from sensor.ledger.replay import files_of
from sensor.ledger.write.casework import CaseStep
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, USAGE
from sensor.model.summary import Case
from sensor.model.text import N_

if TYPE_CHECKING:
    from exporters.forms.documents.languages import Language
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

#: What a false alarm means, before the entries for a configuration.
ALLOWED = N_(
    "From now on its findings are kept and not told. To have that in the configuration as well (findings.allow):"
)


def set_case(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Write it. Raises CommandError for an address of no case or of several, CaseError for what cannot be done."""
    why = (options.why or "").strip()
    if options.why is not None and not why:
        raise CaseError("--why must say something")
    given = commands_of(options, settings.ledger.zone, why)
    who, stated = history_name(options.who), (options.who or "").strip()
    number = _number(options, ledger)
    clerk = CaseClerk(ledger.engine, files_of(settings.ledger))
    moves = any(isinstance(command, MoveCase) for command in given)
    action = "case.set" if moves else f"case.{KINDS[type(given[0])]}"
    _check_assignee(given, number, settings, ledger)
    with audited(settings, action, [f"case:{number}"], command_facts(given), why=why, stated=stated) as change:
        done = _do(options, clerk, number, given, who)
        change.before, change.after = changed_facts(done)
    language = command_language(options, settings.output.language)
    for command in given:
        sentence = _sentence(command, done, language)
        print(language.translate(N_("case {number}: {done}")).format(number=number, done=sentence))
    if any(isinstance(command, MoveCase) and command.state == "false-alarm" for command in given):
        _print_allowing(number, why, ledger, options.persons, language)
    return OK


def _do(options: argparse.Namespace, clerk: CaseClerk, number: int, given: list[CaseCommand], who: str) -> CaseStep:
    """All of them in one step of the ledger; a file is stored before."""
    if options.attach is None:
        return clerk.command(number, given, who, time.time_ns(), steps=options.steps)
    content, why, before = _content(options.attach), given[-1].why, given[:-1]
    name, now_ns, steps = options.attach, time.time_ns(), options.steps
    return clerk.attach(number, content, name, who, now_ns, why=why, before=before, steps=steps)


def _content(path: str) -> bytes:
    """A file, no more of it than what is refused. Raises CommandError."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(USAGE, f"--attach {path}: {os_reason(error)}") from None


def _check_assignee(given: list[CaseCommand], number: int, settings: Configuration, ledger: Ledger) -> None:
    """Raises CaseError where a case is assigned to whom it cannot be."""
    to = next((command.assignee for command in given if isinstance(command, AssignCase)), None)
    if to is None:
        return
    from sensor.cli.people import opened_door
    from sensor.people.assignment import check_assignee

    case = ledger.reader.case(number)
    division = case.site.division if case is not None and case.site is not None else None
    with opened_door(settings, "ledger set", to_read=True) as door:
        year = datetime.now(UTC).year
        check_assignee(door.accounts.all(), to, division, divisions_of(settings), year)


def _sentence(command: CaseCommand, done: CaseStep, language: Language) -> str:
    _ = language.translate
    before, after = (state_text(stand.state, language) for stand in (done.before, done.after))
    if isinstance(command, MoveCase):
        return f"{before} -> {after}"
    if isinstance(command, NoteCase):
        return _(N_("noted; it stays {state}")).format(state=after)
    if isinstance(command, AssignCase) and command.assignee is not None:
        return _(N_("assigned to {login}")).format(login=command.assignee)
    if isinstance(command, AssignCase):
        return _(N_("assigned to nobody"))
    if isinstance(command, SetDue):
        return _(N_("due as its state says")) if command.due_ns is None else _(N_("due as was said"))
    if isinstance(command, AttachFile):
        return _(N_("attached as number {number}")).format(number=done.after.attachments[-1].number)
    if isinstance(command, RemoveFile):
        return _(N_("attachment {number} removed")).format(number=command.number)
    return _(N_("concluded"))


def _number(options: argparse.Namespace, ledger: Ledger) -> int:
    """The case that is meant; of an address its one open case. Raises CommandError, CaseError."""
    number = case_number(options.case)
    if number is not None:
        return number
    try:
        address = canonical(options.case)
    except ValueError:
        raise CaseError("{text} is no case's number and no address", text=repr(options.case)) from None
    found = ledger.reader.cases_of(address)
    still_open = [case for case in found if case.state in cases.OPEN]
    if len(still_open) == 1:
        return still_open[0].case_id
    if still_open:
        raise CommandError(
            USAGE,
            f"ledger set: {address} has {len(still_open)} open cases, and nothing was done; give the number of one:",
            *(_case_text(case, options.persons) for case in still_open),
        )
    if found:
        raise CommandError(
            USAGE,
            f"ledger set: {address} has no open case, and nothing was done; give the number of one that is over:",
            *(_case_text(case, options.persons) for case in found),
        )
    raise CaseError("no case has the address {address}", address=address)


def _case_text(case: Case, persons: bool) -> str:
    return f"  case {case.case_id}: {case.state}, {subject(case, persons)}"


def _print_allowing(number: int, why: str, ledger: Ledger, persons: bool, language: Language) -> None:
    case = ledger.reader.case(number)
    assert case is not None
    print(f"{language.translate(ALLOWED)}\n")
    shared = case.site_id is not None and case.enterprise is None
    wallets = ledger.reader.case_logins(case) if shared else []
    print(_allow_entries(case, ledger.reader.case_addresses(case), wallets, why, persons), end="")


def _allow_entries(case: Case, addresses: Sequence[str], wallets: Sequence[str], why: str, persons: bool) -> str:
    """The entries of the allow-list that a false alarm becomes, as YAML; a person's are by address. `wallets` are those
    of a subscriber behind an address: the address itself would stand for all of them."""
    reason = f"{why} (case {case.case_id})"
    if case.enterprise is not None and (persons or not case.enterprise.individual):
        entries = [{"enterprise": case.enterprise.uscc or case.enterprise.name, "reason": reason}]
    elif wallets:
        entries = [{"wallet": wallet, "reason": reason} for wallet in wallets]
    else:
        entries = [{"network": address, "reason": reason} for address in addresses]
    return yaml.safe_dump({"findings": {"allow": entries}}, allow_unicode=True, sort_keys=False)
