//! A worker's candidates: gates opened and spent, their bytes put in order and told as events. Which flow a segment
//! belongs to is decided before.

use crate::flow::assembler::{Ready, Tally};
use crate::flow::candidate::{Candidate, Rank};
use crate::flow::gate::{self, Gate};
use crate::flow::prefilter::Carry;
use crate::flow::table::{bit, Slot};
use crate::flow::worker::Worker;
use crate::model::event::{Clock, Event, Open, Reason};
use crate::model::stats::Counter;
use crate::wire::segment::{Segment, TCP, UDP, URG};

/// Spent candidates kept for each open candidate that is allowed; past that the longest idle leaves.
const SPENT_PER_OPEN: usize = 4;
/// Of the candidates that are allowed, one in so many may besides be of a single packet that nobody has answered.
const SINGLE_SHARE: usize = 4;

fn is_answered(slot: &Slot) -> bool {
    slot.packets[0] > 0 && slot.packets[1] > 0
}

impl Worker {
    /// Whether a flow's gate may open without shutting another that is as good. What nobody has answered makes its own
    /// room.
    pub(super) fn has_room(&self, at: u32) -> bool {
        !is_answered(self.flows.slot(at))
            || self.candidates.proven_count() < self.limits.candidates
            || self.candidates.oldest(Rank::OneSided).is_some()
    }

    /// Room for one more of more than one packet: the longest silent of those that one side alone speaks in goes
    /// first, and for an exact match (`literal`) the longest silent of all.
    fn make_room(&mut self, literal: bool) -> bool {
        if self.candidates.proven_count() < self.limits.candidates {
            return true;
        }
        let answered = self.candidates.oldest(Rank::Answered).filter(|_| literal);
        let oldest = self.candidates.oldest(Rank::OneSided).or(answered);
        oldest.inspect(|oldest| self.spend(*oldest)).is_some()
    }

    /// The rank of a flow whose gate opens, with room for it.
    fn first_rank(&mut self, at: u32) -> Rank {
        let slot = self.flows.slot(at);
        let rank = match (is_answered(slot), slot.candidate) {
            (true, _) => Rank::Answered,
            (_, 0) => Rank::Single,
            _ => Rank::OneSided,
        };
        if rank != Rank::Single {
            self.make_room(true);
        } else if self.candidates.count(Rank::Single) >= (self.limits.candidates / SINGLE_SHARE).max(1) {
            if let Some(oldest) = self.candidates.oldest(Rank::Single) {
                self.stats.add(Counter::UnprovenEvicted, 1);
                self.leave(self.candidates.slot(oldest), Reason::Evicted);
            }
        }
        rank
    }

    /// Another packet of a candidate has come. False: there was no room for one more, and its gate is shut.
    fn promote(&mut self, at: u32, index: u32) -> bool {
        let (rank, answered) = (self.candidates.rank(index), is_answered(self.flows.slot(at)));
        if rank == Rank::Single {
            let literal = self.candidates.get(index).has_hits();
            if !self.make_room(literal) {
                self.stats.add(Counter::CandidatesRefused, 1);
                self.spend(index);
                return false;
            }
        }
        if rank == Rank::Single || answered {
            self.candidates.set_rank(index, if answered { Rank::Answered } else { Rank::OneSided });
        }
        true
    }

    /// Open a flow's gate.
    pub(super) fn open(&mut self, at: u32, gate: &Gate, data_seq: u32, seg: &Segment, block: &[u8]) {
        let index = self.open_candidate(at, gate, seg);
        self.note_sum(index, gate.side, seg, block, false);
        self.inspect_header(index, gate.side, seg, block);
        if seg.proto == UDP {
            self.datagram(index, gate.side, seg, block);
            return;
        }
        self.note_acknowledgement(at, index, gate.side, seg);
        let slot = self.flows.flow(at);
        let base = if slot.has(bit::BASE << gate.side) { slot.sides[gate.side].base } else { gate.seq };
        self.start_and_push(index, gate.side, gate.seq, base, &gate.carry, (data_seq, seg, block));
        self.keep_within_bounds(index, gate.side, seg.ts_ns);
        self.settle(at, index, seg.ts_ns);
        self.keep_within_pool(index, seg.ts_ns);
    }

