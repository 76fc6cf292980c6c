"""`minewatch ledger set CASE|ADDRESS [STATE] --why TEXT`: move a case on, or write a note into its history."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import yaml

from sensor.cases import states as cases
from sensor.cases.states import CaseError
from sensor.cli.audited import audited, history_name
from sensor.cli.frame import CommandError
from sensor.cli.ledger_text import case_number, subject
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, USAGE
from sensor.model.summary import Case

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger


def set_case(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Write it. Raises CommandError for an address of no case or of several, CaseError for a move that cannot be."""
    state, why = None if options.state is None else cases.parse_state(options.state), options.why.strip()
    if not why:
        raise CaseError("--why must say something")
    who, stated = history_name(options.who), (options.who or "").strip()
    number = _number(options, ledger)
    action, query = ("case.note", {}) if state is None else ("case.set", {"state": state})
    with audited(settings, action, [f"case:{number}"], query, why=why, stated=stated) as change:
        if state is None:
            before = ledger.note_case(number, time.time_ns(), who=who, why=why)
        else:
            before = ledger.set_case(number, state, time.time_ns(), who=who, why=why)
        change.before, change.after = {"state": before}, {"state": state or before}
    if state is None:
        print(f"case {number}: noted; it stays {before}")
        return OK
    print(f"case {number}: {before} -> {state}")
    if state == "false-alarm":
        _print_allowing(number, why, ledger, options.persons)
    return OK


def _number(options: argparse.Namespace, ledger: Ledger) -> int:
    """The case that is meant; of an address its one open case. Raises CommandError, CaseError."""
    number = case_number(options.case)
    if number is not None:
        return number
    try:
        address = canonical(options.case)
    except ValueError:
        raise CaseError(f"{options.case!r} is no case's number and no address") from None
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
    raise CaseError(f"no case has the address {address}")


def _case_text(case: Case, persons: bool) -> str:
    return f"  case {case.case_id}: {case.state}, {subject(case, persons)}"


def _print_allowing(number: int, why: str, ledger: Ledger, persons: bool) -> None:
    case = ledger.reader.case(number)
    assert case is not None
    print(
        "From now on its findings are kept and not told. To have that in the configuration as well (findings.allow):\n"
    )
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
