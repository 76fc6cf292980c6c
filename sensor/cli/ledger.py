"""`minewatch ledger` with its actions: cases and what became of them, the mining list, the ledger's file.

Arguments, sentences and exit codes; what they mean is the ledger's.
"""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import sys
import time
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rich.cells import cell_len

from exporters.forms import mining_list, stix
from exporters.redaction.persons import shown_name, shown_site, without_names
from sensor.cases import states as cases
from sensor.cases.states import CaseError
from sensor.cli import ledger_care, ledger_figures, ledger_forget, ledger_sensors
from sensor.cli.explain import place
from sensor.cli.frame import (
    CommandError,
    flag_overrides,
    grounds_of,
    load_configuration,
    open_ledger,
    os_reason,
    show_configuration,
)
from sensor.cli.list_period import DAYS, list_period
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.model.summary import Case
from sensor.model.text import printable
from sensor.model.time import DAY_NS, HOUR_NS, day_text, minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger, StoredFinding

#: Findings of one address, and addresses of one case, that are listed.
MAX_FINDINGS, MAX_ADDRESSES = 40, 20
#: The newest findings that are looked through for a bundle.
MAX_BUNDLED = 100_000


def run(options: argparse.Namespace) -> int:
    """One action on the ledger of the configuration, which must exist. Raises CommandError."""
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    if options.dump_config:
        return show_configuration(settings)
    if options.action in ("backup", "restore", "check"):
        return ledger_care.run(options, settings)
    action = {
        "list": _list,
        "show": _show,
        "set": _set,
        "export": _export,
        "sensors": _sensors,
        "forget": ledger_forget.run,
    }[options.action]
    missing = f"there is no ledger at {settings.ledger.url} (ledger.url, or --ledger)"
    with open_ledger(settings.ledger, missing=missing) as ledger:
        try:
            return action(options, settings, ledger)
        except ValueError as error:  # CaseError, and dates that are none
            raise CommandError(USAGE, f"ledger {options.action}: {error}") from None


