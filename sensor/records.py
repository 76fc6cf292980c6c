"""The records that leave the line: findings about miners, and nodes, with their evidence. Plain data; knows no bytes and no files.

Names follow the event of the project (EVE conventions): an exporter turns a record into its own form without asking anything else.
Times are nanoseconds of the packet clock since the epoch, addresses are text, `None` means not known (never guessed).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal


class Grade(IntEnum):
    """The evidence ladder, weakest first. The event's name of a grade is `label`."""

    LOOKED_UP = 1
    CONTACTED = 2
    NAMED = 3
    BEHAVES = 4
    SPEAKS = 5
    ACCEPTED = 6
    VERIFIED = 7

    @property
    def label(self) -> str:
        """The name on the wire: "looked-up" ... "verified"."""
        return self.name.lower().replace("_", "-")


@dataclass(slots=True)
class Shares:
    """Counts of submitted proofs of work; submitted = accepted + rejected + unanswered."""

    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    unanswered: int = 0
    verified: int = 0

    def add(self, other: Shares) -> None:
        """Add another count to this one."""
        self.submitted += other.submitted
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.unanswered += other.unanswered
        self.verified += other.verified


@dataclass(slots=True, frozen=True)
class Interval:
    """An estimate with its confidence bounds."""

    low: float
    best: float
    high: float
    level: float  # how often the truth lies between low and high, 0..1


@dataclass(slots=True, frozen=True)
class Power:
    """Electrical power in watts, or energy in kilowatt-hours, as a range; `basis` says whose efficiency it rests on."""

    low: float
    best: float
    high: float
    basis: Literal["device", "algorithm"]


@dataclass(slots=True, frozen=True)
class ShareTimeline:
    """Shares that were sent, by time: as many bins as `counts` has, one beside the other, empty ones included; bounded."""

    start_ns: int  # of the first bin
    bin_ns: int  # width of each
    counts: tuple[int, ...]


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
class FlowKey:
    """One connection as evidence names it, the miner's side first."""

    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    proto: Literal["TCP", "UDP"]
    flow_id: int  # stable over replays: a hash of the addresses and the first packet's time, below 2^53
    community_id: str  # Community ID v1, seed 0


@dataclass(slots=True)
class Evidence:
    """What a sighting rests on: where in which flow, and what stood there (secrets blanked)."""

    grade: Grade
    signature: str
    time_ns: int
    flow: str  # community id
    direction: Literal["miner", "pool", "originator", "responder"]  # who sent it; a node has no miner
    offset: int  # byte offset of the message in its direction's stream
    excerpt: str  # at most 160 characters, printable
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class MachineClock:
    """A TCP timestamp clock (RFC 7323) of one end of a connection."""

    first_ns: int  # its first and its last sample
    last_ns: int
    hertz: int
    zero_ns: int  # the instant at which it stood at 0, within one turn of its 2^32 ticks


@dataclass(slots=True)
class FlowSummary:
    """One connection of a finding with its own share counts."""

    key: FlowKey
    first_ns: int
    last_ns: int
    dialect: str
    login: str | None
    worker: str | None
    agent: str | None
    shares: Shares
    vlans: tuple[int, ...]
    midstream: bool
    basis: str
    source: str
    transport: str = "tcp"  # wrappings that were read past, outermost first, joined by +
    framing: str = "json-lines"
    pool_host: str | None = None  # host:port of the pool as the proxy was asked for it
    proxy: str | None = None  # address:port of the end that carries for others
    client: str | None = None  # address:port that a PROXY header names as the miner's
    clock: MachineClock | None = None  # of the miner's end; None where another host's, or not to be told


@dataclass(slots=True, frozen=True)
class Enterprise:
    """An organisation or a person that a book names. Equal `enterprise_id` means the same one, in every book."""

    enterprise_id: str  # the unified social credit code, or "name:" and a hash of the name
    name: str
    uscc: str | None  # unified social credit code, its checksum right
    category: str | None  # "enterprise", "government", "institution", "university", "data-centre", "individual", ...
    industry: str | None = None
    identified_by: Literal["code", "name"] = "name"  # a name alone is the weaker identity
    aliases: tuple[str, ...] = ()

    @property
    def individual(self) -> bool:
        """Whether this is a person, who is named in no document unless asked for."""
        return self.category == "individual"


@dataclass(slots=True, frozen=True)
class Site:
    """Premises: where an address is used."""

    address: str | None
    division: str | None  # six digits of GB/T 2260
    division_name: str | None = None


