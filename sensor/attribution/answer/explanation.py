"""Explains a decision: every claim with its standing beside the others, and the reasons, the most important first.

It decides nothing. Files are named without their folders, which are nobody's business outside.
"""

from __future__ import annotations

from pathlib import PurePath

from sensor.attribution.answer.claims import Claims, scope
from sensor.attribution.answer.decision import Decision, Question
from sensor.attribution.index.ranges import address_text
from sensor.model.attribution import Claim
from sensor.model.time import DAY_NS

#: Claims shown of one answer; the rest is counted.
MOST_CLAIMS = 16
#: A book that is older than the traffic by more than this is reported as old: half a year of changes may be missing.
STALE_DAYS = 180


def explain_decision(
    claims: Claims, question: Question, decision: Decision, inner: bool = False
) -> tuple[list[Claim], list[str]]:
    """The claims, the deciding one first, and the reasons."""
    shown: list[Claim] = []
    reasons: list[str] = []
    if decision.by_ports:
        reasons.append(_by_ports(claims, question, decision))
    if decision.deciding >= 0:
        _explain_deciding(claims, question, decision, shown, reasons)
    others = [row for row in decision.rows[:MOST_CLAIMS] if row != decision.deciding]
    shown += [_other_claim(claims, row, decision) for row in others]
    if len(decision.rows) > MOST_CLAIMS:
        reasons.append(f"{len(decision.rows) - MOST_CLAIMS} more claims are not shown")
    if not decision.by_ports and not any(map(claims.index.holds, decision.rows)):
        reasons.append(
            "no book has the inside address at that time" if inner else "no book has this address at that time"
        )
    return shown, reasons


def _explain_deciding(
    claims: Claims, question: Question, decision: Decision, shown: list[Claim], reasons: list[str]
) -> None:
    """The claim that decides, what speaks against it, and what is behind the translator."""
    row = decision.deciding
    holder, claim = claims.holder(row), claims.claim(row)
    claim.standing = (
        "conflict"
        if decision.result == "conflict" and decision.inner is None
        else "answer"
        if decision.result == "named"
        else "shared"
    )
    whole = scope(claim)
    if holder.inner or holder.translation >= 0:
        claim.reason = f"{whole} {_translation(claims, question, decision)}"
        claim.enterprise, claim.site = decision.enterprise, decision.site
    elif holder.subscriber:
        claim.reason = f"{whole} was leased to subscriber {holder.subscriber}{_account(claims, decision, claim)}"
    elif holder.shared:
        count = f"one of {holder.shared}" if holder.shared > 0 else "one of several"
        claim.reason = f"{whole} is used by many: {count} subscribers"
    else:
        claim.reason = f"{whole} is allocated to {claim.enterprise.name if claim.enterprise else '?'}"
    shown.append(claim)
    if decision.overruled:
        rivals = ", ".join(_file_name(claims.claim(other)) for other in decision.against[:3])
        reasons.append(f"books of equal weight disagree: {_file_name(claim)} against {rivals}; nobody is named")
    if decision.elsewhere >= 0:
        narrow = claims.claim(decision.elsewhere)
        whom = f" of {narrow.enterprise.name}" if narrow.enterprise else ""
        reasons.append(
            f"{scope(narrow)}{whom} ({_file_name(narrow)}) is narrower and fits in all but where it was seen; "
            "nobody is named"
        )
    reasons.append(claim.reason)
    if decision.against and not decision.overruled:
        reasons.append(f"{_file_name(claims.claim(decision.against[0]))} says otherwise, and is believed less")
    if decision.inner is not None and decision.inside is not None:
        points = claims.index.at(holder.inner_vrf, (), None)
        behind = Question(*decision.inside, -1, question.at_ns, points, vlan_seen=False)
        inner_claims, inner_reasons = explain_decision(claims, behind, decision.inner, inner=True)
        shown += inner_claims
        reasons += inner_reasons
    elif decision.enterprise is not None and decision.enterprise.identified_by == "name":
        reasons.append("the enterprise is known by its name alone, without a code: the weaker identity")
    if claim.as_of_ns is not None and question.at_ns - claim.as_of_ns > STALE_DAYS * DAY_NS:
        reasons.append(f"the book is {(question.at_ns - claim.as_of_ns) // DAY_NS} days older than what was seen")
    if decision.sites_differ:
        reasons.append("the books agree on the enterprise and differ on the premises, which are left open")
    if decision.result == "named" and claim.vlan is not None and not question.vlan_seen:
        reasons.append("the book names a VLAN; which VLAN this was in was not seen")


def _account(claims: Claims, decision: Decision, claim: Claim) -> str:
    """Whose the leased account is."""
    if decision.customer is None:
        listed = claim.subscriber in claims.books.customers
        reason = "customer books disagree whose that is" if listed else "no customer book has that account"
        return f"; {reason} at that time"
    claim.enterprise, claim.site = claims.enterprise(decision.customer.holder), claims.site(decision.customer.holder)
    name, book = claim.enterprise.name if claim.enterprise else "?", PurePath(decision.customer.place).name
    return f", whose account is {name}'s ({book})"


def _translation(claims: Claims, question: Question, decision: Decision) -> str:
    holder = claims.holder(decision.deciding)
    if holder.translation < 0:
        return f"was translated from {holder.inner}"
    count = claims.books.translations[holder.translation].subscribers
    if question.port < 0:
        return f"is shared by {count} subscribers by computed ports; the port is not known"
    if decision.inside is None:
        return f"is shared by {count} subscribers; port {question.port} belongs to none of them by computation"
    return f"port {question.port} belongs to {address_text(*decision.inside)} by computation (RFC 7422)"


def _by_ports(claims: Claims, question: Question, decision: Decision) -> str:
    """How many share the address."""
    others = list(claims.index.narrowed(question, decision.rows))
    count = len({claims.identity(row, question.at_ns) for row in others})
    port = "the port is not known" if question.port < 0 else f"port {question.port} is in no lease of that time"
    subscribers = f"{count} {'subscribers' if count > 1 else 'subscriber'}"
    return f"the address was shared by port: one of at least {subscribers}; {port}"


def _other_claim(claims: Claims, row: int, decision: Decision) -> Claim:
    """A claim that does not decide: what it is beside the one that does."""
    claim = claims.claim(row)
    whole = scope(claim)
    if not claims.index.holds(row):
        claim.reason = f"{whole} is in this table"
        return claim
    holder = claims.holder(row)
    if holder.machine and not holder.subscriber:
        claim.standing, claim.reason = "machine", f"{whole} was leased to a machine, which names no holder"
    elif row in decision.against:
        claim.standing, claim.reason = "conflict", f"{whole} names somebody else"
    elif decision.deciding < 0 or claims.inside(decision.deciding, row):
        claim.standing, claim.reason = "wider", f"{whole} is the wider range"
    else:
        claim.standing, claim.reason = "agrees", f"{whole} says the same"
    return claim


def _file_name(claim: Claim) -> str:
    return PurePath(claim.place).name
