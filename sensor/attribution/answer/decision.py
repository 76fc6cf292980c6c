"""From the rows that hold to one decision: who it was, or that it cannot be said.

An accusation of the wrong enterprise is the worst failure, so a name is given only where nothing of equal weight speaks against it.
Whoever shares an address with others is not named before a lease tells them apart, and a holder of a wider range is not named for
somebody inside it who is unknown. Pure, and without words: those are made of a decision once it is to be shown.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sensor.attribution.answer.claims import Claims
from sensor.attribution.books.holder import Customer, Holder
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
    """What is decided, and by which rows. Defaults stand on the class: one of these is made for each question."""

    result: Result = "unknown"
    enterprise: Enterprise | None = None
    site: Site | None = None
    deciding: int = -1
    by_ports: bool = False  # the address has users by port, and this question tells none apart
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
    made = Decision(rows)
    holders = rows if not rows or index.rank[rows[-1]] < index.holders else [row for row in rows if index.holds(row)]
    whole = ported and (not holders or index.port_first[holders[0]] == ANY_PORT_FIRST)
    if whole and next(index.narrowed(question, holders), None) is not None:
        made.result, made.by_ports = "shared", True
        return made
    known = claims.known
    for row in holders:
        holder = known[index.holder[row]]
        if holder.inner or holder.translation >= 0:
            _translated(claims, question, holder, made, depth)
        elif holder.subscriber:
            made.customer = claims.customer(holder.subscriber, question.at_ns)
            if made.customer is not None:
                _name(claims, made.customer.holder, made)
        elif holder.shared:
            made.result = "shared"
        elif holder.enterprise >= 0:
            _name(claims, holder, made)
        else:
            continue  # a machine, or a row without a holder: whoever holds the range around it
        made.deciding = row
        if len(holders) > 1:
            _weigh(claims, question, holders, made)
        if made.result == "named" and question.anywhere is not None and question.anywhere != question.points:
            _look_elsewhere(claims, question, question.anywhere, made)
        break
    return made


def _look_elsewhere(claims: Claims, question: Question, anywhere: frozenset[int], made: Decision) -> None:
    """Take a name back where a narrower row fits in all but the VLAN or the interface: the wider holder is not its user then."""
    index = claims.index
    for row in index.match(question.version, question.value, question.port, question.at_ns, anywhere):
        if index.point[row] not in question.points and index.holds(row) and claims.narrower(row, made.deciding):
            made.result, made.enterprise, made.site, made.elsewhere = "conflict", None, None, row
            return


def _name(claims: Claims, holder: Holder, made: Decision) -> None:
    made.result, made.enterprise = "named", claims.enterprises[holder.enterprise]
    if holder.site >= 0:
        made.site = claims.sites[holder.site]


def _translated(claims: Claims, question: Question, holder: Holder, made: Decision, depth: int) -> None:
    """An address in front of a translator: ask for the one behind it."""
    made.result = "shared"
    if holder.translation < 0:
        made.inside = number(holder.inner)
    elif question.port >= 0:
        value = claims.books.translations[holder.translation].inside(question.value, question.port)
        made.inside = None if value is None else (4, value)
    if made.inside is None or depth >= MOST_TRANSLATIONS:
        return
    points = claims.index.at(holder.inner_vrf, (), None)
    made.inner = decide(claims, Question(*made.inside, -1, question.at_ns, points, vlan_seen=False), depth + 1)
    made.result, made.enterprise, made.site = made.inner.result, made.inner.enterprise, made.inner.site


def _weigh(claims: Claims, question: Question, holders: list[int], made: Decision) -> None:
    """Take a name back where a claim of the same width and no less weight names somebody else, or other premises."""
    row, index = made.deciding, claims.index
    same = index.holder[row]
    rivals = [
        other for other in holders if other != row and index.holder[other] != same and not claims.inside(row, other)
    ]
    if not rivals:
        return
    mine = claims.identity(row, question.at_ns)
    made.against = tuple(other for other in rivals if claims.identity(other, question.at_ns) not in ("", mine))
    weight = claims.believed(row)
    if made.result != "unknown" and any(claims.believed(other) >= weight for other in made.against):
        made.result, made.enterprise, made.site, made.overruled = "conflict", None, None, True
    elif made.result == "named" and made.site is not None:
        sites = [claims.site(claims.holder(other)) for other in rivals if other not in made.against]
        if any(site is not None and site != made.site for site in sites):
            made.site, made.sites_differ = None, True
