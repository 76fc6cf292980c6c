"""Generated streams of sensors: findings of the line as it finds them in the demonstration's capture, of as many miners
as are wanted, each with more shares at each step. The same arguments give the same findings.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sensor import signatures
from sensor.intake.engine import load
from sensor.line.replay import replay
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.quantities import Shares
from sensor.model.time import MINUTE_NS
from tests.demo import make_demo


@cache
def examples() -> tuple[Finding, ...]:
    """Findings of the demonstration's capture that have shares and a login."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.pcap"
        make_demo.make(path)
        found = replay([str(path)], signatures.load(), load("auto"), {"workers": 1, "flows": 4096}).findings
    chosen = [one for one in found if one.grade is Grade.ACCEPTED and one.login and one.flow_count <= 2]
    return tuple(sorted(chosen, key=lambda one: one.finding_id))


def address_of(miner: int) -> str:
    """A miner's address."""
    return f"10.{miner >> 16 & 255}.{miner >> 8 & 255}.{miner & 255}"


def finding_of(sensor: int, miner: int, step: int) -> Finding:
    """What a sensor counted of a miner until a step."""
    example = examples()[miner % len(examples())]
    flows = [_flow(flow, sensor, miner, at, step) for at, flow in enumerate(example.flows)]
    shares = Shares()
    for flow in flows:
        shares.add(flow.shares)
    return dataclasses.replace(
        example,
        finding_id=f"{example.finding_id[:8]}{miner:08x}",
        state="opened" if step == 0 else "updated",
        miner_ip=address_of(miner),
        flows=flows,
        shares=shares,
        last_ns=max(flow.last_ns for flow in flows),
    )


def steps(sensor: int, miners: range, count: int) -> Iterator[list[Finding]]:
    """All that a sensor tells its ledger, step by step."""
    for step in range(count):
        yield [finding_of(sensor, miner, step) for miner in miners]


def _flow(flow: FlowSummary, sensor: int, miner: int, at: int, step: int) -> FlowSummary:
    identity = (sensor << 40) + (miner << 8) + at
    key = dataclasses.replace(
        flow.key, src_ip=address_of(miner), flow_id=identity, community_id=f"1:{identity:x}", src_port=20_000 + sensor
    )
    its = flow.shares
    shares = dataclasses.replace(its, submitted=its.submitted + step, accepted=its.accepted + step)
    return dataclasses.replace(flow, key=key, source="mirror0", last_ns=flow.last_ns + step * MINUTE_NS, shares=shares)
