"""The rows of an allocation book: addresses, dates, ports and points of observation, each taken or refused by its line.

A cell whose mistake leaves the rest certain is left out and named with its column; what makes the row doubtful refuses
it. It knows how rows are written, not where they come from.
"""

from __future__ import annotations

import re
from operator import itemgetter

from sensor.attribution.books.book import Book
from sensor.attribution.books.columns import SheetLayout
from sensor.attribution.books.holder import Customer
from sensor.attribution.formats.address_cell import AddressCells, read_addresses
from sensor.attribution.formats.codes import hide
from sensor.attribution.formats.counts import expect_count
from sensor.attribution.formats.filing import Filed, Filings
from sensor.attribution.formats.in_use import not_in_use
from sensor.attribution.index.ranges import AddressRange, between
from sensor.attribution.index.rows import ANY_PORT_FIRST, ANY_PORT_LAST, Allocation
from sensor.sheets.dates import end_ns, first_ns
from sensor.sheets.sheet import SheetRow
from sensor.sheets.text import comparable, heading_of, plain, short

#: Cells that say that a row is a sum of others.
_SUMS = frozenset(("合计", "总计", "小计", "共计", "总数", "total", "subtotal", "grandtotal", "sum"))
#: What people write into a cell that has nothing.
_NOTHING = frozenset(("-", "--", "/", "\\", "无", "n/a", "na", "none", "null", "暂无", "空", "0"))
_IS_ADDRESS = re.compile(r"\d\.\d|:[0-9a-f]*:", re.IGNORECASE)
_TAG = re.compile(r"(?:vlan(?:id)?[-_:= ]*)?(\d{1,4})(?:\.0+)?", re.IGNORECASE)
#: Ranges that are taken as they stand; all others are looked at more closely.
_PLAIN = ((1 << 24, 127 << 24), (128 << 24, 224 << 24))
_PLAIN_SIZE = 1 << 16


def _filled(text: str) -> str:
    tidy = text.strip()
    return "" if tidy.casefold() in _NOTHING or plain(tidy).casefold() in _NOTHING else tidy


