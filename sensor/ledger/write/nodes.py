"""The nodes of one step. SQL within the step's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from sensor.ledger.store.records import dumps
from sensor.ledger.store.schema import NODES
from sensor.ledger.write.rows import rows_of
from sensor.ledger.write.upsert import put
from sensor.model.node import Node


class NodeWriter:
    """A node is an event once for each time it was seen later."""

    def __init__(self, connection: Connection, identities: Sequence[str], now_ns: int) -> None:
        self._connection, self._now_ns = connection, now_ns
        self._last_ns = {row["node_id"]: row["last_ns"] for row in rows_of(connection, NODES, identities)}
        self._changed: dict[str, Node] = {}

    def add(self, node: Node) -> tuple[Node, bool]:
        """The node, and whether it is an event."""
        last_ns = self._last_ns.get(node.node_id)
        if last_ns is not None and last_ns >= node.last_ns:
            return node, False
        self._last_ns[node.node_id] = node.last_ns
        self._changed[node.node_id] = node
        return node, True

    def write(self) -> None:
        """Put what changed into the table."""
        rows = [
            {
                "node_id": node.node_id,
                "address": node.key.src_ip,
                "protocol": node.protocol,
                "first_ns": node.first_ns,
                "last_ns": node.last_ns,
                "recorded_ns": self._now_ns,
                "record": dumps(node),
            }
            for node in self._changed.values()
        ]
        put(self._connection, NODES, rows)
