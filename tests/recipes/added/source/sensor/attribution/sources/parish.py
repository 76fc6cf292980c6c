"""A parish register: `address,holder` lines. The test of the recipes adds it as a source."""

from __future__ import annotations

from typing import Literal

from sensor.attribution.books import HOLDERS, Books, Holder
from sensor.attribution.index.ranges import prefix
from sensor.attribution.index.rows import Row
from sensor.attribution.source import Source, files

STRENGTH = 0.2


class Config(Source):
    """A parish register."""

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
            book.add(Row(*span, books.holder(Holder(detail=(("name", name),))), line, point=book.point()))