    /// Open the gate of a flow whose first flights have the sizes of a shape; `side` sent the first.
    pub(super) fn shape(&mut self, at: u32, side: usize, shape: usize, seg: &Segment, block: &[u8]) {
        if self.overloaded || !self.has_room(at) {
            self.stats.add(Counter::CandidatesRefused, 1);
            return;
        }
        let rank = self.first_rank(at);
        let index = self.add_candidate(at, seg, rank, false);
        self.candidates.get(index).budget = gate::SHAPE_BUDGET;
        self.note_sum(index, 1 - side, seg, block, false);
        self.inspect_header(index, 1 - side, seg, block);
        self.stats.add(Counter::Shapes, 1);
        let (flow, direction) = (self.candidates.get(index).flow, self.direction(index, side));
        self.events.push(Event::Shape { flow, ts_ns: seg.ts_ns, direction, shape, score: 1.0 });
    }

    fn add_candidate(&mut self, at: u32, seg: &Segment, rank: Rank, on_trial: bool) -> u32 {
        if self.candidates.count(Rank::Spent) >= SPENT_PER_OPEN * self.limits.candidates {
            if let Some(spent) = self.candidates.oldest(Rank::Spent) {
                self.leave(self.candidates.slot(spent), Reason::Evicted);
            }
        }
        let flow = self.next_number();
        let index = self.candidates.insert(Candidate::new(flow, at, rank));
        self.candidates.get(index).trial = on_trial.then(Box::default);
        let slot = self.flows.slot_mut(at);
        slot.candidate = index + 1;
        slot.set(bit::OPENED);
        let slot = self.flows.slot(at);
        let origin = slot.originator();
        let endpoint = |side| {
            let end = self.flows.endpoint(at, side);
            (end.address().to_vec(), end.port)
        };
        let opened = Open {
            flow,
            ts_ns: seg.ts_ns,
            proto: slot.proto(),
            originator: endpoint(origin),
            responder: endpoint(1 - origin),
            basis: slot.basis(),
            midstream: seg.proto == TCP && !slot.has(bit::SYN * 3),
            first_ns: slot.first_ns,
            vlans: seg.vlans[..seg.vlan_count as usize].to_vec(),
            source: self.sources.get(usize::from(seg.source)).cloned().unwrap_or_default(),
            packets: (slot.packets[origin], slot.packets[1 - origin]),
        };
        self.let_go(index, Event::Open(Box::new(opened)));
        index
    }

    /// A doubtful segment of a flow whose gate is open.
    pub(super) fn follow_in_doubt(
        &mut self,
        at: u32,
        index: u32,
        side: usize,
        data_seq: u32,
        seg: &Segment,
        block: &[u8],
    ) {
        self.candidates.touch(index);
        if self.candidates.rank(index) != Rank::Answered && !self.promote(at, index) {
            return;
        }
        if self.candidates.get(index).behind != [None; 2] {
            self.lose_patience(at, index, seg.ts_ns);
        }
        if self.candidates.is_open(index) && !self.set_aside(at, side, data_seq, seg, block) {
            self.follow_payload(at, index, side, data_seq, seg, block);
            self.flows.track(at, side, data_seq, seg.wire_len, seg.payload(block));
        }
        self.settle(at, index, seg.ts_ns);
        self.keep_within_pool(index, seg.ts_ns);
    }

    /// Open a flow's gate by a doubtful segment.
    pub(super) fn open_in_doubt(&mut self, at: u32, gate: &Gate, data_seq: u32, seg: &Segment, block: &[u8]) {
        let index = self.open_candidate(at, gate, seg);
        self.note_sum(index, gate.side, seg, block, true);
        if !self.set_aside(at, gate.side, data_seq, seg, block) {
            self.follow_payload(at, index, gate.side, data_seq, seg, block);
            self.flows.track(at, gate.side, data_seq, seg.wire_len, seg.payload(block));
        }
        self.settle(at, index, seg.ts_ns);
        self.keep_within_pool(index, seg.ts_ns);
    }

    fn open_candidate(&mut self, at: u32, gate: &Gate, seg: &Segment) -> u32 {
        let rank = self.first_rank(at);
        let candidate = self.flows.slot(at).candidate;
        let index = if candidate == 0 {
            self.add_candidate(at, seg, rank, gate.on_trial)
        } else {
            self.candidates.set_rank(candidate - 1, rank);
            candidate - 1
        };
        self.candidates.get(index).budget = gate.budget;
        index
    }

