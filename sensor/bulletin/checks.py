"""What a bulletin lists as to be checked, by region, with owners as a bulletin may show them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.regions import Region, inside
from sensor.model.figures import CheckRow
from sensor.model.summary import Summary


def check_rows(now: Summary, owners: OwnerDisplay, region: Region) -> Iterator[CheckRow]:
    """The findings of a region that are listed, in their order."""
    for each in now.to_check:
        if inside(each.site.division if each.site else None, region):
            yield CheckRow(
                address=each.address,
                owner=owners.owner(each.enterprise, each.site),
                pool=each.pool,
                pool_name=each.pool_name,
                dialect=each.dialect,
                confidence=each.confidence,
                p=each.p,
                first_ns=each.first_ns,
                last_ns=each.last_ns,
            )


def unlisted_in(now: Summary, region: Region) -> int:
    """How many more of a region are suppressed."""
    return sum(each.count for each in now.unlisted if inside(each.site.division if each.site else None, region))
