"""What lists of enterprises, sites and addresses are asked for, as conditions of SQL beside the scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_

from sensor.ledger.read.lists.cut import like
from sensor.ledger.read.selection import Selection, division_within
from sensor.ledger.store.schema import CASES, COUNTED_SERIES, ENTERPRISES, SERIES, SITES
from sensor.model.evidence import Grade
from sensor.model.scope import Scope

#: How `dump_enterprise` writes that somebody is a person. Quotes within a name are escaped there, so no name has it.
_PERSON = '%"category": "individual"%'
#: The same of a record that is there; a site without an enterprise is nobody's.
IS_PERSON = and_(ENTERPRISES.c.record.is_not(None), ENTERPRISES.c.record.like(_PERSON))
#: Cases that were a mistake: what they are about is in no figure and in no list.
FALSE_ALARM = exists().where(
    CASES.c.state == "false-alarm",
    CASES.c.site_id == SERIES.c.site_id,
    or_(CASES.c.site_id != 0, CASES.c.address == SERIES.c.miner_ip),
)


@dataclass(frozen=True)
class AskedOwners:
    """Nothing asked is everything in the scope."""

    name: str | None = None  # part of an organisation's name, code or premises
    division: Scope | None = None
    grade: Grade | None = None  # that or a higher one
    algorithm: str | None = None
    coin: str | None = None
    state: str | None = None  # of its case
    enterprise_id: str | None = None
    site_id: int | None = None
    site_ids: Collection[int] | None = None
    addresses: Collection[str] | None = None
    pools: Collection[str] | None = None  # by what they are called
    from_ns: int | None = None  # mining seen since
    to_ns: int | None = None  # and before

    def conditions(self, chosen: Selection) -> list[ColumnElement[bool]]:
        """Of SERIES joined with SITES and, from outside, ENTERPRISES; the scope is the first of them."""
        found = [chosen.series, COUNTED_SERIES, not_(FALSE_ALARM)]
        if self.name is not None:
            pattern = like(self.name)
            texts = (ENTERPRISES.c.name, ENTERPRISES.c.enterprise_id, SITES.c.address)
            organisation = not_(IS_PERSON)  # nobody is found by a person's name, nor by their street
            found.append(and_(organisation, or_(*(text.ilike(pattern, escape="\\") for text in texts))))
        if self.division is not None:
            found.append(division_within(SITES.c.division, self.division))
        if self.state is not None:
            its = (CASES.c.site_id == SERIES.c.site_id, CASES.c.state == self.state)
            own = or_(CASES.c.site_id != 0, CASES.c.address == SERIES.c.miner_ip)
            found.append(exists().where(*its, own))
        for column, value in (
            (SERIES.c.algorithm, self.algorithm),
            (SERIES.c.coin, self.coin),
            (SITES.c.enterprise_id, self.enterprise_id),
            (SERIES.c.site_id, self.site_id),
        ):
            if value is not None:
                found.append(column == value)
        return [*found, *self._sets()]

    def _sets(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.grade is not None:
            found.append(SERIES.c.grade >= int(self.grade))
        if self.site_ids is not None:
            found.append(SERIES.c.site_id.in_(sorted(self.site_ids)))
        if self.addresses is not None:
            found.append(SERIES.c.miner_ip.in_(sorted(self.addresses)))
        if self.pools is not None:
            found.append(func.coalesce(SERIES.c.pool_name, SERIES.c.pool).in_(sorted(self.pools)))
        if self.from_ns is not None:
            found.append(SERIES.c.last_ns >= self.from_ns)
        if self.to_ns is not None:
            found.append(SERIES.c.first_ns < self.to_ns)
        return found