    /// A segment of a flow whose gate is open.
    pub(super) fn follow(&mut self, at: u32, index: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) {
        self.candidates.touch(index);
        if self.candidates.rank(index) != Rank::Answered && !self.promote(at, index) {
            return;
        }
        self.inspect_header(index, side, seg, block);
        if seg.proto == UDP {
            self.datagram(index, side, seg, block);
            return;
        }
        if seg.flags & URG != 0 && seg.wire_len > 0 {
            self.stats.add(Counter::OverlapConflicts, 1); // RFC 6093: some stacks take a byte out of the stream
        }
        if self.candidates.get(index).behind != [None; 2] {
            self.lose_patience(at, index, seg.ts_ns);
        }
        self.note_acknowledgement(at, index, side, seg);
        if seg.wire_len > 0 && self.candidates.is_open(index) {
            self.follow_payload(at, index, side, data_seq, seg, block);
        }
        self.settle(at, index, seg.ts_ns);
        self.keep_within_pool(index, seg.ts_ns);
    }

    fn follow_payload(&mut self, at: u32, index: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) {
        let reached = self.reached(at, index, 1 - side);
        let candidate = self.candidates.get(index);
        if candidate.sides[side].running {
            let mut tally = Tally::default();
            candidate.cut[side] |= seg.payload(block).len() < seg.wire_len as usize;
            let ready = candidate.sides[side].push(data_seq, seg.payload(block), seg.acked(), reached, &mut tally);
            self.count_tally(&tally);
            if let Some(ready) = ready {
                self.deliver(index, side, ready, seg.ts_ns);
            }
        } else {
            let slot = self.flows.flow(at);
            let direction = &slot.sides[side];
            let has_base = slot.has(bit::BASE << side);
            let base = if has_base { direction.base } else { data_seq };
            let whole = has_base
                && data_seq == direction.next
                && direction.carry.get().len() as u32 == direction.next.wrapping_sub(base);
            let fresh = slot.has(bit::SYN << side) && !slot.has(bit::PAYLOAD << side);
            let carry = if whole { direction.carry } else { Carry::default() };
            let seq = if whole || fresh { base } else { data_seq };
            self.start_and_push(index, side, seq, base, &carry, (data_seq, seg, block));
        }
        self.keep_within_bounds(index, side, seg.ts_ns);
    }

    /// Begin assembly of a direction at `seq`; the carry's bytes come before the segment's.
    fn start_and_push(
        &mut self,
        index: u32,
        side: usize,
        seq: u32,
        base: u32,
        carry: &Carry,
        arrival: (u32, &Segment, &[u8]),
    ) {
        let (data_seq, seg, block) = arrival;
        let slot = self.candidates.get(index).slot;
        let payload = seg.payload(block);
        let reached = self.reached(slot, index, 1 - side);
        let candidate = self.candidates.get(index);
        candidate.cut[side] |= payload.len() < seg.wire_len as usize;
        let direction = &mut candidate.sides[side];
        if !direction.running {
            direction.start(seq, base);
        }
        let mut tally = Tally::default();
        let ready = if carry.get().is_empty() {
            direction.push(data_seq, payload, seg.acked(), reached, &mut tally)
        } else {
            // bytes of the carry that were delivered before the gate was spent are left out
            let old = (direction.next_seq().wrapping_sub(seq) as i32).max(0) as usize;
            let kept = carry.get().get(old..).unwrap_or_default();
            let joined = [kept, payload].concat();
            direction.push(data_seq.wrapping_sub(kept.len() as u32), &joined, seg.acked(), reached, &mut tally)
        };
        self.count_tally(&tally);
        if let Some(ready) = ready {
            self.deliver(index, side, ready, seg.ts_ns);
        }
    }

    /// Lines of the other reading, where bytes contradicted what was delivered.
    fn tell_other_readings(&mut self, index: u32, ts_ns: u64) {
        let origin = self.flows.slot(self.candidates.slot(index)).originator();
        for side in [origin, 1 - origin] {
            while self.candidates.is_open(index) {
                let Some(ready) = self.candidates.get(index).sides[side].other_reading() else { break };
                self.emit(index, side, ready, ts_ns);
            }
        }
    }

    /// What all candidates hold together is bounded: the greediest gives up.
    fn keep_within_pool(&mut self, index: u32, ts_ns: u64) {
        self.tell_other_readings(index, ts_ns);
        let mut total = self.candidates.weigh(index);
        while total > self.limits.held_bytes {
            let Some(victim) = self.candidates.greediest() else { return };
            self.stats.add(Counter::HeldGivenUp, 1);
            let origin = self.flows.slot(self.candidates.slot(victim)).originator();
            for side in [origin, 1 - origin] {
                while self.candidates.is_open(victim) {
                    let Some(ready) = self.candidates.get(victim).sides[side].give_up_hole() else { break };
                    self.deliver(victim, side, ready, ts_ns);
                }
                self.candidates.get(victim).sides[side].forget_readings();
                self.candidates.get(victim).doubts[side].stop();
            }
            if self.candidates.is_open(victim) && self.candidates.get(victim).trial.is_some() {
                self.fail(victim);
            }
            total = self.candidates.weigh(victim);
        }
    }

