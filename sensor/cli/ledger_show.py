"""`minewatch ledger show CASE|ADDRESS`: one case with its history, or what is known of an address."""

from __future__ import annotations

import argparse
import time
from datetime import tzinfo
from typing import TYPE_CHECKING

from exporters.forms.documents.labels import CLASSES
from exporters.forms.documents.languages import Language
from exporters.redaction.persons import PERSON, shown_name, without_names
from sensor.answers.case_object import case_object, class_object, figures_object, history_object, next_states
from sensor.answers.casework_object import attachments_object
from sensor.answers.casework_text import step_text, work_texts
from sensor.answers.finding_object import finding_object
from sensor.answers.owner_object import enterprise_object
from sensor.answers.values import instant
from sensor.cases import states as cases
from sensor.cli import ledger_figures
from sensor.cli.explain import FINDING_STATES, algorithm_text, place
from sensor.cli.explain_owner import RESULTS
from sensor.cli.frame import CommandError, grounds_of, site_weights_of
from sensor.cli.json_text import print_json
from sensor.cli.language import command_language
from sensor.cli.ledger_activity import ACTIVITIES
from sensor.cli.ledger_text import case_number, due_text, safe, state_text, subject
from sensor.cli.list_period import DAYS
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, RUN_ERROR
from sensor.model.summary import Case, Summary
from sensor.model.text import N_
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
    language = command_language(options, settings.output.language)
    _ = language.translate
    head = _("Case {number}: {state}, {whose}")
    whose, state = subject(case, options.persons, language), state_text(case.state, language)
    state = f"{state} ({cases.NAMES[case.state]})" if language.name == "en" else state
    print(head.format(number=case.case_id, state=state, whose=whose))
    if case.enterprise is not None:
        print("  " + _("identity {identity}").format(identity=safe(case.enterprise.enterprise_id)))
    seen = {"first": minute_text(case.first_ns, zone), "last": minute_text(case.last_ns, zone)}
    due = due_text(case, time.time_ns(), zone, language)
    print("  " + _("mining seen {first} to {last}; due {due}").format(due=due, **seen))
    more = " ..." if len(addresses) > MAX_ADDRESSES else ""
    counted = language.number(len(addresses), N_("{count} address"), N_("{count} addresses"))
    print(f"  {counted}: {', '.join(addresses[:MAX_ADDRESSES])}{more}")
    for text in work_texts(case, ledger.reader.attachments(number), zone, options.persons, language):
        print(f"  {text}")
    _show_site(case, period, zone, language)
    _show_history(case, zone, options.persons, language)
    follows = ", ".join(state_text(state, language) for state in cases.FOLLOWS[case.state])
    print("  " + _("it can go to {states}").format(states=follows))
    return OK


def _show_history(case: Case, zone: tzinfo, persons: bool, language: Language) -> None:
    """What became of it: what the sensor wrote is translated, what people wrote is not."""
    print(language.translate(N_("History")))
    for change in case.changes:
        why = without_names(change.why, case.enterprise, case.site, persons)
        why = language.recorded(why) if change.who == cases.SENSOR else why
        state = state_text(change.state, language)
        line = "; ".join(filter(None, (step_text(change, case, zone, persons, language), safe(why))))
        print(f"  {minute_text(change.at_ns, zone)}  {state}, {safe(change.who)}: {line}")


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


def _show_site(case: Case, period: Summary, zone: tzinfo, language: Language) -> None:
    """What the case's last days of mining amount to."""
    _ = language.translate
    if case.site_id in period.sites:
        site_class = period.sites[case.site_id].site_class
        reasons = _("; ").join(map(language.recorded, site_class.reasons))
        kind, part = language.label(site_class.kind, CLASSES), f"{site_class.confidence:.0%}"
        print("  " + _("{kind}, {part} sure: {reasons}").format(kind=kind, part=part, reasons=reasons))
    its = [line for line in period.lines if line.case_id == case.case_id]
    for text in ledger_figures.texts(its, period, language):
        print(f"  {text}")
    print("  " + _("(the {count} days to {time})").format(count=DAYS, time=minute_text(period.to_ns, zone)))


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
    language = command_language(options, settings.output.language)
    _ = language.translate
    print(f"{address}: {language.number(len(entries), N_('{count} finding'), N_('{count} findings'))}")
    for first_ns, last_ns, answer_then in owners:
        name = language.label(answer_then.result, RESULTS)
        if answer_then.enterprise:
            name = shown_name(answer_then.enterprise, persons)
            name = _(name) if name == PERSON else name
        times = {"first": minute_text(first_ns, zone), "last": minute_text(last_ns, zone)}
        print("  " + _("{first} to {last}: {name}").format(name=safe(name), **times))
    for entry in entries[:MAX_FINDINGS]:
        print(f"  {_finding_text(entry, zone, persons, language)}")
    if len(entries) > MAX_FINDINGS:
        print("  " + _("and {count} older ones").format(count=len(entries) - MAX_FINDINGS))
    texts = ledger_figures.texts(lines, period, language)
    if texts:
        print(_("Figures of the {count} days to {time}").format(count=DAYS, time=minute_text(period.to_ns, zone)))
    for text in texts:
        print(f"  {text}")
    for case in cases_here:
        print("  " + _("case {number}: {state}").format(number=case.case_id, state=state_text(case.state, language)))
    return OK


def _owner_object(owner: AddressOwner, persons: bool) -> dict[str, object]:
    first_ns, last_ns, answer = owner
    return {
        "from": instant(first_ns),
        "until": instant(last_ns),
        "result": answer.result,
        "enterprise": enterprise_object(answer.enterprise, persons),
    }


def _finding_text(entry: StoredFinding, zone: tzinfo, persons: bool, language: Language) -> str:
    finding, answer, _ = entry.finding, entry.finding.attribution, language.translate
    suppressed = entry.suppressed or ""
    if answer is not None:
        suppressed = without_names(suppressed, answer.enterprise, answer.site, persons)
    algorithm = algorithm_text(finding, language)
    kind = ", ".join(text for text in (finding.dialect or _("dialect not known"), algorithm, finding.coin) if text)
    grade = language.grade(finding.grade)
    if not finding.mines:
        grade = f"{language.label(finding.activity or '', ACTIVITIES)}, {grade}"
    form = N_("{first} to {last}  {miner} at {place}: {kind}, {grade}, {count} shares, {state}")
    if suppressed:
        form = N_("{first} to {last}  {miner} at {place}: {kind}, {grade}, {count} shares, {state} (not told: {why})")
    return _(form).format(
        first=minute_text(finding.first_ns, zone),
        last=minute_text(finding.last_ns, zone),
        miner=finding.miner_ip,
        place=place(finding, language),
        kind=safe(kind),
        grade=grade,
        count=finding.shares.submitted,
        state=language.label(finding.state, FINDING_STATES),
        why=safe(language.recorded(suppressed)),
    )
