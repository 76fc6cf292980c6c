"""The ledger itself: records in, each step one transaction; what is known of an address out.

Called from the line's thread; makes no network call unless its URL names a database elsewhere. It judges nothing and formats nothing.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, bindparam, delete, func, insert, or_, select, update

from sensor.ledger.bounds import Bounds
from sensor.ledger.database import connect, reading, writing
from sensor.ledger.following import Known, follow
from sensor.ledger.outbox import Outbox
from sensor.ledger.records import Record, dumps, loads
from sensor.ledger.schema import FINDINGS, NODES
from sensor.records import Finding, Node

#: Identities asked for in one query; SQLite takes 32,766 parameters, older ones 999.
ASKED = 500
DEFAULT_BOUNDS = Bounds()
NOT_MUTED: Mapping[str, str] = {}


@dataclass(frozen=True)
class Entry:
    """One finding as the ledger holds it."""

    finding: Finding
    muted: str | None  # why nothing was sent about it
    recorded_ns: int
    run_id: str


class Ledger:
    """One database. Reading may be done from any thread; recording from one at a time."""

    def __init__(self, engine: Engine, bounds: Bounds, run_id: str) -> None:
        self.run_id = run_id
        self._engine = engine
        self._bounds = bounds
        self._lock = threading.Lock()
        self.outbox = Outbox(engine, bounds.outbox_rows, bounds.outbox_bytes, self._lock)

    @classmethod
    def open(cls, url: str, *, bounds: Bounds = DEFAULT_BOUNDS, run_id: str | None = None) -> Ledger:
        """Open or create a database (`sqlite:////var/lib/minewatch/ledger.db`, `postgresql+psycopg://...`) and bring its schema up to date.

        `run_id` names the process that follows findings; a fresh one if none is given. Raises LedgerError, one sentence.
        """
        return cls(connect(url), bounds, run_id or secrets.token_hex(8))

    def close(self) -> None:
        """Give the database back."""
        self._engine.dispose()

    def record(self, records: Sequence[Record], now_ns: int, muted: Mapping[str, str] = NOT_MUTED) -> list[Record]:
        """Record a step: all of it, or (LedgerError) nothing. Returns the records as they now stand, with what earlier runs knew.

        `muted` gives for the identity of a finding why nothing is to be sent about it.
        """
        if not records:
            return []
        with self._lock, writing(self._engine) as connection:
            findings = _Findings(connection, [one.finding_id for one in records if isinstance(one, Finding)], self.run_id, now_ns)
            nodes = _Nodes(connection, [one.node_id for one in records if isinstance(one, Node)], now_ns)
            events: list[Record] = []
            recorded: list[Record] = []
            for one in records:
                told = findings.take(one, muted.get(one.finding_id)) if isinstance(one, Finding) else nodes.take(one)
                recorded.append(told[0])
                if told[1]:
                    events.append(told[0])
            findings.write()
            nodes.write()
            self.outbox.append(connection, events, now_ns)
        return recorded

    def close_stale(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close findings of earlier runs that were not seen again for so long; each is an event unless muted. Raises LedgerError."""
        closed: list[Finding] = []
        while page := self._close_page(now_ns, silence_ns):
            closed += page
        return closed

    def _close_page(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close a bounded number of them, in one transaction."""
        query = select(FINDINGS).where(
            FINDINGS.c.state != "closed", FINDINGS.c.run_id != self.run_id, FINDINGS.c.last_ns < now_ns - silence_ns
        )
        closed: list[Finding] = []
        with self._lock, writing(self._engine) as connection:
            for row in connection.execute(query.order_by(FINDINGS.c.last_ns, FINDINGS.c.finding_id).limit(ASKED)).mappings().all():
                finding = dataclasses.replace(_finding(row["record"]), state="closed")
                same = FINDINGS.c.finding_id == finding.finding_id
                connection.execute(update(FINDINGS).where(same).values(state="closed", record=dumps(finding), recorded_ns=now_ns))
                if row["muted"] is None:
                    self.outbox.append(connection, [finding], now_ns)
                closed.append(finding)
        return closed

    def findings(
        self, address: str | None = None, state: str | None = None, *, finding_id: str | None = None, limit: int = 10_000
    ) -> list[Entry]:
        """What is known, newest first: of a miner's or pool's address, in a state ("opened", "updated", "closed", or "open" for both
        of the first), or of one identity. Raises LedgerError."""
        query = select(FINDINGS).order_by(FINDINGS.c.last_ns.desc(), FINDINGS.c.finding_id).limit(limit)
        if address is not None:
            query = query.where(or_(FINDINGS.c.miner_ip == address, FINDINGS.c.pool_ip == address))
        if finding_id is not None:
            query = query.where(FINDINGS.c.finding_id == finding_id)
        if state == "open":
            query = query.where(FINDINGS.c.state != "closed")
        elif state is not None:
            query = query.where(FINDINGS.c.state == state)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [Entry(_finding(row["record"]), row["muted"], row["recorded_ns"], row["run_id"]) for row in rows]

    def open_findings(self, after: str = "", most: int = 500) -> list[Finding]:
        """A page of the findings that are open and not muted, in the order of their identities. Raises LedgerError."""
        query = select(FINDINGS.c.record).where(FINDINGS.c.state != "closed", FINDINGS.c.muted.is_(None), FINDINGS.c.finding_id > after)
        with reading(self._engine) as connection:
            return [_finding(text) for text in connection.scalars(query.order_by(FINDINGS.c.finding_id).limit(most)).all()]

    def nodes(self, address: str | None = None, limit: int = 10_000) -> list[Node]:
        """The nodes known, newest first, of an address or all. Raises LedgerError."""
        query = select(NODES.c.record).order_by(NODES.c.last_ns.desc(), NODES.c.node_id).limit(limit)
        if address is not None:
            query = query.where(NODES.c.address == address)
        with reading(self._engine) as connection:
            texts = connection.scalars(query).all()
        return [one for one in map(loads, texts) if isinstance(one, Node)]

    def prune(self, now_ns: int) -> int:
        """Delete what is older than the bounds allow, and the oldest of what is more than they allow; how many. Raises LedgerError."""
        bounds, since_ns = self._bounds, now_ns - self._bounds.closed_ns
        closed = FINDINGS.c.state == "closed"
        with self._lock, writing(self._engine) as connection:
            gone = connection.execute(delete(FINDINGS).where(closed, FINDINGS.c.last_ns < since_ns)).rowcount
            gone += connection.execute(delete(NODES).where(NODES.c.last_ns < since_ns)).rowcount
            for table, most in ((FINDINGS, bounds.findings), (NODES, bounds.nodes)):
                over = (connection.scalar(select(func.count()).select_from(table)) or 0) - most
                if over > 0:
                    key = next(iter(table.primary_key))
                    first = (table.c.state != "closed", table.c.last_ns) if table is FINDINGS else (table.c.last_ns,)
                    gone += connection.execute(delete(table).where(key.in_(select(key).order_by(*first).limit(over)))).rowcount
        return gone


class _Findings:
    """The findings of one step."""

    def __init__(self, connection: Connection, identities: Sequence[str], run_id: str, now_ns: int) -> None:
        self._connection = connection
        self._run_id, self._now_ns = run_id, now_ns
        self._known = {row["finding_id"]: _known(row) for row in _rows(connection, FINDINGS, identities)}
        self._stored = set(self._known)
        self._changed: dict[str, Known] = {}

    def take(self, now: Finding, muted: str | None) -> tuple[Finding, bool]:
        """The finding as it stands with this record, and whether it is an event."""
        before = self._known.get(now.finding_id)
        held, told = follow(before, now, self._run_id, muted)
        if held is not before:
            self._known[now.finding_id] = self._changed[now.finding_id] = held
        return held.finding, told

    def write(self) -> None:
        """Put what changed into the table."""
        _write(self._connection, FINDINGS, [self._row(one) for one in self._changed.values()], self._stored)

    def _row(self, held: Known) -> dict[str, Any]:
        one = held.finding
        return {
            "finding_id": one.finding_id,
            "miner_ip": one.miner_ip,
            "pool_ip": one.pool_ip,
            "pool_port": one.pool_port,
            "dialect": one.dialect,
            "coin": one.coin,
            "algorithm": one.algorithm,
            "grade": int(one.grade),
            "state": one.state,
            "first_ns": one.first_ns,
            "last_ns": one.last_ns,
            "muted": held.muted,
            "run_id": held.run_id,
            "recorded_ns": self._now_ns,
            "record": dumps(one),
            "earlier": None if held.earlier is None else dumps(held.earlier),
        }


class _Nodes:
    """The nodes of one step; a node is told once for each time it was seen later."""

    def __init__(self, connection: Connection, identities: Sequence[str], now_ns: int) -> None:
        self._connection, self._now_ns = connection, now_ns
        self._known = {row["node_id"]: row["last_ns"] for row in _rows(connection, NODES, identities)}
        self._stored = set(self._known)
        self._changed: dict[str, Node] = {}

    def take(self, node: Node) -> tuple[Node, bool]:
        """The node, and whether it is an event."""
        last_ns = self._known.get(node.node_id)
        if last_ns is not None and last_ns >= node.last_ns:
            return node, False
        self._known[node.node_id] = node.last_ns
        self._changed[node.node_id] = node
        return node, True

    def write(self) -> None:
        """Put what changed into the table."""
        rows = [
            {
                "node_id": one.node_id,
                "address": one.key.src_ip,
                "protocol": one.protocol,
                "first_ns": one.first_ns,
                "last_ns": one.last_ns,
                "recorded_ns": self._now_ns,
                "record": dumps(one),
            }
            for one in self._changed.values()
        ]
        _write(self._connection, NODES, rows, self._stored)


def _rows(connection: Connection, table: Table, identities: Sequence[str]) -> list[RowMapping]:
    key = next(iter(table.primary_key))
    asked = sorted(set(identities))
    pages = [asked[start : start + ASKED] for start in range(0, len(asked), ASKED)]
    return [row for page in pages for row in connection.execute(select(table).where(key.in_(page))).mappings()]


def _write(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], stored: set[str]) -> None:
    key = next(iter(table.primary_key))
    fresh = [row for row in rows if row[key.name] not in stored]
    known = [{**row, "asked": row[key.name]} for row in rows if row[key.name] in stored]
    if fresh:
        connection.execute(insert(table), fresh)
    if known:
        columns: dict[str, Any] = {column.name: bindparam(column.name) for column in table.columns if column.name != key.name}
        connection.execute(update(table).where(key == bindparam("asked")).values(columns), known)


def _known(row: RowMapping) -> Known:
    earlier = row["earlier"]
    return Known(_finding(row["record"]), row["run_id"], None if earlier is None else _finding(earlier), row["muted"])


def _finding(text: str) -> Finding:
    record = loads(text)
    assert isinstance(record, Finding)  # the table holds nothing else
    return record
