"""The findings of one step as a transaction: taken one after another, then written. SQL within the transaction.

It decides nothing itself: what a finding becomes is decided in `lifecycle.py`, what of it is rolled up in
`rollup_state.py`, what becomes of cases in `cases.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping

from sensor.ledger.store.records import column_text, dumps, load_finding, packed
from sensor.ledger.store.schema import FINDINGS
from sensor.ledger.write.cases import CaseWriter, case_subject
from sensor.ledger.write.lifecycle import HeldFinding, advance
from sensor.ledger.write.machines import MachineWriter
from sensor.ledger.write.owners import OwnerWriter, SiteRef
from sensor.ledger.write.rollup_state import RollupState, SeriesKey, plan_rollup
from sensor.ledger.write.rollups import RollupWriter
from sensor.ledger.write.rows import rows_of, write_rows
from sensor.model.finding import Finding
from sensor.model.text import endpoint_text


@dataclass(slots=True)
class FindingLinks:
    """What a finding's row holds beside its record."""

    rollup: RollupState | None = None  # None: nothing of it is in the roll-ups yet
    site_id: int = 0
    case_id: int | None = None


class FindingWriter:
    """The findings of one step."""

    def __init__(self, connection: Connection, identities: Sequence[str], run_id: str, now_ns: int) -> None:
        self._connection = connection
        self._run_id, self._now_ns = run_id, now_ns
        rows = rows_of(connection, FINDINGS, identities)
        self._tracked = {row["finding_id"]: _tracked(row) for row in rows}
        self._links = {row["finding_id"]: _links(row) for row in rows}
        self._stored = set(self._tracked)
        self._changed: dict[str, HeldFinding] = {}
        self._owners, self._cases = OwnerWriter(connection), CaseWriter(connection)
        self._rollups, self._machines = RollupWriter(connection), MachineWriter(connection)

    def add(self, record: Finding, suppressed: str | None) -> tuple[Finding, bool]:
        """The finding as the ledger has it after this record, and whether that is an event."""
        before = self._tracked.get(record.finding_id)
        site = self._owners.add(record)
        suppressed = suppressed or self._cases.false_alarm(case_subject(site, record.miner_ip))
        after, reported = advance(before, record, self._run_id, suppressed)
        if after is not before:
            self._change(before, after, record, site)
        return after.finding, reported

    def roll_up(self) -> None:
        """Roll up what is in the table and never was: a ledger of before there were roll-ups."""
        for identity, tracked in list(self._tracked.items()):
            site = self._owners.add(tracked.finding)
            self._links[identity].rollup = None
            self._change(None, tracked, tracked.finding, site)

    def write(self) -> None:
        """Put what changed into the tables."""
        self._rollups.write()
        self._cases.write()
        self._machines.write()
        write_rows(self._connection, FINDINGS, [self._row(tracked) for tracked in self._changed.values()], self._stored)

    def _change(self, before: HeldFinding | None, after: HeldFinding, record: Finding, site: SiteRef) -> None:
        """Bring a finding's change to the roll-ups, its case and its machines."""
        finding = after.finding
        links = self._links.setdefault(finding.finding_id, FindingLinks())
        shares_before = 0 if links.rollup is None else links.rollup.placed.shares
        plan = plan_rollup(links.rollup, before, after, record, _series_key(after, site.site_id))
        self._rollups.apply(finding, _machines(finding), plan.actions)
        links.rollup, links.site_id = plan.state, site.site_id
        if after.suppressed is None:
            more_shares = plan.state.placed.shares > shares_before
            links.case_id = self._cases.add(finding, case_subject(site, finding.miner_ip), more_shares)
        workers_before = None if before is None else before.finding.workers
        if not finding.donation and (finding.state != "updated" or workers_before != finding.workers):
            self._machines.add(finding, site.site_id)
        self._tracked[finding.finding_id] = self._changed[finding.finding_id] = after

    def _row(self, tracked: HeldFinding) -> dict[str, Any]:
        finding, links = tracked.finding, self._links[tracked.finding.finding_id]
        payee = (finding.wallet.address if finding.wallet else None) or (finding.login or "").partition(".")[0]
        return {
            "finding_id": finding.finding_id,
            "miner_ip": finding.miner_ip,
            "pool_ip": finding.pool_ip or "",
            "pool_port": finding.pool_port or 0,
            "dialect": finding.dialect or "",
            "coin": finding.coin,
            "algorithm": finding.algorithm,
            "grade": int(finding.grade),
            "state": finding.state,
            "first_ns": finding.first_ns,
            "last_ns": finding.last_ns,
            "muted": tracked.suppressed,
            "run_id": tracked.run_id,
            "recorded_ns": self._now_ns,
            "record": packed(dumps(finding)),
            "earlier": None if tracked.earlier is None else packed(dumps(tracked.earlier)),
            "rolled": None if links.rollup is None else links.rollup.dumps(),
            "site_id": links.site_id,
            "case_id": links.case_id,
            "machines": _machines(finding),
            "wallet": column_text(payee) if payee else None,
            "aggregator": None if finding.aggregator is None else column_text(finding.aggregator),
        }


def _tracked(row: RowMapping) -> HeldFinding:
    """What the ledger holds of a finding."""
    earlier = None if row["earlier"] is None else load_finding(row["earlier"])
    return HeldFinding(load_finding(row["record"]), row["run_id"], earlier, row["muted"])


def _links(row: RowMapping) -> FindingLinks:
    rollup = None if row["rolled"] is None else RollupState.loads(row["rolled"])
    return FindingLinks(rollup, row["site_id"] or 0, row["case_id"])


def _machines(finding: Finding) -> int:
    """At least so many machines; a program's own donation is no other machine."""
    return 0 if finding.donation else finding.machines_seen


def _series_key(tracked: HeldFinding, site_id: int) -> SeriesKey:
    """Under what a finding is rolled up now."""
    finding = tracked.finding
    end = endpoint_text(finding.pool_ip, finding.pool_port or 0) if finding.pool_ip else ""
    return SeriesKey(
        site_id,
        column_text(finding.pool_host or end),
        column_text(finding.dialect or ""),
        column_text(finding.algorithm or ""),
        column_text(finding.coin or ""),
        tracked.suppressed is not None,
    )
