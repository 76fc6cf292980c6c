"""Leases as intervals: who had an address, or some ports of it, from when until when.

Logs repeat, overlap and lose endings. Renewals of one holder become one interval; a new holder ends the one before;
what has no end at all ends a bounded time after it was last heard of, since naming last month's subscriber would accuse
a stranger. Knows no log format.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.index.ranges import AddressRange
from sensor.attribution.index.rows import ANY_PORT_FIRST, ANY_PORT_LAST, Allocation

ALL_PORTS = (ANY_PORT_FIRST, ANY_PORT_LAST)


class Lease(NamedTuple):
    """One holder of an address, or of ports of it; `until_ns` is None where no end was logged."""

    line: int
    span: AddressRange
    ports: tuple[int, int]
    holder: RowHolder
    from_ns: int
    until_ns: int | None
    heard_ns: int  # when the log last spoke of it


def settle(book: Book, leases: Iterable[Lease], open_ns: int) -> None:
    """Give the book a row for each interval; a lease without an end ends `open_ns` after it was last heard of."""
    groups: dict[tuple[AddressRange, tuple[int, int]], list[Lease]] = {}
    for lease in leases:
        groups.setdefault((lease.span, lease.ports), []).append(lease)
    for (span, ports), group in groups.items():
        group.sort(key=lambda lease: (lease.from_ns, lease.line))
        for lease, from_ns, until_ns in _apart(group, open_ns):
            number = book.books.holder(lease.holder)
            book.add(Allocation(*span, number, lease.line, from_ns, until_ns, *ports, book.point()))


def _apart(group: list[Lease], open_ns: int) -> list[tuple[Lease, int, int]]:
    """The intervals of one address: joined where the holder is the same, cut where the next one begins."""
    found: list[tuple[Lease, int, int]] = []
    for lease in group:
        until_ns = lease.heard_ns + open_ns if lease.until_ns is None else lease.until_ns
        if found:
            before, from_ns, ends_ns = found[-1]
            if before.holder == lease.holder and lease.from_ns <= ends_ns:
                found[-1] = (before, from_ns, max(ends_ns, until_ns))
                continue
            if lease.from_ns < ends_ns:
                found[-1] = (before, from_ns, lease.from_ns)
        found.append((lease, lease.from_ns, until_ns))
    return [interval for interval in found if interval[1] < interval[2]]
