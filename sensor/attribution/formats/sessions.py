"""Leases as intervals: who had an address, or some ports of it, from when until when.

Logs repeat, overlap and lose endings. Renewals of one holder become one interval; a new holder ends the one before; what has no end at
all ends a bounded time after it was last heard of, since naming last month's subscriber would accuse a stranger. Knows no log format.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import Holder
from sensor.attribution.index.ranges import Span
from sensor.attribution.index.rows import ANY_PORT_FIRST, ANY_PORT_LAST, Row

ALL_PORTS = (ANY_PORT_FIRST, ANY_PORT_LAST)


class Session(NamedTuple):
    """One holder of an address, or of ports of it; `until_ns` is None where no end was logged."""

    line: int
    span: Span
    ports: tuple[int, int]
    holder: Holder
    from_ns: int
    until_ns: int | None
    heard_ns: int  # when the log last spoke of it


def settle(book: Book, sessions: Iterable[Session], open_ns: int) -> None:
    """Give the book a row for each interval; `open_ns` is how long after its last word a session without an end is believed."""
    groups: dict[tuple[Span, tuple[int, int]], list[Session]] = {}
    for session in sessions:
        groups.setdefault((session.span, session.ports), []).append(session)
    for (span, ports), group in groups.items():
        group.sort(key=lambda one: (one.from_ns, one.line))
        for one, from_ns, until_ns in _apart(group, open_ns):
            number = book.books.holder(one.holder)
            book.add(Row(*span, number, one.line, from_ns, until_ns, *ports, book.point()))


def _apart(group: list[Session], open_ns: int) -> list[tuple[Session, int, int]]:
    """The intervals of one address: joined where the holder is the same, cut where the next one begins."""
    found: list[tuple[Session, int, int]] = []
    for session in group:
        until_ns = session.heard_ns + open_ns if session.until_ns is None else session.until_ns
        if found:
            before, from_ns, ends_ns = found[-1]
            if before.holder == session.holder and session.from_ns <= ends_ns:
                found[-1] = (before, from_ns, max(ends_ns, until_ns))
                continue
            if session.from_ns < ends_ns:
                found[-1] = (before, from_ns, session.from_ns)
        found.append((session, session.from_ns, until_ns))
    return [one for one in found if one[1] < one[2]]
