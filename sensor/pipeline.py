"""The line in the middle: events of a core in, findings and nodes out. Sans-IO: no clock, no socket, no file; time is the packets' own.

Holds one small state for each open candidate flow and one for each finding; both are bounded, and what a bound refuses is counted. The
result does not depend on how events of different flows interleave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from sensor.appraisal import appraised
from sensor.dialects.conversation import Conversation
from sensor.dialects.nodes import NodeSeen, read_datagram, read_tcp
from sensor.donors import name_donors
from sensor.estimate import Assumptions
from sensor.events import Chunk, Close, End, Event, Hit, Open, Shape
from sensor.findings import Joined, finding_id
from sensor.flows import TCP, FlowFacts, facts, flow_key, proxy_of, stable_id
from sensor.judge import judge
from sensor.records import Evidence, Finding, Grade, Node
from sensor.session import Session
from sensor.signatures.model import NodeSignature, SignatureSet
from sensor.verify import Sampling

#: Candidate flows followed at once: four times the core's own bound on open gates, because spent ones stay until they close.
MAX_OPEN_FLOWS = 65_536
ASSUMED = Assumptions()
SAMPLED = Sampling()
#: Oldest flows looked at when one must be given up.
EVICTION_LOOK = 64
#: Findings and nodes kept; past this new ones are counted and refused.
MAX_FINDINGS = 65_536
MAX_NODES = 65_536
#: Bytes of a node's first message shown as evidence, in hex.
NODE_EXCERPT_BYTES = 64


class First(NamedTuple):
    """The first bytes that one side of a node sent."""

    data: bytes
    direction: int
    offset: int  # in the direction's stream: behind the wrappings
    ts_ns: int


class _Flow:
    """One open candidate."""

    __slots__ = ("conversation", "datagram", "last_ns", "missed", "opened", "seen", "session")

    def __init__(self, opened: Open, signatures: SignatureSet, sampling: Sampling) -> None:
        self.opened = opened
        self.session = Session(signatures, sampling)
        self.conversation = Conversation(opened.midstream)
        self.datagram: tuple[NodeSignature, NodeSeen, First] | None = None
        self.seen = [0, 0]  # stream bytes by direction
        self.missed = [0, 0]
        self.last_ns = opened.ts_ns


class Pipeline:
    """Events in, records out. One instance for each run; not for several threads."""

    def __init__(self, signatures: SignatureSet, *, assumptions: Assumptions = ASSUMED, sampling: Sampling = SAMPLED) -> None:
        self._signatures = signatures
        self._sampling = sampling
        self._assumptions = assumptions
        self._flows: dict[int, _Flow] = {}
        self._joined: dict[str, Joined] = {}
        self._nodes: dict[str, Node] = {}
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, by name."""
        return {
            **dict(sorted(self._counters.items())),
            "flows_open": len(self._flows),
            "findings": len(self._joined),
            "nodes": len(self._nodes),
        }

    def step(self, events: Iterable[Event]) -> list[Finding | Node]:
        """Take events in their order; returns what changed while flows are still open (nothing yet: records come at `finish`)."""
        for event in events:
            if isinstance(event, Chunk):
                self._chunk(event)
            elif isinstance(event, Open):
                self._open(event)
            elif isinstance(event, Close):
                self._close(event)
            elif isinstance(event, Hit):
                self._counters["hits"] += 1
            elif isinstance(event, Shape):
                self._shape(event)
            elif isinstance(event, End):
                self._counters["sources"] += 1
                self._counters["sources_failed"] += event.error is not None
        return []

    def finish(self) -> list[Finding | Node]:
        """Close what is open and give every record, sorted by first packet and identity."""
        for flow in list(self._flows.values()):
            self._end(flow, None)
        self._flows.clear()
        findings = [appraised(joined, identity, self._signatures, self._assumptions) for identity, joined in self._joined.items()]
        name_donors(findings)
        records: list[Finding | Node] = [*findings, *self._nodes.values()]
        return sorted(records, key=lambda one: (one.first_ns, one.finding_id if isinstance(one, Finding) else one.node_id))

    def _open(self, event: Open) -> None:
        if len(self._flows) >= MAX_OPEN_FLOWS:
            self._evict()
        self._flows[event.flow] = _Flow(event, self._signatures, self._sampling)
        self._counters["sessions"] += 1

    def _evict(self) -> None:
        """Give up the oldest flow in which nothing was recognised, or the oldest of all."""
        oldest = next(iter(self._flows))
        for number, flow in islice(self._flows.items(), EVICTION_LOOK):
            if not flow.session.readings:
                oldest = number
                break
        self._counters["sessions_evicted"] += 1
        self._end(self._flows.pop(oldest), None)

    def _chunk(self, event: Chunk) -> None:
        flow = self._flows.get(event.flow)
        if flow is None:
            self._counters["chunks_without_flow"] += 1
            return
        self._counters["chunks"] += 1
        self._counters["chunk_bytes"] += len(event.data)
        flow.seen[event.direction] += len(event.data)
        flow.missed[event.direction] += event.gap
        flow.last_ns = max(flow.last_ns, event.ts_ns)
        if flow.opened.proto != TCP:
            self._datagram(flow, event)
            return
        if flow.session.readings:
            flow.conversation.heads = None  # what speaks a dialect is no node
        for read in flow.conversation.feed(event.direction, event.ts_ns, event.offset, event.gap, event.data):
            flow.session.receive(read)

    def _shape(self, event: Shape) -> None:
        self._counters["shapes"] += 1
        flow = self._flows.get(event.flow)
        flights = self._signatures.flights
        if flow is not None and event.shape < len(flights):
            flow.conversation.told_flights(event.direction, event.ts_ns, flights[event.shape])
            flow.last_ns = max(flow.last_ns, event.ts_ns)

    def _datagram(self, flow: _Flow, event: Chunk) -> None:
        if flow.datagram is not None:
            return
        for signature in self._signatures.nodes:
            seen = read_datagram(signature, event.data)
            if seen is not None:
                flow.datagram = (signature, seen, First(event.data, event.direction, 0, event.ts_ns))
                return

    def _close(self, event: Close) -> None:
        flow = self._flows.pop(event.flow, None)
        if flow is None:
            self._counters["closes_without_flow"] += 1
            return
        self._end(flow, event)

    def _end(self, flow: _Flow, closed: Close | None) -> None:
        for read in flow.conversation.finish():
            flow.session.receive(read)
        flow.session.finish()
        self._counters.update(flow.session.counters)
        known = facts(flow.opened, closed, flow.last_ns, (flow.seen[0], flow.seen[1]), (flow.missed[0], flow.missed[1]))
        known.carriage = flow.conversation.carriage
        for one in judge(flow.session, known):
            identity = finding_id(one)
            joined = self._joined.get(identity)
            if joined is None:
                if len(self._joined) >= MAX_FINDINGS:
                    self._counters["findings_refused"] += 1
                    continue
                joined = self._joined[identity] = Joined(one)
            joined.add(one)
        if not flow.session.readings:
            self._node(flow, known)

    def _node(self, flow: _Flow, known: FlowFacts) -> None:
        found = _node_seen(self._signatures, flow)
        if found is None:
            return
        node = _node_record(*found, known)
        if len(self._nodes) >= MAX_NODES and node.node_id not in self._nodes:
            self._counters["nodes_refused"] += 1
            return
        self._nodes[node.node_id] = node


