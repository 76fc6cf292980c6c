"""Flows with an open gate: their bytes become chunks, literals in them become hits, and their budget decides how long.

The only place that makes events of a flow. Captures, frames and the flow table are not known here.
"""

from __future__ import annotations

from sensor.model.events import Close, CloseReason, Open, Shape
from sensor.reference.assembler import SEQUENCE_MASK
from sensor.reference.doubt import ChecksumVerdict, is_marked, sum_of
from sensor.reference.flags import SYN, URG
from sensor.reference.flow import Flow, GateState, Rank, Side
from sensor.reference.prefilter import Cause, GateMatch, literal_match, opening_match
from sensor.reference.streams import CandidateStreams
from sensor.reference.tables import TCP
from sensor.reference.transport import checksum_fits
from sensor.reference.trial import Trial
from sensor.reference.walk import Segment

SHAPE_BUDGET_BYTES = 8_192
#: Of a line so many bytes are charged in full, and of those after them one in so many.
FULL_PRICE_LINE_BYTES, LONG_LINE_DISCOUNT = 8_192, 64


class Candidates(CandidateStreams):
    """The gates."""

    def __len__(self) -> int:
        return len(self._ranks)

    def take(self, flow: Flow, direction: int, segment: Segment, *, is_sealed: bool) -> None:
        """One segment of a flow: its acknowledgement for the other side's holes first, then its own payload.

        By one that is sealed, the records of an encrypted session, no gate opens for the first time.
        """
        was_open = flow.gate is GateState.OPEN
        if was_open:
            self._promote(flow)
            if flow.gate is not GateState.OPEN:
                self._see_unread(flow, direction, segment)
                return
            self._note_header(flow, segment)
            if segment.flags & URG and segment.wire_bytes:
                self._counters["overlap_conflicts"] += 1  # RFC 6093: some stacks take a byte out of the stream
            self._lose_patience(flow, segment.ts_ns)
            self._note_acknowledgement(flow, direction, segment)
        if was_open and flow.gate is not GateState.OPEN:
            self._see_unread(flow, direction, segment)
        elif segment.wire_bytes:
            self._take_payload(flow, direction, segment, is_sealed=is_sealed)
        self._settle(flow, segment.ts_ns)
        self._keep_within_pool(flow, segment.ts_ns)

    def take_in_doubt(self, flow: Flow, direction: int, segment: Segment) -> None:
        """One segment that its receiver throws away, if its checksum is as it was sent."""
        side, seq = flow.sides[direction], segment.seq
        if flow.is_dismissed:
            return
        if flow.gate is GateState.OPEN:
            self._promote(flow)
            if flow.gate is not GateState.OPEN:
                return
            self._lose_patience(flow, segment.ts_ns)
        else:
            match = self._find_match(flow, side, seq, segment)
            if match is None or match.cause is Cause.START_MISSING:
                return
            self._open_gate(flow, match, segment)
            flow.bad_checksums += not checksum_fits(segment)
        if flow.gate is GateState.OPEN and not self._set_aside(flow, direction, segment):
            if side.base is None:
                side.base = side.next = seq
            self._deliver(flow, direction, segment, seq, self._later_match(side, seq))
            side.see_payload(seq, segment.payload, segment.wire_bytes)
        self._settle(flow, segment.ts_ns)
        self._keep_within_pool(flow, segment.ts_ns)

    def dismiss(self, flow: Flow) -> None:
        """Whoever polls has given it up: its gate is shut for good."""
        self._counters["candidates_dismissed"] += not flow.is_dismissed
        flow.is_dismissed = True
        if flow.gate is GateState.OPEN:
            self._spend(flow)

    def is_doubtful(self, flow: Flow, direction: int, segment: Segment, found: ChecksumVerdict) -> bool:
        """Whether its receiver throws it away."""
        return flow.sides[direction].doubts.doubt(found, segment, flow.gate is GateState.OPEN)

    def look_at_sum(self, flow: Flow, direction: int, segment: Segment) -> tuple[ChecksumVerdict, bool]:
        """What the checksums say, where it is asked; and whether the segment is doubtful. Counts wrong ones.

        Of flows whose gate is open, of what begins or ends a connection, and of the first payload of a direction whose
        SYN had a right one.
        """
        side, is_open = flow.sides[direction], flow.gate is GateState.OPEN
        is_first = segment.wire_bytes > 0 and side.doubts.syn_right and not side.payload_seen
        if not is_open and not is_marked(segment) and not is_first:
            return ChecksumVerdict.UNKNOWN, False
        found = sum_of(segment)
        doubtful = self.is_doubtful(flow, direction, segment, found)
        if is_open or doubtful:
            self.count_sum(flow, direction, segment, found)
        return found, doubtful

    def _see_unread(self, flow: Flow, direction: int, segment: Segment) -> None:
        """A payload that is not looked at."""
        side = flow.sides[direction]
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        if segment.wire_bytes:
            if side.base is None:
                side.base = side.next = seq
            side.see_payload(seq, segment.payload, segment.wire_bytes)
            if flow.gate is GateState.SHUT:
                self._recognise(flow, 1 - direction, segment)

    def _take_payload(self, flow: Flow, direction: int, segment: Segment, *, is_sealed: bool) -> None:
        side = flow.sides[direction]
        # RFC 9293 section 3.4: a SYN takes the number before its data (RFC 7413: which it may carry).
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        if side.base is None:
            side.base = side.next = seq
        if flow.gate is GateState.OPEN:
            self._deliver(flow, direction, segment, seq, self._later_match(side, seq))
        elif segment.payload and not flow.is_dismissed and not (is_sealed and flow.gate is GateState.SHUT):
            match = self._find_match(flow, side, seq, segment)
            if match is not None:
                self._open_gate(flow, match, segment)
                self.count_sum(flow, direction, segment, sum_of(segment))
                self._note_header(flow, segment)
                self._note_acknowledgement(flow, direction, segment)
                self._deliver(flow, direction, segment, seq, match)
        side.see_payload(seq, segment.payload, segment.wire_bytes)
        if flow.gate is GateState.SHUT:
            self._recognise(flow, 1 - direction, segment)

    def _recognise(self, flow: Flow, first: int, segment: Segment) -> None:
        """Open the gate for a flow whose first flights, `first`'s and its answer, have sizes of the tables."""
        sizes = (flow.sides[first].sent(), flow.sides[1 - first].sent())
        if flow.proto != TCP or sizes not in self.tables.flights:
            return
        if not self._ranks.has_room(flow):
            self._counters["candidates_refused"] += 1
            self.recognised(flow, segment)
            return
        self._open_gate(flow, GateMatch(Cause.SHAPE, SHAPE_BUDGET_BYTES, False, b""), segment)
        self.count_sum(flow, 1 - first, segment, sum_of(segment))
        self._note_header(flow, segment)
        self._counters["shapes"] += 1
        self._events.append(Shape(flow.number, segment.ts_ns, first, self.tables.flights.index(sizes), 1.0))
        self.recognised(flow, segment)

    def _find_match(self, flow: Flow, side: Side, seq: int, segment: Segment) -> GateMatch | None:
        match = opening_match(self.tables, side, seq, segment) if flow.gate is GateState.SHUT else None
        if match is not None and self._ranks.has_room(flow):
            return match
        self._counters["candidates_refused"] += match is not None
        return literal_match(self.tables, side, seq, segment, self._limits.session_bytes)

    def _make_room(self, literal: bool) -> bool:
        """Room for one more of more than one packet."""
        if not self._ranks.is_full():
            return True
        victim = self._ranks.victim(literal)
        if victim is not None:
            self._spend(victim)
        return victim is not None

    def _first_rank(self, flow: Flow) -> Rank:
        """The rank of a flow whose gate opens, with room for it."""
        if flow.is_answered() or flow.number:
            self._make_room(True)
            return Rank.ANSWERED if flow.is_answered() else Rank.ONE_SIDED
        oldest = self._ranks.excess_single()
        if oldest is not None:
            self._counters["unproven_evicted"] += 1
            self.evict(oldest)
        return Rank.SINGLE

    def _promote(self, flow: Flow) -> None:
        """Another packet of a candidate has come; without room for one more its gate is shut."""
        self._ranks.touch(flow)
        if flow.rank is Rank.SINGLE and not self._make_room(bool(flow.hits)):
            self._counters["candidates_refused"] += 1
            self._spend(flow)
        elif flow.rank is Rank.SINGLE or flow.is_answered():
            self._ranks.set(flow, Rank.ANSWERED if flow.is_answered() else Rank.ONE_SIDED)

    def _open_gate(self, flow: Flow, match: GateMatch, segment: Segment) -> None:
        rank = self._first_rank(flow)
        flow.gate = GateState.OPEN
        flow.budget_bytes = match.budget_bytes
        if not flow.number:
            flow.number = next(self.numbers)
            flow.trial = Trial() if match.on_trial else None
            (orig_addr, orig_port), (resp_addr, resp_port) = flow.originator, flow.responder
            packets = (flow.sides[0].packets, flow.sides[1].packets)
            midstream = flow.proto == TCP and not flow.sides[0].syn_seen and not flow.sides[1].syn_seen
            opened = (
                Open(flow.number, segment.ts_ns, flow.proto, orig_addr, orig_port, resp_addr, resp_port, flow.basis,
                     midstream,
                     flow.first_ns, segment.vlans, self.source, packets)
            )  # fmt: skip
            self._hand_on(flow, opened)
        self._ranks.set(flow, rank)

    def leave(self, flow: Flow, reason: CloseReason) -> None:
        """The flow is out of the table.

        What is still held goes out, then its totals, all with the time of its last packet.
        """
        for direction, side in enumerate(flow.sides):
            while side.assembler is not None and side.assembler.holds():
                self._give_up_hole(flow, direction, flow.last_ns, side.assembler)
            side.doubts.stop()
        self._end_trial(flow, is_over=True)
        self._holdings.weigh(flow)
        self._ranks.set(flow, None)
        if flow.number:
            originator, responder = flow.sides
            self._events.append(
                Close(flow.number, flow.last_ns, reason, flow.first_ns, flow.last_ns,
                      (originator.packets, responder.packets),
                      (originator.total_bytes, responder.total_bytes), flow.gap_bytes, flow.bad_checksums,
                      (originator.clock, responder.clock), (originator.path.facts, responder.path.facts))
            )  # fmt: skip
