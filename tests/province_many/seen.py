"""What one process of a sensor has of a connection and of a finding: sums over what it saw, in the line's own records,
and estimates by the line's own estimator.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sensor import signatures
from sensor.estimate import Exposure, Share, Windows, energy_kwh, estimate, unknown_time, watts
from sensor.estimate.interval import LEVEL
from sensor.estimate.tally import Tally
from sensor.estimate.timeline import Timeline
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Activity, AttemptTotals, Finding, Pool
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.quantities import Interval, Shares
from sensor.model.time import SECOND_NS
from sensor.model.trace import FlowTrace, StreamRange
from sensor.session.share_trail import ShareTrail
from sensor.signatures.model import SignatureSet
from sensor.signatures.work import UNITS
from tests.ledger.made import finding
from tests.province.roster import POOLS
from tests.province_many.connections import LOGIN_BYTES, SHARE_BYTES, WireConnection
from tests.province_many.roster import COINS, DIALECTS, ManyMachine

ACTIVITIES: dict[str, Activity] = {
    "mining": "mining",
    "suppressed": "mining",
    "observer": "observer",
    "probe": "probe",
    "attempt": "attempt",
}
#: The site's PUE that estimates are made with: the default of `estimate.pue`, and the truth's.
PUE = 1.10


@cache
def tables() -> SignatureSet:
    """The shipped signatures."""
    return signatures.load()


def number_of(*parts: object) -> int:
    """A number of 52 bits that stands for these."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest()) >> 12


def finding_id_of(machine: ManyMachine, address: str) -> str:
    """What is found of a machine at an address has one name, whoever finds it."""
    return f"{number_of(address, machine.pool, machine.login):016x}"


@dataclass
class SeenFlow:
    """One connection as one process of a sensor saw it."""

    wire: WireConnection
    first_ns: int
    loss: NDArray[np.bool_]  # of each share, whether the capture lost it
    trail: ShareTrail = field(default_factory=ShareTrail)
    shares: Shares = field(default_factory=Shares)
    credited: Tally = field(default_factory=Tally)
    spent: Tally = field(default_factory=Tally)
    timeline: Timeline = field(default_factory=Timeline)
    upto_ns: int = 0
    at: int = 0  # the next share
    seen_bytes: int = 0
    missed_bytes: int = 0

    def __post_init__(self) -> None:
        self.upto_ns = self.first_ns
        self.at = int(np.searchsorted(self.wire.shares_ns, self.first_ns))
        self.seen_bytes = LOGIN_BYTES if self.from_start else 0
        self._start = self.wire.miner_position(self.first_ns) - (LOGIN_BYTES if self.from_start else 0)

    @property
    def from_start(self) -> bool:
        """Whether its beginning was seen."""
        return self.first_ns == self.wire.begin_ns

    def advance(self, to_ns: int) -> None:
        """Watch it further."""
        self.upto_ns = min(to_ns, self.wire.end_ns)
        end = int(np.searchsorted(self.wire.shares_ns, self.upto_ns))
        work = self.work
        for at in range(self.at, end):
            if self.loss[at]:
                self.missed_bytes += SHARE_BYTES
                continue
            at_ns, rejected = int(self.wire.shares_ns[at]), bool(self.wire.rejected[at])
            share = Share(at_ns, work, position=LOGIN_BYTES + SHARE_BYTES * at)
            self.trail.put(share)
            self.trail.settle(share, accepted=not rejected, work=work)
            self.spent.put(work)
            if not rejected:
                self.credited.put(work)
            self.shares.submitted += 1
            self.shares.accepted += not rejected
            self.shares.rejected += rejected
            self.seen_bytes += SHARE_BYTES
            self.timeline.put(at_ns)
        self.at = end

    @property
    def work(self) -> int:
        """Of a share, in 2^-32 hashes."""
        machine = self.wire.machine
        return int(machine.rate_hps * machine.share_s * UNITS)

    def exposure(self) -> Exposure:
        """What the rate is estimated from."""
        windows = Windows()
        windows.put(self.first_ns, self.upto_ns)
        return Exposure(
            windows,
            self.credited.copy(),
            self.spent.copy(),
            submitted=self.shares.submitted,
            missed_bytes=self.missed_bytes,
            seen_bytes=self.seen_bytes,
            next_work=(self.upto_ns, self.work),
            rated_ns=self.upto_ns - self.first_ns,
            wait_seconds=self.wire.machine.share_s,
        )

    def summary(self) -> FlowSummary:
        """As it is reported."""
        wire, machine = self.wire, self.wire.machine
        ends = f"1:{number_of(wire.address, wire.port, machine.pool):013x}"
        key = FlowKey(
            *(wire.address, wire.port, machine.pool, POOLS[machine.device.algorithm].port, "TCP"),
            number_of(ends, self.first_ns),
            ends,
        )
        miner_end = LOGIN_BYTES + SHARE_BYTES * self.at
        pool_ends = (wire.pool_position(self.first_ns), wire.pool_position(self.upto_ns))
        trace = FlowTrace(
            StreamRange(self._start, miner_end) if miner_end > self._start else None,
            StreamRange(0 if self.from_start else pool_ends[0], pool_ends[1]),
            self.from_start,
            self.trail.bin_bits,
            self.trail.bins(),
            self.trail.marks(),
            self.credited.work,
            0,
            wire.jobs(self.first_ns, self.upto_ns),
            self.seen_bytes + self.missed_bytes + pool_ends[1] - pool_ends[0],
            self.missed_bytes,
            self.exposure().record(machine.device.algorithm),
            timeline=self.timeline.record(),
        )
        return FlowSummary(
            *(key, self.first_ns, self.upto_ns, dialect_of(machine), machine.login, f"m{machine.number}"),
            *(machine.device.agent or None, dataclasses.replace(self.shares), ()),
            *(not self.from_start, "syn", "mirror0"),
            trace=trace,
        )


