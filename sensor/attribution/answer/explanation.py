"""Explains a decision: every claim with its standing beside the others, and the reasons, the most important first.

It decides nothing. Files are named without their folders, which are nobody's business outside.
"""

from __future__ import annotations

from pathlib import PurePath

from sensor.attribution.answer.claims import Claims, scope
from sensor.attribution.answer.decision import Decision, Question
from sensor.attribution.index.ranges import address_text
from sensor.model.attribution import Claim
from sensor.model.text import N_
from sensor.model.time import DAY_NS

#: The reasons that most answers have.
ALLOCATED, NO_BOOK = N_("{scope} is allocated to {name}"), N_("no book has this address at that time")
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
        more = N_("{count} more claims are not shown")
        reasons.append(more.format(count=len(decision.rows) - MOST_CLAIMS))
    if not decision.by_ports and not any(map(claims.index.holds, decision.rows)):
        reasons.append(N_("no book has the inside address at that time") if inner else NO_BOOK)
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
        claim.reason = _translation(claims, question, decision, whole)
        claim.enterprise, claim.site = decision.enterprise, decision.site
    elif holder.subscriber:
        claim.reason = _leased(claims, decision, claim, whole)
    elif holder.shared:
        form = (
            N_("{scope} is used by many: one of {count} subscribers")
            if holder.shared > 0
            else N_("{scope} is used by many: one of several subscribers")
        )
        claim.reason = form.format(scope=whole, count=holder.shared)
    else:
        holder_name = claim.enterprise.name if claim.enterprise else "?"
        claim.reason = ALLOCATED.format(scope=whole, name=holder_name)
    shown.append(claim)
    if decision.overruled:
        rivals = ", ".join(_file_name(claims.claim(other)) for other in decision.against[:3])
        disagree = N_("books of equal weight disagree: {book} against {rivals}; nobody is named")
        reasons.append(disagree.format(book=_file_name(claim), rivals=rivals))
    if decision.elsewhere >= 0:
        narrow = claims.claim(decision.elsewhere)
        form = (
            N_("{scope} of {name} ({book}) is narrower and fits in all but where it was seen; nobody is named")
            if narrow.enterprise
            else N_("{scope} ({book}) is narrower and fits in all but where it was seen; nobody is named")
        )
        whom = narrow.enterprise.name if narrow.enterprise else None
        reasons.append(form.format(scope=scope(narrow), name=whom, book=_file_name(narrow)))
    reasons.append(claim.reason)
    if decision.against and not decision.overruled:
        otherwise = N_("{book} says otherwise, and is believed less")
        reasons.append(otherwise.format(book=_file_name(claims.claim(decision.against[0]))))
    if decision.inner is not None and decision.inside is not None:
        points = claims.index.at(holder.inner_vrf, (), None)
        behind = Question(*decision.inside, -1, question.at_ns, points, vlan_seen=False)
        inner_claims, inner_reasons = explain_decision(claims, behind, decision.inner, inner=True)
        shown += inner_claims
        reasons += inner_reasons
    elif decision.enterprise is not None and decision.enterprise.identified_by == "name":
        reasons.append(N_("the enterprise is known by its name alone, without a code: the weaker identity"))
    if claim.as_of_ns is not None and question.at_ns - claim.as_of_ns > STALE_DAYS * DAY_NS:
        stale = N_("the book is {days} days older than what was seen")
        reasons.append(stale.format(days=(question.at_ns - claim.as_of_ns) // DAY_NS))
    if decision.sites_differ:
        reasons.append(N_("the books agree on the enterprise and differ on the premises, which are left open"))
    if decision.result == "named" and claim.vlan is not None and not question.vlan_seen:
        reasons.append(N_("the book names a VLAN; which VLAN this was in was not seen"))


def _leased(claims: Claims, decision: Decision, claim: Claim, whole: str) -> str:
    """To which account it was leased, and whose that is."""
    subscriber = claims.holder(decision.deciding).subscriber
    if decision.customer is None:
        form = (
            N_("{scope} was leased to subscriber {account}; customer books disagree whose that is at that time")
            if claim.subscriber in claims.books.customers
            else N_("{scope} was leased to subscriber {account}; no customer book has that account at that time")
        )
        return form.format(scope=whole, account=subscriber)
    claim.enterprise, claim.site = claims.enterprise(decision.customer.holder), claims.site(decision.customer.holder)
    name, book = claim.enterprise.name if claim.enterprise else "?", PurePath(decision.customer.place).name
    form = N_("{scope} was leased to subscriber {account}, whose account is {name}'s ({book})")
    return form.format(scope=whole, account=subscriber, name=name, book=book)


def _translation(claims: Claims, question: Question, decision: Decision, whole: str) -> str:
    holder = claims.holder(decision.deciding)
    if holder.translation < 0:
        return N_("{scope} was translated from {inner}").format(scope=whole, inner=holder.inner)
    count = claims.books.translations[holder.translation].subscribers
    if question.port < 0:
        form = N_("{scope} is shared by {count} subscribers by computed ports; the port is not known")
        return form.format(scope=whole, count=count)
    if decision.inside is None:
        form = N_("{scope} is shared by {count} subscribers; port {number} belongs to none of them by computation")
        return form.format(scope=whole, count=count, number=question.port)
    form = N_("{scope} port {number} belongs to {inner} by computation (RFC 7422)")
    return form.format(scope=whole, number=question.port, inner=address_text(*decision.inside))


def _by_ports(claims: Claims, question: Question, decision: Decision) -> str:
    """How many share the address."""
    others = list(claims.index.narrowed(question, decision.rows))
    count = len({claims.identity(row, question.at_ns) for row in others})
    form = {
        (True, True): N_("the address was shared by port: one of at least {count} subscribers; the port is not known"),
        (False, True): N_("the address was shared by port: one of at least {count} subscriber; the port is not known"),
        (True, False): N_(
            "the address was shared by port: one of at least {count} subscribers; port {number} is in no lease of that "
            "time"
        ),
        (False, False): N_(
            "the address was shared by port: one of at least {count} subscriber; port {number} is in no lease of that "
            "time"
        ),
    }[count > 1, question.port < 0]
    return form.format(count=count, number=question.port)


def _other_claim(claims: Claims, row: int, decision: Decision) -> Claim:
    """A claim that does not decide: what it is beside the one that does."""
    claim = claims.claim(row)
    whole = scope(claim)
    if not claims.index.holds(row):
        claim.reason = N_("{scope} is in this table").format(scope=whole)
        return claim
    holder = claims.holder(row)
    if holder.machine and not holder.subscriber:
        claim.standing, form = "machine", N_("{scope} was leased to a machine, which names no holder")
    elif row in decision.against:
        claim.standing, form = "conflict", N_("{scope} names somebody else")
    elif decision.deciding < 0 or claims.inside(decision.deciding, row):
        claim.standing, form = "wider", N_("{scope} is the wider range")
    else:
        claim.standing, form = "agrees", N_("{scope} says the same")
    claim.reason = form.format(scope=whole)
    return claim


def _file_name(claim: Claim) -> str:
    return PurePath(claim.place).name
