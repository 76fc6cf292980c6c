"""Reads findings and nodes, each whole as it was recorded last. SQL in, plain data out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from sensor.ledger.store.records import load_finding, loads
from sensor.ledger.store.schema import FINDINGS, NODES
from sensor.ledger.write.rows import PAGE
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import record_order


@dataclass(frozen=True)
class StoredFinding:
    """One finding as the ledger holds it."""

    finding: Finding
    suppressed: str | None  # why it was not reported
    recorded_ns: int


def findings(
    connection: Connection,
    address: str | None,
    state: str | None,
    *,
    finding_id: str | None,
    limit: int,
    activity: str | None = None,
) -> list[StoredFinding]:
    """Findings, newest first; see `LedgerReader.findings`."""
    query = select(FINDINGS).order_by(FINDINGS.c.last_ns.desc(), FINDINGS.c.finding_id).limit(limit)
    if address is not None:
        query = query.where(or_(FINDINGS.c.miner_ip == address, FINDINGS.c.pool_ip == address))
    if finding_id is not None:
        query = query.where(FINDINGS.c.finding_id == finding_id)
    if activity is not None:
        query = query.where(FINDINGS.c.activity == activity)
    if state == "open":
        query = query.where(FINDINGS.c.state != "closed")
    elif state is not None:
        query = query.where(FINDINGS.c.state == state)
    rows = connection.execute(query).mappings()
    return [StoredFinding(load_finding(row["record"]), row["muted"], row["recorded_ns"]) for row in rows]


def reported(stored: Iterable[StoredFinding], from_ns: int, to_ns: int) -> list[Finding]:
    """Those seen in [from_ns, to_ns) that are not suppressed, in the order of records."""
    seen = [
        entry.finding
        for entry in stored
        if entry.suppressed is None
        and entry.finding.mines
        and entry.finding.last_ns >= from_ns
        and entry.finding.first_ns < to_ns
    ]
    return sorted(seen, key=record_order)


def open_findings(connection: Connection, after: str, most: int) -> list[Finding]:
    """A page of the findings that are open and not suppressed, in the order of their identities."""
    query = select(FINDINGS.c.record).where(
        FINDINGS.c.state != "closed", FINDINGS.c.muted.is_(None), FINDINGS.c.finding_id > after
    )
    return [load_finding(text) for text in connection.scalars(query.order_by(FINDINGS.c.finding_id).limit(most))]


def suppressions(connection: Connection, identities: Sequence[str]) -> dict[str, str]:
    """Those that are suppressed, and why, by identity."""
    found: dict[str, str] = {}
    for start in range(0, len(identities), PAGE):
        its = (FINDINGS.c.finding_id.in_(identities[start : start + PAGE]), FINDINGS.c.muted.is_not(None))
        rows = connection.execute(select(FINDINGS.c.finding_id, FINDINGS.c.muted).where(*its))
        found.update((finding_id, reason) for finding_id, reason in rows)
    return found


def nodes(connection: Connection, address: str | None, limit: int) -> list[Node]:
    """Nodes, newest first, of an address or all."""
    query = select(NODES.c.record).order_by(NODES.c.last_ns.desc(), NODES.c.node_id).limit(limit)
    if address is not None:
        query = query.where(NODES.c.address == address)
    return [record for record in map(loads, connection.scalars(query)) if isinstance(record, Node)]
