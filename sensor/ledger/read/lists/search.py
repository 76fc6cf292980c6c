"""Who is this: addresses, organisations, wallets, machines and pools that a text may mean, each of one scope. SQL in,
plain data out."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from sensor.ledger.read.lists.asked import AskedOwners
from sensor.ledger.read.lists.cut import ListCut, like
from sensor.ledger.read.lists.owners import (
    ListedAddress,
    ListedEnterprise,
    ListedPool,
    listed_addresses,
    listed_enterprises,
    listed_pools,
    pool_name,
)
from sensor.ledger.read.selection import Selection
from sensor.ledger.store.schema import COUNTED_SERIES, FINDINGS, MACHINES, SERIES


class FoundLogin(NamedTuple):
    """A wallet or account, or a machine's name, with where it mined."""

    name: str
    addresses: int
    last_ns: int


class SearchAnswer(NamedTuple):
    """What was found, of each kind at most so many; one more is there to say that there are others."""

    addresses: list[ListedAddress]
    enterprises: list[ListedEnterprise]
    wallets: list[FoundLogin]
    workers: list[FoundLogin]
    pools: list[ListedPool]


def search(
    connection: Connection, chosen: Selection, text: str, addresses: list[str] | None, most: int
) -> SearchAnswer:
    """What a text may mean. `addresses` are those that it stands for as an address or a range; None: it is neither."""
    cut = ListCut(None, most + 1)
    if addresses is not None:
        found = listed_addresses(connection, chosen, AskedOwners(addresses=addresses), cut)
        at_pools = _pools(connection, chosen, text, cut)
        return SearchAnswer(found, [], [], [], at_pools)
    return SearchAnswer(
        [],
        listed_enterprises(connection, chosen, AskedOwners(name=text), cut),
        _wallets(connection, chosen, text, most + 1),
        _workers(connection, chosen, text, most + 1),
        _pools(connection, chosen, text, cut),
    )


def _pools(connection: Connection, chosen: Selection, text: str, cut: ListCut) -> list[ListedPool]:
    pattern = like(text)
    its = or_(SERIES.c.pool.ilike(pattern, escape="\\"), SERIES.c.pool_name.ilike(pattern, escape="\\"))
    name = pool_name()
    query = select(name).where(its, chosen.series, COUNTED_SERIES).distinct().limit(cut.most)
    names = list(connection.scalars(query))
    return listed_pools(connection, chosen, AskedOwners(pools=names), cut) if names else []


def _wallets(connection: Connection, chosen: Selection, text: str, most: int) -> list[FoundLogin]:
    last = func.max(FINDINGS.c.last_ns)
    query = select(FINDINGS.c.wallet, func.count(FINDINGS.c.miner_ip.distinct()), last)
    query = query.where(chosen.findings, FINDINGS.c.wallet.ilike(like(text), escape="\\")).group_by(FINDINGS.c.wallet)
    rows = connection.execute(query.order_by(last.desc(), FINDINGS.c.wallet).limit(most))
    return [FoundLogin(*row) for row in rows]


def _workers(connection: Connection, chosen: Selection, text: str, most: int) -> list[FoundLogin]:
    last = func.max(MACHINES.c.last_ns)
    query = select(MACHINES.c.name, func.count(MACHINES.c.miner_ip.distinct()), last)
    its = (chosen.machines, MACHINES.c.name != "", MACHINES.c.name.ilike(like(text), escape="\\"))
    rows = connection.execute(query.where(*its).group_by(MACHINES.c.name).order_by(last.desc()).limit(most))
    return [FoundLogin(*row) for row in rows]


def addresses_of_worker(connection: Connection, chosen: Selection, worker: str) -> list[str]:
    """The addresses at which machines of this very name mined."""
    query = select(MACHINES.c.miner_ip).where(chosen.machines, MACHINES.c.name == worker).distinct()
    return list(connection.scalars(query))
