"""From the rows that hold to one answer: who it was, or that it cannot be said, and why.

An accusation of the wrong enterprise is the worst failure, so a name is given only where nothing of equal weight speaks against it.
Whoever shares an address with others is not named before a lease tells them apart, and a holder of a wider range is not named for
somebody inside it who is unknown. Pure; reads no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, NamedTuple

from sensor.attribution.books import HOLDERS, Holder
from sensor.attribution.claims import Claims, scope
from sensor.attribution.ranges import address_text, number
from sensor.attribution.rows import ANY_PORT_FIRST
from sensor.records import Claim, Enterprise, Site

#: Claims shown of one answer; the rest is counted.
MOST_CLAIMS = 16
#: A translator behind a translator behind a translator: more is a loop in the books.
MOST_TRANSLATIONS = 3

Result = Literal["named", "shared", "conflict", "unknown"]


class Question(NamedTuple):
    """An address as it was seen; `port` is -1 where it is not known."""

    version: int
    value: int
    port: int
    at_ns: int
    points: frozenset[int]
    vlan_seen: bool = True


@dataclass
class Verdict:
    """The answer while it is made."""

    result: Result = "unknown"
    enterprise: Enterprise | None = None
    site: Site | None = None
    claims: list[Claim] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def judge(claims: Claims, question: Question, depth: int = 0) -> Verdict:
    """Answer a question from the rows that hold."""
    index = claims.index
    rows = index.match(question.version, question.value, question.port, question.at_ns, question.points)
    ranks = [claims.books.books[index.book[row]].rank for row in rows]
    holders = [row for row, rank in zip(rows, ranks, strict=True) if rank == HOLDERS]
    verdict = Verdict()
    shared_by = _by_ports(claims, question, holders)
    if shared_by:
        verdict.result = "shared"
        verdict.reasons.append(shared_by)
    deciding = -1 if shared_by else _decide(claims, question, holders, verdict, depth)
    for row in rows[:MOST_CLAIMS]:
        if row != deciding:
            verdict.claims.append(_second(claims, question, row, deciding, row in holders))
    if len(rows) > MOST_CLAIMS:
        verdict.reasons.append(f"{len(rows) - MOST_CLAIMS} more claims are not shown")
    if not holders and not shared_by:
        verdict.reasons.append("no book has this address at that time" if not depth else "no book has the inside address at that time")
    return verdict


def _by_ports(claims: Claims, question: Question, holders: list[int]) -> str:
    """Why the address has many users of whom this question tells none apart; empty if that is not so."""
    index = claims.index
    if holders and index.port_first[holders[0]] != ANY_PORT_FIRST:
        return ""
    others = index.narrowed(question.version, question.value, question.at_ns, question.points)
    others = [row for row in others if claims.books.books[index.book[row]].rank == HOLDERS and row not in holders]
    if not others:
        return ""
    count = len({claims.identity(row, question.at_ns) for row in others})
    port = "the port is not known" if question.port < 0 else f"port {question.port} is in no lease of that time"
    return f"the address was shared by port: one of at least {count} {'subscribers' if count > 1 else 'subscriber'}; {port}"


def _decide(claims: Claims, question: Question, holders: list[int], verdict: Verdict, depth: int) -> int:
    """Go from the narrowest claim outwards to the first that says something; its row, or -1."""
    for row in holders:
        holder = claims.holder(row)
        claim = claims.claim(row)
        if holder.inner or holder.translation >= 0:
            _translated(claims, question, row, verdict, depth)
        elif holder.subscriber:
            _subscriber(claims, question, row, claim, verdict)
        elif holder.shared:
            count = f"one of {holder.shared}" if holder.shared > 0 else "one of several"
            verdict.result = "shared"
            claim.standing = "shared"
            claim.reason = f"{scope(claim)} is used by many: {count} subscribers"
            _take(verdict, claim)
        elif holder.enterprise >= 0:
            claim.reason = f"{scope(claim)} is allocated to {claim.enterprise.name if claim.enterprise else '?'}"
            _name(verdict, claim, claims.enterprise(holder), claims.site(holder))
        else:
            continue  # a machine, or a row without a holder: whoever holds the range around it
        _against(claims, question, row, holders, verdict)
        if verdict.result == "named" and not question.vlan_seen and verdict.claims[0].vlan is not None:
            verdict.reasons.append("the book names a VLAN; which VLAN this was in was not seen")
        return row
    return -1


def _take(verdict: Verdict, claim: Claim) -> None:
    verdict.claims.insert(0, claim)
    verdict.reasons.insert(0, claim.reason)


def _name(verdict: Verdict, claim: Claim, enterprise: Enterprise | None, site: Site | None) -> None:
    """Answer with this enterprise."""
    verdict.result, verdict.enterprise, verdict.site = "named", enterprise, site
    claim.standing = "answer"
    _take(verdict, claim)
    if enterprise is not None and enterprise.identified_by == "name":
        verdict.reasons.append("the enterprise is known by its name alone, without a code: the weaker identity")


def _subscriber(claims: Claims, question: Question, row: int, claim: Claim, verdict: Verdict) -> None:
    """A lease names an account: whose it is stands in a customer book, or nobody is named."""
    holder = claims.holder(row)
    customer = claims.customer(holder.subscriber, question.at_ns)
    lease = f"{scope(claim)} was leased to subscriber {holder.subscriber}"
    if customer is None:
        known = (
            "customer books disagree whose that is" if holder.subscriber in claims.books.customers else "no customer book has that account"
        )
        claim.reason = f"{lease}; {known} at that time"
        claim.standing = "shared"
        _take(verdict, claim)
        return
    claim.enterprise, claim.site = claims.enterprise(customer.holder), claims.site(customer.holder)
    claim.reason = f"{lease}, whose account is {claim.enterprise.name if claim.enterprise else '?'}'s ({PurePath(customer.place).name})"
    _name(verdict, claim, claim.enterprise, claim.site)


def _translated(claims: Claims, question: Question, row: int, verdict: Verdict, depth: int) -> None:
    """An address in front of a translator: ask for the one behind it."""
    holder, claim = claims.holder(row), claims.claim(row)
    version, value, why = _inside(claims, question, holder)
    claim.reason = f"{scope(claim)} {why}"
    claim.standing = "shared"
    if value is None or depth >= MOST_TRANSLATIONS:
        verdict.result = "shared"
        _take(verdict, claim)
        return
    points = claims.index.at(holder.inner_vrf, (), None)
    inner = judge(claims, Question(version, value, -1, question.at_ns, points, vlan_seen=False), depth + 1)
    verdict.result, verdict.enterprise, verdict.site = inner.result, inner.enterprise, inner.site
    verdict.claims += inner.claims[:MOST_CLAIMS]
    verdict.reasons += inner.reasons
    claim.standing = "answer" if inner.result == "named" else "shared"
    claim.enterprise, claim.site = inner.enterprise, inner.site
    _take(verdict, claim)


def _inside(claims: Claims, question: Question, holder: Holder) -> tuple[int, int | None, str]:
    """The address behind a translator, or None, and that in words."""
    if holder.translation < 0:
        version, value = number(holder.inner)
        return version, value, f"was translated from {holder.inner}"
    translation = claims.books.translations[holder.translation]
    if question.port < 0:
        return 4, None, f"is shared by {translation.subscribers} subscribers by computed ports; the port is not known"
    inside = translation.inside(question.value, question.port)
    if inside is None:
        return 4, None, f"is shared by {translation.subscribers} subscribers; port {question.port} belongs to none of them by computation"
    return 4, inside, f"port {question.port} belongs to {address_text(4, inside)} by computation (RFC 7422)"


def _against(claims: Claims, question: Question, row: int, holders: list[int], verdict: Verdict) -> None:
    """Take a name back where a claim of the same width and no less weight names somebody else, or other premises."""
    mine = claims.identity(row, question.at_ns)
    rivals = [other for other in holders if other != row and not claims.inside(row, other)]
    others = [other for other in rivals if claims.identity(other, question.at_ns) not in ("", mine)]
    equal = [other for other in others if claims.believed(other) >= claims.believed(row)]
    if equal and verdict.result in ("named", "shared"):
        verdict.result, verdict.enterprise, verdict.site = "conflict", None, None
        verdict.claims[0].standing = "conflict"
        places = ", ".join(_named(claims.claim(other)) for other in equal[:3])
        verdict.reasons.insert(0, f"books of equal weight disagree: {_named(verdict.claims[0])} against {places}; nobody is named")
    elif others and verdict.result == "named":
        verdict.reasons.append(f"{_named(claims.claim(others[0]))} says otherwise, and is believed less")
    if verdict.result == "named" and verdict.site is not None:
        sites = [claims.site(claims.holder(other)) for other in rivals if other not in others]
        if any(site is not None and site != verdict.site for site in sites):
            verdict.site = None
            verdict.reasons.append("the books agree on the enterprise and differ on the premises, which are left open")


def _named(claim: Claim) -> str:
    """Where a claim stands, without the folder, which is nobody's business outside."""
    return PurePath(claim.place).name


def _second(claims: Claims, question: Question, row: int, deciding: int, holds: bool) -> Claim:
    """A claim that does not decide: what it is beside the one that does."""
    claim = claims.claim(row)
    if not holds:
        claim.reason = f"{scope(claim)} is in this table"
        return claim
    holder = claims.holder(row)
    if holder.machine and not holder.subscriber:
        claim.standing, claim.reason = "machine", f"{scope(claim)} was leased to a machine, which names no holder"
    elif deciding < 0 or claims.inside(deciding, row):
        claim.standing, claim.reason = "wider", f"{scope(claim)} is the wider range"
    elif claims.identity(row, question.at_ns) == claims.identity(deciding, question.at_ns):
        claim.standing, claim.reason = "agrees", f"{scope(claim)} says the same"
    else:
        claim.standing, claim.reason = "conflict", f"{scope(claim)} names somebody else"
    return claim
