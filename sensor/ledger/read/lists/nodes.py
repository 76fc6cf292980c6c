"""Nodes of peer-to-peer networks as a list. SQL in, plain data out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, select, true

from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.selection import Selection, division_within
from sensor.ledger.store.records import loads
from sensor.ledger.store.schema import ADDRESSES, NODES, SITES
from sensor.model.node import Node
from sensor.model.scope import Scope


@dataclass(frozen=True)
class AskedNodes:
    """Nothing asked is everything in the scope."""

    addresses: Collection[str] | None = None
    protocol: str | None = None
    division: Scope | None = None
    from_ns: int | None = None
    to_ns: int | None = None


def listed_nodes(connection: Connection, chosen: Selection, asked: AskedNodes, cut: ListCut) -> list[Node]:
    """Nodes, those seen last first. A node lies where its address was while it was seen, by what books said of that
    address when it mined; of others no place is known, and only who sees everything sees them."""
    query = select(NODES.c.record).where(_was_within(chosen.scope))
    if asked.division is not None:
        query = query.where(_was_within(asked.division))
    if asked.addresses is not None:
        query = query.where(NODES.c.address.in_(sorted(asked.addresses)))
    if asked.protocol is not None:
        query = query.where(NODES.c.protocol == asked.protocol)
    if asked.from_ns is not None:
        query = query.where(NODES.c.last_ns >= asked.from_ns)
    if asked.to_ns is not None:
        query = query.where(NODES.c.first_ns < asked.to_ns)
    texts = connection.scalars(cut.of(query, NODES.c.last_ns, NODES.c.node_id))
    return [record for record in map(loads, texts) if isinstance(record, Node)]


def every_node_address(connection: Connection, chosen: Selection) -> list[str]:
    """The addresses of all nodes."""
    query = select(NODES.c.address).where(_was_within(chosen.scope)).distinct()
    return list(connection.scalars(query.order_by(NODES.c.address)))


def _was_within(scope: Scope) -> ColumnElement[bool]:
    if scope.stems is None:
        return true()
    owners, sites = ADDRESSES.alias(), SITES.alias()
    its = owners.c.address == NODES.c.address
    then = (owners.c.first_ns <= NODES.c.last_ns, owners.c.last_ns >= NODES.c.first_ns)
    its_site = sites.c.site_id == owners.c.site_id
    return exists().where(its, *then, its_site, division_within(sites.c.division, scope))
