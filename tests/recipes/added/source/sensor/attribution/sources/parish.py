"""A parish register: `address,holder` lines. The test of the recipes adds it as a source."""

from __future__ import annotations

from typing import ClassVar, Literal

from sensor.attribution.books.book import HOLDERS, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.index.ranges import prefix
from sensor.attribution.index.rows import Allocation

STRENGTH = 0.2


class Config(SourceConfig):
    """A parish register."""

    FILE_KEYS: ClassVar[tuple[str, ...]] = ("path",)

    kind: Literal["parish"]
    ink: bool = True  # whether it is written in ink


def load(config: Config, books: Books) -> None:
    """Read every file; lines that name no address are refused."""
    for path in files(config.path):
        book = books.open(path, "parish", config, HOLDERS, STRENGTH)
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            address, _, name = text.partition(",")
            try:
                span = prefix(address)
            except ValueError as error:
                book.refuse(line, str(error))
                continue
            holder = books.holder(RowHolder(detail=(("name", name),)))
            book.add(Allocation(*span, holder, line, point=book.point()))
