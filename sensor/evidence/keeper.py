"""The first bytes of every candidate flow, in memory, for as long as it may become a finding. Sans-IO; fed with the
pipeline's events.

What is kept of a flow, and in all, is bounded. When there is no room, the flow that has been kept longest is
forgotten, a finished one first: most candidates never become a finding.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sensor.line.flow_facts import TCP, flow_id
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.finding import Finding
from sensor.model.time import MINUTE_NS

#: How long an open flow is kept before its evidence is written, unless it is full or closed earlier: the first share
#: has come by then.
SETTLE_NS = MINUTE_NS
#: Chunks of a flow, and flows, at most: each costs memory beside its bytes.
MOST_CHUNKS, MOST_FLOWS = 512, 65_536
#: What an object costs beside its bytes, roughly.
CHUNK_BYTES = 150


@dataclass(slots=True)
class HeldFlow:
    """What is kept of one flow."""

    opened: Open
    chunks: list[Chunk] = field(default_factory=list)
    size: int = 0  # payload bytes kept
    full: bool = False
    closed: bool = False


class EvidenceKeeper:
    """Events in, the flows of findings out. One instance for each run; not for several threads."""

    def __init__(self, flow_bytes: int, memory_bytes: int) -> None:
        self._flow_bytes, self._memory_bytes = flow_bytes, memory_bytes
        self._open: OrderedDict[int, HeldFlow] = OrderedDict()  # by the core's number
        self._finished: OrderedDict[int, HeldFlow] = OrderedDict()  # by the flow's stable number
        self._numbers: dict[int, int] = {}  # the core's number by the stable one, of open flows
        self._held = 0
        self._counters: Counter[str] = Counter(flows_forgotten=0, flows_taken=0)

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, and what is held now."""
        return {**self._counters, "flows_held": len(self._open) + len(self._finished), "bytes_held": self._held}

    def add(self, events: Iterable[Event]) -> None:
        """Take events in their order."""
        for event in events:
            if isinstance(event, Chunk):
                flow = self._open.get(event.flow)
                if flow is not None and not flow.full:
                    self._keep(flow, event)
            elif isinstance(event, Open):
                if event.proto == TCP:
                    self._open[event.flow] = HeldFlow(event)
                    self._numbers[flow_id(event, event.first_ns)] = event.flow
            elif isinstance(event, Close):
                flow = self._open.pop(event.flow, None)
                if flow is not None:
                    self._close(flow)
        while self._held > self._memory_bytes or len(self._open) + len(self._finished) > MOST_FLOWS:
            self._forget()

    def take(self, finding: Finding) -> list[HeldFlow]:
        """The finding's flows whose beginning is complete; they are given once, and nothing more of them is kept."""
        taken = []
        for flow in finding.flows:
            number = flow.key.flow_id
            held = self._finished.get(number) or self._open.get(self._numbers.get(number, -1))
            if held is None:
                continue
            settled = finding.state == "closed" or finding.last_ns - held.opened.ts_ns >= SETTLE_NS
            if held.chunks and (held.closed or held.full or settled):
                self._drop(held)
                self._counters["flows_taken"] += 1
                taken.append(held)
        return taken

    def _keep(self, flow: HeldFlow, chunk: Chunk) -> None:
        room = self._flow_bytes - flow.size
        data = chunk.data[:room]
        flow.chunks.append(chunk._replace(data=data))
        flow.size += len(data)
        flow.full = len(data) < len(chunk.data) or flow.size >= self._flow_bytes or len(flow.chunks) >= MOST_CHUNKS
        self._held += len(data) + CHUNK_BYTES

    def _close(self, flow: HeldFlow) -> None:
        number = flow_id(flow.opened, flow.opened.first_ns)
        self._numbers.pop(number, None)
        flow.closed = True
        if flow.chunks:
            self._finished[number] = flow

    def _forget(self) -> None:
        self._counters["flows_forgotten"] += 1
        self._drop(next(iter(self._finished.values())) if self._finished else next(iter(self._open.values())))

    def _drop(self, flow: HeldFlow) -> None:
        number = flow_id(flow.opened, flow.opened.first_ns)
        self._finished.pop(number, None)
        self._numbers.pop(number, None)
        self._open.pop(flow.opened.flow, None)
        self._held -= flow.size + CHUNK_BYTES * len(flow.chunks)
