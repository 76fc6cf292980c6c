"""`minewatch explain ADDRESS[:PORT]`: what was found about an address, whose it was, and why.

The ledger answers the first part, the books the second; a section each. It creates no ledger.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from typing import TYPE_CHECKING, Any

from exporters.forms.alert import DOES
from exporters.redaction.attribution import answer_without_persons
from exporters.redaction.inside import HIDDEN
from exporters.redaction.persons import PERSON, without_names
from sensor.attribution.answer.claims import period, scope
from sensor.cli import terminal
from sensor.cli.explain_json import NO_BOOKS, LedgerEntries, Question, explain_object
from sensor.cli.frame import CommandError, flag_overrides, load_attribution, load_configuration, open_ledger
from sensor.cli.json_text import print_json
from sensor.line.suppress import Suppression
from sensor.model.address import parse_endpoint
from sensor.model.exit_codes import OK, USAGE
from sensor.model.time import day_of, second_text
from sensor.sheets.dates import instant_text, moment_ns

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import StoredFinding
    from sensor.model.attribution import Attribution, Claim
    from sensor.model.finding import Finding
    from sensor.model.node import Node
    from sensor.settings.sections import AllowEntry

#: Findings and nodes shown in full; all are counted.
MAX_FINDINGS = 20
#: Claims that do not hold are shown up to this many; a shared address has thousands.
MAX_OTHER_CLAIMS = 20


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
    print(f"{address}{'' if port is None else f' port {port}'}, at {instant_text(at_ns)} UTC")
    _show_findings(entries, address, persons)
    _show_allowed(allowed, day_of(at_ns))
    if answered is None:
        print(f"\nWhose\n  not known: {NO_BOOKS}")
    else:
        _show_attribution(*answered)
    return OK


def _ledger_entries(settings: Configuration, address: str) -> LedgerEntries:
    """What the ledger holds about an address as miner, as pool or as node, or why that is not known."""
    try:
        missing = f"there is no ledger at {settings.ledger.url} (ledger.url, or --ledger)"
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


def _show_findings(found: LedgerEntries, address: str, persons: bool) -> None:
    if found.unknown is not None:
        print(f"\nFindings\n  not known: {found.unknown}")
        return
    print(f"\nFindings ({len(found.findings)})")
    for entry in found.findings[:MAX_FINDINGS]:
        _show_finding(entry, address, persons)
    if len(found.findings) > MAX_FINDINGS:
        print(f"  and {len(found.findings) - MAX_FINDINGS} older ones")
    if not found.findings:
        print("  none: nothing that this address said or was told was recognised as mining")
    for node in found.nodes[:MAX_FINDINGS]:
        _show_node(node)


def _show_allowed(entries: list[AllowEntry], today: date) -> None:
    """The allow-list's entries for the address: they hold whether or not there is a ledger."""
    for allowed in entries:
        until = ""
        if allowed.until is not None:
            until = f", {'expired' if today > allowed.until else 'until'} {allowed.until}"
        print(f"\nAllow-list\n  {allowed.network}: {allowed.reason}{until}")


