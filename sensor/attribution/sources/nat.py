"""Translators that compute.

Outside address and port to the inside address by RFC 7422, from the parameters alone, without any log.

It turns the configured ranges into a mapping and one row for the pool; the mapping itself is `rfc7422`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sensor.attribution.books.book import HOLDERS, AttributionError, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.source import Date, Name, SourceConfig
from sensor.attribution.formats.rfc7422 import SYSTEM_PORTS, Mapping
from sensor.attribution.index.ranges import AddressRange, parse_ranges
from sensor.attribution.index.rows import Allocation
from sensor.sheets.dates import end_ns, first_ns, offset_seconds

STRENGTH = 0.95


class Config(SourceConfig):
    """A translator's parameters, as section 2 of the RFC wants them kept."""

    kind: Literal["nat"]
    path: Annotated[str, Field(max_length=0)] = ""  # there is no file
    inside: Name  # range or prefix of the subscribers' addresses
    outside: Name  # range or prefix of the pool
    dynamic_factor: Annotated[int, Field(ge=0, le=65_535)] = 0
    first_port: Annotated[int, Field(ge=0, le=65_535)] = SYSTEM_PORTS
    algorithm: Literal["sequential", "staggered"] = "sequential"
    inside_vrf: Name | None = None
    valid_from: Date | None = None
    valid_until: Date | None = None


def load(config: Config, books: Books) -> None:
    """One row for the pool. AttributionError where the parameters do not fit each other."""
    try:
        inside, outside = _range(config.inside), _range(config.outside)
        mapping = Mapping(
            inside_first=inside.first,
            inside_count=inside.last - inside.first + 1,
            outside_first=outside.first,
            outside_count=outside.last - outside.first + 1,
            dynamic_factor=config.dynamic_factor,
            first_port=config.first_port,
            algorithm=config.algorithm,
        )
        offset = offset_seconds(config.utc_offset)
        when = first_ns(config.valid_from or "", offset), end_ns(config.valid_until or "", offset)
        if when[1] <= when[0]:
            raise ValueError("ends before it begins")
    except ValueError as error:
        raise AttributionError([f"{config.outside}: {error}"]) from None
    book = books.computed("nat", f"{config.inside} behind {config.outside}", config, (HOLDERS, STRENGTH))
    holder = books.holder(RowHolder(translation=len(books.translations), inner_vrf=config.inside_vrf or ""))
    books.translations.append(mapping)
    book.add(Allocation(*outside, holder, 0, *when, point=book.point()))


def _range(text: str) -> AddressRange:
    found, _ = parse_ranges(text)
    if len(found) != 1 or found[0].version != 4:
        raise ValueError(f"{text} is not one range of IPv4")
    return found[0]
