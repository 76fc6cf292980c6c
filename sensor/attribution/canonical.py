"""Books in one form: a CSV with the field names as headings, in UTF-8, times in UTC, persons' numbers masked.

What is imported once is read back faster, and gives the same answers. It writes rows that were taken, and no others.
"""

from __future__ import annotations

import csv
import heapq
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sensor.attribution.answer.attributor import Attributor
from sensor.attribution.answer.claims import Claims
from sensor.attribution.books.holder import Customer, RowHolder
from sensor.attribution.index.ranges import address_text
from sensor.attribution.index.rows import ANY_PORT_FIRST
from sensor.model.time import SECOND_NS
from sensor.sheets.dates import ALWAYS, FOREVER, instant_text, utc_text

FIELDS = (
    "first", "last", "organisation", "certificate_type", "certificate", "nature", "industry", "division", "address",
    "use", "service",
    "subscribers", "valid_from", "valid_until", "vrf", "vlan", "interface", "port_first", "port_last", "subscriber",
    "gateway", "contact",
)  # fmt: skip


def write(attribution: Attributor, path: Path) -> int:
    """Write all rows that name a holder, in the place of what was there; how many.

    OSError where the place cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    count = 0
    try:
        with draft.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened, lineterminator="\n")
            writer.writerow(FIELDS)
            for row in _rows(attribution):
                writer.writerow([row.get(name, "") for name in FIELDS])
                count += 1
            opened.flush()
            os.fsync(opened.fileno())
        dates = [book.as_of_ns for book in attribution.books.books if book.as_of_ns is not None]
        if dates:  # the copy is of when the books are, not of today
            os.utime(draft, ns=(max(dates), max(dates)))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def first_rows(attribution: Attributor, book: int, most: int) -> list[tuple[int, dict[str, str]]]:
    """The first rows that were taken of a book, as (line, fields by name); persons have no name in them,
    and dates are local ones of the book."""
    index, claims = attribution.index, attribution.claims
    rows = heapq.nsmallest(
        most, (row for row in range(len(index)) if index.book[row] == book), key=lambda row: (index.line[row], row)
    )
    offset = attribution.books.books[book].utc_offset_s
    shown = []
    for row in rows:
        fields = _unnamed(_row(attribution, row), claims, claims.holder(row))
        for name, at_ns in (("valid_from", index.from_ns[row]), ("valid_until", index.until_ns[row] - SECOND_NS)):
            if name in fields:
                fields[name] = instant_text(at_ns, offset)
        shown.append((int(index.line[row]), fields))
    return shown


def _unnamed(fields: dict[str, str], claims: Claims, holder: RowHolder) -> dict[str, str]:
    if holder.enterprise >= 0 and claims.books.register.filing(holder.enterprise).category == "individual":
        fields |= {"organisation": "(a person)", "certificate": "", "contact": "", "address": ""}
    return {name: text for name, text in fields.items() if text}


def rows_of(path: Path) -> int:
    """How many rows a book of this form has, as far as it can be read; 0 if there is none."""
    if not path.exists():
        return 0
    with path.open(encoding="utf-8", errors="replace", newline="") as opened:
        rows = 0
        with suppress(csv.Error):
            for _ in csv.reader(opened):
                rows += 1
        return max(0, rows - 1)


def _rows(attribution: Attributor) -> Iterator[dict[str, str]]:
    index, claims = attribution.index, attribution.claims
    with_address = set()
    order = sorted(range(len(index)), key=lambda row: (index.book[row], index.line[row]))
    for row in order:
        with_address.add(attribution.books.books[index.book[row]].place(index.line[row]))
        yield _row(attribution, row)
    for subscriber, customers in attribution.books.customers.items():
        for customer in customers:
            if customer.place not in with_address:
                yield _customer(claims, subscriber, customer)


def _row(attribution: Attributor, row: int) -> dict[str, str]:
    index, claims = attribution.index, attribution.claims
    version, first, last = index.span(row)
    point = index.points[index.point[row]]
    fields = _holder(claims, claims.holder(row), (index.from_ns[row], index.until_ns[row]))
    fields |= {"first": address_text(version, first), "last": address_text(version, last), "vrf": point.vrf}
    fields |= {"vlan": "" if point.vlan is None else str(point.vlan), "interface": point.interface or ""}
    if index.port_first[row] != ANY_PORT_FIRST:
        fields |= {"port_first": str(index.port_first[row]), "port_last": str(index.port_last[row])}
    return fields


def _customer(claims: Claims, subscriber: str, customer: Customer) -> dict[str, str]:
    return {**_holder(claims, customer.holder, (customer.from_ns, customer.until_ns)), "subscriber": subscriber}


def _holder(claims: Claims, holder: RowHolder, when: tuple[int, int]) -> dict[str, str]:
    filing = claims.books.register.filing(holder.enterprise) if holder.enterprise >= 0 else None
    site = claims.site(holder)
    fields = dict(holder.detail)
    if filing is not None:
        personal = filing.category == "individual"
        fields |= {"organisation": filing.name, "nature": filing.category or "", "industry": filing.industry or ""}
        fields |= {
            "certificate_type": "identity-card" if personal else "",
            "certificate": filing.uscc or fields.get("certificate", "") if personal or filing.uscc else "",
        }
    if site is not None:
        fields |= {"address": site.address or "", "division": site.division or ""}
    if holder.shared > 0:
        fields["subscribers"] = str(holder.shared)
    fields["valid_from"] = "" if when[0] == ALWAYS else utc_text(when[0])
    fields["valid_until"] = "" if when[1] == FOREVER else utc_text(when[1] - SECOND_NS)
    return fields