    fn keep_within_bounds(&mut self, index: u32, side: usize, ts_ns: u64) {
        loop {
            let (bytes, segments) = (self.limits.reorder_bytes, self.limits.reorder_segments);
            let candidate = self.candidates.get(index);
            let direction = &mut candidate.sides[side];
            if candidate.rank == Rank::Spent
                || (direction.held_bytes() <= bytes && direction.held_segments() <= segments)
            {
                return;
            }
            let Some(ready) = direction.give_up_hole() else { return };
            self.deliver(index, side, ready, ts_ns);
        }
    }

    fn datagram(&mut self, index: u32, side: usize, seg: &Segment, block: &[u8]) {
        let data = seg.payload(block);
        if data.is_empty() {
            return;
        }
        let candidate = self.candidates.get(index);
        let offset = candidate.udp_offsets[side];
        candidate.udp_offsets[side] += data.len() as u64;
        self.emit(index, side, Ready { offset, gap: 0, data: data.to_vec() }, seg.ts_ns);
    }

    /// Scan bytes that are now in order for literals, then emit them.
    pub(super) fn deliver(&mut self, index: u32, side: usize, ready: Ready, ts_ns: u64) {
        let tables = self.tables.clone();
        if ready.gap > 0 {
            self.note_gap(index, ready.gap);
            self.candidates.get(index).carries[side].clear();
        }
        let candidate = self.candidates.get(index);
        let carry = candidate.carries[side];
        candidate.carries[side].extend(&ready.data);
        if tables.scan(carry.get(), &ready.data) {
            candidate.budget = candidate.budget.max(self.limits.session_bytes);
            self.prove(index);
            let direction = self.direction(index, side);
            let flow = self.candidates.get(index).flow;
            for (at, literal) in tables.find_all(carry.get(), &ready.data) {
                if self.candidates.get(index).first_hit(literal) {
                    let offset = ready.offset.wrapping_add_signed(at);
                    self.let_go(index, Event::Hit { flow, ts_ns, direction, offset, literal });
                }
            }
        }
        self.emit(index, side, ready, ts_ns);
    }

    fn emit(&mut self, index: u32, side: usize, ready: Ready, ts_ns: u64) {
        let direction = self.direction(index, side);
        let Ready { offset, gap, data } = ready;
        self.look(index, direction, offset, &data);
        if !self.candidates.is_open(index) {
            return;
        }
        let candidate = self.candidates.get(index);
        let spent = !candidate.charge(side, &data);
        let (flow, base_seq) = (candidate.flow, candidate.sides[side].base_seq());
        let path = candidate.paths[side].facts;
        let (ack_advances, acked_bytes) = (path.ack_advances, path.acked_bytes);
        let chunk = Event::Chunk { flow, ts_ns, direction, offset, gap, data, base_seq, ack_advances, acked_bytes };
        self.let_go(index, chunk);
        if spent {
            self.end_trial(index, false);
            self.spend(index);
        }
    }

    pub(super) fn spend(&mut self, index: u32) {
        if self.candidates.get(index).trial.is_some() {
            if self.candidates.is_open(index) {
                self.fail(index);
            }
            return;
        }
        self.candidates.get(index).stop();
        self.candidates.weigh(index);
        self.candidates.set_rank(index, Rank::Spent);
        self.stats.add(Counter::CandidatesSpent, 1);
    }

    /// The direction of a side as events name it: 0 the originator's.
    fn direction(&mut self, index: u32, side: usize) -> u8 {
        let slot = self.candidates.get(index).slot;
        u8::from(side != self.flows.slot(slot).originator())
    }

    /// Path and timestamp of a header: only of a flow whose gate is open.
    fn inspect_header(&mut self, index: u32, side: usize, seg: &Segment, block: &[u8]) {
        let candidate = self.candidates.get(index);
        candidate.paths[side].see(seg);
        if let Some(tsval) = seg.tsval(block) {
            Clock::update(&mut candidate.clocks[side], seg.ts_ns, tsval);
        }
    }

    pub(super) fn count_tally(&self, tally: &Tally) {
        self.stats.add(Counter::RetransmittedBytes, tally.retransmitted);
        self.stats.add(Counter::OverlapConflicts, u64::from(tally.conflict));
        self.stats.add(Counter::OutOfWindow, u64::from(tally.out_of_window));
    }
}
