"""The streams of flows with an open gate: bytes in order become chunks, literals in them hits, and a budget decides how
long.

The only place that makes chunks and hits. Which flow has an open gate is decided above.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count

from sensor.model.events import Chunk, Event, Hit
from sensor.model.limits import CoreLimits
from sensor.reference.assembler import SEQUENCE_MASK, WINDOW_BYTES, Assembler, is_reached
from sensor.reference.counters import Counters
from sensor.reference.doubt import ChecksumVerdict
from sensor.reference.flags import ACK
from sensor.reference.flow import Flow, GateState, Side
from sensor.reference.outgoing import CandidateEvents
from sensor.reference.patience import Patience
from sensor.reference.prefilter import Cause, GateMatch
from sensor.reference.tables import CARRY_BYTES, TCP, Tables
from sensor.reference.transport import checksum_fits, tsval
from sensor.reference.walk import Segment

#: Of a line so many bytes are charged in full, and of those after them one in so many.
FULL_PRICE_LINE_BYTES, LONG_LINE_DISCOUNT = 8_192, 64


class CandidateStreams(CandidateEvents):
    def __init__(self, tables: Tables, limits: CoreLimits, counters: Counters, events: deque[Event]) -> None:
        super().__init__(limits, counters, events)
        self.tables = tables
        self.source = ""
        self.numbers = count(1)  # of flows that have events; encrypted sessions take theirs from it, too
        self.evict: Callable[[Flow], None]  # a flow leaves the table, which sets this
        self.recognised: Callable[[Flow, Segment], None]  # its first flights were; set by the table, too

    def _note_header(self, flow: Flow, segment: Segment) -> None:
        side = flow.sides[flow.direction(segment)]
        side.path.see(segment)
        value = tsval(segment)
        if value is not None:
            side.see_timestamp(segment.ts_ns, value)

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

    def count_sum(self, flow: Flow, direction: int, segment: Segment, found: ChecksumVerdict) -> None:
        wrong = not checksum_fits(segment)
        self._counters["bad_l4_checksum"] += wrong
        if flow.gate is GateState.OPEN:
            flow.bad_checksums += wrong
            flow.sides[direction].doubts.note(found, segment)

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

    @staticmethod
    def _later_match(side: Side, seq: int) -> GateMatch:
        """Where the side that did not open the gate begins: at its very start, if all of it is still at hand."""
        if side.has_all_before(seq):
            return GateMatch(Cause.LITERAL, 0, True, side.carry)
        return GateMatch(Cause.LITERAL, 0, side.syn_seen and not side.payload_seen, b"")

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
                if other.behind is not None and is_reached(other.behind.first, other.reached()):
                    other.behind.renew(ts_ns)
                    if is_reached(other.behind.ack, other.reached()):
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
                self._emit_chunk(flow, direction, ts_ns, line[0], 1, line[1])

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
                if side.assembler is not None:
                    side.assembler.readings.stop()
                side.doubts.stop()
            if victim.trial is not None:
                self._fail(victim)
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
            self._note_gap(flow, gap)
            side.scan_carry = b""
        if flow.proto == TCP:
            self._scan(flow, direction, ts_ns, offset, data)
        side.delivered = offset + len(data)
        self._emit_chunk(flow, direction, ts_ns, offset, gap, data)

    def _emit_chunk(self, flow: Flow, direction: int, ts_ns: int, offset: int, gap: int, data: bytes) -> None:
        """The chunk, then the budget."""
        if flow.trial is not None and not self._decide(flow, flow.trial.look(direction, offset, data, self.tables)):
            return
        side = flow.sides[direction]
        base_seq = side.base if flow.proto == TCP and side.base is not None else -1
        path = side.path.facts
        chunk = Chunk(flow.number, ts_ns, direction, offset, gap, data, base_seq, path.ack_advances, path.acked_bytes)
        self._hand_on(flow, chunk)
        flow.budget_bytes -= _price(side, data)
        if flow.budget_bytes <= 0:
            self._end_trial(flow, is_over=False)
            if flow.gate is GateState.OPEN:
                self._spend(flow)

    def _scan(self, flow: Flow, direction: int, ts_ns: int, offset: int, data: bytes) -> None:
        """Literals that end in this chunk: each is a hit the first time, and each time fills the budget up."""
        side = flow.sides[direction]
        text, before = side.scan_carry + data, len(side.scan_carry)
        found: list[tuple[int, int, bytes]] = []
        for index, literal in enumerate(self.tables.literals):
            at = text.find(literal, max(0, before - len(literal) + 1))
            if at >= 0:
                found.append((at, index, literal))
        if found:
            flow.budget_bytes = max(flow.budget_bytes, self._limits.session_bytes)
            self._prove(flow)
        for at, index, literal in sorted(found):
            if literal not in flow.hits:
                flow.hits.add(literal)
                self._hand_on(flow, Hit(flow.number, ts_ns, direction, offset - before + at, index))
        side.scan_carry = text[-CARRY_BYTES:]

    def _spend(self, flow: Flow) -> None:
        """Shut the gate until a literal opens it again.

        What is held is dropped, and so part of the next chunk's gap.
        """
        if flow.trial is not None:
            self._fail(flow)
            return
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
