"""One step of the line as a transaction: findings and nodes taken one after another, then written. SQL within the transaction.

It decides nothing itself: what a finding becomes is `following.py`'s, what of it is rolled up `rolled.py`'s, what becomes of cases
`casebook.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, bindparam, insert, select, update

from sensor.ledger.records import dumps, loads, packed
from sensor.ledger.schema import FINDINGS, MACHINES, NODES
from sensor.ledger.write.casebook import Casebook, subject
from sensor.ledger.write.owners import Owners, clean
from sensor.ledger.write.rolled import Key, Rolled, advance
from sensor.ledger.write.rollups import Rollups
from sensor.ledger.write.transition import Known, follow
from sensor.ledger.write.upsert import upsert
from sensor.model.finding import Finding
from sensor.model.node import Node

#: Identities asked for in one query; SQLite takes 32,766 parameters, older ones 999.
ASKED = 500
#: Rigs kept of one address; more are counted by the findings, not listed.
MOST_RIGS = 1_024


class Findings:
    """The findings of one step."""

    def __init__(self, connection: Connection, identities: Sequence[str], run_id: str, now_ns: int) -> None:
        self._connection = connection
        self._run_id, self._now_ns = run_id, now_ns
        rows = rows_of(connection, FINDINGS, identities)
        self._known = {row["finding_id"]: known_of(row) for row in rows}
        self._extras: dict[str, dict[str, Any]] = {
            row["finding_id"]: {name: row[name] for name in ("rolled", "site_id", "case_id")} for row in rows
        }
        self._stored = set(self._known)
        self._changed: dict[str, Known] = {}
        self._owners, self._cases, self._rollups = Owners(connection), Casebook(connection), Rollups(connection)
        self._rigs = Rigs(connection)

    def take(self, now: Finding, muted: str | None) -> tuple[Finding, bool]:
        """The finding as it stands with this record, and whether it is an event."""
        before = self._known.get(now.finding_id)
        owner = self._owners.take(now)
        whose = subject(owner, now.miner_ip)
        muted = muted or self._cases.false_alarm(whose)
        held, told = follow(before, now, self._run_id, muted)
        if held is not before:
            self._keep(before, held, now, (owner.site_id, whose))
        return held.finding, told

    def fill(self) -> None:
        """Roll up what stands in the table and never was: a ledger of before there were roll-ups."""
        for identity, held in list(self._known.items()):
            owner = self._owners.take(held.finding)
            self._extras[identity]["rolled"] = None
            self._keep(None, held, held.finding, (owner.site_id, subject(owner, held.finding.miner_ip)))

    def write(self) -> None:
        """Put what changed into the tables."""
        self._rollups.write()
        self._cases.write()
        self._rigs.write()
        write(self._connection, FINDINGS, [self._row(one) for one in self._changed.values()], self._stored)

    def _keep(self, before: Known | None, held: Known, now: Finding, where: tuple[int, tuple[int, str]]) -> None:
        finding, (site_id, whose) = held.finding, where
        extras = self._extras.setdefault(finding.finding_id, {"rolled": None, "case_id": None})
        known = None if extras["rolled"] is None else Rolled.loads(extras["rolled"])
        shares = 0 if known is None else known.placed[1]
        steps = advance(known, before, held, now, key_of(held, site_id))
        machines = 0 if finding.donation else finding.machines_seen
        self._rollups.do(finding, machines, steps.actions)
        extras |= {"rolled": steps.rolled.dumps(), "site_id": site_id}
        if held.muted is None:
            extras["case_id"] = self._cases.saw(finding, whose, steps.rolled.placed[1] > shares)
        if not finding.donation and (
            before is None or finding.state != "updated" or before.finding.workers != finding.workers
        ):
            self._rigs.take(finding, site_id)
        self._known[finding.finding_id] = self._changed[finding.finding_id] = held

    def _row(self, held: Known) -> dict[str, Any]:
        one = held.finding
        paid = (one.wallet.address if one.wallet else None) or (one.login or "").partition(".")[0]
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
            "record": packed(dumps(one)),
            "earlier": None if held.earlier is None else packed(dumps(held.earlier)),
            "machines": 0 if one.donation else one.machines_seen,
            "wallet": clean(paid) if paid else None,
            "aggregator": None if one.aggregator is None else clean(one.aggregator),
            **self._extras[one.finding_id],
        }


class Rigs:
    """The machines of one step, by the names of their rigs; what names none is one without a name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, finding: Finding, site_id: int) -> None:
        """A finding's machines were seen."""
        for name in sorted({clean(one) for one in finding.workers}) or [""]:
            known = self._rows.get((finding.miner_ip, name))
            self._rows[finding.miner_ip, name] = {
                "miner_ip": finding.miner_ip,
                "name": name,
                "site_id": site_id,
                "algorithm": finding.algorithm,
                "device": finding.device,
                "device_class": finding.device_class,
                "agent": None if finding.agent is None else clean(finding.agent),
                "first_ns": min(finding.first_ns, known["first_ns"]) if known else finding.first_ns,
                "last_ns": max(finding.last_ns, known["last_ns"]) if known else finding.last_ns,
            }

    def write(self) -> None:
        """Put them into the table, at most MOST_RIGS of an address; the first sighting stays."""
        if not self._rows:
            return
        addresses = sorted({miner for miner, _ in self._rows})
        held: dict[tuple[str, str], tuple[int, int]] = {}
        columns = select(MACHINES.c.miner_ip, MACHINES.c.name, MACHINES.c.first_ns, MACHINES.c.last_ns)
        for start in range(0, len(addresses), ASKED):
            page = MACHINES.c.miner_ip.in_(addresses[start : start + ASKED])
            for miner, name, first, last in self._connection.execute(columns.where(page)):
                held[miner, name] = (first, last)
        counts: dict[str, int] = {}
        for miner, _ in held:
            counts[miner] = counts.get(miner, 0) + 1
        rows = []
        for key, row in self._rows.items():
            if key not in held:
                counts[key[0]] = counts.get(key[0], 0) + 1
                if counts[key[0]] > MOST_RIGS:
                    continue
            first, last = held.get(key, (row["first_ns"], row["last_ns"]))
            rows.append(row | {"first_ns": min(first, row["first_ns"]), "last_ns": max(last, row["last_ns"])})
        upsert(
            self._connection,
            MACHINES,
            rows,
            replace=[column.name for column in MACHINES.columns if not column.primary_key],
        )
        self._rows.clear()


