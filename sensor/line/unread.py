"""A finding of connections that were not read: all that their messages would say is unknown. Plain data."""

from __future__ import annotations

from sensor.line.combine import JointVerdict
from sensor.model.finding import Finding
from sensor.model.observation import ObservationPoint
from sensor.model.quantities import Shares


def unread_finding(
    identity: str,
    verdict: JointVerdict,
    ends: tuple[str, str | None, int | None],
    span_ns: tuple[int, int],
    point: ObservationPoint,
) -> Finding:
    """The record of a verdict about the address of a miner and a pool's address and port, first and last seen then."""
    miner_ip, pool_ip, pool_port = ends
    first_ns, last_ns = span_ns
    return Finding(
        finding_id=identity,
        state="closed",
        grade=verdict.grade,
        confidence=verdict.confidence,
        signature_id=None,
        signature_rev=None,
        signature=verdict.observations[0].signature,
        dialect=None,
        framing=None,
        transport=None,
        coin=None,
        algorithm=None,
        login=None,
        worker=None,
        workers=(),
        agent=None,
        software=None,
        pool_ip=pool_ip,
        pool_port=pool_port,
        miner_ip=miner_ip,
        shares=Shares(),
        hashes_per_share=None,
        work_hashes=None,
        claimed_hashrate_hps=None,
        first_ns=first_ns,
        last_ns=last_ns,
        active_seconds=0.0,
        jobs=0,
        flows=[],
        flow_count=0,
        evidence=[],
        midstream=None,
        capture_loss=None,
        reasons=(),
        work_unit=None,
        observations=verdict.observations,
        point=point,
    )