@dataclass
class SeenFinding:
    """What one process of a sensor has of a finding."""

    machine: ManyMachine
    address: str
    flows: dict[int, SeenFlow] = field(default_factory=dict)  # by the connection's number
    reported: bool = False

    @property
    def last_ns(self) -> int:
        """When it was seen last."""
        return max(flow.upto_ns for flow in self.flows.values())

    def record(self, *, closed: bool) -> Finding:
        """As it is reported now."""
        state: Literal["opened", "updated", "closed"] = "closed" if closed else "updated" if self.reported else "opened"
        self.reported = True
        flows = [flow.summary() for flow in self.flows.values()]
        exposure = Exposure()
        for flow in self.flows.values():
            exposure.add(flow.exposure())
        return _estimated(self._sums(flows, state), exposure, self.machine)

    def _sums(self, flows: list[FlowSummary], state: str) -> Finding:
        machine, address = self.machine, self.address
        shares, timeline = Shares(), Timeline()
        for flow in self.flows.values():
            shares.add(flow.shares)
            timeline.add(flow.timeline)
        traces = [flow.trace for flow in flows if flow.trace is not None]
        active = Windows()
        for one in flows:
            active.put(one.first_ns, one.last_ns)
        stream_bytes = sum(trace.stream_bytes for trace in traces)
        activity = ACTIVITIES[machine.kind]
        grade = Grade.ACCEPTED if shares.accepted else Grade.SPEAKS
        first_ns = min(one.first_ns for one in flows)
        return dataclasses.replace(
            _template(machine),
            finding_id=finding_id_of(machine, address),
            state=state,
            miner_ip=address,
            grade=grade,
            shares=shares,
            flows=flows,
            flow_count=len(flows),
            work_hashes=sum(trace.work for trace in traces) / UNITS if shares.submitted else None,
            first_ns=first_ns,
            last_ns=max(one.last_ns for one in flows),
            active_seconds=active.total_ns / SECOND_NS,
            active=active.record(),
            jobs=sum(trace.jobs for trace in traces),
            midstream=any(one.midstream for one in flows),
            stream_bytes=stream_bytes,
            capture_loss=sum(trace.missed_bytes for trace in traces) / stream_bytes if stream_bytes else 0.0,
            timeline=timeline.record(),
            activity=activity,
            evidence=[_evidence(flows[0], grade)],
            attempts=AttemptTotals(3, 0, 1, 1) if activity == "attempt" else None,
        )


def dialect_of(machine: ManyMachine) -> str:
    """The dialect that a machine speaks."""
    return DIALECTS.get(machine.device.algorithm, machine.device.algorithm.partition("/")[0])


def _evidence(flow: FlowSummary, grade: Grade) -> Evidence:
    return Evidence(grade, flow.dialect, flow.first_ns, flow.key.community_id, "miner", 0, "{}", {"message": "submit"})


@cache
def _template(machine: ManyMachine) -> Finding:
    """What does not change of a machine's findings."""
    algorithm, agent = machine.device.algorithm, tables().agents.lookup(machine.device.agent or None)
    names: dict[str, Any] = {} if agent is None else {"device": agent.device, "device_class": agent.device_class}
    return finding(
        machine.number,
        dialect=dialect_of(machine),
        coin=COINS.get(algorithm),
        algorithm=algorithm,
        algorithm_basis="proven",
        login=machine.login,
        worker=f"m{machine.number}",
        workers=(f"m{machine.number}",),
        worker_count=1,
        agent=machine.device.agent or None,
        pool_ip=machine.pool,
        pool_port=POOLS[algorithm].port,
        pool=Pool(),
        hashes_per_share=machine.rate_hps * machine.share_s,
        work_unit="solutions" if algorithm.startswith("equihash") else "hashes",
        **names,
    )


def _estimated(record: Finding, exposure: Exposure, machine: ManyMachine) -> Finding:
    """The figures, by the steps of `sensor/line/enrich.py`."""
    watched_s = exposure.windows.total_ns / SECOND_NS
    found = estimate(exposure, LEVEL)
    unknown = unknown_time(exposure, found is not None)
    whole: dict[str, Any] = {
        "watched_seconds": watched_s,
        "exposures": (exposure.record(machine.device.algorithm),),
        "unknown_shares": exposure.unknown_shares,
        "unknown_seconds": unknown.unknown,
        "assumed_seconds": unknown.assumed,
    }
    if found is not None:
        assessed = tables().devices.assess(record.algorithm, record.device, record.device_class, found.spent, 1)
        whole |= {"hashrate_hps": found.hashrate, "spent_hashrate_hps": found.spent, "estimate_notes": found.notes}
        if assessed.efficiency is not None:
            power = watts(found.spent, assessed.efficiency, PUE)
            whole["power_watts"] = power
            whole["joules_per_hash"] = watts(Interval(1.0, 1.0, 1.0, LEVEL), assessed.efficiency, PUE)
            whole["energy_kwh"] = energy_kwh(power, watched_s, unknown.assumed)
    return dataclasses.replace(record, **whole)


def lost_shares(wire: WireConnection, sensor: int, loss: float, seed: str) -> NDArray[np.bool_]:
    """Which shares of a connection a sensor's capture loses."""
    if not loss:
        return np.zeros(len(wire.shares_ns), np.bool_)
    rng = np.random.default_rng([*seed.encode(), wire.number, sensor])
    return np.asarray(rng.random(len(wire.shares_ns)) < loss)
