"""Enterprises, sites, addresses and pools that were seen mining, by when that was last. SQL in, plain data out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Label, Select, distinct, func, not_, select

from sensor.ledger.read.lists.asked import IS_PERSON, AskedOwners
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.owners import PAGE, UNKNOWN_OWNER, SiteOwner, site_owners
from sensor.ledger.read.selection import Selection
from sensor.ledger.store.records import load_enterprise
from sensor.ledger.store.schema import CASES, ENTERPRISES, SERIES, SITES
from sensor.model.attribution import Enterprise, Site
from sensor.model.evidence import Grade


class Seen(NamedTuple):
    """How much was ever seen of something."""

    addresses: int
    sites: int
    grade: Grade  # the best
    first_ns: int
    last_ns: int


class ListedEnterprise(NamedTuple):
    """An organisation at which mining was seen, with its premises and the states of its cases."""

    enterprise: Enterprise
    seen: Seen
    sites: tuple[Site, ...]
    states: tuple[str, ...]


class ListedSite(NamedTuple):
    """Premises with mining; number 0 is of addresses of which nobody is named."""

    site_id: int
    owner: SiteOwner
    seen: Seen


class ListedAddress(NamedTuple):
    """An address that mined, with whom it mined for last."""

    address: str
    site_id: int
    owner: SiteOwner
    seen: Seen


class ListedPool(NamedTuple):
    """A pool that was mined at: its name in the catalogue, else host and port, else address and port."""

    pool: str
    coins: tuple[str, ...]
    seen: Seen


def listed_enterprises(
    connection: Connection, chosen: Selection, asked: AskedOwners, cut: ListCut
) -> list[ListedEnterprise]:
    """Organisations, those seen last first; persons are none."""
    key = SITES.c.enterprise_id.label("key")
    found = _grouped(key, chosen, asked).where(SITES.c.enterprise_id.is_not(None), not_(IS_PERSON)).subquery()
    query = select(found, ENTERPRISES.c.record).join(ENTERPRISES, ENTERPRISES.c.enterprise_id == found.c.key)
    rows = connection.execute(cut.of(query, found.c.last_ns, found.c.key)).mappings().all()
    sites, states = _places(connection, chosen, [row["key"] for row in rows])
    return [
        ListedEnterprise(
            load_enterprise(row["record"]), _seen(row), tuple(sites[row["key"]]), tuple(states[row["key"]])
        )
        for row in rows
    ]


def _places(
    connection: Connection, chosen: Selection, enterprise_ids: list[str]
) -> tuple[dict[str, list[Site]], dict[str, list[str]]]:
    """The premises of enterprises, and the states of their cases, both in the order of the sites' numbers."""
    sites: dict[str, list[Site]] = {key: [] for key in enterprise_ids}
    states: dict[str, list[str]] = {key: [] for key in enterprise_ids}
    for start in range(0, len(enterprise_ids), PAGE):
        its = SITES.c.enterprise_id.in_(enterprise_ids[start : start + PAGE])
        query = select(SITES, CASES.c.state).outerjoin(CASES, CASES.c.site_id == SITES.c.site_id)
        for row in connection.execute(query.where(its, chosen.sites(SITES.c.site_id)).order_by(SITES.c.site_id)):
            sites[row.enterprise_id].append(Site(row.address, row.division, row.division_name))
            states[row.enterprise_id] += [row.state] if row.state is not None else []
    return sites, states


def listed_sites(connection: Connection, chosen: Selection, asked: AskedOwners, cut: ListCut) -> list[ListedSite]:
    """Sites, those seen last first."""
    found = _grouped(SERIES.c.site_id.label("key"), chosen, asked).where(SERIES.c.site_id != 0).subquery()
    rows = connection.execute(cut.of(select(found), found.c.last_ns, found.c.key)).mappings().all()
    owners = site_owners(connection, (row["key"] for row in rows))
    return [ListedSite(row["key"], owners.get(row["key"], UNKNOWN_OWNER), _seen(row)) for row in rows]


def listed_addresses(
    connection: Connection, chosen: Selection, asked: AskedOwners, cut: ListCut
) -> list[ListedAddress]:
    """Addresses, those seen last first."""
    found = _grouped(SERIES.c.miner_ip.label("key"), chosen, asked).subquery()
    rows = connection.execute(cut.of(select(found), found.c.last_ns, found.c.key)).mappings().all()
    newest = _newest_sites(connection, chosen, asked, [row["key"] for row in rows])
    owners = site_owners(connection, newest.values())
    return [
        ListedAddress(row["key"], newest[row["key"]], owners.get(newest[row["key"]], UNKNOWN_OWNER), _seen(row))
        for row in rows
    ]


def listed_pools(connection: Connection, chosen: Selection, asked: AskedOwners, cut: ListCut) -> list[ListedPool]:
    """Pools, those seen last first."""
    name = pool_name()
    found = _grouped(name.label("key"), chosen, asked).subquery()
    rows = connection.execute(cut.of(select(found), found.c.last_ns, found.c.key)).mappings().all()
    coins: dict[str, set[str]] = {row["key"]: set() for row in rows}
    paid = _joined(select(name, SERIES.c.coin)).where(*asked.conditions(chosen), name.in_(list(coins)))
    for pool, coin in connection.execute(paid.distinct()):
        coins[pool].update(filter(None, (coin,)))
    return [ListedPool(row["key"], tuple(sorted(coins[row["key"]])), _seen(row)) for row in rows]


def pool_name() -> Any:
    """What a pool is called in lists."""
    return func.coalesce(SERIES.c.pool_name, SERIES.c.pool)


def every_address(connection: Connection, chosen: Selection) -> list[str]:
    """All addresses that mined, as text."""
    query = _joined(select(SERIES.c.miner_ip)).where(*AskedOwners().conditions(chosen))
    return list(connection.scalars(query.distinct().order_by(SERIES.c.miner_ip)))


def _grouped(key: Label[Any], chosen: Selection, asked: AskedOwners) -> Select[Any]:
    sums = (
        func.count(distinct(SERIES.c.miner_ip)).label("addresses"),
        func.count(distinct(SERIES.c.site_id)).label("sites"),
        func.max(SERIES.c.grade).label("grade"),
        func.min(SERIES.c.first_ns).label("first_ns"),
        func.max(SERIES.c.last_ns).label("last_ns"),
    )
    return _joined(select(key, *sums)).where(*asked.conditions(chosen)).group_by(key)


def _joined(query: Select[Any]) -> Select[Any]:
    """With sites and enterprises, where there are any."""
    whole = SERIES.outerjoin(SITES, SITES.c.site_id == SERIES.c.site_id)
    return query.select_from(whole.outerjoin(ENTERPRISES, ENTERPRISES.c.enterprise_id == SITES.c.enterprise_id))


def _newest_sites(
    connection: Connection, chosen: Selection, asked: AskedOwners, addresses: Iterable[str]
) -> dict[str, int]:
    """The site that each address mined for last."""
    query = _joined(select(SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.last_ns))
    query = query.where(*asked.conditions(chosen), SERIES.c.miner_ip.in_(list(addresses)))
    rows = connection.execute(query.order_by(SERIES.c.last_ns, SERIES.c.site_id))
    return {address: site_id for address, site_id, _ in rows}


def _seen(row: Any) -> Seen:
    return Seen(row["addresses"], row["sites"], Grade(row["grade"]), row["first_ns"], row["last_ns"])