def _list(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    now_ns, zone = time.time_ns(), settings.ledger.zone
    state = None if options.state is None else cases.parse_state(options.state)
    address = None if options.address is None else canonical(options.address)
    listed = [
        case
        for case in ledger.reader.cases()
        if (case.state == state or (state is None and (options.all or case.state in cases.OPEN)))
        and (case.overdue(now_ns) or not options.overdue)
        and (address is None or address == case.address or address in ledger.reader.case_addresses(case))
    ]
    listed.sort(key=lambda case: (not case.overdue(now_ns), case.due_ns or 1 << 62, case.case_id))
    rows = [
        (
            str(case.case_id),
            case.state,
            day_text(case.since_ns, zone),
            _due_text(case, now_ns, zone),
            minute_text(case.last_ns, zone),
            _subject(case, options.persons),
        )
        for case in listed
    ]
    if rows:
        _print_table([("case", "state", "since", "due", "last seen", "whose"), *rows])
    overdue = sum(case.overdue(now_ns) for case in listed)
    print(f"{_counted(len(listed), 'case', 'cases')}, {overdue} overdue")
    return OK


def _show(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    if options.what.isdigit():
        return _show_case(int(options.what), options, settings, ledger)
    try:
        address = canonical(options.what)
    except ValueError:
        raise ValueError(f"{options.what} is no case's number and no address") from None
    return _show_address(address, options, settings, ledger)


def _show_case(number: int, options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    case, zone = ledger.reader.case(number), settings.ledger.zone
    if case is None:
        raise CommandError(RUN_ERROR, f"there is no case {number}")
    print(f"Case {case.case_id}: {case.state} ({cases.NAMES[case.state]}), {_subject(case, options.persons)}")
    if case.enterprise is not None:
        print(f"  identity {_safe(case.enterprise.enterprise_id)}")
    print(
        f"  mining seen {minute_text(case.first_ns, zone)} to {minute_text(case.last_ns, zone)}; "
        f"due {_due_text(case, time.time_ns(), zone)}"
    )
    addresses = ledger.reader.case_addresses(case)
    more = " ..." if len(addresses) > MAX_ADDRESSES else ""
    print(f"  {_counted(len(addresses), 'address', 'addresses')}: {', '.join(addresses[:MAX_ADDRESSES])}{more}")
    _show_site(case, settings, ledger)
    print("History")
    for change in case.changes:
        why = without_names(change.why, case.enterprise, case.site, options.persons)
        print(f"  {minute_text(change.at_ns, zone)}  {change.state}, {_safe(change.who)}: {_safe(why)}")
    print(f"  it can go to {', '.join(cases.FOLLOWS[case.state])}")
    return OK


def _show_site(case: Case, settings: Configuration, ledger: Ledger) -> None:
    """What the case's last days of mining amount to."""
    end_ns = -(-case.last_ns // HOUR_NS) * HOUR_NS
    period = ledger.reader.summary(end_ns - DAYS * DAY_NS, end_ns, grounds_of(settings))
    if case.site_id in period.sites:
        site_class = period.sites[case.site_id].site_class
        print(f"  {site_class.kind}, {site_class.confidence:.0%} sure: {'; '.join(site_class.reasons)}")
    for text in ledger_figures.texts([line for line in period.lines if line.case_id == case.case_id], period):
        print(f"  {text}")
    print(f"  (the {DAYS} days to {minute_text(end_ns, settings.ledger.zone)})")


def _show_address(address: str, options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    entries, zone, persons = ledger.reader.findings(address), settings.ledger.zone, options.persons
    if not entries:
        raise CommandError(RUN_ERROR, f"{address}: no finding has this address")
    print(f"{address}: {_counted(len(entries), 'finding', 'findings')}")
    for first_ns, last_ns, answer in ledger.reader.address_owners(address):
        name = shown_name(answer.enterprise, persons) if answer.enterprise else answer.result
        print(f"  {minute_text(first_ns, zone)} to {minute_text(last_ns, zone)}: {_safe(name)}")
    for entry in entries[:MAX_FINDINGS]:
        print(f"  {_finding_text(entry, zone, persons)}")
    end_ns = -(-max(entry.finding.last_ns for entry in entries) // HOUR_NS) * HOUR_NS
    period = ledger.reader.summary(end_ns - DAYS * DAY_NS, end_ns, grounds_of(settings))
    texts = ledger_figures.texts([line for line in period.lines if line.address == address], period)
    if texts:
        print(f"Figures of the {DAYS} days to {minute_text(end_ns, zone)}")
    for text in texts:
        print(f"  {text}")
    for case in ledger.reader.cases():
        if case.address is not None and case.address.rpartition(" ")[2] == address:
            print(f"  case {case.case_id}: {case.state}")
    return OK


def _finding_text(entry: StoredFinding, zone: tzinfo, persons: bool) -> str:
    finding, answer = entry.finding, entry.finding.attribution
    suppressed = entry.suppressed or ""
    if answer is not None:
        suppressed = without_names(suppressed, answer.enterprise, answer.site, persons)
    kind = ", ".join(text for text in (finding.dialect or "dialect not known", finding.algorithm, finding.coin) if text)
    return (
        f"{minute_text(finding.first_ns, zone)} to {minute_text(finding.last_ns, zone)}  "
        f"{finding.miner_ip} at {place(finding)}: {_safe(kind)}, "
        f"{finding.grade.label}, {finding.shares.submitted} shares, {finding.state}"
        + (f" (not told: {_safe(suppressed)})" if suppressed else "")
    )


def _set(options: argparse.Namespace, _: Configuration, ledger: Ledger) -> int:
    state, why = cases.parse_state(options.state), options.why.strip()
    if not why:
        raise CaseError("--why must say something")
    who = (options.who or getpass.getuser()).strip()
    before = ledger.set_case(options.case, state, time.time_ns(), who=who, why=why)
    print(f"case {options.case}: {before} -> {state}")
    if state == "false-alarm":
        case = ledger.reader.case(options.case)
        assert case is not None
        print(
            "From now on its findings are kept and not told. "
            "To have that in the configuration as well (findings.allow):\n"
        )
        shared = case.site_id is not None and case.enterprise is None
        wallets = ledger.reader.case_logins(case) if shared else []
        print(_allow_entries(case, ledger.reader.case_addresses(case), wallets, why, options.persons), end="")
    return OK


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


def _export(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    zone = settings.ledger.zone
    from_ns, to_ns = list_period(options, zone, ledger)
    # The cases are listed as they are now, not as they were at the end of the period.
    found = ledger.reader.summary(from_ns, to_ns, grounds_of(settings))
    period = dataclasses.replace(found, cases=tuple(ledger.reader.cases()))
    target = None if options.to in (None, "-") else Path(options.to)
    form = options.format or ("json" if target is not None and target.suffix.lower() == ".json" else "csv")
    if form == "stix":
        text = _bundle(ledger, from_ns, to_ns)
    elif form == "json":
        text = mining_list.as_json(period, zone, options.persons)
    else:
        text = mining_list.as_csv(period, zone, options.persons)
    if target is None:
        sys.stdout.buffer.write(text.encode())
        return OK
    try:
        target.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(RUN_ERROR, f"--to {target}: cannot be written: {os_reason(error)}") from None
    print(f"{target}: {len(period.lines)} rows, {minute_text(from_ns, zone)} to {minute_text(to_ns, zone)}")
    return OK


def _bundle(ledger: Ledger, from_ns: int, to_ns: int) -> str:
    """The findings of a period, those that are suppressed left out, as a STIX bundle."""
    return stix.dumps(stix.encode(ledger.reader.reported_findings(from_ns, to_ns, MAX_BUNDLED)))


def _subject(case: Case, persons: bool) -> str:
    """Whose case it is, and where; a person is not named unless asked for."""
    site = shown_site(case.enterprise, case.site, persons)
    parts = (site.division_name or site.division, site.address) if site else ()
    place = " ".join(part for part in parts if part) if case.enterprise else ""
    name = shown_name(case.enterprise, persons) if case.enterprise else case.address or f"site {case.site_id}"
    return _safe(f"{name}, {place}" if place else name)


def _due_text(case: Case, now_ns: int, zone: tzinfo) -> str:
    return "-" if case.due_ns is None else day_text(case.due_ns, zone) + (" overdue" if case.overdue(now_ns) else "")


def _safe(text: str) -> str:
    """Text without anything that could steer a terminal."""
    return printable(text, "·")


def _counted(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def _sensors(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    if options.sensors == "rename":
        return ledger_sensors.rename(options, ledger)
    if options.sensors == "retire":
        return ledger_sensors.retire(options, ledger)
    rows = ledger_sensors.rows(settings, ledger)
    if len(rows) > 1:
        _print_table(rows)
    print(_counted(len(rows) - 1, "sensor", "sensors"))
    return OK


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest text on a terminal."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
