"""The flow table: finds each segment's flow, and ends flows by time, by reuse of their ports, and by want of room.

Asks the candidates to say goodbye for a flow that leaves; what a gate is, is theirs to know.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from sensor.model.events import CloseReason
from sensor.model.limits import CoreLimits
from sensor.model.time import SECOND_NS
from sensor.reference.assembler import SEQUENCE_MASK
from sensor.reference.candidates import Candidates
from sensor.reference.counters import Counters
from sensor.reference.doubt import ChecksumVerdict, sum_of
from sensor.reference.flags import FIN, RST, SYN
from sensor.reference.flow import Flow, FlowKey, GateState
from sensor.reference.fragments import Fragments
from sensor.reference.handshake import Belonging, fin_fits, place, reset_fits
from sensor.reference.lookups import DnsLookups
from sensor.reference.quic_hellos import QuicHellos
from sensor.reference.recorder import SessionRecorder
from sensor.reference.tables import TCP
from sensor.reference.walk import Segment

#: Candidates are swept so often, for each is an event when it leaves; all flows so often.
CANDIDATES_NS, ALL_NS = SECOND_NS, 10 * SECOND_NS
WAITING_MOST = 4_096  # SYNs that wait for their answer; past that the oldest is given up


class FlowSteps(NamedTuple):
    """Who looks at a segment once its flow is found, in their order."""

    lookups: DnsLookups
    quic: QuicHellos
    recorder: SessionRecorder
    candidates: Candidates


class FlowTable:
    def __init__(
        self,
        limits: CoreLimits,
        counters: Counters,
        steps: FlowSteps,
        fragments: Fragments,
    ) -> None:
        candidates, recorder = steps.candidates, steps.recorder
        self._lookups, self._quic = steps.lookups, steps.quic
        self._limits = limits
        self._counters = counters
        self._candidates = candidates
        self._recorder = recorder
        self._fragments = fragments
        self._flows: OrderedDict[FlowKey, Flow] = OrderedDict()  # the one that was silent longest first
        self._swept_ns: int | None = None  # all flows
        self._candidates_swept_ns = 0
        self._serial = 0
        candidates.evict = lambda flow: self._evict(flow)
        candidates.recognised = recorder.take_noise
        self._waiting: dict[FlowKey, Flow] = {}  # with a SYN that waits for its answer, the oldest first

    def tick(self, ts_ns: int) -> None:
        """Sweep by the clock, where no segment comes to say it."""
        if self._swept_ns is not None:
            self._sweep_if_due(ts_ns)

    def take(self, segment: Segment) -> None:
        """One segment, from its flow to its events."""
        self._sweep_if_due(segment.ts_ns)
        sender, receiver = (segment.src, segment.src_port), (segment.dst, segment.dst_port)
        key = (sender, receiver, segment.proto) if sender <= receiver else (receiver, sender, segment.proto)
        flow = self._flows.get(key)
        if flow is not None:
            if flow.is_idle(segment.ts_ns, self._limits):
                self._counters["flows_expired"] += 1
                self._leave(flow, "idle")
                flow = None
            elif segment.proto == TCP:
                flow = self._place(flow, segment)
                if flow is None:
                    return
        if flow is None:
            flow = self._add(key, segment)
        direction = flow.direction(segment)
        found, doubtful = self._candidates.look_at_sum(flow, direction, segment)
        if doubtful:
            if segment.wire_bytes:
                self._admit(flow, segment, may_end=False)
                self._candidates.take_in_doubt(flow, direction, segment)
            return
        self._admit(flow, segment)
        if found is ChecksumVerdict.RIGHT and segment.proto == TCP and segment.flags & SYN:
            flow.sides[direction].doubts.syn_right = True
        self._lookups.take(flow, segment)
        self._quic.take(flow, direction, segment)
        is_sealed = self._recorder.take(flow, direction, segment)
        self._candidates.take(flow, direction, segment, is_sealed=is_sealed)

    def _place(self, flow: Flow, segment: Segment) -> Flow | None:
        """The flow that a segment of a known flow's ports belongs to; None: it belongs nowhere, or not yet."""
        if segment.flags & SYN:
            direction, found = flow.direction(segment), sum_of(segment)
            if self._candidates.is_doubtful(flow, direction, segment, found):
                self._candidates.count_sum(flow, direction, segment, found)
                return None
        match place(flow, segment):
            case Belonging.OWN:
                return flow
            case Belonging.STRAY:
                self._counters["stray_handshakes"] += 1
            case Belonging.WAITS:
                self._wait(flow, segment)
            case Belonging.ANSWERS:
                first, flow.waiting = flow.waiting or segment, None
                del self._waiting[flow.key]
                following = self._replace(flow, first)
                self._admit(following, first)
                following.sides[following.direction(first)].doubts.syn_right = sum_of(first) is ChecksumVerdict.RIGHT
                return following
            case Belonging.BEGINS:
                return self._replace(flow, segment)
        return None

    def _replace(self, flow: Flow, first: Segment) -> Flow:
        self._counters["flows_reused"] += 1
        self._leave(flow, "reused")
        return self._add(flow.key, first)

    def _wait(self, flow: Flow, segment: Segment) -> None:
        """Keep a SYN until its answer; the one that waited before it has none."""
        before = flow.waiting
        if before is not None and (before.seq, before.src) == (segment.seq, segment.src):
            return
        self._forget_waiting(flow)
        flow.waiting = segment
        self._waiting[flow.key] = flow
        if len(self._waiting) > WAITING_MOST:
            self._forget_waiting(next(iter(self._waiting.values())))

    def _forget_waiting(self, flow: Flow) -> None:
        if flow.waiting is not None:
            flow.waiting = None
            del self._waiting[flow.key]
            self._counters["stray_handshakes"] += 1

    def _admit(self, flow: Flow, segment: Segment, *, may_end: bool = True) -> None:
        """Take in what every segment of a flow changes; and its end, if it `may_end` it."""
        self._flows.move_to_end(flow.key)
        direction = flow.direction(segment)
        side = flow.sides[direction]
        flow.see(segment, side)
        if segment.proto != TCP or not may_end or not segment.flags & (FIN | RST):
            return
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        fin, reset = bool(segment.flags & FIN), bool(segment.flags & RST)
        fits = (fin and fin_fits(flow, direction, seq), reset and reset_fits(flow, direction, segment))
        side.fin, flow.rst = side.fin or fits[0], flow.rst or fits[1]
        self._counters["stray_endings"] += fits != (fin, reset)

    def _add(self, key: FlowKey, segment: Segment) -> Flow:
        if len(self._flows) >= self._limits.flows:
            oldest = next((flow for flow in self._flows.values() if flow.gate is not GateState.OPEN), None)
            self._evict(oldest or next(iter(self._flows.values())))
        self._serial += 1
        self._counters["flows_opened"] += 1
        flow = self._flows[key] = Flow(key, segment, self._serial)
        return flow

    def _evict(self, flow: Flow) -> None:
        self._counters["flows_evicted"] += 1
        self._leave(flow, "evicted")

    def _leave(self, flow: Flow, reason: CloseReason) -> None:
        del self._flows[flow.key]
        self._forget_waiting(flow)
        self._quic.leave(flow)
        self._recorder.leave(flow, flow.reason(reason))
        self._candidates.leave(flow, flow.reason(reason))

    def _sweep_if_due(self, ts_ns: int) -> None:
        if self._swept_ns is None or self._swept_ns - ts_ns > ALL_NS:
            self._swept_ns = self._candidates_swept_ns = ts_ns
        elif ts_ns - self._swept_ns >= ALL_NS:
            self._swept_ns = self._candidates_swept_ns = ts_ns
            self._fragments.sweep(ts_ns)
            self._sweep(ts_ns, list(self._flows.values()))
            self._recorder.sweep(ts_ns)
        elif ts_ns - self._candidates_swept_ns >= CANDIDATES_NS:
            self._candidates_swept_ns = ts_ns
            self._sweep(ts_ns, [flow for flow in self._flows.values() if flow.gate is not GateState.SHUT])

    def _sweep(self, ts_ns: int, flows: Sequence[Flow]) -> None:
        for flow in self._in_order([flow for flow in flows if flow.is_idle(ts_ns, self._limits)]):
            self._counters["flows_expired"] += 1
            self._leave(flow, "idle")

    @staticmethod
    def _in_order(flows: list[Flow]) -> list[Flow]:
        return sorted(
            flows, key=lambda flow: (flow.first_ns, flow.number, 0 if flow.session is None else flow.session.number)
        )

    def dismiss(self, number: int) -> None:
        """Shut the gate of the flow of this number for good, if there is one."""
        flow = next((flow for flow in self._flows.values() if flow.number == number), None) if number else None
        if flow is not None:
            self._candidates.dismiss(flow)

    def end(self) -> None:
        """Every flow leaves: nothing that follows belongs to them."""
        for flow in self._in_order(list(self._flows.values())):
            self._leave(flow, "end")
        self._fragments.clear()

    def __len__(self) -> int:
        return len(self._flows)
