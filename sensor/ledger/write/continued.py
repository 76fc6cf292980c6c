"""A finding that an earlier run of the process already knew goes on: totals are added, what was learnt is kept. Pure.

A record carries totals since its process began to follow it, so what was counted before a restart is in the ledger alone. It knows
records and no database.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sensor.estimate.timeline import joined
from sensor.line.join import MAX_FLOWS
from sensor.line.judge import MAX_EVIDENCE, evidence_order
from sensor.model.finding import Finding, Pool
from sensor.model.flow import FlowSummary
from sensor.model.quantities import Power, Shares
from sensor.session.account import MAX_WORKERS

#: Estimates of a rate are those of the present; an old one does not stand in for one that is not known now.
PRESENT = frozenset(
    {"hashrate_hps", "spent_hashrate_hps", "power_watts", "energy_kwh", "work_hashes", "claimed_hashrate_hps"}
)


def continued(before: Finding, now: Finding) -> Finding:
    """What is known of a finding after two stretches of following it, in the state of the later one.

    Two records that share a connection come from the same packets (a capture replayed again): nothing is added, the fuller one counts.
    """
    if {flow.key.flow_id for flow in before.flows} & {flow.key.flow_id for flow in now.flows}:
        fuller = max(now, before, key=lambda one: (one.flow_count, one.shares.submitted, one.last_ns))
        return dataclasses.replace(fuller, state=now.state)
    better = max(now, before, key=lambda one: (one.grade, one.confidence))
    shares = Shares()
    shares.add(before.shares)
    shares.add(now.shares)
    same_work = before.algorithm == now.algorithm or None in (before.algorithm, now.algorithm)
    return dataclasses.replace(
        now,
        **_kept(before, now),
        grade=better.grade,
        confidence=better.confidence,
        reasons=better.reasons,
        shares=shares,
        work_hashes=_sum(before.work_hashes, now.work_hashes)
        if same_work
        else now.work_hashes,  # never across algorithms
        energy_kwh=_energy(before.energy_kwh, now.energy_kwh),
        jobs=before.jobs + now.jobs,
        first_ns=min(before.first_ns, now.first_ns),
        last_ns=max(before.last_ns, now.last_ns),
        active_seconds=before.active_seconds + now.active_seconds,
        flows=sorted([*before.flows, *now.flows], key=_flow_order)[-MAX_FLOWS:],
        flow_count=before.flow_count + now.flow_count,
        evidence=sorted([*before.evidence, *now.evidence], key=evidence_order)[:MAX_EVIDENCE],
        midstream=before.midstream or now.midstream,
        capture_loss=_loss(before, now),
        stream_bytes=before.stream_bytes + now.stream_bytes,
        workers=tuple(sorted({*before.workers, *now.workers})[:MAX_WORKERS]),
        worker_count=max(before.worker_count, now.worker_count),
        machines_seen=max(before.machines_seen, now.machines_seen),
        pool=before.pool if now.pool == Pool() else now.pool,
        timeline=joined(before.timeline, now.timeline),
    )


def _kept(before: Finding, now: Finding) -> dict[str, Any]:
    """What was known and is not said now: a program's name, a coin, a device."""
    names = (field.name for field in dataclasses.fields(Finding) if field.name not in PRESENT)
    return {
        name: getattr(before, name)
        for name in names
        if getattr(now, name) is None and getattr(before, name) is not None
    }


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


def _energy(one: Power | None, other: Power | None) -> Power | None:
    if one is None or other is None:
        return other if one is None else one
    basis = one.basis if one.basis == other.basis else "algorithm"
    return Power(one.low + other.low, one.best + other.best, one.high + other.high, basis)


def _loss(before: Finding, now: Finding) -> float:
    """The mean of both by the time they cover: how many bytes stand behind each is not in a record."""
    total = before.active_seconds + now.active_seconds
    if not total:
        return max(before.capture_loss, now.capture_loss)
    return (before.capture_loss * before.active_seconds + now.capture_loss * now.active_seconds) / total


def _flow_order(flow: FlowSummary) -> tuple[int, int, int]:
    return flow.first_ns, flow.last_ns, flow.key.flow_id