@dataclass(slots=True)
class Claim:
    """What one source says about an address, and why it counts as it does."""

    source: str  # the kind: inventory, leases, netbox, registry, routes, geo
    place: str  # file, and line where it has lines
    as_of_ns: int | None  # of when the source is
    strength: float  # 0..1
    allocation: str  # prefix or range the source speaks of
    standing: Literal["answer", "agrees", "wider", "conflict", "shared", "machine", "context"]
    reason: str
    enterprise: Enterprise | None = None
    site: Site | None = None
    subscriber: str | None = None
    valid_from_ns: int | None = None
    valid_until_ns: int | None = None
    ports: tuple[int, int] | None = None
    vrf: str | None = None
    vlan: int | None = None
    interface: str | None = None
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Attribution:
    """Whose address that was, at that time, through that port: the answer, the claims that it rests on, and those against it."""

    address: str
    port: int | None
    at_ns: int
    result: Literal["named", "shared", "conflict", "unknown"]
    enterprise: Enterprise | None
    site: Site | None
    claims: tuple[Claim, ...]  # strongest first
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Finding:
    """The judged conclusion about one miner address, one pool and one login."""

    finding_id: str
    state: Literal["opened", "updated", "closed"]
    grade: Grade
    confidence: float
    signature_id: int
    signature_rev: int
    signature: str  # one line for people
    dialect: str
    framing: str
    transport: str
    coin: str | None
    algorithm: str | None
    login: str | None
    worker: str | None
    workers: tuple[str, ...]  # all rig names seen, sorted, bounded
    agent: str | None
    software: str | None
    pool_ip: str
    pool_port: int
    miner_ip: str
    shares: Shares
    hashes_per_share: float | None
    work_hashes: float | None
    claimed_hashrate_hps: float | None
    first_ns: int
    last_ns: int
    active_seconds: float
    jobs: int
    flows: list[FlowSummary]  # bounded, newest kept
    flow_count: int
    evidence: list[Evidence]
    midstream: bool
    capture_loss: float  # share of stream bytes never seen, 0..1
    reasons: tuple[str, ...]  # why this grade and confidence, in words
    hashrate_hps: Interval | None = None  # from shares that were not rejected
    spent_hashrate_hps: Interval | None = None  # from all shares that were sent: rejected ones cost the same power
    power_watts: Power | None = None
    energy_kwh: Power | None = None  # over the time that was watched
    estimate_notes: tuple[str, ...] = ()  # what the figures above rest on, in words
    software_version: str | None = None
    device: str | None = None
    device_class: str | None = None
    agent_role: str | None = None  # proxy, aggregator, gateway, rental, node: the agent is not the mining machine's
    work_unit: Literal["hashes", "solutions"] = "hashes"  # what every figure of work and hashrate counts
    nominal_hashrate_hps: float | None = None  # stated by the agent's name: a claim
    wallet: Wallet | None = None  # what the login says about who is paid
    donation: bool = False  # a program's own donation or fee session, not another miner
    aggregator: str | None = None  # what speaks for many machines: a proxy, a farm's agent, a rental's front end; "unnamed" if not known
    worker_count: int = 0  # different rig names on its connections; 0 if none was named
    machines_seen: int = 1  # at least this many machines behind the miner's address
    pool_host: str | None = None  # host:port of the pool as a proxy was asked for it
    proxy: str | None = None  # address:port of that proxy
    pool: Pool = field(default_factory=Pool)
    attribution: Attribution | None = None  # whose address the miner's was
    timeline: ShareTimeline | None = None  # of all its connections; None if no share was seen
    stream_bytes: int = 0  # of its connections, both directions, without headers; those that were missed are in it


@dataclass(slots=True)
class Node:
    """A cryptocurrency peer-to-peer node: reported as what it is, never as mining."""

    node_id: str
    protocol: str  # "bitcoin-p2p", "monero-levin", "devp2p-rlpx", "devp2p-discv4"
    network: str | None  # "mainnet", "testnet3", ...
    coin: str | None
    key: FlowKey  # originator first
    agent: str | None
    signature_id: int
    signature_rev: int
    signature: str
    first_ns: int
    last_ns: int
    confidence: float
    evidence: list[Evidence]
    vlans: tuple[int, ...]
    source: str
    transport: str = "tcp"  # wrappings that were read past, as of a finding's flow
    host: str | None = None  # host:port of the peer as a proxy was asked for it
    proxy: str | None = None  # address:port of that proxy


def event_id(record: Finding | Node) -> str:
    """The name of what is said about a record now: the same at every retry and every replay of the packets, another when it changed."""
    if isinstance(record, Node):
        parts: tuple[object, ...] = (record.node_id, "closed", record.last_ns)
    else:
        counts = (record.shares.submitted, record.shares.accepted, record.shares.verified, record.flow_count)
        parts = (record.finding_id, record.state, record.last_ns, int(record.grade), *counts)
    return hashlib.sha1(" ".join(map(str, parts)).encode("utf-8", "backslashreplace"), usedforsecurity=False).hexdigest()[:20]
