"""Leases: who had an address, or ports of it, at a time. RADIUS accounting, DHCP servers' files, logs of translators.

The formats have files of their own; here is which of them a configuration asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sensor.attribution.books.book import HOLDERS, AttributionError, Book, Books
from sensor.attribution.books.source import Name, SourceConfig, files
from sensor.attribution.formats import dhcp, natlog, radius
from sensor.attribution.formats.lease import Lease, settle
from sensor.model.time import HOUR_NS
from sensor.sheets import sheet

STRENGTH = 0.95


def _patterns(patterns: list[str]) -> list[str]:
    for text in patterns:
        try:
            groups = re.compile(text).groupindex
        except re.error as error:
            raise ValueError(f"{text}: is no pattern: {error}") from None
        if unknown := [name for name in groups if name not in natlog.GROUPS]:
            raise ValueError(f"the groups {', '.join(unknown)} are not known; known are {', '.join(natlog.GROUPS)}")
        if missing := [name for name in ("time", "outside") if name not in groups]:
            raise ValueError(f"{text}: has no group {', '.join(missing)}")
    return patterns


class Config(SourceConfig):
    """A file of leases."""

    kind: Literal["leases"]
    format: Literal["radius-detail", "kea", "isc-dhcp", "nat-csv", "nat-syslog"]
    accounts: bool = False  # dhcp: cards and circuits are accounts of a customer book
    open_hours: Annotated[int, Field(ge=1, le=8784)] = (
        24  # how long a lease without an end holds after it was last heard of
    )
    inside_vrf: Name | None = None  # nat: the VRF of the inside addresses
    patterns: Annotated[list[str], AfterValidator(_patterns)] = Field(
        default_factory=lambda: [natlog.JUNOS]
    )  # nat-syslog
    year: Annotated[int, Field(ge=1990, le=2200)] | None = None  # nat-syslog: of times that name none


def load(config: Config, books: Books) -> None:
    """Read every file. AttributionError where a file is not of its format."""
    problems = []
    for path in files(config.path):
        book = books.open(path, "leases", config, HOLDERS, STRENGTH)
        try:
            settle(book, _sessions(path, book, config, books), config.open_hours * HOUR_NS)
        except (ValueError, sheet.SheetError) as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise AttributionError(problems)


def _sessions(path: Path, book: Book, config: Config, books: Books) -> Iterator[Lease]:
    inner_vrf = config.inside_vrf or ""
    if config.format == "nat-csv":
        rows = sheet.lines(path, None, "auto", lambda done, size: books.report_progress(str(path), done, size))
        return natlog.table(rows, book, inner_vrf)
    lines = _lines(path, books)
    if config.format == "radius-detail":
        return radius.sessions(lines, book)
    if config.format == "kea":
        return dhcp.kea(lines, book, config.accounts)
    if config.format == "isc-dhcp":
        return dhcp.isc(lines, book, config.accounts)
    return natlog.syslog(lines, book, natlog.Log(tuple(map(re.compile, config.patterns)), config.year, inner_vrf))


def _lines(path: Path, books: Books) -> Iterator[str]:
    size = path.stat().st_size
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as opened:
        for number, text in enumerate(opened):
            if not number % sheet.PROGRESS_EVERY_ROWS:
                books.report_progress(str(path), sheet.position(opened), size)
            yield text
