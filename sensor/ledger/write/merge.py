"""The finding that several runs of one or more sensors saw parts of: what they counted is added, what was counted more
than once is taken off, the rate is estimated anew from all that was watched. Pure; knows records and no database.

The result does not depend on the order in which the parts came: they are joined by their last packet.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from sensor.estimate import DISPUTED, Exposure, Windows, energy_kwh, estimate, unknown_time
from sensor.estimate.interval import LEVEL
from sensor.estimate.timeline import joined
from sensor.line.activity import joint_activity, reasons_with
from sensor.line.join import MAX_FLOWS
from sensor.line.judge import MAX_EVIDENCE, evidence_order
from sensor.line.overlap import NO_OVERLAP, DoubleCount, less, shares_less, timeline_less
from sensor.line.same_connection import is_same
from sensor.model.evidence import Evidence
from sensor.model.finding import AttemptTotals, Finding, Pool
from sensor.model.flow import FlowSummary, flow_order
from sensor.model.naming import is_family
from sensor.model.quantities import ExposureRecord, Interval, Power, Shares
from sensor.model.time import SECOND_NS
from sensor.session.account import MAX_WORKERS
from sensor.signatures.work import UNITS

#: Estimates of a rate are those of the present; an old one does not stand in for one that is not known now.
PRESENT = frozenset(
    {
        *("hashrate_hps", "spent_hashrate_hps", "power_watts", "energy_kwh", "work_hashes", "claimed_hashrate_hps"),
        "corrects",  # of the report that is made now
        "merged_into",  # one that is there again is itself
    }
)
#: The others: what was known of them is not forgotten.
NOT_PRESENT = tuple(field.name for field in dataclasses.fields(Finding) if field.name not in PRESENT)


def sum_parts(parts: Sequence[Finding], overlaps: Mapping[str, DoubleCount]) -> Finding:
    """The finding that all parts make, in the state of the part seen last. `overlaps` is what they counted more than
    once, by algorithm ("": not known). A single part without overlap is returned as it is."""
    ordered = sorted(parts, key=lambda part: (part.last_ns, part.first_ns, part.seen_by, part.flow_count))
    if len(ordered) == 1 and not any(overlaps.values()):
        return ordered[0]
    whole = reduce(_join, ordered)
    overlap = reduce(DoubleCount.plus, overlaps.values(), NO_OVERLAP)
    exposures = _exposures(ordered, overlaps)
    whole = dataclasses.replace(whole, **_less(whole, overlap), exposures=exposures, flows=_flows(ordered))
    whole = estimated(whole, ordered, overlap)
    if whole.dialect is not None:
        of_parts = [part.activity for part in ordered if part.activity is not None]
        activity = joint_activity(of_parts, whole.exposures, whole.shares.submitted) if of_parts else None
        whole = dataclasses.replace(whole, activity=activity, reasons=reasons_with(whole.reasons, activity))
    groups = by_algorithm(ordered, whole.algorithm)
    if len(groups) > 1:  # energy is energy, whatever was mined
        energies = [
            sum_parts(group, overlaps_of(overlaps, name, whole.algorithm)).energy_kwh for name, group in groups.items()
        ]
        whole = dataclasses.replace(whole, energy_kwh=reduce(_energy, energies))
    return whole


def by_algorithm(parts: Sequence[Finding], lead: str | None) -> dict[str, list[Finding]]:
    """The parts of each algorithm; one that does not say its own goes with the finding's. Not known in all: ""."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for part in parts:
        groups[part.algorithm or lead or ""].append(part)
    return groups


def overlaps_of(overlaps: Mapping[str, DoubleCount], algorithm: str, lead: str | None) -> dict[str, DoubleCount]:
    """The overlaps of one algorithm; those that do not say theirs go with the finding's, as its parts do."""
    return {name: overlap for name, overlap in overlaps.items() if (name or lead or "") == algorithm}


def _attempts(before: Finding, now: Finding) -> AttemptTotals | None:
    """Attempts that several runs counted; their ends may be the same."""
    earlier, later = before.attempts, now.attempts
    if earlier is None or later is None:
        return later if earlier is None else earlier
    ends = max(earlier.sources, later.sources), max(earlier.pools, later.pools)
    return AttemptTotals(earlier.count + later.count, earlier.answered + later.answered, *ends)