def _show_finding(entry: StoredFinding, address: str, persons: bool) -> None:
    finding = entry.finding
    does = DOES[finding.activity or "mining"]
    if finding.miner_ip == address:
        role = (
            f"{does} at {place(finding)}"
            if finding.dialect is not None
            else f"was not heard to mine at {place(finding)}"
        )
    elif finding.dialect is None:
        role = f"would be the pool of {finding.miner_ip}, which was not heard to mine"
    else:
        role = f"is the pool of {finding.miner_ip}" + ("" if finding.mines else f", which {does}")
    print(f"  {role}: {finding.grade.label}, {finding.confidence:.0%} sure, {finding.state}")
    details = (
        finding.dialect or "dialect not known",
        finding.coin,
        algorithm_text(finding),
        finding.login and f"login {finding.login}",
        finding.pool.host,
    )
    print(f"    {', '.join(detail for detail in details if detail)}")
    print(f"    {second_text(finding.first_ns)} to {second_text(finding.last_ns)} UTC{_shares(finding)}")
    for reason in finding.reasons:
        print(f"    because {reason}")
    for part in finding.observations:
        chance = "" if part.p is None else f", p = {part.p:.2g}"
        print(f"    {part.kind} by {part.signature}: {part.grade.label}, {part.bits:g} bits{chance}")
    if finding.corrects is not None:
        print(f"    withdrawn: {', '.join(text for text in finding.corrects if text)}")
    if finding.merged_into is not None:
        print(f"    became finding {finding.merged_into}")
    suppressed, answer = entry.suppressed, finding.attribution
    if suppressed is not None and answer is not None:
        suppressed = without_names(suppressed, answer.enterprise, answer.site, persons)
    print("    told" if suppressed is None else f"    not told: {suppressed}")


def algorithm_text(finding: Finding) -> str | None:
    """The algorithm, and how it is known."""
    if finding.algorithm is None or finding.algorithm_basis is None:
        return finding.algorithm
    return f"{finding.algorithm} ({finding.algorithm_basis})"


def place(finding: Finding) -> str:
    """The pool's address and port in words, as far as they are known."""
    if finding.pool_ip is None:
        return "a pool whose address is not known"
    return finding.pool_ip if finding.pool_port is None else f"{finding.pool_ip} port {finding.pool_port}"


def _shares(finding: Finding) -> str:
    if finding.dialect is None:
        return ""
    rate = f", {finding.hashrate_hps.best:.3g} hashes/s" if finding.hashrate_hps is not None else ""
    return f", {finding.shares.submitted} shares sent, {finding.shares.accepted} accepted{rate}"


def _show_node(node: Node) -> None:
    ends = f"{node.key.src_ip} and {node.key.dest_ip} port {node.key.dest_port}"
    print(f"\nNode\n  {node.protocol}, not mining: {ends}, {second_text(node.last_ns)} UTC")


def _show_attribution(answer: Attribution, others: list[tuple[Claim, str]]) -> None:
    """The answer, the reasons for it, the claims, and the rows of that address that do not hold."""
    _show_enterprise(answer)
    print("\nWhy")
    for reason in answer.reasons:
        print(f"  {reason}")
    if answer.claims:
        print("\nClaims")
    for claim in answer.claims:
        print(f"  {claim.standing:<8} {claim.strength:<5g} {_claim_text(claim)}")
    if others:
        print("\nRows of that address that do not hold")
    for claim, why in others[:MAX_OTHER_CLAIMS]:
        print(f"  {why}: {_claim_text(claim)}")
    if len(others) > MAX_OTHER_CLAIMS:
        print(f"  and {len(others) - MAX_OTHER_CLAIMS:,} more")


def _show_enterprise(answer: Attribution) -> None:
    print(f"\nWhose ({answer.result})")
    if answer.enterprise is None:
        print("  nobody is named")
        return
    enterprise, site = answer.enterprise, answer.site
    name = PERSON if enterprise.name == HIDDEN else enterprise.name
    print(f"  {', '.join(filter(None, (name, enterprise.uscc, enterprise.category)))}")
    if site is not None:
        print("  " + " ".join(filter(None, (site.division, site.division_name, site.address))))


def _claim_text(claim: Claim) -> str:
    subject = (
        claim.enterprise.name if claim.enterprise else f"subscriber {claim.subscriber}" if claim.subscriber else ""
    )
    details = ", ".join(f"{name} {value}" for name, value in claim.detail.items())
    as_of = "" if claim.as_of_ns is None else f"as of {instant_text(claim.as_of_ns)}"
    fields = (f"{claim.source} {claim.place}", scope(claim), period(claim), subject, details, as_of)
    return " | ".join(filter(None, fields))
