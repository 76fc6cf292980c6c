"""One record cut by its connections: those of which others know the login go to that finding, the rest stays. Pure.

Counts of a piece are those of its connections, exactly. When it was watched is known of the whole record only, and is
taken as that within the times of the connections.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce

from sensor.estimate import Exposure, Windows
from sensor.estimate.timeline import joined
from sensor.ledger.write.merge import estimated
from sensor.line.machines import machines
from sensor.line.overlap import NO_OVERLAP, DoubleCount, less, shares_less, timeline_less
from sensor.line.same_connection import SeenConnection, overlaps
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.observation import ObservationPoint
from sensor.model.quantities import ExposureRecord, Shares, WatchedStretch
from sensor.model.time import SECOND_NS
from sensor.model.trace import FlowTrace
from sensor.signatures.work import UNITS


def can_be_cut(record: Finding) -> bool:
    """Whether a record lists all its connections, each with what it counted."""
    return record.flow_count <= len(record.flows) and all(flow.trace is not None for flow in record.flows)


def piece_of(record: Finding, flows: Sequence[FlowSummary]) -> Finding:
    """The record of some of a record's connections; of all of them it is the record itself."""
    if len(flows) == len(record.flows):
        return record
    traces = [flow.trace for flow in flows if flow.trace is not None]
    again = _again(flows)
    overlap = reduce(DoubleCount.plus, again.values(), NO_OVERLAP)
    shares = Shares()
    for flow in flows:
        shares.add(flow.shares)
    stream_bytes = sum(trace.stream_bytes for trace in traces) - overlap.stream_bytes
    missed_bytes = sum(trace.missed_bytes for trace in traces) - overlap.missed_bytes
    work = sum(trace.work for trace in traces) - overlap.work
    active = Windows()
    for flow in flows:
        active.put(flow.first_ns, flow.last_ns)
    ends = {flow.key.community_id for flow in flows}
    piece = dataclasses.replace(
        record,
        shares=shares_less(shares, overlap),
        work_hashes=None if not work and any(trace.work_unknown for trace in traces) else work / UNITS,
        jobs=max(0, sum(trace.jobs for trace in traces) - overlap.jobs),
        flows=list(flows),
        flow_count=len(flows) - overlap.sessions,
        first_ns=min(flow.first_ns for flow in flows),
        last_ns=max(flow.last_ns for flow in flows),
        stream_bytes=stream_bytes,
        capture_loss=max(0.0, missed_bytes / stream_bytes) if stream_bytes > 0 else 0.0,
        evidence=[found for found in record.evidence if found.flow in ends],
        midstream=any(flow.midstream for flow in flows),
        machines_seen=machines(list(flows), 0),
        timeline=timeline_less(reduce(joined, [trace.timeline for trace in traces], None), overlap),
        active=active.record(),
        active_seconds=active.total_ns / SECOND_NS,
        exposures=_exposures(record.exposures, traces, active, again),
    )
    return estimated(piece, [piece], NO_OVERLAP)


def emptied(record: Finding, heir: str, flow: FlowSummary) -> Finding:
    """What is left of a record whose connections are all another finding's: why it was one, and no sums. `flow` is one
    of them."""
    return dataclasses.replace(
        record,
        state="closed",
        merged_into=heir,
        shares=Shares(),
        work_hashes=0.0,
        claimed_hashrate_hps=None,
        active_seconds=0.0,
        jobs=0,
        flows=[],
        flow_count=0,
        capture_loss=0.0,
        hashrate_hps=None,
        spent_hashrate_hps=None,
        power_watts=None,
        watched_seconds=0.0,
        energy_kwh=None,
        unknown_shares=0,
        unknown_seconds=0.0,
        assumed_seconds=0.0,
        estimate_notes=(),
        machines_seen=1,
        timeline=None,
        stream_bytes=0,
        active=(),
        exposures=(),
        point=ObservationPoint(flow.source, flow.vlans),
    )


def _again(flows: Sequence[FlowSummary]) -> dict[str, DoubleCount]:
    """What captures that overlap have twice, by algorithm: a record counts it once."""
    by_ends: dict[str, list[SeenConnection]] = defaultdict(list)
    for flow in flows:
        by_ends[flow.key.community_id].append(SeenConnection("", "", flow))
    found: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
    for alike in by_ends.values():
        for algorithm, overlap in overlaps(alike).items() if len(alike) > 1 else ():
            found[algorithm] = found[algorithm].plus(overlap)
    return found


def _exposures(
    whole: Sequence[ExposureRecord], traces: Sequence[FlowTrace], active: Windows, again: dict[str, DoubleCount]
) -> tuple[ExposureRecord, ...]:
    by_algorithm: dict[str, Exposure] = defaultdict(Exposure)
    for trace in traces:
        by_algorithm[trace.exposure.algorithm or ""].add(Exposure.of(trace.exposure))
    records = []
    for algorithm in sorted(by_algorithm):
        record = less(by_algorithm[algorithm].record(algorithm or None), again.get(algorithm, NO_OVERLAP))
        its = next((of_all for of_all in whole if (of_all.algorithm or "") == algorithm), None)
        stretches = () if its is None else _within(its.stretches, active)
        unrated = () if its is None else _within(its.unrated_stretches, active)
        records.append(dataclasses.replace(record, stretches=stretches, unrated_stretches=unrated))
    return tuple(records)


def _within(stretches: Sequence[WatchedStretch], active: Windows) -> tuple[WatchedStretch, ...]:
    """Stretches cut to the times of connections; a pause shrinks with its stretch."""
    cut = []
    for start, end, pause in stretches:
        for first, last, _ in active.record():
            from_ns, to_ns = max(start, first), min(end, last)
            if from_ns < to_ns:
                cut.append(WatchedStretch(from_ns, to_ns, pause * (to_ns - from_ns) // (end - start)))
    return tuple(cut)
