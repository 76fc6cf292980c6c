"""`minewatch explain ADDRESS[:PORT]`: what was found about an address, whose it was, and why.

The ledger answers the first part, the books the second; a section each. It creates no ledger.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from typing import TYPE_CHECKING, Any

from exporters.forms.amounts import quantity, rate_unit
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.redaction.attribution import answer_without_persons
from exporters.redaction.persons import without_names
from sensor.cli import terminal
from sensor.cli.explain_json import NO_BOOKS, LedgerEntries, Question, explain_object
from sensor.cli.explain_owner import show_attribution
from sensor.cli.frame import CommandError, flag_overrides, load_attribution, load_configuration, open_ledger
from sensor.cli.json_text import print_json
from sensor.cli.language import command_language
from sensor.line.suppress import Suppression
from sensor.model.address import parse_endpoint
from sensor.model.exit_codes import OK, USAGE
from sensor.model.text import N_
from sensor.model.time import day_of, second_text
from sensor.sheets.dates import instant_text, moment_ns

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import StoredFinding
    from sensor.model.attribution import Attribution, Claim
    from sensor.model.finding import Finding
    from sensor.model.node import Node
    from sensor.model.observation import Observation
    from sensor.settings.sections import AllowEntry

#: Why nothing is known of findings.
NO_LEDGER = N_("there is no ledger at {url} (ledger.url, or --ledger)")
#: What an address does in a finding, and what the other end does whose pool it is.
ROLES = {
    "mining": N_("mines at {place}"),
    "attempt": N_("tried to sign in at {place}"),
    "observer": N_("only observes at {place}"),
    "probe": N_("only looked at {place}"),
}
POOL_ROLES = {
    "attempt": N_("is the pool of {miner}, which tried to sign in"),
    "observer": N_("is the pool of {miner}, which only observes"),
    "probe": N_("is the pool of {miner}, which only looked"),
}
#: Codes in words; in English they stand as they are.
FINDING_STATES = {"opened": N_("finding opened"), "updated": N_("finding updated"), "closed": N_("finding closed")}
KINDS = {"spoken": N_("Evidence, spoken"), "named": N_("Evidence, named"), "behaved": N_("Evidence, behaved")}
#: Findings and nodes shown in full; all are counted.
MAX_FINDINGS = 20


def run(options: argparse.Namespace) -> int:
    """Print all sections. Raises CommandError for an address or a time that is none, and for books that are refused."""
    try:
        address, port = parse_endpoint(options.address)
    except ValueError as error:
        raise CommandError(USAGE, f"explain: {error}") from None
    try:
        at_ns = time.time_ns() if options.at is None else moment_ns(options.at, 0)[0]
    except ValueError as error:
        form = "2026-03-02 or 2026-03-02T08:00:04Z"
        raise CommandError(USAGE, f"explain: --at {options.at!r}: {error}: {form}") from None
    # Callers of this function may not know every option.
    persons, as_json = getattr(options, "persons", False), getattr(options, "json", False)
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    with terminal.book_progress(not options.quiet) as advance:
        attributor = load_attribution(settings, advance)
    question = (address, port, at_ns)
    entries = _ledger_entries(settings, address)
    allowed = Suppression(settings.findings).entries(address)
    answered = None if attributor is None else _answered(attributor, question, options, persons)
    if as_json:
        print_json(explain_object(question, entries, allowed, answered, persons))
        return OK
    language = command_language(options, settings.output.language)
    _ = language.translate
    head = _("{address}, at {time} UTC") if port is None else _("{address} port {port}, at {time} UTC")
    print(head.format(address=address, port=port, time=instant_text(at_ns)))
    if entries.unknown == NO_LEDGER.format(url=settings.ledger.url):
        entries = LedgerEntries((), (), _(NO_LEDGER).format(url=settings.ledger.url))
    _show_findings(entries, address, persons, language)
    _show_allowed(allowed, day_of(at_ns), language)
    if answered is None:
        print("\n" + _("Whose") + "\n  " + _("not known: {why}").format(why=_(NO_BOOKS)))
    else:
        show_attribution(*answered, language)
    return OK


def _ledger_entries(settings: Configuration, address: str) -> LedgerEntries:
    """What the ledger holds about an address as miner, as pool or as node, or why that is not known."""
    try:
        missing = NO_LEDGER.format(url=settings.ledger.url)
        with open_ledger(settings.ledger, missing=missing) as ledger:
            return LedgerEntries(ledger.reader.findings(address), ledger.reader.nodes(address))
    except CommandError as error:
        return LedgerEntries((), (), str(error))


def _answered(
    attributor: Attributor, question: Question, options: argparse.Namespace, persons: bool
) -> tuple[Attribution, list[tuple[Claim, str]]]:
    """The answer, and the rows of that address that do not hold, each with why."""
    point: dict[str, Any] = {
        "vlan": tuple(options.vlan or ()),
        "interface": options.interface,
        "vrf": options.vrf,
    }
    answer, others = attributor.answer(*question, **point), attributor.others(*question, **point)
    return (answer, others) if persons else answer_without_persons(answer, others)


def _show_findings(found: LedgerEntries, address: str, persons: bool, language: Language) -> None:
    _ = language.translate
    if found.unknown is not None:
        print("\n" + _("Findings") + "\n  " + _("not known: {why}").format(why=found.unknown))
        return
    print("\n" + _("Findings ({count})").format(count=len(found.findings)))
    for entry in found.findings[:MAX_FINDINGS]:
        show_finding(entry, address, persons, language)
    if len(found.findings) > MAX_FINDINGS:
        print("  " + _("and {count} older ones").format(count=len(found.findings) - MAX_FINDINGS))
    if not found.findings:
        print("  " + _("none: nothing that this address said or was told was recognised as mining"))
    for node in found.nodes[:MAX_FINDINGS]:
        _show_node(node, language)


def _show_allowed(entries: list[AllowEntry], today: date, language: Language) -> None:
    """The allow-list's entries for the address: they hold whether or not there is a ledger."""
    _ = language.translate
    for allowed in entries:
        form = _("{network}: {reason}")
        if allowed.until is not None:
            expired = today > allowed.until
            form = _("{network}: {reason}, expired {day}") if expired else _("{network}: {reason}, until {day}")
        text = form.format(network=allowed.network, reason=allowed.reason, day=allowed.until)
        print("\n" + _("Allow-list") + f"\n  {text}")


