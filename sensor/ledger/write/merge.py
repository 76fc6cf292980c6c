"""Merges a finding with what an earlier run of the process knew of it: totals are added, what was learnt is kept. Pure.

A record carries totals since its process began to follow it, so what was counted before a restart is in the ledger
alone. It knows records and no database.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sensor.estimate.timeline import joined
from sensor.line.join import MAX_FLOWS
from sensor.line.judge import MAX_EVIDENCE, evidence_order
from sensor.model.finding import Finding, Pool
from sensor.model.flow import flow_order
from sensor.model.quantities import Power, Shares
from sensor.session.account import MAX_WORKERS

#: Estimates of a rate are those of the present; an old one does not stand in for one that is not known now.
PRESENT = frozenset(
    {
        *("hashrate_hps", "spent_hashrate_hps", "power_watts", "energy_kwh", "work_hashes", "claimed_hashrate_hps"),
        "merged_into",  # one that is there again is itself
    }
)


def same_packets(before: Finding, now: Finding) -> bool:
    """Whether two records share a connection: a capture that is replayed again."""
    return bool({flow.key.flow_id for flow in before.flows} & {flow.key.flow_id for flow in now.flows})


def merge_findings(before: Finding, now: Finding) -> Finding:
    """What is known of a finding after two stretches of following it, in the state of the later one.

    Of two records that come from the same packets nothing is added; the fuller one counts.
    """
    if same_packets(before, now):
        fuller = max(now, before, key=lambda finding: (finding.flow_count, finding.shares.submitted, finding.last_ns))
        return dataclasses.replace(fuller, state=now.state)
    better = max(now, before, key=lambda finding: (finding.grade, finding.confidence))
    return dataclasses.replace(
        now,
        **_still_known(before, now),
        **_sums(before, now),
        grade=better.grade,
        confidence=better.confidence,
        observations=better.observations,
        reasons=better.reasons,
        first_ns=min(before.first_ns, now.first_ns),
        last_ns=max(before.last_ns, now.last_ns),
        flows=sorted([*before.flows, *now.flows], key=flow_order)[-MAX_FLOWS:],
        evidence=sorted([*before.evidence, *now.evidence], key=evidence_order)[:MAX_EVIDENCE],
        midstream=before.midstream or now.midstream,
        capture_loss=_loss(before, now),
        workers=tuple(sorted({*before.workers, *now.workers})[:MAX_WORKERS]),
        worker_count=max(before.worker_count, now.worker_count),
        machines_seen=max(before.machines_seen, now.machines_seen),
        pool=before.pool if now.pool == Pool() else now.pool,
        timeline=joined(before.timeline, now.timeline),
    )


def _sums(before: Finding, now: Finding) -> dict[str, Any]:
    """What is counted: the fields of both added up."""
    shares = Shares()
    shares.add(before.shares)
    shares.add(now.shares)
    same_work = before.algorithm == now.algorithm or None in (before.algorithm, now.algorithm)
    return {
        "shares": shares,
        # Work is never added across algorithms.
        "work_hashes": _sum(before.work_hashes, now.work_hashes) if same_work else now.work_hashes,
        "energy_kwh": _energy(before.energy_kwh, now.energy_kwh),
        "watched_seconds": _watched_seconds(before, now),
        "jobs": before.jobs + now.jobs,
        "active_seconds": before.active_seconds + now.active_seconds,
        "flow_count": before.flow_count + now.flow_count,
        "stream_bytes": before.stream_bytes + now.stream_bytes,
    }


def _still_known(before: Finding, now: Finding) -> dict[str, Any]:
    """What was known and is not seen now: a program's name, a coin, a device."""
    names = (field.name for field in dataclasses.fields(Finding) if field.name not in PRESENT)
    return {
        name: getattr(before, name)
        for name in names
        if getattr(now, name) is None and getattr(before, name) is not None
    }


def _sum(left: float | None, right: float | None) -> float | None:
    return right if left is None else left if right is None else left + right


def _watched_seconds(before: Finding, now: Finding) -> float:
    """The sum; not known (0) unless both are, for a part would pass for the whole."""
    if before.watched_seconds <= 0.0 or now.watched_seconds <= 0.0:
        return 0.0
    return before.watched_seconds + now.watched_seconds


def _energy(left: Power | None, right: Power | None) -> Power | None:
    if left is None or right is None:
        return right if left is None else left
    basis = left.basis if left.basis == right.basis else "algorithm"
    return Power(left.low + right.low, left.best + right.best, left.high + right.high, basis)


def _loss(before: Finding, now: Finding) -> float | None:
    """The mean of both by the time they cover: how many bytes stand behind each is not in a record."""
    if before.capture_loss is None or now.capture_loss is None:
        return now.capture_loss if before.capture_loss is None else before.capture_loss
    total = before.active_seconds + now.active_seconds
    if not total:
        return max(before.capture_loss, now.capture_loss)
    return (before.capture_loss * before.active_seconds + now.capture_loss * now.active_seconds) / total
