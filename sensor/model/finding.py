"""The finding: the judged conclusion about a miner address, a pool and a login. Plain data; knows no bytes and no
files. Where nothing was spoken, it has neither dialect nor login, and no connection.

Names follow the event of the project (EVE conventions): an exporter turns a record into its own form without asking
anything else. Times are nanoseconds of the packet clock since the epoch, addresses are text, `None` means not known
(never guessed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sensor.model.attribution import Attribution, HolderStretch
from sensor.model.evidence import LEAST_COUNTED, Evidence, Grade
from sensor.model.flow import FlowSummary
from sensor.model.naming import AlgorithmBasis, Correction
from sensor.model.observation import Observation, ObservationPoint
from sensor.model.quantities import ExposureRecord, Interval, Power, Shares, ShareTimeline, WatchedStretch

#: What somebody does who speaks a dialect: mines; tries to, and is not let in; signs in and watches; looks whether a
#: pool is there.
Activity = Literal["mining", "attempt", "observer", "probe"]


@dataclass(slots=True, frozen=True)
class Wallet:
    """What a login says about who is paid. Without an address it is an account at the pool."""

    address: str | None
    verdict: Literal["valid", "format matches", "account"]
    coins: tuple[str, ...] = ()  # every coin whose addresses have this form; which of them is meant is not in it
    form: str | None = None
    checksum: Literal["right", "wrong"] | None = None  # None: the form has none, or none is known
    payout: str | None = None  # the coin the login itself asks to be paid in


@dataclass(slots=True, frozen=True)
class Pool:
    """The other end by its name: asked for through a proxy, or spoken by the miner; addresses alone name nobody."""

    host: str | None = None  # host or host:port
    name: str | None = None  # of the catalogue
    operator: str | None = None
    listed: bool | None = None  # whether the catalogue has it; None: no name was seen


@dataclass(slots=True, frozen=True)
class AttemptTotals:
    """Connections that came to nothing and were counted together. Past a bound ends are no longer told apart, and each
    that is not counts as one."""

    count: int
    answered: int
    sources: int  # addresses that they came from
    pools: int  # addresses and ports that they went to


@dataclass(slots=True)
class Finding:
    """The judged conclusion about one miner address, one pool and, where it is known, one login."""

    finding_id: str
    state: Literal["opened", "updated", "closed"]
    grade: Grade
    confidence: float
    signature_id: int | None
    signature_rev: int | None
    signature: str  # one line for people; without a dialect what recognised the strongest observation
    dialect: str | None
    framing: str | None
    transport: str | None
    coin: str | None
    algorithm: str | None
    login: str | None
    worker: str | None
    workers: tuple[str, ...]  # all rig names seen, sorted, bounded
    agent: str | None
    software: str | None
    pool_ip: str | None
    pool_port: int | None
    miner_ip: str
    shares: Shares
    hashes_per_share: float | None
    work_hashes: float | None
    claimed_hashrate_hps: float | None
    first_ns: int
    last_ns: int
    active_seconds: float  # of its connections
    jobs: int
    flows: list[FlowSummary]  # bounded, newest kept
    flow_count: int
    evidence: list[Evidence]
    midstream: bool | None  # this and the next: None where no connection was read
    capture_loss: float | None  # share of stream bytes never seen, 0..1
    reasons: tuple[str, ...]  # why this grade and confidence, in words
    hashrate_hps: Interval | None = None  # from shares that were not rejected
    spent_hashrate_hps: Interval | None = None  # from all shares that were sent: rejected ones cost the same power
    power_watts: Power | None = None
    watched_seconds: float = 0.0  # how long the miner was watched: the time that the estimates are of; 0: not known
    energy_kwh: Power | None = None  # over the time that was watched
    unknown_shares: int = 0  # submitted shares whose work is not known, and which are in no estimate
    unknown_seconds: float = 0.0  # the watched time that those stand for; it is not in `watched_seconds`
    assumed_seconds: float = 0.0  # more of it, at the login's own rate of other times: it is in `energy_kwh`
    estimate_notes: tuple[str, ...] = ()  # what the figures above rest on, in words
    software_version: str | None = None
    device: str | None = None
    device_class: str | None = None
    agent_role: str | None = None  # proxy, aggregator, gateway, rental, node: the agent is not the mining machine's
    work_unit: Literal["hashes", "solutions"] | None = "hashes"  # what every figure of work and hashrate counts
    nominal_hashrate_hps: float | None = None  # stated by the agent's name: a claim
    wallet: Wallet | None = None  # what the login says about who is paid
    donation: bool = False  # a program's own donation or fee session, not another miner
    aggregator: str | None = (
        None  # what speaks for many machines: a proxy, a farm's agent, a rental's front end; "unnamed" if not known
    )
    worker_count: int = 0  # different rig names on its connections; 0 if none was named
    machines_seen: int = 1  # at least this many machines behind the miner's address
    pool_host: str | None = None  # host:port of the pool as a proxy was asked for it
    proxy: str | None = None  # address:port of that proxy
    pool: Pool = field(default_factory=Pool)
    attribution: Attribution | None = None  # whose address the miner's was, as one answer for the finding
    #: The same by stretches of time, in order; what lies in none is nobody's. Empty: always as `attribution` says. The
    #: first may begin before the finding and the last end after it: while the address is its, by every port.
    holders: tuple[HolderStretch, ...] = ()
    timeline: ShareTimeline | None = None  # of all its connections; None if no share was seen
    stream_bytes: int = 0  # of its connections, both directions, without headers; those that were missed are in it
    active: tuple[WatchedStretch, ...] = ()  # when at least one of its connections was there; empty: not known
    exposures: tuple[ExposureRecord, ...] = ()  # by algorithm: what the rates above are estimated from
    joules_per_hash: Power | None = None  # with the site's overhead: the power over the hashrate; None: not known
    seen_by: tuple[str, ...] = ()  # the sensors whose counts are in it; empty before a ledger has it
    observations: tuple[Observation, ...] = ()  # what grade and confidence are made of, strongest first
    point: ObservationPoint | None = None  # where it was seen, if it has no connections: else each says where
    algorithm_basis: AlgorithmBasis | None = None  # None: no algorithm is named, or an older release did not say
    corrects: Correction | None = None  # what an earlier report of it said and is withdrawn
    activity: Activity | None = None  # None: nothing was spoken, or a release before did not ask
    attempts: AttemptTotals | None = None  # None: every connection of it was judged by itself
    merged_into: str | None = None  # the finding that this one became; its connections and sums are there now

    @property
    def mines(self) -> bool:
        """Whether it counts as mining, as far as is known: no attempt, no observer, no probe."""
        return self.activity in (None, "mining")

    @property
    def counts(self) -> bool:
        """Whether figures and cases may rest on it: mining, and certain."""
        return self.mines and self.grade >= LEAST_COUNTED