def _join(before: Finding, now: Finding) -> Finding:
    """What two parts say together; connections and estimates are done for all parts at once."""
    better = max(now, before, key=lambda finding: (finding.grade, finding.confidence))
    joint: dict[str, Any] = {
        "grade": better.grade,
        "confidence": better.confidence,
        "observations": better.observations,
        "reasons": better.reasons,
        "first_ns": min(before.first_ns, now.first_ns),
        "last_ns": max(before.last_ns, now.last_ns),
        "evidence": _evidence(before, now),
        "midstream": now.midstream or (before.midstream if before.midstream is not None else now.midstream),
        "capture_loss": _loss(before, now),
        "workers": tuple(sorted({*before.workers, *now.workers})[:MAX_WORKERS]),
        "worker_count": max(before.worker_count, now.worker_count),
        "machines_seen": max(before.machines_seen, now.machines_seen),
        "pool": before.pool if now.pool == Pool() else now.pool,
        "timeline": joined(before.timeline, now.timeline),
        "seen_by": tuple(sorted({*before.seen_by, *now.seen_by})),
        "joules_per_hash": _joules(before, now),
        "attempts": _attempts(before, now),
        "holders": before.holders if now.attribution is None else now.holders,
    }
    return dataclasses.replace(now, **(_still_known(before, now) | _sums(before, now) | _named(before, now) | joint))


#: What a finding says of a dialect: it is known altogether or not at all.
OF_DIALECT = ("dialect", "signature_id", "signature_rev", "signature", "work_unit")


def _named(before: Finding, now: Finding) -> dict[str, Any]:
    """A connection that was joined too late to know its dialect takes nothing back of what others knew."""
    if is_family(now.dialect) and before.dialect is not None and not is_family(before.dialect):
        return {name: getattr(before, name) for name in OF_DIALECT}
    return {}


def _evidence(before: Finding, now: Finding) -> list[Evidence]:
    """The best of both; what both have is listed once."""
    pieces = {evidence_order(piece): piece for piece in (*before.evidence, *now.evidence)}
    return [pieces[order] for order in sorted(pieces)][:MAX_EVIDENCE]


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
        "unknown_shares": before.unknown_shares + now.unknown_shares,
        "unknown_seconds": before.unknown_seconds + now.unknown_seconds,
        "assumed_seconds": before.assumed_seconds + now.assumed_seconds,
        "jobs": before.jobs + now.jobs,
        "active_seconds": before.active_seconds + now.active_seconds,
        "flow_count": before.flow_count + now.flow_count,
        "stream_bytes": before.stream_bytes + now.stream_bytes,
    }


