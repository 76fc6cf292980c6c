"""DHCP leases as Kea (memfile CSV) and ISC dhcpd (dhcpd.leases(5)) keep them: address, machine, from when until when.

All times are UTC.

A lease names a network card or a host, which is no holder; where a customer book lists cards or circuits, it may be
read as an account.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.formats.lease import ALL_PORTS, Lease
from sensor.attribution.index.ranges import AddressRange, between, prefix
from sensor.model.time import SECOND_NS
from sensor.sheets.dates import FOREVER, moment_ns
from sensor.sheets.text import short

#: State of a Kea lease that is somebody's (Kea ARM, "memfile"): 0 default; 1 declined, 2 reclaimed, 3 released are not.
_ASSIGNED = ("0", "")
_STATEMENT = re.compile(
    r"\s*(starts|ends|hardware ethernet|client-hostname|uid|binding state|option agent\.(?:circuit|remote)-id)"
    r"\s+(.*?);\s*"
)
_LEASE = re.compile(r"\s*lease\s+(\S+)\s*\{\s*")
_MOST_STATEMENTS = 64


def kea(lines: Iterable[str], book: Book, accounts: bool) -> Iterator[Lease]:
    """Leases of a Kea file, of version 4 or 6."""
    reader = csv.DictReader(lines)
    try:
        names = reader.fieldnames or ()
    except csv.Error:
        names = ()
    if "address" not in names or "expire" not in names:
        raise ValueError("is no lease file of Kea: the first line must name `address` and `expire`")
    while True:
        try:
            lease = _kea(next(reader), reader.line_num, accounts)
        except StopIteration:
            return
        except (ValueError, TypeError, csv.Error) as error:
            book.refuse(reader.reader.line_num, str(error))
            continue
        if lease is not None:
            yield lease


def _kea(row: dict[str, str], line: int, accounts: bool) -> Lease | None:
    lifetime, expire = row.get("valid_lifetime") or "", row.get("expire") or ""
    if not (lifetime.isdigit() and expire.isdigit()):
        raise ValueError(f"the lease of {short(str(row.get('address')))} has no time")
    if lifetime == "0" or (row.get("state") or "") not in _ASSIGNED:
        return None  # given back, or never in use: whoever had it before had it until then
    text = str(row.get("address"))
    length = row.get("prefix_len") or ""
    span = prefix(f"{text}/{length}") if row.get("lease_type") in ("2", "IA_PD") and length else between(text, "")
    until_ns = FOREVER if int(lifetime) == 0xFFFFFFFF else int(expire) * SECOND_NS
    begin = int(expire) - int(lifetime)
    machine = row.get("hwaddr") or row.get("duid") or row.get("client_id") or ""
    return _session(line, span, (begin * SECOND_NS, until_ns), (machine, row.get("hostname") or ""), accounts)


def _session(line: int, span: AddressRange, when: tuple[int, int], named: tuple[str, str], accounts: bool) -> Lease:
    machine, host = named
    if not machine and not host:
        raise ValueError("the lease names no machine")
    holder = (
        RowHolder(subscriber=machine)
        if accounts and machine
        else RowHolder(machine=" ".join(filter(None, (machine, host))))
    )
    return Lease(line, span, ALL_PORTS, holder, when[0], when[1], when[0])


def isc(lines: Iterable[str], book: Book, accounts: bool) -> Iterator[Lease]:
    """Leases of a dhcpd.leases file; of each address there may be many, the newest last."""
    statements: dict[str, str] = {}
    address, begin = "", 0
    for number, text in enumerate(lines, 1):
        opened = _LEASE.fullmatch(text.rstrip("\n"))
        if opened:
            address, begin, statements = opened[1], number, {}
        elif address and text.strip() == "}":
            try:
                yield from _isc(begin, address, statements, accounts)
            except ValueError as error:
                book.refuse(begin, f"the lease of {short(address)}: {error}")
            address = ""
        elif address and len(statements) < _MOST_STATEMENTS:
            found = _STATEMENT.fullmatch(text.rstrip("\n"))
            if found:
                statements[found[1]] = found[2].strip().strip('"')


def _isc(line: int, address: str, statements: dict[str, str], accounts: bool) -> Iterator[Lease]:
    if statements.get("binding state") in ("abandoned", "backup", "reset"):
        return
    if "starts" not in statements:
        raise ValueError("has no beginning")
    begin = _isc_time(statements["starts"])
    end = FOREVER if statements.get("ends", "never") == "never" else _isc_time(statements["ends"])
    machine = statements.get("hardware ethernet", "") or statements.get("uid", "")
    if accounts:
        machine = statements.get("option agent.remote-id") or statements.get("option agent.circuit-id") or machine
    if not machine and statements.get("binding state") == "free":
        return
    yield _session(line, between(address, ""), (begin, end), (machine, statements.get("client-hostname", "")), accounts)


def _isc_time(text: str) -> int:
    """`4 2026/03/05 08:00:00` (the weekday first) or `epoch 1772697600`."""
    first, _, rest = text.partition(" ")
    if first == "epoch":
        seconds = rest.partition(";")[0].split()
        return int(seconds[0] if seconds else "") * SECOND_NS
    return moment_ns(rest, 0)[0]
