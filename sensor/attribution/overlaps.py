"""Rows of books that cannot both be right.

Ranges of different holders that are equal or cross, at one time, through the same ports.

A range inside another is no mistake: that is how blocks are handed on. Both rows of a pair are kept, since to drop one
would name the other's holder with confidence; the answer there is "conflict". It reads what is loaded and changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sensor.attribution.answer.attributor import Attributor
from sensor.attribution.answer.claims import scope
from sensor.attribution.books.book import HOLDERS

#: Rows of one address that are compared with each other.
MOST_RIVALS = 256


class Overlap(NamedTuple):
    """A row, and what is wrong with it."""

    book: int
    line: int
    text: str


def overlaps(attribution: Attributor) -> Iterator[Overlap]:
    """Every pair once, reported at the later of its two lines."""
    index, claims, books = attribution.index, attribution.claims, attribution.books.books
    reported: set[tuple[int, int]] = set()
    for row in range(len(index)):
        book = books[index.book[row]]
        if book.rank != HOLDERS or book.kind == "leases":
            continue
        version, first, _ = index.span(row)
        for other in index.covering(version, first)[:MOST_RIVALS]:
            pair = (min(row, other), max(row, other))
            if other == row or pair in reported or not _collide(attribution, row, other):
                continue
            reported.add(pair)
            late, early = sorted(pair, key=lambda member: (index.book[member], index.line[member]), reverse=True)
            rival = claims.claim(early)
            whom = rival.enterprise.name if rival.enterprise else "another use"
            text = f"{scope(claims.claim(late))} overlaps {scope(rival)} of {whom} ({rival.place}) at the same time"
            yield Overlap(index.book[late], index.line[late], text)


def _collide(attribution: Attributor, row: int, other: int) -> bool:
    """Whether two rows speak of one address at one time, neither inside the other, and name different holders."""
    index, claims = attribution.index, attribution.claims
    if attribution.books.books[index.book[other]].rank != HOLDERS:
        return False
    if max(index.from_ns[row], index.from_ns[other]) >= min(index.until_ns[row], index.until_ns[other]):
        return False
    if max(index.port_first[row], index.port_first[other]) > min(index.port_last[row], index.port_last[other]):
        return False
    points = index.points[index.point[row]], index.points[index.point[other]]
    if not (points[0].holds(points[1]) or points[1].holds(points[0])):
        return False
    if claims.inside(row, other) or claims.inside(other, row):
        return False
    names = {claims.identity(member, index.from_ns[member]) for member in (row, other)}
    return len(names - {""}) > 1