def _still_known(before: Finding, now: Finding) -> dict[str, Any]:
    """What was known and is not seen now: a program's name, a coin, a device."""
    return {
        name: getattr(before, name)
        for name in NOT_PRESENT
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


def _joules(before: Finding, now: Finding) -> Power | None:
    """What is known of the device is not forgotten for a part whose beginning, where it was named, was not seen."""
    earlier, later = before.joules_per_hash, now.joules_per_hash
    if later is None or earlier is None:
        return earlier if later is None else later
    same = now.device is None and before.algorithm == now.algorithm
    return earlier if same and earlier.basis == "device" and later.basis == "algorithm" else later


def _loss(before: Finding, now: Finding) -> float | None:
    """The mean of both by their bytes, or by the time they cover where an older release did not store those."""
    if before.capture_loss is None or now.capture_loss is None:
        return now.capture_loss if before.capture_loss is None else before.capture_loss
    weights: tuple[float, float] = (before.stream_bytes, now.stream_bytes)
    if not all(weights):
        weights = (before.active_seconds, now.active_seconds)
    if not sum(weights):
        return max(before.capture_loss, now.capture_loss)
    return (before.capture_loss * weights[0] + now.capture_loss * weights[1]) / sum(weights)


def _less(whole: Finding, overlap: DoubleCount) -> dict[str, Any]:
    """The counts without what was counted more than once; none is below 0."""
    missed = (whole.capture_loss or 0.0) * whole.stream_bytes - overlap.missed_bytes
    stream_bytes = max(0, whole.stream_bytes - overlap.stream_bytes)
    loss = whole.capture_loss if not overlap.stream_bytes else max(0.0, missed / stream_bytes if stream_bytes else 0.0)
    work = None if whole.work_hashes is None else max(0.0, whole.work_hashes - overlap.work / UNITS)
    return {
        "shares": shares_less(whole.shares, overlap),
        "timeline": timeline_less(whole.timeline, overlap),
        "work_hashes": work,
        "jobs": max(0, whole.jobs - overlap.jobs),
        "flow_count": max(1 if whole.flow_count else 0, whole.flow_count - overlap.sessions),
        "stream_bytes": stream_bytes,
        "capture_loss": loss,
    }


def _exposures(parts: Sequence[Finding], overlaps: Mapping[str, DoubleCount]) -> tuple[ExposureRecord, ...]:
    """What the rates are estimated from, of all parts, by algorithm."""
    whole: dict[str, Exposure] = defaultdict(Exposure)
    for part in parts:
        for record in part.exposures:
            whole[record.algorithm or ""].add(Exposure.of(record))
    records = []
    for algorithm in sorted(whole):
        overlap = overlaps.get(algorithm, NO_OVERLAP)
        records.append(less(whole[algorithm].record(algorithm or None), overlap))
    return tuple(records)


def _flows(parts: Sequence[Finding]) -> list[FlowSummary]:
    """The newest connections of all parts; one that several saw is listed once, as the fullest record has it."""
    by_ends: dict[str, list[FlowSummary]] = defaultdict(list)
    for flow in (flow for part in parts for flow in part.flows):
        alike = by_ends[flow.key.community_id]
        same = next((at for at, other in enumerate(alike) if is_same(other, flow)), None)
        if same is None:
            alike.append(flow)
            continue
        other = alike[same]
        seen_by = tuple(sorted({*other.seen_by, *flow.seen_by}))
        fuller = max(other, flow, key=lambda flow: (flow.shares.submitted, flow.last_ns, flow.seen_by))
        alike[same] = dataclasses.replace(fuller, seen_by=seen_by)
    return sorted((flow for alike in by_ends.values() for flow in alike), key=flow_order)[-MAX_FLOWS:]


def estimated(whole: Finding, parts: Sequence[Finding], overlap: DoubleCount) -> Finding:
    """The finding with its rate, power and energy estimated from all that was watched. Parts that older releases stored
    do not say what theirs rest on; with one of them what was estimated of each part is added, as it was then."""
    windows = Windows()
    actives = [_active(part) for part in parts]
    if all(active is not None for active in actives):
        for active in filter(None, actives):
            windows.add(active)
        whole = dataclasses.replace(whole, active=windows.record(), active_seconds=windows.total_ns / SECOND_NS)
    if not all(part.exposures or not part.flow_count for part in parts):
        return dataclasses.replace(whole, active=(), exposures=(), **_kept_estimates(whole, overlap))
    exposure = _of_algorithm(whole.exposures, whole.algorithm)
    level = next((part.hashrate_hps.level for part in reversed(parts) if part.hashrate_hps is not None), LEVEL)
    found = estimate(exposure, level)
    watched_seconds = exposure.windows.total_ns / SECOND_NS
    unknown = unknown_time(exposure, found is not None)
    power: Power | None = None
    if found is not None and whole.joules_per_hash is not None:
        power = _power(found.spent, whole.joules_per_hash)
    disputed = tuple(note for note in whole.estimate_notes if note.startswith(DISPUTED))
    return dataclasses.replace(
        whole,
        watched_seconds=watched_seconds,
        unknown_shares=exposure.unknown_shares,
        unknown_seconds=unknown.unknown,
        assumed_seconds=unknown.assumed,
        hashrate_hps=None if found is None else found.hashrate,
        spent_hashrate_hps=None if found is None else found.spent,
        estimate_notes=() if found is None else (*found.notes, *disputed),
        power_watts=power,
        energy_kwh=None if power is None else energy_kwh(power, watched_seconds, unknown.assumed),
    )


def kept_part(shares: float, shares_again: int, sessions: float, sessions_again: int) -> float:
    """Which part of an amount was not counted more than once, by the shares, or without any by the connections."""
    whole, again = (shares, shares_again) if shares else (sessions, sessions_again)
    return max(0.0, 1.0 - again / whole) if whole else 1.0


def _kept_estimates(whole: Finding, overlap: DoubleCount) -> dict[str, Any]:
    """The sums of estimates that do not say what they rest on, less what was counted more than once."""
    if not overlap:
        return {}
    sessions = whole.flow_count + overlap.sessions
    part = kept_part(whole.shares.submitted + overlap.submitted, overlap.submitted, sessions, overlap.sessions)
    energy, work = whole.energy_kwh, whole.work_hashes
    scaled = energy and Power(energy.low * part, energy.best * part, energy.high * part, energy.basis)
    return {
        "energy_kwh": scaled,
        "work_hashes": None if work is None else work * part,
        "watched_seconds": whole.watched_seconds * part,
    }


def _active(part: Finding) -> Windows | None:
    """When a part's connections were there; None where it does not say, and does not list them all."""
    if part.active or not part.flow_count:
        return Windows.of(part.active)
    if part.flow_count > len(part.flows):
        return None
    windows = Windows()
    for flow in part.flows:
        windows.put(flow.first_ns, flow.last_ns)
    return windows


def _of_algorithm(records: Sequence[ExposureRecord], algorithm: str | None) -> Exposure:
    """The exposure of the finding's algorithm; connections that did not say theirs go with it if there is no other."""
    named = [record.algorithm for record in records if record.algorithm is not None]
    exposure = Exposure()
    for record in records:
        if record.algorithm == algorithm or (record.algorithm is None and len(named) <= 1):
            exposure.add(Exposure.of(record))
    return exposure


def _power(rate: Interval, joules: Power) -> Power:
    return Power(rate.low * joules.low, rate.best * joules.best, rate.high * joules.high, joules.basis)