def show_finding(entry: StoredFinding, address: str, persons: bool, language: Language) -> None:
    finding, _ = entry.finding, language.translate
    form = _("{role}: {grade}, {part} sure, {state}")
    part, state = f"{finding.confidence:.0%}", language.label(finding.state, FINDING_STATES)
    role = _role(finding, address, language)
    print("  " + form.format(role=role, grade=language.grade(finding.grade), part=part, state=state))
    details = (
        finding.dialect or _("dialect not known"),
        finding.coin,
        algorithm_text(finding, language),
        finding.login and _("login {login}").format(login=finding.login),
        finding.pool.host,
    )
    print(f"    {', '.join(detail for detail in details if detail)}")
    times = _("{first} to {last} UTC")
    times = times.format(first=second_text(finding.first_ns), last=second_text(finding.last_ns))
    print(f"    {times}{_shares(finding, language)}")
    for reason in finding.reasons:
        print("    " + _("because {reason}").format(reason=language.recorded(reason)))
    for part_of in finding.observations:
        print(f"    {_observation(part_of, language)}")
    if finding.corrects is not None:
        print("    " + _("withdrawn: {what}").format(what=", ".join(text for text in finding.corrects if text)))
    if finding.merged_into is not None:
        print("    " + _("became finding {finding}").format(finding=finding.merged_into))
    suppressed, answer = entry.suppressed, finding.attribution
    if suppressed is not None and answer is not None:
        suppressed = without_names(suppressed, answer.enterprise, answer.site, persons)
    sent = _("told") if suppressed is None else _("not told: {why}").format(why=language.recorded(suppressed))
    print(f"    {sent}")


def _role(finding: Finding, address: str, language: Language) -> str:
    """What an address is in a finding."""
    _ = language.translate
    activity = finding.activity or "mining"
    if finding.miner_ip == address:
        form = ROLES[activity] if finding.dialect is not None else N_("was not heard to mine at {place}")
    elif finding.dialect is None:
        form = N_("would be the pool of {miner}, which was not heard to mine")
    else:
        form = N_("is the pool of {miner}") if finding.mines else POOL_ROLES[activity]
    return _(form).format(place=place(finding, language), miner=finding.miner_ip)


def _observation(part: Observation, language: Language) -> str:
    form = N_("{kind} by {signature}: {grade}, {bits} bits")
    if part.p is not None:
        form = N_("{kind} by {signature}: {grade}, {bits} bits, p = {p}")
    return language.translate(form).format(
        kind=language.label(part.kind, KINDS),
        signature=part.signature,
        grade=language.grade(part.grade),
        bits=f"{part.bits:g}",
        p=None if part.p is None else f"{part.p:.2g}",
    )


def algorithm_text(finding: Finding, language: Language = ENGLISH) -> str | None:
    """The algorithm, and how it is known."""
    if finding.algorithm is None or finding.algorithm_basis is None:
        return finding.algorithm
    return f"{finding.algorithm} ({language.translate(finding.algorithm_basis)})"


def place(finding: Finding, language: Language = ENGLISH) -> str:
    """The pool's address and port in words, as far as they are known."""
    _ = language.translate
    if finding.pool_ip is None:
        return _("a pool whose address is not known")
    if finding.pool_port is None:
        return finding.pool_ip
    return _("{address} port {port}").format(address=finding.pool_ip, port=finding.pool_port)


def _shares(finding: Finding, language: Language) -> str:
    if finding.dialect is None:
        return ""
    form, rate = N_(", {sent} shares sent, {accepted} accepted"), ""
    if finding.hashrate_hps is not None:
        form = N_(", {sent} shares sent, {accepted} accepted, {rate}")
        rate = quantity(finding.hashrate_hps.best, rate_unit(finding.work_unit))
    counted = finding.shares
    return language.translate(form).format(sent=counted.submitted, accepted=counted.accepted, rate=rate)


def _show_node(node: Node, language: Language) -> None:
    _ = language.translate
    form = _("{protocol}, not mining: {from_} and {to} port {port}, {time} UTC")
    text = form.format(
        protocol=node.protocol,
        from_=node.key.src_ip,
        to=node.key.dest_ip,
        port=node.key.dest_port,
        time=second_text(node.last_ns),
    )
    print("\n" + _("Node") + f"\n  {text}")
