"""Where an address may be: MaxMind DB files by maxminddb, or ip2region's source text.

The weakest claim of all, and never a name.

It reads a table into memory when it is loaded; nothing is asked of the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from sensor.attribution.books.book import GEO, AttributionError, Book, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.index.ranges import BITS, address_text, between, range_text
from sensor.attribution.index.rows import EVERY_VRF, Allocation
from sensor.attribution.sources.registry import opened
from sensor.model.attribution import Claim
from sensor.sheets.text import short

STRENGTH = 0.1
#: What reading a damaged MaxMind DB ends in.
DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
#: Names in the order of preference.
_LANGUAGES = ("zh-CN", "en")
_TEXTS = ("autonomous_system_organization", "organization", "isp", "connection_type", "user_type")
#: The parts of a line of ip2region's source: `start|end|country|region|province|city|isp`, newer ones without the
#: region.
_PARTS = {
    5: ("country", "province", "city", "isp"),
    6: ("country", "province", "city", "isp", "code"),
    7: ("country", "region", "province", "city", "isp"),
}


class Config(SourceConfig):
    """A database of places."""

    kind: Literal["geo"]
    format: Literal["mmdb", "ip2region"] = "mmdb"


def load(config: Config, books: Books) -> None:
    """Open the tables. AttributionError where a file is none."""
    for path in files(config.path):
        book = books.open(path, "geo", config, GEO, STRENGTH)
        book.vrf = EVERY_VRF
        if config.format == "ip2region":
            _text(path, book)
        else:
            books.tables.append(Mmdb(path, book))


def _text(path: Path, book: Book) -> None:
    with opened(path) as lines:
        for line, text in enumerate(lines, 1):
            part = text.strip().split("|")
            if not text.strip() or text.startswith("#"):
                continue
            names = _PARTS.get(len(part) if len(part) == 7 else len(part) - 1 if len(part) == 6 else 0)
            try:
                if names is None:
                    raise ValueError("has not the parts of ip2region")
                span = between(part[0], part[1])
            except ValueError as error:
                book.refuse(line, f"{short(text.strip())}: {error}")
                continue
            detail = tuple(
                (name, value) for name, value in zip(names, part[2:], strict=False) if value not in ("", "0")
            )
            book.add(Allocation(*span, book.books.holder(RowHolder(detail=detail)), line, point=book.point()))


class Mmdb:
    """One database. Its entry for an address is a claim; without an entry, or with a broken one, there is none."""

    def __init__(self, path: Path, book: Book) -> None:
        import maxminddb

        # the library takes types and names in a damaged file for granted
        self._errors: tuple[type[Exception], ...] = (*DAMAGE, maxminddb.InvalidDatabaseError)
        try:
            self._reader = maxminddb.open_database(str(path), maxminddb.MODE_MEMORY)
            book.rows = int(self._reader.metadata().node_count)
        except (maxminddb.InvalidDatabaseError, OSError) as error:
            raise AttributionError([f"{path}: is no MaxMind DB: {error}"]) from None
        except DAMAGE:
            raise AttributionError([f"{path}: is no MaxMind DB: its metadata cannot be read"]) from None
        self._book = book

    def claims(self, version: int, value: int) -> list[Claim]:
        """The place of an address."""
        try:
            found, length = self._reader.get_with_prefix_len(address_text(version, value))
        except self._errors:
            return []
        detail = _flat(found) if isinstance(found, dict) else {}
        if not detail:
            return []
        length = min(length, BITS[version])
        rest = (1 << (BITS[version] - length)) - 1
        allocation = range_text(version, value & ~rest, value | rest)
        book = self._book
        return [
            Claim(
                "geo",
                book.path,
                book.as_of_ns,
                book.strength,
                allocation,
                "context",
                f"{allocation} is in this table",
                detail=detail,
            )
        ]


def _flat(record: dict[str, Any]) -> dict[str, str]:
    """The places and names of a record, as GeoIP2 and its relatives lay them out."""
    detail: dict[str, str] = {}
    for key in ("country", "registered_country", "city"):
        part = record.get(key)
        if isinstance(part, dict) and (name := _name(part)):
            detail.setdefault("country" if "country" in key else "city", name)
        elif isinstance(part, str) and part:
            detail.setdefault("country" if "country" in key else key, part[:80])
    divisions = record.get("subdivisions")
    if isinstance(divisions, list) and divisions and isinstance(divisions[0], dict) and (name := _name(divisions[0])):
        detail["province"] = name
    traits = record.get("traits")
    for source in (record, traits if isinstance(traits, dict) else {}):
        detail.update({key: str(source[key])[:120] for key in _TEXTS if isinstance(source.get(key), str)})
    return detail


def _name(part: dict[str, Any]) -> str:
    names = part.get("names")
    named = (
        next((str(names[language]) for language in _LANGUAGES if language in names), "")
        if isinstance(names, dict)
        else ""
    )
    return (named or str(part.get("iso_code", "")))[:80]
