"""What the Internet registries publish.

Delegated-extended statistics, and RPSL dumps (RFC 2622) of inetnum and inet6num objects.

A registrant is who holds a block, very often a carrier: it is shown as context and never named as the user of an
address.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal

from sensor.attribution.books.book import REGISTRY, AttributionError, Book, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.index.ranges import BITS, AddressRange, number, parse_ranges
from sensor.attribution.index.rows import EVERY_VRF, Allocation
from sensor.sheets.text import short

STRENGTH = 0.4
#: Lines of one object that are looked at.
MOST_LINES = 500
_WANTED = {"netname": "netname", "country": "country", "status": "status", "source": "registry", "org": "org"}


class Config(SourceConfig):
    """Statistics or a dump, also gzipped."""

    kind: Literal["registry"]
    format: Literal["delegated", "rpsl"]


def load(config: Config, books: Books) -> None:
    """Read every file. Lines that are no records are refused by number."""
    paths = files(config.path)
    names = _organisations(paths) if config.format == "rpsl" else {}
    for path in paths:
        book = books.open(path, "registry", config, REGISTRY, STRENGTH)
        book.vrf = config.vrf or EVERY_VRF
        try:
            with opened(path) as lines:
                if config.format == "delegated":
                    _delegated(lines, book)
                else:
                    _rpsl(lines, book, names)
        except (OSError, EOFError) as error:
            raise AttributionError([f"{path}: {error}"]) from None


def opened(path: Path) -> IO[str]:
    """A text file, gzipped or not, by its first bytes."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    return (
        gzip.open(path, "rt", encoding="utf-8", errors="replace")
        if packed
        else path.open(encoding="utf-8", errors="replace")
    )


def _delegated(lines: Iterable[str], book: Book) -> None:
    """`registry|cc|type|start|value|date|status[|opaque-id]`.

    The value is a count of addresses for IPv4, a prefix length for IPv6.
    """
    for line, text in enumerate(lines, 1):
        part = text.strip().split("|")
        if (
            not text.strip()
            or text.startswith("#")
            or part[-1] == "summary"
            or part[0][:1].isdigit()
            or (len(part) > 2 and part[2] == "asn")
        ):
            continue
        try:
            if len(part) < 7 or part[2] not in ("ipv4", "ipv6"):
                raise ValueError("is no record of seven parts")
            span = _block(part[3], part[4])
        except ValueError as error:
            book.refuse(line, f"{short(text.strip())}: {error}")
            continue
        detail = {
            "registry": part[0],
            "country": part[1],
            "date": part[5],
            "status": part[6],
            "registrant_id": part[7] if len(part) > 7 else "",
        }
        _add(book, span, line, detail)


def _block(start: str, value: str) -> AddressRange:
    version, first = number(start)
    if not value.isdigit():
        raise ValueError("the size is no number")
    size = int(value) if version == 4 else 1 << (128 - int(value)) if int(value) <= 128 else 0
    if not 0 < size <= (1 << BITS[version]) - first:
        raise ValueError("the size does not fit")
    return AddressRange(version, first, first + size - 1)


def _add(book: Book, span: AddressRange, line: int, detail: dict[str, str]) -> None:
    holder = RowHolder(detail=tuple((name, value) for name, value in detail.items() if value))
    book.add(Allocation(*span, book.books.holder(holder), line, point=book.point()))


def _rpsl(lines: Iterable[str], book: Book, organisations: dict[str, str]) -> None:
    for line, kind, attributes in objects(lines):
        if kind not in ("inetnum", "inet6num"):
            continue
        detail = {name: " / ".join(attributes[key])[:200] for key, name in _WANTED.items() if key in attributes}
        detail["registrant"] = (
            organisations.get(detail.get("org", ""), "") or " / ".join(attributes.get("descr", [])[:3])[:200]
        )
        try:
            found, _ = parse_ranges(attributes[kind][0])
        except ValueError as error:
            book.refuse(line, f"{short(attributes[kind][0])}: {error}")
            continue
        _add(book, found[0], line, detail)


def _organisations(paths: Iterable[Path]) -> dict[str, str]:
    names: dict[str, str] = {}
    for path in paths:
        with opened(path) as lines:
            for _, kind, attributes in objects(lines):
                if kind == "organisation" and "org-name" in attributes:
                    names[attributes[kind][0]] = attributes["org-name"][0]
    return names


def objects(lines: Iterable[str]) -> Iterator[tuple[int, str, dict[str, list[str]]]]:
    """The objects of a dump: line, class, and the values of each attribute. Comments go, continued lines are joined."""
    attributes: dict[str, list[str]] = {}
    kind, begin, count, name = "", 0, 0, ""
    for line, text in enumerate(lines, 1):
        if text[:1] in "%#":
            continue
        if not text.strip():
            if attributes:
                yield begin, kind, attributes
            attributes, kind, name, count = {}, "", "", 0
            continue
        count += 1
        if count > MOST_LINES:
            continue
        if text[0] in " \t+":
            if name:
                attributes[name][-1] = f"{attributes[name][-1]} {text[1:].strip()}".strip()
            continue
        name, colon, value = text.partition(":")
        if not colon:
            name = ""
            continue
        name = name.strip().lower()
        if not kind:
            kind, begin = name, line
        attributes.setdefault(name, []).append(value.partition("#")[0].strip())
    if attributes:
        yield begin, kind, attributes
