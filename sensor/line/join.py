"""Joins the contributions of many flows into findings: one for each miner address, pool and login.

Joining is commutative: whichever order flows end in, the finding is the same. Everything kept of a finding is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce

from sensor.estimate import Exposure, Timeline, Windows
from sensor.line.activity import decided_after_ns, joint_activity, reasons_with, would_have_shared
from sensor.line.combine import combine
from sensor.line.flow_facts import stable_id
from sensor.line.judge import MAX_EVIDENCE, Spoken, evidence_order
from sensor.line.listed_connections import ListedConnections
from sensor.line.machines import machines
from sensor.line.overlap import NO_OVERLAP, DoubleCount, less, shares_less, timeline_less
from sensor.line.same_connection import MAX_ALIKE, SeenConnection, overlaps
from sensor.line.unspoken import Unspoken, unspoken_reasons
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Activity, Finding
from sensor.model.flow import FlowSummary, flow_order
from sensor.model.naming import AlgorithmBasis, MinedName
from sensor.model.observation import ObservationPoint
from sensor.model.quantities import ExposureRecord, Shares
from sensor.model.text import N_
from sensor.model.time import SECOND_NS
from sensor.session.account import MAX_WORKERS
from sensor.session.distinct import Distinct
from sensor.session.jobs import BASES
from sensor.signatures.work import UNITS

#: Connections listed in a finding; the newest are kept, all are counted.
MAX_FLOWS = 256
#: Different names of programs, and algorithms, of one finding. A pool of many algorithms has some fifteen.
MAX_AGENTS, MAX_ALGORITHMS = 16, 16
#: How an algorithm is known, the weakest first.
_BASES: tuple[AlgorithmBasis | None, ...] = (None, *BASES)


def finding_id(contribution: Spoken) -> str:
    """The same for every flow of one miner address, pool and login in one family of dialects, at every replay."""
    carried = (
        (contribution.flow.pool_host,) if contribution.flow.pool_host is not None else ()
    )  # one proxy leads to many pools
    return stable_id(
        contribution.miner_ip,
        contribution.pool_ip,
        contribution.pool_port,
        contribution.account.login,
        contribution.dialect.family,
        *carried,
    )


@dataclass(slots=True)
class Joined:
    """A finding in the making."""

    lead: Spoken
    namer: Spoken | None = None  # the connection that says best what is mined
    shares: Shares = field(default_factory=Shares)
    flow_count: int = 0
    jobs: int = 0
    work: int = 0
    work_unknown: int = 0
    first_ns: int = 1 << 63
    last_ns: int = 0
    gap_bytes: int = 0
    seen_bytes: int = 0
    midstream: bool = False
    share_work: tuple[int, int] | None = None
    job_work: tuple[int, int] | None = None
    claimed_hps: tuple[int, float] | None = None
    agent: tuple[int, str] | None = None
    endpoint: tuple[int, str] | None = None
    workers: set[str] = field(default_factory=set)
    flows: ListedConnections = field(default_factory=ListedConnections)
    again: dict[str, DoubleCount] = field(default_factory=dict)  # what the sums have twice, by algorithm
    active: Windows = field(default_factory=Windows)  # when at least one of the flows was there
    evidence: list[Evidence] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    names: Distinct = field(default_factory=Distinct)
    crowd: int = 0  # most rig names on one connection
    exposures: dict[str | None, Exposure] = field(default_factory=dict)  # by algorithm: they are never added together
    timeline: Timeline = field(default_factory=Timeline)
    basis: dict[str | None, int] = field(default_factory=dict)  # by algorithm, the best way in which it is known
    exposed: dict[str | None, int] = field(default_factory=dict)  # connections, by algorithm
    only_counted: int = 0  # connections of which nothing is known but that they came to nothing
    activities: set[Activity] = field(default_factory=set)  # of its connections
    unspoken: Unspoken | None = None  # what names and behaviour say of the same miner and pool's end

    def add(self, contribution: Spoken) -> None:
        """Join one more flow."""
        account, flow = contribution.account, contribution.flow
        self.lead = max(self.lead, contribution, key=_lead_order)
        self.namer = max(self.namer or contribution, contribution, key=_namer_order)
        self.shares.add(account.shares)
        self.flow_count += 1
        self.jobs += contribution.jobs
        self.work += account.work
        self.work_unknown += account.work_unknown
        self.first_ns = min(self.first_ns, flow.first_ns)
        self.last_ns = max(self.last_ns, flow.last_ns)
        self.activities.add(contribution.activity)
        self.gap_bytes += contribution.gap_bytes
        self.seen_bytes += contribution.seen_bytes
        self.midstream = self.midstream or flow.midstream
        if account.timeline is not None:
            self.timeline.add(account.timeline)
        self.share_work = _latest(self.share_work, account.share_work)
        self.job_work = _latest(self.job_work, contribution.job_work)
        self.claimed_hps = max(filter(None, (self.claimed_hps, account.claimed_hps)), default=None)
        self.agent = max(filter(None, (self.agent, (flow.last_ns, flow.agent) if flow.agent else None)), default=None)
        self.endpoint = max(
            filter(None, (self.endpoint, (flow.last_ns, contribution.endpoint) if contribution.endpoint else None)),
            default=None,
        )
        self.workers = set(sorted({*self.workers, *account.workers})[:MAX_WORKERS])
        self.evidence = sorted([*self.evidence, *contribution.evidence], key=evidence_order)[:MAX_EVIDENCE]
        self.agents = set(sorted({*self.agents, flow.agent} if flow.agent else self.agents)[:MAX_AGENTS])
        self._expose(contribution)
        self.names.merge(contribution.names)
        self.crowd = max(self.crowd, contribution.names.count)
        self._count_again(flow)
        self.active.put(flow.first_ns, flow.last_ns)
        self.flows.add(flow, MAX_FLOWS)

    def count(self, count: int, first_ns: int, last_ns: int) -> None:
        """So many more flows like the last one, of which no more is known."""
        self.flow_count += count
        self.only_counted += count
        self.first_ns, self.last_ns = min(self.first_ns, first_ns), max(self.last_ns, last_ns)

    def _expose(self, contribution: Spoken) -> None:
        """Add to the exposure of the algorithm. Of too many the first by name stay, whichever came first: what goes
        would go again, so the sums of those that stay are whole.
        """
        name, rank = contribution.algorithm, _BASES.index(contribution.algorithm_basis)
        self.exposures.setdefault(name, Exposure()).add(contribution.exposure)
        self.basis[name] = max(self.basis.get(name, 0), rank)
        self.exposed[name] = self.exposed.get(name, 0) + 1
        if len(self.exposures) > MAX_ALGORITHMS:
            last = max(self.exposures, key=lambda algorithm: algorithm or "")
            for sums in (self.exposures, self.basis, self.exposed):
                del sums[last]

    def _count_again(self, flow: FlowSummary) -> None:
        """Note what the sums have twice: captures that overlap hold the same connection."""
        alike = [SeenConnection("", "", listed) for listed in self.flows.alike(flow.key.community_id, MAX_ALIKE)]
        if not alike:
            return
        for part, sign in ((overlaps([*alike, SeenConnection("", "", flow)]), 1), (overlaps(alike), -1)):
            for algorithm, overlap in part.items():
                self.again[algorithm] = self.again.get(algorithm, NO_OVERLAP).plus(overlap, sign)

    @classmethod
    def moved(cls, lead: Spoken, last_ns: int) -> Joined:
        """What is left of a finding whose connections are another's now: why it was one, and no sums."""
        ends = (lead.flow.first_ns, max(lead.flow.last_ns, last_ns))
        return cls(lead, first_ns=ends[0], last_ns=ends[1], evidence=list(lead.evidence))

    def copy(self) -> Joined:
        """The same sums, to join more to."""
        exposures = {name: Exposure() for name in self.exposures}
        for name, exposure in exposures.items():
            exposure.add(self.exposures[name])
        timeline, active = Timeline(), Windows()
        timeline.add(self.timeline)
        active.add(self.active)
        return replace(
            self,
            shares=replace(self.shares),
            flows=self.flows.copy(),
            activities=set(self.activities),
            names=self.names.copy(),
            exposures=exposures,
            timeline=timeline,
            active=active,
            again=dict(self.again),
            basis=dict(self.basis),
            exposed=dict(self.exposed),
        )

    @property
    def named(self) -> MinedName:
        """What it says is mined."""
        what = self.what
        return MinedName(what.spoken_as.name, what.coin, what.algorithm, self._basis)

    @property
    def _basis(self) -> AlgorithmBasis | None:
        """How the algorithm is known, by the connection that knows it best."""
        what = self.what
        return _BASES[max(self.basis.get(what.algorithm, 0), _BASES.index(what.algorithm_basis))]

    @property
    def what(self) -> Spoken:
        """The connection that says what is mined."""
        return self.namer or self.lead

    @property
    def grade(self) -> Grade:
        """The best of what was spoken and what was not."""
        return self.lead.grade if self.unspoken is None else max(self.lead.grade, self.unspoken.grade)

    @property
    def changes(self) -> int:
        """How often names and behaviour said something new."""
        return 0 if self.unspoken is None else self.unspoken.changes

    @property
    def exposure(self) -> Exposure:
        """Of the finding's algorithm; flows that did not say theirs go with it when there is no other."""
        algorithms = [name for name in self.exposures if name is not None]
        if len(algorithms) > 1 or None not in self.exposures:
            return self._exposure_of(self.what.algorithm)
        whole = Exposure()
        for name in self.exposures:
            whole.add(self._exposure_of(name))
        return whole

    def _exposure_of(self, name: str | None) -> Exposure:
        """The exposure of one algorithm, each share once."""
        exposure, again = self.exposures.get(name, Exposure()), self.again.get(name or "", NO_OVERLAP)
        return Exposure.of(less(exposure.record(name), again)) if again else exposure

    def exposure_records(self) -> tuple[ExposureRecord, ...]:
        """The exposures by algorithm, as plain data."""
        return tuple(self._exposure_of(name).record(name) for name in sorted(self.exposures, key=str))

    @property
    def _left_out(self) -> tuple[str, ...]:
        """The reason that says how many connections are in no estimate, if there are such."""
        number = self.flow_count - self.only_counted - sum(self.exposed.values())
        if not number:
            return ()
        form = N_("{count} connections are in no estimate: more than {most} algorithms were named")
        return (form.format(count=number, most=MAX_ALGORITHMS),)

    def may_only_watch(self, most_ns: int) -> bool:
        """Whether it sent no share yet, and will be known to mine or not within so long after its first packet."""
        if self.shares.submitted:
            return False
        records = self.exposure_records()
        limit_ns = decided_after_ns(records)
        return limit_ns is not None and limit_ns <= most_ns and not would_have_shared(records)

    def finding(self, identity: str, prior_bits: float) -> Finding:
        """The final record; `prior_bits` is the prior of signatures/weights."""
        lead = self.lead
        more = () if self.unspoken is None else self.unspoken.observations
        evidence = self.evidence if self.unspoken is None else [*self.evidence, *self.unspoken.evidence]
        verdict = combine([lead.observation, *more], prior_bits)
        what = self.what
        per_share = self.share_work or self.job_work
        again = reduce(DoubleCount.plus, self.again.values(), NO_OVERLAP)
        total = self.gap_bytes + self.seen_bytes - again.stream_bytes
        gap_bytes, work = self.gap_bytes - again.missed_bytes, self.work - again.work
        flows = sorted(self.flows, key=flow_order)
        exposures = self.exposure_records()
        activity = joint_activity(self.activities, exposures, self.shares.submitted)
        return Finding(
            finding_id=identity,
            state="closed",
            grade=verdict.grade,
            confidence=verdict.confidence,
            signature_id=what.spoken_as.signature_id,
            signature_rev=what.spoken_as.rev,
            signature=what.spoken_as.title,
            dialect=what.spoken_as.name,
            framing=lead.flow.framing,
            transport=lead.flow.transport,
            coin=what.coin,
            algorithm=what.algorithm,
            algorithm_basis=self._basis,
            login=lead.account.login,
            worker=lead.account.worker,
            workers=tuple(sorted(self.workers)),
            worker_count=self.names.count,
            machines_seen=machines(flows, self.names.count),
            agent=self.agent[1] if self.agent else None,
            software=None,
            pool_ip=lead.pool_ip,
            pool_port=lead.pool_port,
            miner_ip=lead.miner_ip,
            shares=shares_less(self.shares, again) if again else self.shares,
            hashes_per_share=per_share[1] / UNITS if per_share else None,
            work_hashes=None if self.work_unknown and not work else work / UNITS,
            claimed_hashrate_hps=self.claimed_hps[1] if self.claimed_hps else None,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            active_seconds=self.active.total_ns / SECOND_NS,
            active=self.active.record(),
            exposures=exposures,
            activity=activity,
            jobs=max(0, self.jobs - again.jobs),
            flows=flows,
            flow_count=self.flow_count - again.sessions,
            evidence=sorted(evidence, key=evidence_order)[:MAX_EVIDENCE],
            midstream=self.midstream,
            capture_loss=gap_bytes / total if total else 0.0,
            stream_bytes=total,
            reasons=reasons_with((*unspoken_reasons(more), *lead.reasons, *self._left_out), activity),
            wallet=lead.wallet,
            donation=lead.donation,
            pool_host=lead.flow.pool_host,
            proxy=lead.flow.proxy,
            timeline=timeline_less(self.timeline.record(), again),
            observations=verdict.observations,
            point=None if flows else ObservationPoint(lead.flow.source, lead.flow.vlans),
        )


def _latest(first: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    return max(filter(None, (first, other)), default=None)


def _namer_order(contribution: Spoken) -> tuple[bool, bool, tuple[int, float, int, int, int, int]]:
    """What is said of dialect, algorithm and coin: a connection that knows it, and of those the one that leads."""
    return not contribution.spoken_as.is_open, contribution.algorithm is not None, _lead_order(contribution)


def _lead_order(contribution: Spoken) -> tuple[int, float, int, int, int, int]:
    """The flow with the most evidence: grade, then shares, then weight; the newest of equals."""
    flow = contribution.flow
    return (
        contribution.grade,
        contribution.observation.bits,
        flow.shares.accepted,
        contribution.score,
        flow.last_ns,
        flow.key.flow_id,
    )
