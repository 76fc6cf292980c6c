"""From the rows that match a question to one decision: who it was, or why nobody is named.

Accusing the wrong enterprise is the worst failure, so a name is given only where nothing of equal weight contradicts
it. One of several subscribers behind an address is not named before a lease tells them apart; the holder of a wider
range is not named for an unknown one inside it. Pure and without text: `explanation` writes that for a decision that is
shown.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sensor.attribution.answer.claims import Claims
from sensor.attribution.books.holder import Customer, RowHolder
from sensor.attribution.index.ranges import number
from sensor.attribution.index.rows import ANY_PORT_FIRST
from sensor.model.attribution import Enterprise, Site

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
    anywhere: frozenset[int] | None = (
        None  # the points of the same VRF, whichever VLAN and interface; None if neither was seen
    )


class Decision:
    """What is decided, and by which rows. Defaults are class attributes: an object is created for each question."""

    result: Result = "unknown"
    enterprise: Enterprise | None = None
    site: Site | None = None
    deciding: int = -1
    by_ports: bool = False  # the address is shared by port, and the question's port selects no user
    customer: Customer | None = None  # whose the leased account is
    inside: tuple[int, int] | None = None  # version and number of the address behind the translator
    inner: Decision | None = None  # what is decided about that
    against: tuple[int, ...] = ()  # rows that name somebody else, neither wider nor narrower
    overruled: bool = False  # they weigh as much: nobody is named
    sites_differ: bool = False
    elsewhere: int = -1  # a row narrower than the deciding one that holds in another VLAN or on another interface

    def __init__(self, rows: list[int]) -> None:
        self.rows = rows  # all that hold, in order of rank


def decide(claims: Claims, question: Question, depth: int = 0) -> Decision:
    """Answer a question from the rows that hold."""
    index = claims.index
    rows, ported = index.look(question.version, question.value, question.port, question.at_ns, question.points)
    decision = Decision(rows)
    holders = rows if not rows or index.rank[rows[-1]] < index.holders else [row for row in rows if index.holds(row)]
    whole = ported and (not holders or index.port_first[holders[0]] == ANY_PORT_FIRST)
    if whole and next(index.narrowed(question, holders), None) is not None:
        decision.result, decision.by_ports = "shared", True
        return decision
    for row in holders:
        holder = claims.holders[index.holder[row]]
        if holder.inner or holder.translation >= 0:
            _translated(claims, question, holder, decision, depth)
        elif holder.subscriber:
            decision.customer = claims.customer(holder.subscriber, question.at_ns)
            if decision.customer is not None:
                _name(claims, decision.customer.holder, decision)
        elif holder.shared:
            decision.result = "shared"
        elif holder.enterprise >= 0:
            _name(claims, holder, decision)
        else:
            continue  # a machine, or a row without a holder: whoever holds the range around it
        decision.deciding = row
        if len(holders) > 1:
            _weigh(claims, question, holders, decision)
        if decision.result == "named" and question.anywhere is not None and question.anywhere != question.points:
            _look_elsewhere(claims, question, question.anywhere, decision)
        break
    return decision


def _look_elsewhere(claims: Claims, question: Question, anywhere: frozenset[int], decision: Decision) -> None:
    """Take a name back where a narrower row fits in all but the VLAN or the interface.

    The wider holder is not its user then.
    """
    index = claims.index
    for row in index.match(question.version, question.value, question.port, question.at_ns, anywhere):
        if index.point[row] not in question.points and index.holds(row) and claims.narrower(row, decision.deciding):
            decision.result, decision.enterprise, decision.site, decision.elsewhere = "conflict", None, None, row
            return


def _name(claims: Claims, holder: RowHolder, decision: Decision) -> None:
    decision.result, decision.enterprise = "named", claims.enterprises[holder.enterprise]
    if holder.site >= 0:
        decision.site = claims.sites[holder.site]


def _translated(claims: Claims, question: Question, holder: RowHolder, decision: Decision, depth: int) -> None:
    """An address in front of a translator: ask for the one behind it."""
    decision.result = "shared"
    if holder.translation < 0:
        decision.inside = number(holder.inner)
    elif question.port >= 0:
        value = claims.books.translations[holder.translation].inside(question.value, question.port)
        decision.inside = None if value is None else (4, value)
    if decision.inside is None or depth >= MOST_TRANSLATIONS:
        return
    points = claims.index.at(holder.inner_vrf, (), None)
    decision.inner = decide(claims, Question(*decision.inside, -1, question.at_ns, points, vlan_seen=False), depth + 1)
    decision.result, decision.enterprise, decision.site = (
        decision.inner.result,
        decision.inner.enterprise,
        decision.inner.site,
    )


def _weigh(claims: Claims, question: Question, holders: list[int], decision: Decision) -> None:
    """Take a name back where a claim of the same width and no less weight names somebody else, or other premises."""
    row, index = decision.deciding, claims.index
    same = index.holder[row]
    rivals = [
        other for other in holders if other != row and index.holder[other] != same and not claims.inside(row, other)
    ]
    if not rivals:
        return
    mine = claims.identity(row, question.at_ns)
    decision.against = tuple(other for other in rivals if claims.identity(other, question.at_ns) not in ("", mine))
    weight = claims.strength(row)
    if decision.result != "unknown" and any(claims.strength(other) >= weight for other in decision.against):
        decision.result, decision.enterprise, decision.site, decision.overruled = "conflict", None, None, True
    elif decision.result == "named" and decision.site is not None:
        sites = [claims.site(claims.holder(other)) for other in rivals if other not in decision.against]
        if any(site is not None and site != decision.site for site in sites):
            decision.site, decision.sites_differ = None, True
