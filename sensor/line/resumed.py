"""A connection that goes on: in the next capture, after a restart, or after the flow table gave it up. What it signed
in as, and its difficulty, are known from before. Sans-IO: what other runs knew is asked of a function handed in.

It is the same connection where ends, direction and sequence numbers fit (`same_connection.py`): a new one between the
same ends begins with a SYN that is seen, or elsewhere among 2^32 sequence numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from sensor.dialects.conversation import Carriage
from sensor.line.flow_facts import address_text, community_id
from sensor.line.same_connection import RESUMED_BYTES, RESUMED_NS, TOLERANCE_NS, ahead
from sensor.model.events import Chunk, Open
from sensor.model.flow import FlowSummary
from sensor.model.text import endpoint_text
from sensor.model.trace import StreamRange

#: What was known of connections by their ends (their Community ID), at about a time; newest last.
Resume = Callable[[str, int], Sequence[FlowSummary]]
#: Bytes of connections remembered of this run, the newest; what one takes besides its texts, and a job's mark in it.
MAX_REMEMBERED_BYTES = 64 << 20
FLOW_BYTES, JOB_BYTES = 2_048, 128
#: Records of one pair of ends.
MAX_ALIKE = 4


def nothing_before(ends: str, at_ns: int) -> Sequence[FlowSummary]:  # noqa: ARG001 (it is a Resume)
    """No other run knows anything."""
    return ()


class Resumable:
    """The connections that may go on: those of this run, then those of others."""

    def __init__(self, others: Resume = nothing_before, most_bytes: int = MAX_REMEMBERED_BYTES) -> None:
        self._others, self._most_bytes = others, most_bytes
        self._its: OrderedDict[str, tuple[FlowSummary, ...]] = OrderedDict()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._its)

    def put(self, flow: FlowSummary) -> None:
        """A connection that left the flow table without its end."""
        trace = flow.trace
        if trace is None or trace.state is None:
            return
        before = self._its.pop(flow.key.community_id, ())
        lean = replace(flow, trace=replace(trace, marks=(), bins=()))
        its = (*[other for other in before if other.login != flow.login][1 - MAX_ALIKE :], lean)
        self._its[flow.key.community_id] = its
        self.held_bytes += sum(map(_size_bytes, its)) - sum(map(_size_bytes, before))
        while self.held_bytes > self._most_bytes:
            _, oldest = self._its.popitem(last=False)
            self.held_bytes -= sum(map(_size_bytes, oldest))

    def find(self, opened: Open, chunk: Chunk) -> FlowSummary | None:
        """What is known of a connection that was joined in the middle, by the first bytes that are seen of it."""
        if chunk.base_seq < 0:
            return None
        ends = community_id(opened.proto, (opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port))
        for flows in (self._its.get(ends, ()), self._others(ends, chunk.ts_ns)):
            fitting = [flow for flow in flows if goes_on_with(flow, opened, chunk)]
            if fitting:
                return max(fitting, key=lambda flow: (_ends_before(flow, opened, chunk), flow.last_ns))
        return None


def goes_on_with(before: FlowSummary, opened: Open, chunk: Chunk) -> bool:
    """Whether a connection that was known goes on with these bytes, or they are of what was seen of it."""
    trace = before.trace
    if trace is None or trace.state is None:
        return False
    seen = _range(before, opened, chunk.direction)
    if seen is None or not before.first_ns - TOLERANCE_NS <= chunk.ts_ns <= before.last_ns + RESUMED_NS:
        return False
    start = chunk.base_seq + chunk.offset
    return ahead(start, seen.start) >= 0 and ahead(start, seen.end) < RESUMED_BYTES


def _ends_before(before: FlowSummary, opened: Open, chunk: Chunk) -> bool:
    """Whether nothing of what was seen of the connection lies behind these bytes: where captures are read again, later
    ones are known as well."""
    seen = _range(before, opened, chunk.direction)
    return seen is not None and ahead(chunk.base_seq + chunk.offset, seen.end) >= 0


def miner_direction(before: FlowSummary, opened: Open) -> int:
    """The direction of the miner."""
    return 0 if before.key.src_ip == address_text(opened.orig_addr) and before.key.src_port == opened.orig_port else 1


def between_bytes(before: FlowSummary, opened: Open, chunk: Chunk) -> int | None:
    """How many bytes of this direction were never seen between the two; negative: so many were seen before, too. None:
    not known."""
    seen = _range(before, opened, chunk.direction)
    return None if seen is None else ahead(chunk.base_seq + chunk.offset, seen.end)


def carriage_of(before: FlowSummary, now: Carriage, opened: Open) -> Carriage:
    """How the connection is wrapped: its beginning said so."""
    asked_by = None
    if before.proxy is not None:
        originator = endpoint_text(address_text(opened.orig_addr), opened.orig_port)
        side = 0 if before.proxy == originator else 1
        asked_by = side if before.transport.startswith("proxy-") else 1 - side
    return Carriage(before.transport, now.framing or before.framing, before.pool_host, before.client, asked_by)


def _range(before: FlowSummary, opened: Open, direction: int) -> StreamRange | None:
    """What was seen of a direction."""
    assert before.trace is not None
    return before.trace.miner if direction == miner_direction(before, opened) else before.trace.pool


def _size_bytes(flow: FlowSummary) -> int:
    """About how much memory a connection takes: its texts are as long as whoever sent them liked."""
    state = flow.trace.state if flow.trace is not None else None
    texts = [flow.login, flow.worker, flow.agent, flow.pool_host, flow.client]
    if state is not None:
        texts += [state.agent, state.endpoint]
        texts += [text for login in state.logins for text in login if isinstance(text, str)]
    jobs = len(state.jobs) if state is not None else 0
    return FLOW_BYTES + jobs * JOB_BYTES + 4 * sum(len(text) for text in texts if text)