def _node_seen(signatures: SignatureSet, flow: _Flow) -> tuple[NodeSignature, NodeSeen, First] | None:
    """The node a flow belongs to, if it shows one: by which signature, what was seen, and by which first bytes."""
    if flow.datagram is not None:
        return flow.datagram
    heads = flow.conversation.heads
    for signature in signatures.nodes if heads is not None and flow.opened.proto == TCP else ():
        seen = read_tcp(signature, heads.pair) if heads is not None else None
        if seen is not None and heads is not None:
            direction = seen.directions[0]
            first = First(bytes(heads.pair[direction].data), direction, flow.conversation.start(direction), flow.opened.ts_ns)
            return signature, seen, first
    return None


def _node_record(signature: NodeSignature, seen: NodeSeen, first: First, known: FlowFacts) -> Node:
    opened = known.opened
    data, direction, offset, ts_ns = first
    key = flow_key(opened, 0, known.first_ns)
    header = signature.header
    evidence = Evidence(
        grade=Grade.SPEAKS,
        signature=header.name,
        time_ns=ts_ns,
        flow=key.community_id,
        direction="originator" if direction == 0 else "responder",
        offset=offset,
        excerpt=data[:NODE_EXCERPT_BYTES].hex(),
        detail={"reason": seen.reason},
    )
    return Node(
        node_id=stable_id("node", key.flow_id, header.name),
        protocol=header.name,
        network=seen.network,
        coin=seen.coin,
        key=key,
        agent=seen.agent,
        signature_id=header.id,
        signature_rev=header.rev,
        signature=header.title,
        first_ns=known.first_ns,
        last_ns=known.last_ns,
        confidence=seen.confidence,
        evidence=[evidence],
        vlans=opened.vlans,
        source=opened.source,
        transport=known.carriage.transport,
        host=known.carriage.pool_host,
        proxy=proxy_of(opened, known.carriage.asked_by, known.carriage.transport),
    )
