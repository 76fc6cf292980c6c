"""A finding's row: the record with what stands beside it, to the table and back. Knows columns; decides nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from sensor.ledger.store.records import column_text, dump_overlaps, dumps, load_finding, load_overlaps, packed
from sensor.ledger.write.lifecycle import HeldFinding
from sensor.ledger.write.rollup_state import RollupState
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.model.finding import Finding
from sensor.model.text import endpoint_text


@dataclass(slots=True)
class FindingLinks:
    """What a finding's row holds beside its record."""

    rollup: RollupState | None = None  # None: nothing of it is in the roll-ups yet
    site_id: int = 0
    case_id: int | None = None
    overlaps: dict[str, DoubleCount] = field(default_factory=dict)  # by algorithm, what its parts have twice

    def count(self, change: Mapping[str, DoubleCount]) -> None:
        """The parts have so much more twice."""
        for algorithm, overlap in change.items():
            self.overlaps[algorithm] = self.overlaps.get(algorithm, NO_OVERLAP).plus(overlap)


def held_finding(row: RowMapping) -> HeldFinding:
    """What the ledger holds of a finding, from its row."""
    return HeldFinding(load_finding(row["record"]), row["muted"])


def links_of(row: RowMapping) -> FindingLinks:
    """What stands beside a finding, from its row."""
    rollup = None if row["rolled"] is None else RollupState.loads(row["rolled"], row["algorithm"] or "")
    return FindingLinks(rollup, row["site_id"] or 0, row["case_id"], load_overlaps(row["overlaps"]))


def finding_row(held: HeldFinding, links: FindingLinks, now_ns: int) -> dict[str, Any]:
    """The row of a finding."""
    finding = held.finding
    payee = (finding.wallet.address if finding.wallet else None) or (finding.login or "").partition(".")[0]
    return {
        "finding_id": finding.finding_id,
        "miner_ip": finding.miner_ip,
        "pool_ip": finding.pool_ip,
        "pool_port": finding.pool_port,
        "dialect": finding.dialect,
        "coin": finding.coin,
        "algorithm": finding.algorithm,
        "grade": int(finding.grade),
        "state": finding.state,
        "first_ns": finding.first_ns,
        "last_ns": finding.last_ns,
        "muted": held.suppressed,
        "activity": finding.activity,
        "recorded_ns": now_ns,
        "record": packed(dumps(finding)),
        "overlaps": dump_overlaps(links.overlaps),
        "rolled": None if links.rollup is None else links.rollup.dumps(),
        "site_id": links.site_id,
        "case_id": links.case_id,
        "machines": machines_of(finding),
        "wallet": column_text(payee) if payee else None,
        "aggregator": None if finding.aggregator is None else column_text(finding.aggregator),
        **_shared_columns(finding),
    }


def _shared_columns(finding: Finding) -> dict[str, Any]:
    """By what a finding may be one of several, and its hashrate."""
    end = endpoint_text(finding.pool_ip, finding.pool_port or 0) if finding.pool_ip else None
    pool = finding.pool.name or finding.pool_host or end
    workers = sorted({column_text(name) for name in finding.workers if name})
    rate = finding.hashrate_hps
    rates = (None,) * 3 if rate is None else (rate.low, rate.best, rate.high)
    finite = all(value is not None and math.isfinite(value) for value in rates)
    return {
        "pool": column_text(pool) if pool else None,
        "workers": json.dumps(workers) if workers else None,
        "work_unit": finding.work_unit,
        **dict(zip(("rate_low", "rate_best", "rate_high"), rates if finite else (None,) * 3, strict=True)),
    }


def machines_of(finding: Finding) -> int:
    """At least so many machines; a program's own donation is no other machine."""
    return 0 if finding.donation else finding.machines_seen
