"""Who a row of a book names.

Organisation, certificate, kind, premises, and whether an address of it is one of many subscribers'.

Rows repeat: each combination of cells is judged once. Raises ValueError with the reason where a row cannot be used;
what is put right or left out is a note. It knows no addresses and no times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from sensor.attribution.books.book import Book, Books, today_year
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.register import Filing
from sensor.attribution.formats.codes import Certificate, category, certificate, hide, may_be_personal
from sensor.attribution.formats.in_use import ended_name
from sensor.attribution.formats.looks import cell_looks
from sensor.attribution.formats.services import service
from sensor.model.attribution import Site
from sensor.model.time import SECOND_NS
from sensor.sheets.text import comparable, plain, short

CELLS = (
    "organisation", "certificate_type", "certificate", "nature", "unit_class", "industry", "province", "city", "county",
    "division",
    "address", "use", "service", "subscribers", "contact", "gateway", "subscriber",
)  # fmt: skip
#: No organisation at all, in the ways that people write that.
NOBODY = frozenset({"", "-", "/", "无", "未知", "空", "n/a", "none", "null", "暂无"})
FREE = re.compile(r"空闲|未分配|未使用|预留|保留|闲置|free|reserved|available")
#: Uses by which an address is many subscribers', one after another or at once.
SHARED_USE = re.compile(r"nat|地址池|共享|动态|拨号|pool|dynamic|dhcp|pppoe")
#: Services of the filing form that are such: fixed broadband and mobile access.
SHARED_SERVICES = frozenset({"3", "4", "固定宽带接入", "移动网接入"})
FIXED_USE = re.compile(r"静态|固定|static")
#: The table of divisions begins about then.
FIRST_YEAR = 1980
#: Cells of a column of units or counts, which is no column of names.
UNIT = re.compile(r"[mgk]|[mgk]bps|[mgk]b|个|条|元|台|兆|\W+", re.IGNORECASE)
UNIVERSITY = re.compile(r"(大学|学院|university|college)$")


_NOTHING = dict.fromkeys(CELLS, "")


@dataclass(slots=True)
class Filed:
    """What the cells about the holder say."""

    number: int
    holder: RowHolder
    notes: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)  # a field, and why its cell was not taken


class Filings:
    """The holders of one book."""

    def __init__(self, books: Books, plan: Mapping[str, int], contacts: bool, book: Book) -> None:
        self.books, self.contacts = books, contacts
        self._present = [name for name in CELLS if name in plan]
        self._cells = itemgetter(
            *(plan[name] for name in self._present), -1
        )  # the last cell is empty: there are always two
        self._filed: dict[tuple[str, ...], Filed | str] = {}
        self._places: dict[tuple[str, ...], tuple[str, str | None] | None] = {}
        self._year = today_year() if book.as_of_ns is None else 1970 + int(book.as_of_ns / SECOND_NS / 31_556_952)

    def filed(self, cells: list[str]) -> Filed:
        """Who these cells name; ValueError if the row cannot be used."""
        key: tuple[str, ...] = self._cells(cells)
        filed = self._filed.get(key)
        if filed is None:
            try:
                filed = self._file(
                    {**_NOTHING, **{name: text.strip() for name, text in zip(self._present, key, strict=False)}}
                )
            except ValueError as error:
                filed = str(error)
            self._filed[key] = filed
        if isinstance(filed, str):
            raise ValueError(filed)
        return filed

    def _file(self, cells: dict[str, str]) -> Filed:
        notes: list[str] = []
        name = hide(" ".join(cells["organisation"].split()))
        use = comparable(cells["use"] + " " + cells["service"])
        if FREE.search(comparable(name)) and len(name) <= 8:
            raise ValueError(f"is marked as given to nobody ({short(name)})")
        if ended_name(name):
            raise ValueError(f"is marked as not in use ({short(name)})")
        shared = self._shared(cells, use)
        if comparable(name) in NOBODY:
            if not shared:
                raise ValueError("names no organisation")
            name = ""
        elif cell_looks(name) != "text" or UNIT.fullmatch(name):
            raise ValueError(f"the organisation {short(name)} is no name")
        paper = certificate(cells["certificate_type"], cells["certificate"])
        left_out: list[tuple[str, str]] = []
        kind = self._category(cells, name, paper, notes)
        if paper.problem:
            if kind == "individual" or may_be_personal(cells["certificate"]):
                raise ValueError(paper.problem)  # a person would be taken for an organisation, or for another person
            left_out.append(("certificate", paper.problem))
        if kind == "carrier" and not shared:
            shared = -1
            notes.append("the range is a carrier's own: whoever uses an address of it is not in this row")
        if cells["service"] and service(cells["service"]) is None:
            notes.append(f"the service {short(cells['service'])} is not known; it stays as text and nothing follows")
        site = self._site(cells, notes)
        mark = paper.masked or f"{site.division} {site.address}" if kind == "individual" else ""
        filing = Filing(name, paper.uscc, kind, cells["industry"] or None, mark)
        holder = RowHolder(
            enterprise=self.books.register.file(filing) if name else -1,
            site=self.books.register.site(site) if site.address or site.division else -1,
            shared=shared,
            detail=self._detail(cells, paper),
        )
        return Filed(self.books.holder(holder), holder, notes, left_out)

    def _shared(self, cells: dict[str, str], use: str) -> int:
        """0: one holder's; n: one of n subscribers'; -1: of an unknown number."""
        count = plain(cells["subscribers"])
        if count.isdigit() and int(count) > 1:
            return int(count)
        if FIXED_USE.search(use):
            return 0
        return -1 if SHARED_USE.search(use) or comparable(cells["service"]) in SHARED_SERVICES else 0

    def _category(self, cells: dict[str, str], name: str, paper: Certificate, notes: list[str]) -> str | None:
        if paper.personal:
            return "individual"
        kind, recognised = category(cells["nature"])
        if not recognised:
            notes.append(f"the kind of organisation {short(cells['nature'])} is not known and was left out")
        unit = comparable(cells["unit_class"])
        if unit in ("1", "isp", "2", "idc"):
            kind = "carrier" if unit in ("1", "isp") else "data-centre"
        if kind in (None, "institution") and UNIVERSITY.search(name.casefold()):
            return "university"
        return kind

    def _site(self, cells: dict[str, str], notes: list[str]) -> Site:
        """The premises; a division that is not known is left open, the street stays."""
        street = hide(cells["address"]) or None
        parts = cells["division"], cells["province"], cells["city"], cells["county"]
        if not any(parts):
            return Site(street, None, None)
        if parts not in self._places:
            self._places[parts] = self._place(*map(plain, parts))
        found = self._places[parts]
        if found is None:
            notes.append(
                f"the division {short(parts[0] or ' '.join(filter(None, parts)))} is not known and was left open"
            )
            return Site(street, None, None)
        return Site(street, *found)

    def _place(self, code: str, province: str, city: str, county: str) -> tuple[str, str | None] | None:
        """Code and name of a division, as of the book's year, else of the last year before it that had the division."""
        divisions = self.books.divisions
        for year in range(self._year, FIRST_YEAR - 1, -1):
            found = (
                (code if divisions.name(code, year) else None) if code else divisions.find(province, city, county, year)
            )
            if found:
                return found, divisions.name(found, year)
        return None

    def _detail(self, cells: dict[str, str], paper: Certificate) -> tuple[tuple[str, str], ...]:
        names = ["use", "service", "gateway", "subscriber", *(["contact"] if self.contacts else [])]
        detail = [(name, hide(cells[name])) for name in names if cells[name]]
        return (*detail, *([("certificate", paper.masked)] if paper.masked else []))
