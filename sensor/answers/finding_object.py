"""A finding and a node as members of a JSON answer: what was found, when, and why it was or was not reported."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from exporters.redaction.persons import without_names
from sensor.answers.values import bounds, instant, rounded
from sensor.model.finding import Finding
from sensor.model.node import Node

if TYPE_CHECKING:
    from sensor.ledger import StoredFinding


def finding_object(entry: StoredFinding, persons: bool) -> dict[str, object]:
    """One finding as the ledger has it."""
    finding = entry.finding
    return {
        "finding_id": finding.finding_id,
        "state": finding.state,
        "activity": finding.activity,
        "grade": finding.grade.label,
        "confidence": rounded(finding.confidence),
        "miner_ip": finding.miner_ip,
        "pool_ip": finding.pool_ip,
        "pool_port": finding.pool_port,
        "pool_host": finding.pool.host,
        "pool_name": finding.pool.name,
        "dialect": finding.dialect,
        "coin": finding.coin,
        "algorithm": finding.algorithm,
        "algorithm_basis": finding.algorithm_basis,
        "login": finding.login,
        "worker": finding.worker,
        "agent": finding.agent,
        "first_seen": instant(finding.first_ns),
        "last_seen": instant(finding.last_ns),
        "shares": _shares(finding),
        "work_unit": finding.work_unit,
        "hashrate_hps": bounds(finding.hashrate_hps),
        "power_watts": bounds(finding.power_watts),
        "energy_kwh": bounds(finding.energy_kwh),
        "unknown_work_seconds": rounded(finding.unknown_seconds) if finding.dialect is not None else None,
        "reported": entry.suppressed is None,
        "suppressed": _suppressed(entry, persons),
        "corrects": None if finding.corrects is None else finding.corrects._asdict(),
        "attempts": None if finding.attempts is None else asdict(finding.attempts),
        "merged_into": finding.merged_into,
        "reasons": list(finding.reasons),
        "observations": [
            {
                "kind": part.kind,
                "signature": part.signature,
                "grade": part.grade.label,
                "bits": rounded(part.bits),
                "p": rounded(part.p),
            }
            for part in finding.observations
        ],
    }


def node_object(node: Node) -> dict[str, object]:
    """One node of a peer-to-peer network: not mining."""
    return {
        "node_id": node.node_id,
        "protocol": node.protocol,
        "network": node.network,
        "coin": node.coin,
        "src_ip": node.key.src_ip,
        "dest_ip": node.key.dest_ip,
        "dest_port": node.key.dest_port,
        "first_seen": instant(node.first_ns),
        "last_seen": instant(node.last_ns),
        "confidence": rounded(node.confidence),
    }


def _shares(finding: Finding) -> dict[str, object] | None:
    """Counts of shares; null where nothing was spoken, for then nobody could count."""
    if finding.dialect is None:
        return None
    shares = finding.shares
    return {
        "submitted": shares.submitted,
        "accepted": shares.accepted,
        "rejected": shares.rejected,
        "unanswered": shares.unanswered,
        "unknown_work": finding.unknown_shares,
    }


def _suppressed(entry: StoredFinding, persons: bool) -> str | None:
    answer = entry.finding.attribution
    if entry.suppressed is None or answer is None:
        return entry.suppressed
    return without_names(entry.suppressed, answer.enterprise, answer.site, persons)