class Nodes:
    """The nodes of one step; a node is told once for each time it was seen later."""

    def __init__(self, connection: Connection, identities: Sequence[str], now_ns: int) -> None:
        self._connection, self._now_ns = connection, now_ns
        self._known = {row["node_id"]: row["last_ns"] for row in rows_of(connection, NODES, identities)}
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
        write(self._connection, NODES, rows, self._stored)


def key_of(held: Known, site_id: int) -> Key:
    """Under what a finding is rolled up now."""
    one = held.finding
    pool = one.pool_host or (
        f"[{one.pool_ip}]:{one.pool_port}" if ":" in one.pool_ip else f"{one.pool_ip}:{one.pool_port}"
    )
    return Key(
        site_id,
        clean(pool),
        clean(one.dialect),
        clean(one.algorithm or ""),
        clean(one.coin or ""),
        held.muted is not None,
    )


def rows_of(connection: Connection, table: Table, identities: Sequence[str]) -> list[RowMapping]:
    """The rows of these identities."""
    key = next(iter(table.primary_key))
    asked = sorted(set(identities))
    pages = [asked[start : start + ASKED] for start in range(0, len(asked), ASKED)]
    return [row for page in pages for row in connection.execute(select(table).where(key.in_(page))).mappings()]


def write(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], stored: set[str]) -> None:
    """Insert the rows that are new and change those that are there."""
    key = next(iter(table.primary_key))
    fresh = [row for row in rows if row[key.name] not in stored]
    known = [{**row, "asked": row[key.name]} for row in rows if row[key.name] in stored]
    if fresh:
        connection.execute(insert(table), fresh)
    if known:
        columns: dict[str, Any] = {
            column.name: bindparam(column.name) for column in table.columns if column.name != key.name
        }
        connection.execute(update(table).where(key == bindparam("asked")).values(columns), known)


def known_of(row: RowMapping) -> Known:
    """What the ledger holds of a finding."""
    earlier = row["earlier"]
    return Known(
        finding_of(row["record"]), row["run_id"], None if earlier is None else finding_of(earlier), row["muted"]
    )


def finding_of(text: str) -> Finding:
    """The finding of a record; the table holds nothing else."""
    record = loads(text)
    assert isinstance(record, Finding)
    return record
