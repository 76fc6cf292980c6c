"""Which network announces a prefix: a local table of prefix and origin AS, with names where there are some.

The table is that of pyasn (`prefix<tab>asn`) or a CSV of the same; AS names are `asn,name` lines. Context only: a
carrier's number.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from sensor.attribution.books.book import ROUTES, Book, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.source import Name, SourceConfig, files
from sensor.attribution.index.ranges import prefix
from sensor.attribution.index.rows import EVERY_VRF, Allocation
from sensor.attribution.sources.registry import opened
from sensor.sheets.text import short

STRENGTH = 0.3
_SPLIT = re.compile(r"[\t,;| ]+")
#: One origin, or several of one prefix: `64496`, `AS64496`, `{64496,64497}`, `64496_64497`.
_ORIGIN = re.compile(r"\{?(?:AS)?(\d{1,10})(?:[_,](?:AS)?\d{1,10})*\}?", re.IGNORECASE)


class Config(SourceConfig):
    """A table of origins, also gzipped."""

    FILE_KEYS: ClassVar[tuple[str, ...]] = ("path", "names")

    kind: Literal["routes"]
    names: Name | None = None  # a file of `asn,name`


def load(config: Config, books: Books) -> None:
    """Read every file; the names first."""
    names = _names(Path(config.names)) if config.names else {}
    for path in files(config.path):
        book = books.open(path, "routes", config, ROUTES, STRENGTH)
        book.vrf = config.vrf or EVERY_VRF
        with opened(path) as lines:
            for line, text in enumerate(lines, 1):
                if text.strip() and text[0] not in ";#":
                    _row(text.strip(), line, book, names)


def _row(text: str, line: int, book: Book, names: dict[str, str]) -> None:
    network, _, rest = text.partition(_SPLIT.search(text)[0]) if _SPLIT.search(text) else (text, "", "")  # type: ignore[index]
    found = _ORIGIN.match(rest.strip())
    if line == 1 and not network[:1].isdigit() and ":" not in network:
        return  # a heading
    try:
        if found is None:
            raise ValueError("has no AS number")
        span = prefix(network)
    except ValueError as error:
        book.refuse(line, f"{short(text)}: {error}")
        return
    name = names.get(found[1]) or rest[found.end() :].strip(" \t,;|")
    detail = (
        ("asn", f"AS{found[1]}"),
        *((("as_name", name),) if name else ()),
        *((("origins", found[0]),) if found[0].strip("ASas") != found[1] else ()),
    )
    book.add(Allocation(*span, book.books.holder(RowHolder(detail=detail)), line, point=book.point()))


def _names(path: Path) -> dict[str, str]:
    names = {}
    with opened(path) as lines:
        for text in lines:
            number, _, name = (
                re.sub(r"^AS", "", text.strip(), flags=re.IGNORECASE).partition(",")
                if "," in text
                else text.strip().partition(" ")
            )
            number = re.sub(r"^AS", "", number, flags=re.IGNORECASE)
            if number.isdigit() and name.strip():
                names[number] = name.strip().strip('"')
    return names
