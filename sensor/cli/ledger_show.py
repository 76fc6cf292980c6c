"""`minewatch ledger show CASE|ADDRESS`: one case with its history, or what is known of an address."""

from __future__ import annotations

import argparse
import time
from datetime import tzinfo
from typing import TYPE_CHECKING

from exporters.redaction.persons import shown_name, without_names
from sensor.cases import states as cases
from sensor.cli import ledger_figures
from sensor.cli.attribution_json import enterprise_object
from sensor.cli.case_json import case_object, class_object, figures_object, history_object, next_states
from sensor.cli.casework_json import attachments_object, step_text, work_texts
from sensor.cli.explain import algorithm_text, place
from sensor.cli.finding_json import finding_object
from sensor.cli.frame import CommandError, grounds_of, site_weights_of
from sensor.cli.json_text import instant, print_json
from sensor.cli.ledger_text import case_number, counted, due_text, safe, subject
from sensor.cli.list_period import DAYS
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, RUN_ERROR
from sensor.model.summary import Case, Summary
from sensor.model.time import DAY_NS, HOUR_NS, minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger, StoredFinding
    from sensor.ledger.read.owners import AddressOwner

#: Findings of one address, and addresses of one case, that are listed as text; JSON has them all.
MAX_FINDINGS, MAX_ADDRESSES = 40, 20


def show(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Print what is asked for. Raises CommandError if there is none, ValueError for what is neither."""
    number = case_number(options.what)
    if number is not None:
        return _show_case(number, options, settings, ledger)
    try:
        address = canonical(options.what)
    except ValueError:
        raise ValueError(f"{options.what!r} is no case's number and no address") from None
    return _show_address(address, options, settings, ledger)


def _show_case(number: int, options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    case, zone = ledger.reader.case(number), settings.ledger.zone
    if case is None:
        raise CommandError(RUN_ERROR, f"there is no case {options.what.strip()}")
    addresses, period = ledger.reader.case_addresses(case), _last_days(case.last_ns, settings, ledger)
    if options.json:
        files = attachments_object(ledger.reader.attachments(number), case, options.persons)
        print_json({**_case_answer(case, addresses, period, options.persons), "attachments": files})
        return OK
    print(f"Case {case.case_id}: {case.state} ({cases.NAMES[case.state]}), {subject(case, options.persons)}")
    if case.enterprise is not None:
        print(f"  identity {safe(case.enterprise.enterprise_id)}")
    print(
        f"  mining seen {minute_text(case.first_ns, zone)} to {minute_text(case.last_ns, zone)}; "
        f"due {due_text(case, time.time_ns(), zone)}"
    )
    more = " ..." if len(addresses) > MAX_ADDRESSES else ""
    print(f"  {counted(len(addresses), 'address', 'addresses')}: {', '.join(addresses[:MAX_ADDRESSES])}{more}")
    for text in work_texts(case, ledger.reader.attachments(number), zone, options.persons):
        print(f"  {text}")
    _show_site(case, period, zone)
    print("History")
    for change in case.changes:
        why = without_names(change.why, case.enterprise, case.site, options.persons)
        line = "; ".join(filter(None, (step_text(change, zone), safe(why))))
        print(f"  {minute_text(change.at_ns, zone)}  {change.state}, {safe(change.who)}: {line}")
    print(f"  it can go to {', '.join(cases.FOLLOWS[case.state])}")
    return OK


def _last_days(last_ns: int, settings: Configuration, ledger: Ledger) -> Summary:
    """The days that end with the hour in which mining was seen last."""
    end_ns = -(-last_ns // HOUR_NS) * HOUR_NS
    return ledger.reader.summary(end_ns - DAYS * DAY_NS, end_ns, grounds_of(settings), site_weights_of(settings))


def _case_answer(case: Case, addresses: list[str], period: Summary, persons: bool) -> dict[str, object]:
    site = None if case.site_id is None else period.sites.get(case.site_id)
    return {
        **case_object(case, time.time_ns(), persons),
        "addresses": addresses,
        "site_class": class_object(None if site is None else site.site_class),
        "figures": figures_object([line for line in period.lines if line.case_id == case.case_id], period),
        "history": history_object(case, persons),
        "can_go_to": next_states(case),
    }


def _show_site(case: Case, period: Summary, zone: tzinfo) -> None:
    """What the case's last days of mining amount to."""
    if case.site_id in period.sites:
        site_class = period.sites[case.site_id].site_class
        print(f"  {site_class.kind}, {site_class.confidence:.0%} sure: {'; '.join(site_class.reasons)}")
    for text in ledger_figures.texts([line for line in period.lines if line.case_id == case.case_id], period):
        print(f"  {text}")
    print(f"  (the {DAYS} days to {minute_text(period.to_ns, zone)})")


def _show_address(address: str, options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    entries, zone, persons = ledger.reader.findings(address), settings.ledger.zone, options.persons
    if not entries:
        raise CommandError(RUN_ERROR, f"{address}: no finding has this address")
    owners, cases_here = ledger.reader.address_owners(address), ledger.reader.cases_of(address)
    period = _last_days(max(entry.finding.last_ns for entry in entries), settings, ledger)
    lines = [line for line in period.lines if line.address == address]
    if options.json:
        answer = {
            "address": address,
            "owners": [_owner_object(owner, persons) for owner in owners],
            "findings": [finding_object(entry, persons) for entry in entries],
            "figures": figures_object(lines, period),
            "cases": [case_object(case, time.time_ns(), persons) for case in cases_here],
        }
        print_json(answer)
        return OK
    print(f"{address}: {counted(len(entries), 'finding', 'findings')}")
    for first_ns, last_ns, answer_then in owners:
        name = shown_name(answer_then.enterprise, persons) if answer_then.enterprise else answer_then.result
        print(f"  {minute_text(first_ns, zone)} to {minute_text(last_ns, zone)}: {safe(name)}")
    for entry in entries[:MAX_FINDINGS]:
        print(f"  {_finding_text(entry, zone, persons)}")
    if len(entries) > MAX_FINDINGS:
        print(f"  and {len(entries) - MAX_FINDINGS} older ones")
    texts = ledger_figures.texts(lines, period)
    if texts:
        print(f"Figures of the {DAYS} days to {minute_text(period.to_ns, zone)}")
    for text in texts:
        print(f"  {text}")
    for case in cases_here:
        print(f"  case {case.case_id}: {case.state}")
    return OK


def _owner_object(owner: AddressOwner, persons: bool) -> dict[str, object]:
    first_ns, last_ns, answer = owner
    return {
        "from": instant(first_ns),
        "until": instant(last_ns),
        "result": answer.result,
        "enterprise": enterprise_object(answer.enterprise, persons),
    }


def _finding_text(entry: StoredFinding, zone: tzinfo, persons: bool) -> str:
    finding, answer = entry.finding, entry.finding.attribution
    suppressed = entry.suppressed or ""
    if answer is not None:
        suppressed = without_names(suppressed, answer.enterprise, answer.site, persons)
    kind = ", ".join(
        text for text in (finding.dialect or "dialect not known", algorithm_text(finding), finding.coin) if text
    )
    activity = "" if finding.mines else f"{finding.activity}, "
    return (
        f"{minute_text(finding.first_ns, zone)} to {minute_text(finding.last_ns, zone)}  "
        f"{finding.miner_ip} at {place(finding)}: {safe(kind)}, "
        f"{activity}{finding.grade.label}, {finding.shares.submitted} shares, {finding.state}"
        + (f" (not told: {safe(suppressed)})" if suppressed else "")
    )
