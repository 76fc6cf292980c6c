"""Flows with an open gate: their bytes become chunks, literals in them become hits, and their budget decides how long.

The only place that makes events of a flow. Captures, frames and the flow table are not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sensor.model.events import Chunk, Close, CloseReason, Event, Hit, Open, Shape
from sensor.model.limits import CoreLimits
from sensor.reference.assembler import SEQUENCE_MASK, WINDOW_BYTES, Assembler, is_reached
from sensor.reference.counters import Counters
from sensor.reference.doubt import Sum, is_marked, sum_of
from sensor.reference.flags import ACK, SYN
from sensor.reference.flow import Flow, GateState, Rank, Side
from sensor.reference.holdings import Holdings
from sensor.reference.patience import Patience
from sensor.reference.prefilter import Cause, GateMatch, literal_match, opening_match
from sensor.reference.ranks import Ranks
from sensor.reference.tables import CARRY_BYTES, TCP, Tables
from sensor.reference.transport import checksum_fits, tsval
from sensor.reference.walk import Segment

SHAPE_BUDGET_BYTES = 2_048
#: Of a line so many bytes are charged in full, and of those after them one in so many.
FULL_PRICE_LINE_BYTES, LONG_LINE_DISCOUNT = 8_192, 64


class Candidates:
    def __init__(self, tables: Tables, limits: CoreLimits, counters: Counters, events: deque[Event]) -> None:
        self.tables = tables
        self.source = ""
        self._limits = limits
        self._counters = counters
        self._events = events
        self._ranks = Ranks(limits)
        self._holdings = Holdings()
        self._last_number = 0
        self.evict: Callable[[Flow], None]  # a flow leaves the table, which sets this

    def __len__(self) -> int:
        return len(self._ranks)

    def take(self, flow: Flow, direction: int, segment: Segment) -> None:
        """One segment of a flow: its acknowledgement for the other side's holes first, then its own payload."""
        if flow.gate is GateState.OPEN:
            self._promote(flow)
            if flow.gate is not GateState.OPEN:
                self._see_unread(flow, direction, segment)
                return
            self._note_header(flow, segment)
            self._lose_patience(flow, segment.ts_ns)
            self._note_acknowledgement(flow, direction, segment)
        if segment.wire_bytes:
            self._take_payload(flow, direction, segment)
        self._settle(flow, segment.ts_ns)
        self._keep_within_pool(flow, segment.ts_ns)

    def take_in_doubt(self, flow: Flow, direction: int, segment: Segment) -> None:
        """One segment that its receiver throws away, if its checksum is as it was sent."""
        side, seq = flow.sides[direction], segment.seq
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

    def _set_aside(self, flow: Flow, direction: int, segment: Segment) -> bool:
        side = flow.sides[direction]
        if side.assembler is None and side.syn_seen and not side.payload_seen and side.base is not None:
            side.assembler = Assembler(side.base, side.delivered or 0, 0, self._counters)
        if side.assembler is None or side.doubts.uses(flow.is_answered()):
            return False
        if flow.is_answered():
            side.doubts.push(segment.seq, segment.payload, side.assembler.next_seq())
        return True

    def _use_aside(self, flow: Flow, direction: int, ack: int, ts_ns: int) -> None:
        """What no right segment brought and the other side acknowledges: what was set aside of it is used."""
        side = flow.sides[direction]
        while flow.gate is GateState.OPEN and side.assembler is not None:
            following = side.assembler.next_seq()
            data = side.doubts.take(following, ack)
            if not data:
                return
            run = side.assembler.receive(following, data)
            side.see_payload(following, data, len(data))
            self._emit(flow, direction, ts_ns, side.assembler.next - len(run), 0, run)

    def is_doubtful(self, flow: Flow, direction: int, segment: Segment, found: Sum) -> bool:
        """Whether its receiver throws it away."""
        return flow.sides[direction].doubts.doubt(found, segment, flow.gate is GateState.OPEN)

    def look_at_sum(self, flow: Flow, direction: int, segment: Segment) -> tuple[Sum, bool]:
        """What the checksums say, where it is asked; and whether the segment is doubtful. Counts wrong ones.

        Of flows whose gate is open, of what begins or ends a connection, and of the first payload of a direction whose
        SYN had a right one.
        """
        side, is_open = flow.sides[direction], flow.gate is GateState.OPEN
        is_first = segment.wire_bytes > 0 and side.doubts.syn_right and not side.payload_seen
        if not is_open and not is_marked(segment) and not is_first:
            return Sum.UNKNOWN, False
        found = sum_of(segment)
        doubtful = self.is_doubtful(flow, direction, segment, found)
        if is_open or doubtful:
            self.count_sum(flow, direction, segment, found)
        return found, doubtful

    def count_sum(self, flow: Flow, direction: int, segment: Segment, found: Sum) -> None:
        wrong = not checksum_fits(segment)
        self._counters["bad_l4_checksum"] += wrong
        if flow.gate is GateState.OPEN:
            flow.bad_checksums += wrong
            flow.sides[direction].doubts.note(found, segment)

    @staticmethod
    def _see_unread(flow: Flow, direction: int, segment: Segment) -> None:
        """A payload that is not looked at."""
        side = flow.sides[direction]
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        if segment.wire_bytes:
            if side.base is None:
                side.base = side.next = seq
            side.see_payload(seq, segment.payload, segment.wire_bytes)

    def _note_header(self, flow: Flow, segment: Segment) -> None:
        side = flow.sides[flow.direction(segment)]
        side.path.see(segment)
        value = tsval(segment)
        if value is not None:
            side.see_timestamp(segment.ts_ns, value)

    def _take_payload(self, flow: Flow, direction: int, segment: Segment) -> None:
        side = flow.sides[direction]
        # RFC 9293 section 3.4: a SYN takes the number before its data (RFC 7413: which it may carry).
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        if side.base is None:
            side.base = side.next = seq
        if flow.gate is GateState.OPEN:
            self._deliver(flow, direction, segment, seq, self._later_match(side, seq))
        else:
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
            return
        self._open_gate(flow, GateMatch(Cause.SHAPE, SHAPE_BUDGET_BYTES, False, b""), segment)
        self.count_sum(flow, 1 - first, segment, sum_of(segment))
        self._note_header(flow, segment)
        self._counters["shapes"] += 1
        self._events.append(Shape(flow.number, segment.ts_ns, first, self.tables.flights.index(sizes), 1.0))

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

    @staticmethod
    def _later_match(side: Side, seq: int) -> GateMatch:
        """Where the side that did not open the gate begins: at its very start, if all of it is still at hand."""
        if side.has_all_before(seq):
            return GateMatch(Cause.LITERAL, 0, True, side.carry)
        return GateMatch(Cause.LITERAL, 0, side.syn_seen and not side.payload_seen, b"")

    def _open_gate(self, flow: Flow, match: GateMatch, segment: Segment) -> None:
        rank = self._first_rank(flow)
        flow.gate = GateState.OPEN
        flow.budget_bytes = match.budget_bytes
        if not flow.number:
            self._counters["candidates_opened"] += 1
            self._last_number += 1
            flow.number = self._last_number
            (orig_addr, orig_port), (resp_addr, resp_port) = flow.originator, flow.responder
            packets = (flow.sides[0].packets, flow.sides[1].packets)
            midstream = flow.proto == TCP and not flow.sides[0].syn_seen and not flow.sides[1].syn_seen
            self._events.append(
                Open(flow.number, segment.ts_ns, flow.proto, orig_addr, orig_port, resp_addr, resp_port, flow.basis,
                     midstream,
                     flow.first_ns, segment.vlans, self.source, packets)
            )  # fmt: skip
        self._ranks.set(flow, rank)

    def _deliver(self, flow: Flow, direction: int, segment: Segment, seq: int, match: GateMatch) -> None:
        side = flow.sides[direction]
        if flow.proto != TCP:
            self._emit(flow, direction, segment.ts_ns, side.delivered or 0, 0, segment.payload)
            return
        data = segment.payload
        if side.assembler is None:
            side.assembler, prefix = self._begin(side, seq, match)
            seq, data = seq - len(prefix), prefix + data
        assembler = side.assembler
        side.cut = side.cut or len(segment.payload) < segment.wire_bytes
        ack = segment.ack if segment.flags & ACK else None
        run = assembler.receive(seq, data, ack, flow.sides[1 - direction].reached())
        self._emit(flow, direction, segment.ts_ns, assembler.next - len(run), 0, run)
        while flow.gate is GateState.OPEN and assembler.holds_too_much(self._limits):
            self._give_up_hole(flow, direction, segment.ts_ns, assembler)

    def _begin(self, side: Side, seq: int, match: GateMatch) -> tuple[Assembler, bytes]:
        """An assembler for what comes from here on, and what of the carry goes before it.

        No byte is delivered twice.
        """
        base, prefix = side.base or 0, match.prefix
        if side.delivered is None:
            start = 0 if match.from_base else (seq - len(prefix) - base) & SEQUENCE_MASK
            return Assembler(base, start, 0, self._counters), prefix
        distance = (seq - base - side.delivered) & SEQUENCE_MASK
        if distance >= SEQUENCE_MASK + 1 - WINDOW_BYTES:  # begins before what was delivered
            return Assembler(base, side.delivered, 0, self._counters), b""
        prefix = prefix[max(0, len(prefix) - distance) :]
        skipped = distance - len(prefix)
        return Assembler(base, side.delivered + skipped, skipped, self._counters), prefix

    def _note_acknowledgement(self, flow: Flow, direction: int, segment: Segment) -> None:
        """A segment acknowledges what the other side has sent. Where that was not seen yet, it is waited for."""
        if flow.proto != TCP or not segment.flags & ACK or flow.gate is not GateState.OPEN:
            return
        other = flow.sides[1 - direction]
        other.begin_at_syn(segment.ack, self._counters)
        if is_reached(segment.ack, other.reached()):
            return
        if not other.doubts.right_data:
            self._use_aside(flow, 1 - direction, segment.ack, segment.ts_ns)
        if flow.gate is not GateState.OPEN or is_reached(segment.ack, other.reached()):
            return
        if other.cut:
            self._give_up_acknowledged(flow, 1 - direction, segment.ack, segment.ts_ns)
        elif other.behind is not None:
            other.behind.extend(segment.ack)
        else:
            other.behind = Patience(segment.ack, segment.ts_ns)

    def _lose_patience(self, flow: Flow, ts_ns: int) -> None:
        """Of both sides, the originator's first: whether what is waited for will come any more."""
        for direction, side in enumerate(flow.sides):
            if side.behind is not None and side.behind.is_over(ts_ns):
                ack, side.behind = side.behind.ack, None
                self._use_aside(flow, direction, ack, ts_ns)
                self._give_up_acknowledged(flow, direction, ack, ts_ns)
                self._settle(flow, ts_ns)

    def _give_up_acknowledged(self, flow: Flow, direction: int, ack: int, ts_ns: int) -> None:
        side = flow.sides[direction]
        while side.assembler is not None and flow.gate is GateState.OPEN and side.assembler.acknowledged(ack):
            self._give_up_hole(flow, direction, ts_ns, side.assembler)
        if flow.gate is GateState.OPEN:
            side.forgiven = ack

    def _settle(self, flow: Flow, ts_ns: int) -> None:
        """What waited for the other side goes out where that has come; and what has come is waited for no more."""
        moved = flow.proto == TCP
        while moved:
            moved = False
            for direction, side in enumerate(flow.sides):
                other = flow.sides[1 - direction]
                if flow.gate is not GateState.OPEN:
                    return
                if other.behind is not None and is_reached(other.behind.ack, other.reached()):
                    other.behind = None
                run = side.assembler.take_next(other.reached()) if side.assembler is not None else b""
                if run and side.assembler is not None:
                    self._emit(flow, direction, ts_ns, side.assembler.next - len(run), 0, run)
                    moved = True

    def _tell_other_readings(self, flow: Flow, ts_ns: int) -> None:
        """Lines of the other reading, where bytes contradicted what was delivered."""
        for direction, side in enumerate(flow.sides):
            while side.assembler is not None and flow.gate is GateState.OPEN:
                line = side.assembler.readings.take(side.assembler.next)
                if line is None:
                    break
                self._tell(flow, direction, ts_ns, line[0], 1, line[1])

    def _keep_within_pool(self, flow: Flow, ts_ns: int) -> None:
        """What all candidates hold together is bounded: the greediest gives up."""
        self._tell_other_readings(flow, ts_ns)
        self._holdings.weigh(flow)
        while self._holdings.total_bytes > self._limits.held_bytes:
            victim = self._holdings.greediest()
            if victim is None:
                return
            self._counters["held_given_up"] += 1
            for direction, side in enumerate(victim.sides):
                while side.assembler is not None and side.assembler.holds() and victim.gate is GateState.OPEN:
                    self._give_up_hole(victim, direction, ts_ns, side.assembler)
                side.doubts.stop()
            self._holdings.weigh(victim)

    def _give_up_hole(self, flow: Flow, direction: int, ts_ns: int, assembler: Assembler) -> None:
        gap, run = assembler.give_up_hole()
        self._emit(flow, direction, ts_ns, assembler.next - len(run), gap, run)

    def _emit(self, flow: Flow, direction: int, ts_ns: int, offset: int, gap: int, data: bytes) -> None:
        """Hits, then the chunk, then the budget."""
        if not data:
            return
        side = flow.sides[direction]
        if side.assembler is not None:
            gap, side.assembler.skipped = gap + side.assembler.skipped, 0
        if gap:
            self._counters["gaps"] += 1
            self._counters["gap_bytes"] += gap
            flow.gap_bytes += gap
            side.scan_carry = b""
        if flow.proto == TCP:
            self._scan(flow, direction, ts_ns, offset, data)
        side.delivered = offset + len(data)
        self._tell(flow, direction, ts_ns, offset, gap, data)

    def _tell(self, flow: Flow, direction: int, ts_ns: int, offset: int, gap: int, data: bytes) -> None:
        """The chunk, then the budget."""
        side = flow.sides[direction]
        base_seq = side.base if flow.proto == TCP and side.base is not None else -1
        path = side.path.facts
        self._events.append(
            Chunk(flow.number, ts_ns, direction, offset, gap, data, base_seq, path.ack_advances, path.acked_bytes)
        )
        self._counters["chunks"] += 1
        self._counters["chunk_bytes"] += len(data)
        flow.budget_bytes -= _price(side, data)
        if flow.budget_bytes <= 0:
            self._spend(flow)

    def _scan(self, flow: Flow, direction: int, ts_ns: int, offset: int, data: bytes) -> None:
        """Literals that end in this chunk: each is a hit the first time, and each time fills the budget up."""
        side = flow.sides[direction]
        text, before = side.scan_carry + data, len(side.scan_carry)
        found = []
        for index, literal in enumerate(self.tables.literals):
            at = text.find(literal, max(0, before - len(literal) + 1))
            if at >= 0:
                found.append((at, index, literal))
        for at, index, literal in sorted(found):
            if literal not in flow.hits:
                flow.hits.add(literal)
                self._events.append(Hit(flow.number, ts_ns, direction, offset - before + at, index))
                self._counters["hits"] += 1
        if found:
            flow.budget_bytes = max(flow.budget_bytes, self._limits.session_bytes)
        side.scan_carry = text[-CARRY_BYTES:]

    def _spend(self, flow: Flow) -> None:
        """Shut the gate until a literal opens it again.

        What is held is dropped, and so part of the next chunk's gap.
        """
        self._counters["candidates_spent"] += 1
        flow.gate = GateState.SPENT
        self._ranks.set(flow, None)
        for side in flow.sides:
            side.line_bytes = 0
            side.behind = side.forgiven = None
            side.doubts.stop()
            if side.assembler is not None:
                side.delivered = side.assembler.next - side.assembler.skipped
                side.assembler = None
        self._holdings.weigh(flow)

    def leave(self, flow: Flow, reason: CloseReason) -> None:
        """The flow is out of the table.

        What is still held goes out, then its totals, all with the time of its last packet.
        """
        for direction, side in enumerate(flow.sides):
            while side.assembler is not None and side.assembler.holds():
                self._give_up_hole(flow, direction, flow.last_ns, side.assembler)
            side.doubts.stop()
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


def _price(side: Side, data: bytes) -> int:
    """What these bytes cost of the budget, and where their last line has come to."""
    first, *others = data.split(b"\n")
    before = _line_price(side.line_bytes)
    side.line_bytes += len(first) + bool(others)
    price = _line_price(side.line_bytes) - before
    for index, line in enumerate(others, 1):
        side.line_bytes = len(line) + (index < len(others))
        price += _line_price(side.line_bytes)
    return price


def _line_price(line_bytes: int) -> int:
    over = max(0, line_bytes - FULL_PRICE_LINE_BYTES)
    return line_bytes - over + over // LONG_LINE_DISCOUNT
