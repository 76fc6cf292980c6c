"""The moments at which the answer to a question may change: where rows and accounts begin and end.

Between two of them the same rows hold, so one question answers for all the time. It reads the index and decides
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from sensor.attribution.answer.claims import Claims
from sensor.attribution.answer.decision import MOST_TRANSLATIONS, Question
from sensor.attribution.index.ranges import number


def borders(claims: Claims, question: Question, from_ns: int, to_ns: int) -> list[int]:
    """The moments after `from_ns` and before `to_ns` at which another answer may begin, in order; the time of the
    question itself does not matter."""
    return sorted({at_ns for at_ns in _all_borders(claims, question, 0) if from_ns < at_ns < to_ns})


def _all_borders(claims: Claims, question: Question, depth: int) -> set[int]:
    index = claims.index
    points = question.points | (question.anywhere or frozenset())
    found: set[int] = set()
    ported: list[tuple[int, int]] = []
    for row in index.rows_of(question.version, question.value):
        if index.point[row] not in points:
            continue
        span = index.from_ns[row], index.until_ns[row]
        if not index.port_first[row] <= question.port <= index.port_last[row]:
            ported.append(span)
            continue
        found.update(span)
        holder = claims.holder(row)
        if holder.subscriber:
            for customer in claims.books.customers.get(holder.subscriber, ()):
                found.update((customer.from_ns, customer.until_ns))
        inside = _inside(claims, question, row)
        if inside is not None and depth < MOST_TRANSLATIONS:
            behind = index.at(holder.inner_vrf, (), None)
            found |= _all_borders(claims, Question(*inside, -1, 0, behind, vlan_seen=False), depth + 1)
    for span in _covered(ported):  # leases of other ports: all that matters is whether there is one
        found.update(span)
    return found


def _inside(claims: Claims, question: Question, row: int) -> tuple[int, int] | None:
    """Version and number of the address behind the translator of a row; None where there is none, or none for the
    port."""
    holder = claims.holder(row)
    if holder.inner:
        return number(holder.inner)
    if holder.translation < 0 or question.port < 0:
        return None
    value = claims.books.translations[holder.translation].inside(question.value, question.port)
    return None if value is None else (4, value)


def _covered(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with those joined that touch or overlap."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
