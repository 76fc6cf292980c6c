"""The flow table: finds each segment's flow, and ends flows by time, by reuse of their ports, and by want of room.

Asks the candidates to say goodbye for a flow that leaves; what a gate is, is theirs to know.
"""

from __future__ import annotations

from collections import OrderedDict

from sensor.model.events import CloseReason
from sensor.model.limits import CoreLimits
from sensor.model.time import SECOND_NS
from sensor.reference.candidates import Candidates
from sensor.reference.counters import Counters
from sensor.reference.flow import Flow, FlowKey, GateState
from sensor.reference.fragments import Fragments
from sensor.reference.walk import Segment

SWEEP_NS = 10 * SECOND_NS


class FlowTable:
    def __init__(self, limits: CoreLimits, counters: Counters, candidates: Candidates, fragments: Fragments) -> None:
        self._limits = limits
        self._counters = counters
        self._candidates = candidates
        self._fragments = fragments
        self._flows: OrderedDict[FlowKey, Flow] = OrderedDict()  # the one that was silent longest first
        self._swept_ns: int | None = None
        self._serial = 0

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
            elif flow.is_replaced_by(segment):
                self._counters["flows_reused"] += 1
                self._leave(flow, "reused")
                flow = None
        if flow is None:
            flow = self._add(key, segment)
        else:
            self._flows.move_to_end(key)
        direction = flow.direction(segment)
        flow.see(segment, flow.sides[direction])
        self._candidates.take(flow, direction, segment)

    def _add(self, key: FlowKey, segment: Segment) -> Flow:
        if len(self._flows) >= self._limits.flows:
            oldest = next((flow for flow in self._flows.values() if flow.gate is not GateState.OPEN), None)
            self._counters["flows_evicted"] += 1
            self._leave(oldest or next(iter(self._flows.values())), "evicted")
        self._serial += 1
        self._counters["flows_opened"] += 1
        flow = self._flows[key] = Flow(key, segment, self._serial)
        return flow

    def _leave(self, flow: Flow, reason: CloseReason) -> None:
        del self._flows[flow.key]
        self._candidates.leave(flow, flow.reason(reason))

    def _sweep_if_due(self, ts_ns: int) -> None:
        if self._swept_ns is None or self._swept_ns - ts_ns > SWEEP_NS:
            self._swept_ns = ts_ns
        elif ts_ns - self._swept_ns >= SWEEP_NS:
            self._swept_ns = ts_ns
            self._fragments.sweep(ts_ns)
            for flow in self._in_order([flow for flow in self._flows.values() if flow.is_idle(ts_ns, self._limits)]):
                self._counters["flows_expired"] += 1
                self._leave(flow, "idle")

    @staticmethod
    def _in_order(flows: list[Flow]) -> list[Flow]:
        return sorted(flows, key=lambda flow: (flow.first_ns, flow.number))

    def end(self) -> None:
        """Every flow leaves: nothing that follows belongs to them."""
        for flow in self._in_order(list(self._flows.values())):
            self._leave(flow, "end")
        self._fragments.clear()

    def __len__(self) -> int:
        return len(self._flows)
