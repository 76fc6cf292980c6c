"""RADIUS accounting as FreeRADIUS and its relatives keep it in detail files (RFC 2866).

Account, address, ports, from Start to Stop.

Ports come from the attributes of RFC 8045 or of Nokia's NAT. It knows one record after another, and no customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.formats.lease import ALL_PORTS, Lease
from sensor.attribution.index.ranges import AddressRange, between, prefix
from sensor.model.time import SECOND_NS
from sensor.sheets.dates import log_moment_ns
from sensor.sheets.text import short

_ATTRIBUTE = re.compile(r"\s+([A-Za-z0-9_.-]+)(?::\d+)?\s*[:+]?=\s*(.*)")
_NOKIA = re.compile(r"(\d+\.\d+\.\d+\.\d+)\s+(\d+)-(\d+)")
#: Attributes of one record; more is no record.
MOST_ATTRIBUTES = 512
_ADDRESSES = ("Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix")


class AccountingRecord(dict[str, str]):
    """The attributes of one request, and the line it begins at."""

    line = 0
    head = ""


def records(lines: Iterable[str]) -> Iterator[AccountingRecord]:
    """The records of a detail file: a line of time, then indented attributes."""
    record = AccountingRecord()
    for number, text in enumerate(lines, 1):
        found = _ATTRIBUTE.fullmatch(text.rstrip("\n\r"))
        if found and len(record) < MOST_ATTRIBUTES:
            record.setdefault(found[1], found[2].strip().strip('"'))
            record.line = record.line or number
        elif not found:
            if record:
                yield record
                record = AccountingRecord()
            if text.strip():
                record.line, record.head = number, text.strip()
    if record:
        yield record


def sessions(lines: Iterable[str], book: Book) -> Iterator[Lease]:
    """Every session of the file; records that cannot be used are refused by line."""
    open_: dict[tuple[str, str], list[Lease]] = {}
    for record in records(lines):
        kind = record.get("Acct-Status-Type", "")
        if kind in ("Accounting-On", "Accounting-Off", "7", "8"):
            continue
        try:
            at_ns = _time(record, book.utc_offset_s)
            leases = _sessions(record, at_ns)
        except ValueError as error:
            book.refuse(record.line, str(error))
            continue
        key = (record.get("NAS-IP-Address") or record.get("NAS-Identifier", ""), record.get("Acct-Session-Id", ""))
        before = open_.pop(key, [])
        length_ns = (
            int(record.get("Acct-Session-Time", "0") or 0) * SECOND_NS
            if record.get("Acct-Session-Time", "0").isdigit()
            else 0
        )
        if kind in ("Stop", "2"):
            begun = before or [lease._replace(from_ns=at_ns - length_ns) for lease in leases]
            yield from (
                lease._replace(until_ns=max(at_ns, lease.from_ns + SECOND_NS), heard_ns=at_ns) for lease in begun
            )
        elif before and [(lease.span, lease.ports) for lease in before] == [
            (lease.span, lease.ports) for lease in leases
        ]:
            open_[key] = [lease._replace(heard_ns=at_ns) for lease in before]
        else:
            yield from (lease._replace(until_ns=at_ns) for lease in before if lease.from_ns < at_ns)
            began_ns = at_ns - length_ns if not before else at_ns
            open_[key] = [lease._replace(from_ns=began_ns) for lease in leases]
    for left in open_.values():
        yield from left


def _sessions(record: AccountingRecord, at_ns: int) -> list[Lease]:
    user = record.get("User-Name", "")
    if not user:
        raise ValueError("the record has no User-Name")
    holder = RowHolder(subscriber=user)
    found = [Lease(record.line, span, ALL_PORTS, holder, at_ns, None, at_ns) for span in _spans(record)]
    outside = _ports(record)
    if outside is not None:
        found.append(Lease(record.line, *outside, holder, at_ns, None, at_ns))
    if not found:
        raise ValueError(f"the record of {short(user)} has no address")
    return found


def _spans(record: AccountingRecord) -> Iterator[AddressRange]:
    for name in _ADDRESSES:
        text = record.get(name)
        if text:
            try:
                yield prefix(text)
            except ValueError as error:
                raise ValueError(f"{name} {short(text)}: {error}") from None


def _ports(record: AccountingRecord) -> tuple[AddressRange, tuple[int, int]] | None:
    """The outside address and ports of a subscriber behind a translator."""
    nokia = _NOKIA.search(record.get("Alc-Nat-Port-Range", ""))
    if nokia:
        return between(nokia[1], ""), _range(nokia[2], nokia[3])
    address = record.get("IP-Port-Ext-IPv4-Addr")
    if not address:
        return None
    return between(address, ""), _range(record.get("IP-Port-Range-Start", ""), record.get("IP-Port-Range-End", ""))


def _range(low: str, high: str) -> tuple[int, int]:
    if not (low.isdigit() and high.isdigit() and int(low) <= int(high) <= 65_535):
        raise ValueError(f"the ports {short(low)}-{short(high)} are no range of ports")
    return int(low), int(high)


def _time(record: AccountingRecord, utc_offset_s: int) -> int:
    """When the event was.

    As the NAS says it, else when the server got it less the delay, else the line above the record.
    """
    for name in ("Event-Timestamp", "Timestamp"):
        text = record.get(name, "")
        if text.isdigit():
            delay = record.get("Acct-Delay-Time", "0") if name == "Timestamp" else "0"
            return (int(text) - (int(delay) if delay.isdigit() else 0)) * SECOND_NS
        if text:
            return log_moment_ns(text, utc_offset_s)
    return log_moment_ns(record.head, utc_offset_s)
