"""What one login's part of a flow comes to: its summary, the exposure its rate is estimated from, the trace by which
the connection is known again. Sans-IO; judges nothing.
"""

from __future__ import annotations

from dataclasses import replace

from sensor.estimate import Exposure
from sensor.line.activity import wait_seconds
from sensor.line.flow_facts import FlowFacts, flow_key, proxy_of
from sensor.line.tcp_clocks import machine_clock
from sensor.model.flow import FlowSummary
from sensor.model.trace import FlowTrace, ShareMarks
from sensor.session.account import Account
from sensor.session.carried import state_of
from sensor.session.reading import Reading
from sensor.session.share_trail import ShareTrail
from sensor.signatures.model import SignatureSet


def flow_summary(reading: Reading, account: Account, facts: FlowFacts) -> FlowSummary:
    """The connection with this login's counts."""
    opened, carriage = facts.opened, facts.carriage
    return FlowSummary(
        key=flow_key(opened, reading.miner, facts.first_ns),
        first_ns=facts.first_ns,
        last_ns=facts.last_ns,
        dialect=reading.dialect.name,
        login=account.login,
        worker=account.worker,
        agent=account.agent or reading.depth.agent,
        shares=replace(account.shares),
        vlans=opened.vlans,
        midstream=opened.midstream,
        basis=opened.basis,
        source=opened.source,
        transport=carriage.transport,
        framing=carriage.framing or reading.dialect.framing,
        pool_host=carriage.pool_host,
        proxy=proxy_of(opened, carriage.asked_by, carriage.transport),
        client=carriage.client,
        # where a PROXY header names the miner, the clock is its proxy's
        clock=machine_clock(facts.clocks[reading.miner]) if carriage.client is None else None,
    )


def flow_trace(
    reading: Reading, account: Account, facts: FlowFacts, exposure: Exposure, algorithm: str | None
) -> FlowTrace | None:
    """By what this login's part of the connection is known again; None where no sequence number was seen."""
    miner, pool = facts.ranges[reading.miner], facts.ranges[1 - reading.miner]
    if miner is None and pool is None:
        return None
    trail = account.trail or ShareTrail()
    return FlowTrace(
        miner=miner,
        pool=pool,
        from_start=not facts.opened.midstream,
        bin_bits=trail.bin_bits,
        bins=trail.bins(),
        marks=trail.marks(),
        work=account.work,
        work_unknown=account.work_unknown,
        jobs=reading.jobs.count,
        stream_bytes=facts.gap_bytes + facts.seen_bytes,
        missed_bytes=facts.gap_bytes,
        exposure=replace(exposure.record(algorithm), stretches=(), unrated_stretches=()),
        state=None if facts.ended else state_of(reading, facts.carriage.framing, account, exposure.edge),
        timeline=None if account.timeline is None else account.timeline.record(),
    )


def trace_without_work(trace: FlowTrace, exposure: Exposure) -> FlowTrace:
    """The same trace where it is not known what shares are worth."""
    return replace(
        trace,
        bins=tuple(each._replace(work=0) for each in trace.bins),
        marks=ShareMarks(mark._replace(work=None) for mark in trace.marks),
        work=0,
        work_unknown=trace.work_unknown + sum(mark.outcome == "a" and mark.work is not None for mark in trace.marks),
        exposure=replace(exposure.record(None), stretches=(), unrated_stretches=()),
    )


def flow_exposure(reading: Reading, account: Account, facts: FlowFacts, signatures: SignatureSet) -> Exposure:
    """This login's shares and watched time."""
    midstream = facts.opened.midstream
    exposure = account.book.close(
        facts.first_ns, facts.last_ns, reading.jobs.times, midstream, unbroken=reading.unbroken
    )
    exposure.rated_ns, exposure.unrated_ns = exposure.windows.total_ns, exposure.unrated_windows.total_ns
    exposure.next_work = reading.jobs.latest
    exposure.wait_seconds = wait_seconds(reading, account, facts, signatures.devices, signatures.agents)
    exposure.seen_bytes, exposure.missed_bytes = facts.seen[reading.miner], facts.missed[reading.miner]
    return exposure
