"""How much of the operator's own prefixes the books cover, and what lies outside of them.

Only rows of books that know holders count, those that hold at the asked time. Leases come and go and do not count. It
reads what is loaded and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensor.attribution.answer.attributor import Attributor
from sensor.attribution.books.book import HOLDERS
from sensor.attribution.index.ranges import AddressRange, prefix, range_text

#: Stretches without a holder that are named of each prefix.
MOST_GAPS = 8


class PrefixCover(NamedTuple):
    """One prefix of the operator's: its addresses, how many of them are in a row, and the first stretches that are
    not."""

    prefix: str
    addresses: int
    covered: int
    gaps: tuple[str, ...]
    more_gaps: int


class OwnPrefixes(NamedTuple):
    """The cover of every prefix, and the rows that lie outside of all of them, as (book, line, range)."""

    covers: tuple[PrefixCover, ...]
    outside: tuple[tuple[int, int, str], ...]


def cover_of(attribution: Attributor, prefixes: Sequence[str], at_ns: int) -> OwnPrefixes:
    """How the rows that hold at `at_ns` cover these prefixes. ValueError for what is no prefix."""
    own = [prefix(text) for text in prefixes]
    rows = list(_rows(attribution, at_ns))
    spans = _merged(span for _, _, span in rows)
    outside = tuple(
        (book, line, range_text(*span))
        for book, line, span in rows
        if not any(_overlap(span, network) for network in own)
    )
    return OwnPrefixes(tuple(_cover(network, spans) for network in own), outside if own else ())


def _rows(attribution: Attributor, at_ns: int) -> Iterable[tuple[int, int, AddressRange]]:
    index = attribution.index
    for row in range(len(index)):
        book = attribution.books.books[index.book[row]]
        if book.rank == HOLDERS and book.kind != "leases" and index.from_ns[row] <= at_ns < index.until_ns[row]:
            yield book.number, int(index.line[row]), AddressRange(*index.span(row))


def _merged(spans: Iterable[AddressRange]) -> list[AddressRange]:
    """The same addresses as ranges that neither touch nor cross, in order."""
    merged: list[AddressRange] = []
    for span in sorted(set(spans)):
        before = merged[-1] if merged else None
        if before is not None and before.version == span.version and span.first <= before.last + 1:
            merged[-1] = AddressRange(span.version, before.first, max(before.last, span.last))
        else:
            merged.append(span)
    return merged


def _overlap(one_span: AddressRange, other: AddressRange) -> bool:
    return one_span.version == other.version and one_span.first <= other.last and other.first <= one_span.last


def _cover(network: AddressRange, spans: list[AddressRange]) -> PrefixCover:
    at, covered, gaps = network.first, 0, []
    for span in spans:
        if not _overlap(span, network):
            continue
        first, last = max(span.first, network.first), min(span.last, network.last)
        if first > at:
            gaps.append(range_text(network.version, at, first - 1))
        covered += last - first + 1
        at = last + 1
    if at <= network.last:
        gaps.append(range_text(network.version, at, network.last))
    total = network.last - network.first + 1
    return PrefixCover(range_text(*network), total, covered, tuple(gaps[:MOST_GAPS]), max(0, len(gaps) - MOST_GAPS))