class InventoryReader:
    """Rows of one file, one after another."""

    def __init__(
        self, book: Book, layout: SheetLayout, filings: Filings, *, vlan_counts: bool, accounts_alone: bool
    ) -> None:
        self.book, self.filings, self.layout = book, filings, layout
        plan = layout.plan
        self.vlan_counts, self.accounts_alone = vlan_counts, accounts_alone
        self.titles = [heading_of(text) for text in layout.headings]
        self.mask, self.count, self.six = (plan.get(name, -1) for name in ("mask", "count", "ipv6"))
        self.status, self.remark = plan.get("status", -1), plan.get("remark", -1)
        self.first, self.last = plan.get("first", -1), plan.get("last", -1)
        self.dates = plan.get("valid_from", -1), plan.get("valid_until", -1)
        self.ports = plan.get("port_first", -1), plan.get("port_last", -1)
        self.point_cells = itemgetter(*(plan.get(name, -1) for name in ("vrf", "vlan", "interface")))
        self.subscriber = plan.get("subscriber", -1)
        self.least = max([*plan.values(), *(place for places in layout.rivals.values() for place in places)]) + 1
        self._starts: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._points: dict[tuple[str, ...], int] = {}

    def row(self, line: SheetRow) -> None:
        """Take a row, or say why not."""
        cells = line.cells
        if line.broken:
            self.book.refuse(line.number, line.broken)
            return
        if len(cells) < self.least:
            cells = cells + [""] * (self.least - len(cells))
        cells.append("")  # the content of a column that is not there
        if not cells[self.first] and self._is_no_row(line.number, cells):
            return
        try:
            found, notes = self._spans(cells)
            when = self._when(line.number, cells)
            ports = self._ports_of(cells)
            point = self._point(cells)
            self._refuse_contradiction(cells)
            filed = self.filings.filed(cells)
        except ValueError as error:
            self.book.refuse(line.number, hide(str(error)))
            return
        if notes or filed.notes or filed.left_out or line.filled:
            self._remark(line, notes, filed)
        if cells[self.subscriber]:
            place = self.book.place(line.number)
            self.book.books.customer(cells[self.subscriber].strip(), Customer(filed.holder, place, *when))
        for version, first, last in found:
            self.book.add(Allocation(version, first, last, filed.number, line.number, *when, *ports, point))
        if not found:
            self.book.rows += 1  # a customer without an address of its own

    def _refuse_contradiction(self, cells: list[str]) -> None:
        """ValueError where the row is marked as nobody's now, or two of its columns name different holders."""
        if cells[self.status] or cells[self.remark]:
            reason = not_in_use(cells[self.status], cells[self.remark])
            if reason:
                raise ValueError(reason)
        for field, places in self.layout.rivals.items():
            ours = cells[self.layout.plan[field]]
            for position in places:
                other = cells[position]
                if _filled(ours) and _filled(other) and comparable(ours) != comparable(other):
                    raise ValueError(
                        f"{field} is {short(ours)} and {short(other)}: columns that mean one thing differ; "
                        f"columns: {{{field}: ...}} says which counts"
                    )

    def _is_no_row(self, number: int, cells: list[str]) -> bool:
        """Whether a row without an address is empty, a sum, or the headings again on the next page."""
        filled = [text for text in map(comparable, cells) if text]
        if not filled:
            return True
        if any(text.strip("：:") in _SUMS for text in filled) and not any(_IS_ADDRESS.search(text) for text in filled):
            self.book.note(number, "a sum is no row and was left out")
            return True
        return False

    def _remark(self, line: SheetRow, notes: tuple[str, ...], filed: Filed) -> None:
        for note in (*notes, *filed.notes):
            self.book.note(line.number, note)
        for field, reason in filed.left_out:
            self.book.leave_out(line.number, f"{self.layout.place(field)}: {reason}: the row is taken without it")
        if line.filled:
            self.book.note(line.number, "cells were filled from merged ones above")

    def _spans(self, cells: list[str]) -> tuple[list[AddressRange], tuple[str, ...]]:
        """The ranges of a row, and what is to be said of them."""
        first, last = cells[self.first].strip(), cells[self.last].strip()
        mask, count, six = cells[self.mask], cells[self.count], cells[self.six].strip()
        if not (mask or count or six) and "/" not in first:
            try:
                span = between(first, last)
            except ValueError:
                pass  # not in the plain form: look closer
            else:
                if span.last - span.first < _PLAIN_SIZE and any(
                    low <= span.first and span.last < high for low, high in _PLAIN
                ):
                    return [span], ()
        first, last, mask, six = (_filled(text) for text in (first, last, mask, six))
        if not first and not last and not six:
            if cells[self.subscriber].strip() and self.accounts_alone:
                return [], ()
            raise ValueError("no address")
        if not first and last:
            raise ValueError("the first address is missing")
        if heading_of(first) in self.titles and first and not _IS_ADDRESS.search(first):
            raise ValueError("the headings again: no row")
        found, notes = self._read(first, last, mask) if first else ([], ())
        if count and first:
            found, note = expect_count(found, count, self.layout.begins and not last)
            notes = (*notes, note) if note else notes
        more, more_notes = self._read(six, "", "") if six else ([], ())
        return list(dict.fromkeys([*found, *more])), (*notes, *more_notes)

    def _read(self, first: str, last: str, mask: str) -> AddressCells:
        try:
            return read_addresses(first, last, mask)
        except ValueError as error:
            text = first if not last or last == first else f"{first} - {last}"
            text = f"{text} {mask}" if mask else text
            raise ValueError(f"{short(hide(text))}: {error}{self._in_column('first')}") from None

    def _in_column(self, field: str) -> str:
        return f" ({self.layout.place(field)})" if field in self.layout.plan else ""

    def _when(self, number: int, cells: list[str]) -> tuple[int, int]:
        """From when until when. A beginning that is no date is left out: the row holds from the book's own date on."""
        begin, end = cells[self.dates[0]], cells[self.dates[1]]
        offset = self.book.utc_offset_s
        problem = ""
        from_ns = self._starts.get(begin)
        if from_ns is None:
            try:
                from_ns = self._starts[begin] = first_ns(plain(begin), offset)
            except ValueError as error:
                problem = f"{self.layout.place('valid_from')}: the date {short(begin)}: {error}"
                from_ns = self.book.as_of_ns
                if from_ns is None:
                    raise ValueError(problem) from None
        until_ns = self._ends.get(end)
        if until_ns is None:
            try:
                until_ns = self._ends[end] = end_ns(plain(end), offset)
            except ValueError as error:
                raise ValueError(f"the date {short(end)}: {error}{self._in_column('valid_until')}") from None
        if until_ns <= from_ns:
            raise ValueError(problem or f"ends ({short(end)}) before it begins ({short(begin)})")
        if problem:
            self.book.leave_out(number, f"{problem}: the row holds from the book's date on")
        return from_ns, until_ns

    def _ports_of(self, cells: list[str]) -> tuple[int, int]:
        low, high = cells[self.ports[0]], cells[self.ports[1]]
        if not low.strip() and not high.strip():
            return ANY_PORT_FIRST, ANY_PORT_LAST
        if not high and "-" in plain(low):
            low, _, high = plain(low).partition("-")
        low, high = low.strip(), high.strip()
        try:
            first, last = int(plain(low)), int(plain(high or low))
        except ValueError:
            raise ValueError(f"the ports {short(low)} {short(high)} are no numbers") from None
        if not 0 <= first <= last <= 65_535:
            raise ValueError(f"the ports {first}-{last} are no range of ports")
        return (ANY_PORT_FIRST, ANY_PORT_LAST) if (first, last) == (0, 65_535) else (first, last)

    def _point(self, cells: list[str]) -> int:
        point_cells: tuple[str, ...] = self.point_cells(cells)
        point = self._points.get(point_cells)
        if point is None:
            vrf, vlan, interface = map(str.strip, point_cells)
            tag = plain(vlan)
            if not self.vlan_counts or tag in ("", "0", "-", "/"):
                number = None
            elif (found := _TAG.fullmatch(tag)) and int(found[1]) <= 4095:
                number = int(found[1])
            else:
                raise ValueError(f"the VLAN {short(vlan)} is no number from 0 to 4095")
            point = self._points[point_cells] = self.book.point(vrf, number, interface or None)
        return point
