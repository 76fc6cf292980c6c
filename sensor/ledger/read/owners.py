"""Reads enterprises, sites and whose an address was. SQL in, plain data out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, or_, select

from sensor.ledger.read.selection import ALL, Selection, answer_within
from sensor.ledger.store.records import load_attribution, load_enterprise
from sensor.ledger.store.schema import ADDRESSES, ENTERPRISES, SITES
from sensor.model.attribution import Attribution, Enterprise, Site

#: Identities asked for in one query.
PAGE = 500


class SiteOwner(NamedTuple):
    """A site with its enterprise; None for what is not known."""

    enterprise: Enterprise | None
    site: Site | None


class AddressOwner(NamedTuple):
    """Whose an address was, from when until when."""

    first_ns: int
    last_ns: int
    attribution: Attribution


UNKNOWN_OWNER = SiteOwner(None, None)


def site_owners(connection: Connection, site_ids: Iterable[int]) -> dict[int, SiteOwner]:
    """The sites of these numbers, each with its enterprise; 0 is none."""
    rows: list[RowMapping] = []
    wanted = sorted({site_id for site_id in site_ids if site_id})
    for start in range(0, len(wanted), PAGE):
        rows += connection.execute(select(SITES).where(SITES.c.site_id.in_(wanted[start : start + PAGE]))).mappings()
    enterprises = _enterprises(connection, {row["enterprise_id"] for row in rows if row["enterprise_id"]})
    return {row["site_id"]: SiteOwner(enterprises.get(row["enterprise_id"] or ""), _site(row)) for row in rows}


def address_owners(connection: Connection, address: str, chosen: Selection = ALL) -> list[AddressOwner]:
    """Whose an address was, oldest first."""
    its = (ADDRESSES.c.address == address, ADDRESSES.c.record.is_not(None), chosen.sites(ADDRESSES.c.site_id))
    query = select(ADDRESSES).where(*its)
    rows = connection.execute(query.order_by(ADDRESSES.c.first_ns))
    return [
        AddressOwner(row.first_ns, row.last_ns, answer_within(load_attribution(row.record), chosen.scope))
        for row in rows
    ]


def _enterprises(connection: Connection, identities: set[str]) -> dict[str, Enterprise]:
    wanted = sorted(identities)
    found: dict[str, Enterprise] = {}
    for start in range(0, len(wanted), PAGE):
        page = ENTERPRISES.c.enterprise_id.in_(wanted[start : start + PAGE])
        for row in connection.execute(select(ENTERPRISES.c.enterprise_id, ENTERPRISES.c.record).where(page)):
            found[row.enterprise_id] = load_enterprise(row.record)
    return found


def _site(row: RowMapping) -> Site | None:
    if row["address"] is None and row["division"] is None:
        return None
    return Site(row["address"], row["division"], row["division_name"])


def enterprises_named(connection: Connection, name: str) -> list[Enterprise]:
    """The enterprises of an identity, a code or a name, in the order of their identities."""
    its = or_(ENTERPRISES.c.enterprise_id == name, ENTERPRISES.c.name == name)
    query = select(ENTERPRISES.c.record).where(its).order_by(ENTERPRISES.c.enterprise_id)
    return [load_enterprise(record) for record in connection.scalars(query)]
