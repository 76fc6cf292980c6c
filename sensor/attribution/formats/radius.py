"""RADIUS accounting as FreeRADIUS and its relatives keep it in detail files (RFC 2866): account, address, ports, from Start to Stop.

Ports come from the attributes of RFC 8045 or of Nokia's NAT. It knows one record after another, and no customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import Holder
from sensor.attribution.formats.sessions import ALL_PORTS, Session
from sensor.attribution.index.ranges import Span, between, prefix
from sensor.sheets.dates import NS, moment_ns
from sensor.sheets.text import short

_ATTRIBUTE = re.compile(r"\s+([A-Za-z0-9_.-]+)(?::\d+)?\s*[:+]?=\s*(.*)")
_NOKIA = re.compile(r"(\d+\.\d+\.\d+\.\d+)\s+(\d+)-(\d+)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_CTIME = re.compile(
    r"(?:[A-Z][a-z]{2},?\s+)?([A-Z][a-z]{2})\s+(\d{1,2})\s+(?:(\d{4})\s+)?(\d{2}):(\d{2}):(\d{2})(?:\s+[A-Z]{2,4})?(?:\s+(\d{4}))?(?:\s+[A-Z]{2,4})?"
)
#: Attributes of one record; more is no record.
MOST_ATTRIBUTES = 512
_ADDRESSES = ("Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix")


class Record(dict[str, str]):
    """The attributes of one request, and the line it begins at."""

    line = 0
    head = ""


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of a detail file: a line of time, then indented attributes."""
    record = Record()
    for number, text in enumerate(lines, 1):
        found = _ATTRIBUTE.fullmatch(text.rstrip("\n\r"))
        if found and len(record) < MOST_ATTRIBUTES:
            record.setdefault(found[1], found[2].strip().strip('"'))
            record.line = record.line or number
        elif not found:
            if record:
                yield record
                record = Record()
            if text.strip():
                record.line, record.head = number, text.strip()
    if record:
        yield record


def sessions(lines: Iterable[str], book: Book) -> Iterator[Session]:
    """Every session of the file; records that cannot be used are refused by line."""
    open_: dict[tuple[str, str], list[Session]] = {}
    for record in records(lines):
        kind = record.get("Acct-Status-Type", "")
        if kind in ("Accounting-On", "Accounting-Off", "7", "8"):
            continue
        try:
            at_ns = _time(record, book.utc_offset_s)
            found = _sessions(record, at_ns)
        except ValueError as error:
            book.refuse(record.line, str(error))
            continue
        key = (record.get("NAS-IP-Address") or record.get("NAS-Identifier", ""), record.get("Acct-Session-Id", ""))
        before = open_.pop(key, [])
        length_ns = (
            int(record.get("Acct-Session-Time", "0") or 0) * NS if record.get("Acct-Session-Time", "0").isdigit() else 0
        )
        if kind in ("Stop", "2"):
            begun = before or [one._replace(from_ns=at_ns - length_ns) for one in found]
            yield from (one._replace(until_ns=max(at_ns, one.from_ns + NS), heard_ns=at_ns) for one in begun)
        elif before and [(one.span, one.ports) for one in before] == [(one.span, one.ports) for one in found]:
            open_[key] = [one._replace(heard_ns=at_ns) for one in before]
        else:
            yield from (one._replace(until_ns=at_ns) for one in before if one.from_ns < at_ns)
            began_ns = at_ns - length_ns if not before else at_ns
            open_[key] = [one._replace(from_ns=began_ns) for one in found]
    for left in open_.values():
        yield from left


def _sessions(record: Record, at_ns: int) -> list[Session]:
    user = record.get("User-Name", "")
    if not user:
        raise ValueError("the record has no User-Name")
    holder = Holder(subscriber=user)
    found = [Session(record.line, span, ALL_PORTS, holder, at_ns, None, at_ns) for span in _spans(record)]
    outside = _ports(record)
    if outside is not None:
        found.append(Session(record.line, *outside, holder, at_ns, None, at_ns))
    if not found:
        raise ValueError(f"the record of {short(user)} has no address")
    return found


def _spans(record: Record) -> Iterator[Span]:
    for name in _ADDRESSES:
        text = record.get(name)
        if text:
            try:
                yield prefix(text)
            except ValueError as error:
                raise ValueError(f"{name} {short(text)}: {error}") from None


def _ports(record: Record) -> tuple[Span, tuple[int, int]] | None:
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


def _time(record: Record, utc_offset_s: int) -> int:
    """When the event was: as the NAS says it, else when the server got it less the delay, else the line above the record."""
    for name in ("Event-Timestamp", "Timestamp"):
        text = record.get(name, "")
        if text.isdigit():
            delay = record.get("Acct-Delay-Time", "0") if name == "Timestamp" else "0"
            return (int(text) - (int(delay) if delay.isdigit() else 0)) * NS
        if text:
            return written(text, utc_offset_s)
    return written(record.head, utc_offset_s)


def written(text: str, utc_offset_s: int, year: int | None = None) -> int:
    """`Mon Mar  2 08:00:00 2026`, `Mar  2 2026 08:00:00 CST`, `Mar  2 08:00:00` with a year from elsewhere, or any date of books."""
    found = _CTIME.fullmatch(text.strip())
    if found is None or found[1] not in _MONTHS:
        return moment_ns(text, utc_offset_s)[0]
    stated = found[3] or found[7] or year
    if stated is None:
        raise ValueError("the time has no year")
    try:
        moment = datetime(
            int(stated), _MONTHS[found[1]], int(found[2]), int(found[4]), int(found[5]), int(found[6]), tzinfo=UTC
        )
    except ValueError as error:
        raise ValueError(f"the time {short(text)} is none: {error}") from None
    return (int(moment.timestamp()) - utc_offset_s) * NS
