"""Logs of address translators: which inside address had which ports of an outside address, from when until when.

As CSV (an interval a row) or as syslog (an allocation and a release), by the pattern of Juniper's port blocks or by
patterns of one's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sensor.attribution.books.book import Book
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.formats.lease import ALL_PORTS, Lease
from sensor.attribution.index.ranges import AddressRange, between, number
from sensor.sheets.dates import end_ns, first_ns, log_moment_ns
from sensor.sheets.sheet import SheetRow
from sensor.sheets.text import heading_of, plain, short

#: Headings of the CSV; `first_port` alone is one port.
HEADINGS = {
    "outside": (
        "outside",
        "outside_address",
        "public_ip",
        "nat_ip",
        "translated_address",
        "公网IP",
        "公网地址",
        "转换后地址",
    ),
    "first_port": (
        "first_port",
        "port_start",
        "start_port",
        "outside_port",
        "nat_port",
        "public_port",
        "起始端口",
        "公网端口",
    ),
    "last_port": ("last_port", "port_end", "end_port", "终止端口", "结束端口"),
    "inside": (
        "inside",
        "inside_address",
        "private_ip",
        "subscriber_ip",
        "source_address",
        "私网IP",
        "私网地址",
        "源地址",
    ),
    "subscriber": ("subscriber", "user_name", "username", "account", "用户账号", "账号"),
    "begin": ("begin", "start", "start_time", "valid_from", "开始时间", "分配时间"),
    "end": ("end", "end_time", "stop_time", "valid_until", "结束时间", "释放时间"),
}
#: Port block allocation and release of Junos (RT_SRC_NAT_PBA_ALLOC, RT_SRC_NAT_PBA_RELEASE).
JUNOS = (
    r"(?P<time>[A-Z][a-z]{2}\s+\d+\s+[\d:]{8}|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)"
    r"\s.*RT_SRC_NAT_PBA_(?P<event>ALLOC|RELEASE)"
    r".*?Subscriber (?P<inside>\S+).*?port block \[(?P<first_port>\d+)-(?P<last_port>\d+)\]"
    r" (?:from|to|in) (?P<outside>\d+\.\d+\.\d+\.\d+)"
)
GROUPS = ("time", "event", "outside", "first_port", "last_port", "inside", "subscriber")
_ENDS = re.compile(r"release|free|delete|end|stop|close|down", re.IGNORECASE)


class Log(NamedTuple):
    """How a log is to be read."""

    patterns: tuple[re.Pattern[str], ...]
    year: int | None
    inner_vrf: str


def table(lines: Iterable[SheetRow], book: Book, inner_vrf: str) -> Iterator[Lease]:
    """Intervals of a CSV with headings. ValueError if it has not the headings."""
    stream = iter(lines)
    head = next(stream, SheetRow(0, []))
    titles = [heading_of(text) for text in head.cells]
    plan = {
        name: next((titles.index(heading_of(heading)) for heading in names if heading_of(heading) in titles), -1)
        for name, names in HEADINGS.items()
    }
    missing = [name for name in ("outside", "begin") if plan[name] < 0]
    if missing or (plan["inside"] < 0 and plan["subscriber"] < 0):
        raise ValueError(f"no heading for {', '.join(missing or ['inside or subscriber'])} in the first row")
    strange = [title for title in titles if plan["first_port"] < 0 and _names_ports(title)]
    if strange:  # without its ports a row would stand for all who share the address
        raise ValueError(f"the heading {short(strange[0])} is not known: the first port stands under first_port")
    for line in stream:
        if not any(map(str.strip, line.cells)):
            continue
        cells = [*line.cells, *[""] * (len(titles) - len(line.cells)), ""]
        try:
            if line.broken:
                raise ValueError(line.broken)
            fields = {name: plain(cells[column]) for name, column in plan.items()}
            from_ns = first_ns(fields["begin"], book.utc_offset_s)
            until_ns = end_ns(fields["end"], book.utc_offset_s) if fields["end"] else None
            if until_ns is not None and until_ns <= from_ns:
                raise ValueError("ends before it begins")
            span, ports, holder = _translation(fields, inner_vrf)
        except ValueError as error:
            book.refuse(line.number, str(error))
            continue
        yield Lease(line.number, span, ports, holder, from_ns, until_ns, from_ns)


def syslog(lines: Iterable[str], book: Book, log: Log) -> Iterator[Lease]:
    """Intervals between allocations and releases. Lines that no pattern fits are passed over and counted in a note."""
    open_: dict[tuple[AddressRange, tuple[int, int]], Lease] = {}
    others = number_ = 0
    for number_, text in enumerate(lines, 1):
        found = next((match for pattern in log.patterns if (match := pattern.search(text))), None)
        if found is None:
            others += 1
            continue
        fields = {name: value or "" for name, value in found.groupdict().items()}
        try:
            at_ns = log_moment_ns(fields.get("time", ""), book.utc_offset_s, log.year)
            span, ports, holder = _translation({**dict.fromkeys(HEADINGS, ""), **fields}, log.inner_vrf)
        except ValueError as error:
            book.refuse(number_, str(error))
            continue
        before = open_.pop((span, ports), None)
        if before is not None:
            yield before._replace(until_ns=max(at_ns, before.from_ns + 1))
        if not _ENDS.search(fields.get("event", "")):
            open_[span, ports] = Lease(number_, span, ports, holder, at_ns, None, at_ns)
    yield from open_.values()
    if others:
        book.note(number_, f"{others} of {number_} lines are not the translator's and were passed over")


def _names_ports(title: str) -> bool:
    """Whether a heading may be that of the outside address's ports."""
    text = title.casefold()
    inside = any(mark in text for mark in ("inside", "inner", "private", "内", "私"))
    return ("port" in text or "端口" in text) and not inside


def _translation(fields: dict[str, str], inner_vrf: str) -> tuple[AddressRange, tuple[int, int], RowHolder]:
    span = _address(fields["outside"])
    low, high = fields["first_port"], fields["last_port"] or fields["first_port"]
    if low.isdigit() and high.isdigit() and int(low) <= int(high) <= 65_535:
        ports = (int(low), int(high))
    elif low or high:
        raise ValueError(f"the ports {short(low)}-{short(high)} are no range of ports")
    else:
        ports = ALL_PORTS
    if fields["subscriber"]:
        return span, ports, RowHolder(subscriber=fields["subscriber"])
    _address(fields["inside"])
    return span, ports, RowHolder(inner=fields["inside"], inner_vrf=inner_vrf)


def _address(text: str) -> AddressRange:
    try:
        number(text)
    except ValueError as error:
        raise ValueError(f"{short(text)}: {error}") from None
    return between(text, "")
