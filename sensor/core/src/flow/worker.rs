//! Segments in, events out: the flow table, the gates and the assemblers at work on one share of the flows. Knows no
//! files, threads or Python; the clock is in the segments.

use std::sync::Arc;

use crate::flow::assembler::{Ready, Tally};
use crate::flow::candidate::{Candidate, Candidates};
use crate::flow::gate::{self, Gate};
use crate::flow::handshake::{self, Place, Waiting};
use crate::flow::prefilter::{Carry, Tables};
use crate::flow::table::{bit, Flows};
use crate::flow::timeouts::Timeouts;
use crate::model::event::{Clock, Close, Event, Open, Reason};
use crate::model::limits::Limits;
use crate::model::stats::{Counter, Stats};
use crate::wire::segment::{Segment, ACK, FIN, RST, SYN, TCP, UDP};

/// Spent candidates kept for each open candidate that is allowed; past that the longest idle leaves.
const SPENT_PER_OPEN: usize = 4;

/// A worker's state.
pub struct Worker {
    pub flows: Flows,
    pub stats: Arc<Stats>,
    pub events: Vec<Event>,
    pub sources: Arc<[Arc<str>]>, // names, by a segment's number
    pub overloaded: bool,         // events are polled too slowly: no further flow passes a gate
    tables: Arc<Tables>,
    candidates: Candidates,
    limits: Limits,
    timeouts: Timeouts,
    number: u64,
    opened: u64,
    waiting: Waiting,
}

impl Worker {
    pub fn new(number: usize, limits: &Limits, tables: Arc<Tables>, stats: Arc<Stats>) -> Worker {
        let mut limits = limits.clone();
        limits.flows = (limits.flows / limits.workers).max(1);
        limits.candidates = (limits.candidates / limits.workers).max(1);
        Worker {
            flows: Flows::new(limits.flows),
            stats,
            events: Vec::new(),
            sources: Arc::from([]),
            overloaded: false,
            tables,
            candidates: Candidates::new(),
            timeouts: Timeouts::new(&limits),
            limits,
            number: number as u64,
            opened: 0,
            waiting: Waiting::default(),
        }
    }

    /// Swap the tables.
    pub fn replace(&mut self, tables: Arc<Tables>) {
        self.tables = tables;
        self.candidates.for_each(Candidate::forget_hits);
    }

    /// Work on a segment of this worker's share.
    #[inline]
    pub fn segment(&mut self, seg: &Segment, block: &[u8]) {
        let at = match self.flows.find(seg) {
            Some(at) => match self.place(at, seg) {
                Some(at) => at,
                None => return,
            },
            None => self.create(seg),
        };
        let (side, data_seq) = self.admit(at, seg);
        let candidate = self.flows.slot(at).candidate;
        let payload = seg.payload(block);
        if candidate != 0 && self.candidates.get(candidate - 1).open {
            self.follow(at, candidate - 1, side, data_seq, seg, block);
        } else if !payload.is_empty() {
            if let Some(gate) = self.find_gate(at, side, data_seq, payload) {
                self.open(at, &gate, data_seq, seg, block);
            }
        }
        if seg.wire_len > 0 {
            self.flows.slot_mut(at).track(side, data_seq, seg.wire_len, payload);
            if let Some(shape) = gate::flights(self.flows.slot(at), &self.tables, side) {
                self.shape(at, 1 - side, shape, seg, block);
            }
        }
    }

    /// The flow that a segment of a known flow's ports belongs to; None: it belongs nowhere, or not yet.
    #[inline]
    fn place(&mut self, at: u32, seg: &Segment) -> Option<u32> {
        if self.is_idle(at, seg.ts_ns) {
            self.leave(at, Reason::Idle);
            return Some(self.create(seg));
        }
        if seg.proto != TCP || (seg.flags & SYN == 0 && !self.flows.slot(at).has(bit::PENDING)) {
            return Some(at);
        }
        match handshake::place(self.flows.slot(at), seg, self.waiting.get(at)) {
            Place::Own => Some(at),
            Place::Stray => {
                self.stats.add(Counter::StrayHandshakes, 1);
                None
            }
            Place::Waits => {
                self.wait(at, seg);
                None
            }
            Place::Answers => Some(self.take_up(at, seg)),
            Place::Begins => {
                self.leave(at, Reason::Reused);
                Some(self.create(seg))
            }
        }
    }

    /// Keep a SYN until its answer; the one that waited before it has none.
    fn wait(&mut self, at: u32, seg: &Segment) {
        if self.waiting.get(at).is_some_and(|before| before.seq == seg.seq && before.src == seg.src) {
            return;
        }
        self.stats.add(Counter::StrayHandshakes, u64::from(self.waiting.remove(at).is_some()));
        self.flows.slot_mut(at).set(bit::PENDING);
        if let Some(given_up) = self.waiting.insert(at, seg) {
            self.flows.slot_mut(given_up).unset(bit::PENDING);
            self.stats.add(Counter::StrayHandshakes, 1);
        }
    }

    /// The SYN that waits is answered: its flow takes the place of the one there is.
    fn take_up(&mut self, at: u32, seg: &Segment) -> u32 {
        let first = self.waiting.remove(at);
        self.flows.slot_mut(at).unset(bit::PENDING);
        self.leave(at, Reason::Reused);
        let first = first.as_ref().unwrap_or(seg);
        let at = self.create(first);
        self.admit(at, first);
        at
    }

    /// Take in what every segment of a flow changes. Its side, and the sequence number of its payload.
    #[inline]
    fn admit(&mut self, at: u32, seg: &Segment) -> (usize, u32) {
        let slot = self.flows.slot_mut(at);
        let side = slot.side_of(seg);
        slot.last_ns = slot.last_ns.max(seg.ts_ns);
        slot.count(side, seg.ip_len);
        if seg.proto != TCP {
            return (side, seg.seq);
        }
        let data_seq = slot.track_syn(side, seg);
        if seg.flags & (FIN | RST) != 0 {
            self.note_end(at, side, data_seq, seg);
        }
        (side, data_seq)
    }

    /// A FIN or a reset ends a direction or the flow, unless it is not of this connection.
    fn note_end(&mut self, at: u32, side: usize, data_seq: u32, seg: &Segment) {
        let slot = self.flows.slot(at);
        let followed = slot.candidate != 0 && self.candidates.is_open(slot.candidate - 1);
        let acked =
            if followed { self.candidates.get(slot.candidate - 1).paths[1 - side].acknowledged() } else { None };
        let slot = self.flows.slot_mut(at);
        let fin = seg.flags & FIN != 0;
        let reset = seg.flags & RST != 0;
        let fin_fits = fin && handshake::fin_fits(slot, side, data_seq);
        let reset_fits = reset && handshake::reset_fits(slot, side, seg, followed, acked);
        slot.set(if fin_fits { bit::FIN << side } else { 0 } | if reset_fits { bit::RST } else { 0 });
        self.stats.add(Counter::StrayEndings, u64::from((fin, reset) != (fin_fits, reset_fits)));
    }

    /// The gate that a payload opens, if it may.
    #[inline]
    fn find_gate(&self, at: u32, side: usize, data_seq: u32, payload: &[u8]) -> Option<Gate> {
        let (slot, session_bytes) = (self.flows.slot(at), self.limits.session_bytes);
        let gate = gate::find(slot, &self.tables, session_bytes, side, (data_seq, payload))?;
        if self.overloaded && slot.candidate == 0 {
            self.stats.add(Counter::CandidatesRefused, 1);
            return None;
        }
        if !gate.literal && !self.has_room() {
            self.stats.add(Counter::CandidatesRefused, 1);
            return gate::literal(slot, &self.tables, session_bytes, side, (data_seq, payload));
        }
        Some(gate)
    }

    /// Every flow past its timeout leaves.
    pub fn sweep(&mut self, ts_ns: u64) {
        let gone = self
            .flows
            .all()
            .filter(|at| ts_ns.saturating_sub(self.flows.slot(*at).last_ns) > self.timeout_ns(*at))
            .collect();
        self.leave_all(gone, Reason::Idle);
    }

    /// Every flow leaves.
    pub fn close_all(&mut self) {
        let all = self.flows.all().collect();
        self.leave_all(all, Reason::End);
    }

    /// Publish the gauges.
    pub fn publish(&self) {
        self.stats.set(Counter::Flows, self.flows.len() as u64);
        self.stats.set(Counter::Candidates, self.candidates.open_count() as u64);
    }

    fn leave_all(&mut self, mut gone: Vec<u32>, reason: Reason) {
        // only candidates have events, so only their order matters
        gone.sort_by_cached_key(|&at| {
            let slot = self.flows.slot(at);
            match slot.candidate {
                0 => (0, 0),
                candidate => (slot.first_ns, self.candidates.get(candidate - 1).flow),
            }
        });
        for at in gone {
            self.leave(at, reason);
        }
    }

    fn create(&mut self, seg: &Segment) -> u32 {
        let at = loop {
            match self.flows.insert(seg) {
                Some(at) => break at,
                None => {
                    let victim = self.flows.victim();
                    self.leave(victim, Reason::Evicted);
                }
            }
        };
        self.stats.add(Counter::FlowsOpened, 1);
        self.flows.slot_mut(at).set_originator(seg);
        at
    }

    /// Whether a flow has been silent for longer than it may.
    #[inline]
    fn is_idle(&self, at: u32, ts_ns: u64) -> bool {
        let idle = ts_ns.saturating_sub(self.flows.slot(at).last_ns);
        // the shortest timeout first: nearly every packet stops at this comparison
        idle > self.timeouts.shortest_ns && idle > self.timeout_ns(at)
    }

    fn timeout_ns(&self, at: u32) -> u64 {
        let slot = self.flows.slot(at);
        self.timeouts.of(slot, slot.candidate != 0 && self.candidates.is_open(slot.candidate - 1))
    }

    fn leave(&mut self, at: u32, reason: Reason) {
        let slot = *self.flows.slot(at);
        let closed = slot.has(bit::RST).then_some(Reason::Rst).or(slot.closed().then_some(Reason::Fin));
        self.stats.add(
            match reason {
                Reason::Evicted => Counter::FlowsEvicted,
                Reason::Reused => Counter::FlowsReused,
                _ => Counter::FlowsExpired,
            },
            u64::from(reason != Reason::End),
        );
        if slot.has(bit::PENDING) {
            self.waiting.remove(at);
            self.stats.add(Counter::StrayHandshakes, 1);
        }
        if slot.candidate != 0 {
            let index = slot.candidate - 1;
            let origin = slot.originator();
            for side in [origin, 1 - origin] {
                while self.candidates.get(index).open {
                    let Some(ready) = self.candidates.get(index).sides[side].give_up_hole() else { break };
                    self.deliver(index, side, ready, slot.last_ns);
                }
            }
            let gone = self.candidates.remove(index);
            self.events.push(Event::Close(Box::new(Close {
                flow: gone.flow,
                ts_ns: slot.last_ns,
                reason: closed.unwrap_or(reason),
                first_ns: slot.first_ns,
                last_ns: slot.last_ns,
                packets: (slot.sides[origin].packets, slot.sides[1 - origin].packets),
                bytes: (slot.bytes(origin), slot.bytes(1 - origin)),
                gap_bytes: gone.gap_bytes,
                bad_checksums: gone.bad_checksums,
                clocks: [gone.clocks[origin], gone.clocks[1 - origin]],
                paths: [gone.paths[origin].facts, gone.paths[1 - origin].facts],
            })));
        }
        self.flows.remove(at);
    }

    fn has_room(&self) -> bool {
        self.candidates.open_count() < self.limits.candidates
    }

    /// Open a flow's gate.
    fn open(&mut self, at: u32, gate: &Gate, data_seq: u32, seg: &Segment, block: &[u8]) {
        if !self.has_room() {
            // an exact match outranks whoever is silent longest
            if let Some(oldest) = self.candidates.oldest(true) {
                self.spend(oldest);
            }
        }
        let candidate = self.flows.slot(at).candidate;
        let index = if candidate == 0 {
            self.add_candidate(at, seg)
        } else {
            self.candidates.set_open(candidate - 1, true);
            candidate - 1
        };
        self.candidates.get(index).budget = gate.budget;
        self.inspect_header(index, gate.side, seg, block);
        if seg.proto == UDP {
            self.datagram(index, gate.side, seg, block);
            return;
        }
        let slot = self.flows.slot(at);
        let base = if slot.has(bit::BASE << gate.side) { slot.sides[gate.side].base } else { gate.seq };
        self.start_and_push(index, gate.side, gate.seq, base, &gate.carry, (data_seq, seg, block));
        self.keep_within_bounds(index, gate.side, seg.ts_ns);
    }

    /// Open the gate of a flow whose first flights have the sizes of a shape; `side` sent the first.
    fn shape(&mut self, at: u32, side: usize, shape: usize, seg: &Segment, block: &[u8]) {
        if self.overloaded || !self.has_room() {
            self.stats.add(Counter::CandidatesRefused, 1);
            return;
        }
        let index = self.add_candidate(at, seg);
        self.candidates.get(index).budget = gate::SHAPE_BUDGET;
        self.inspect_header(index, 1 - side, seg, block);
        self.stats.add(Counter::Shapes, 1);
        let (flow, direction) = (self.candidates.get(index).flow, self.direction(index, side));
        self.events.push(Event::Shape { flow, ts_ns: seg.ts_ns, direction, shape, score: 1.0 });
    }

    fn add_candidate(&mut self, at: u32, seg: &Segment) -> u32 {
        if self.candidates.spent_count() >= SPENT_PER_OPEN * self.limits.candidates {
            if let Some(spent) = self.candidates.oldest(false) {
                let slot = self.candidates.get(spent).slot;
                self.leave(slot, Reason::Evicted);
            }
        }
        let flow = self.opened * self.limits.workers as u64 + self.number + 1;
        self.opened += 1;
        let index = self.candidates.insert(Candidate::new(flow, at));
        let slot = self.flows.slot_mut(at);
        slot.candidate = index + 1;
        slot.set(bit::OPENED);
        let origin = slot.originator();
        self.events.push(Event::Open(Box::new(Open {
            flow,
            ts_ns: seg.ts_ns,
            proto: slot.proto(),
            originator: slot.endpoint(origin),
            responder: slot.endpoint(1 - origin),
            basis: slot.basis(),
            midstream: seg.proto == TCP && !slot.has(bit::SYN * 3),
            first_ns: slot.first_ns,
            vlans: seg.vlans[..seg.vlan_count as usize].to_vec(),
            source: self.sources.get(usize::from(seg.source)).cloned().unwrap_or_default(),
            packets: (slot.sides[origin].packets, slot.sides[1 - origin].packets),
        })));
        self.stats.add(Counter::CandidatesOpened, 1);
        index
    }

    /// A segment of a flow whose gate is open.
    fn follow(&mut self, at: u32, index: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) {
        self.candidates.touch(index);
        self.inspect_header(index, side, seg, block);
        if seg.proto == UDP {
            self.datagram(index, side, seg, block);
            return;
        }
        if seg.flags & ACK != 0 {
            while self.candidates.get(index).open {
                let Some(ready) = self.candidates.get(index).sides[1 - side].acknowledged(seg.ack) else { break };
                self.deliver(index, 1 - side, ready, seg.ts_ns);
            }
        }
        if seg.l4_len <= u32::from(seg.header_len) {
            return;
        }
        let candidate = self.candidates.get(index);
        if !candidate.open {
            return;
        }
        if candidate.sides[side].running {
            let mut tally = Tally::default();
            let ready = candidate.sides[side].push(data_seq, seg.payload(block), &mut tally);
            self.count_tally(&tally);
            if let Some(ready) = ready {
                self.deliver(index, side, ready, seg.ts_ns);
            }
        } else {
            let slot = self.flows.slot(at);
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
        let payload = seg.payload(block);
        let direction = &mut self.candidates.get(index).sides[side];
        direction.start(seq, base);
        let mut tally = Tally::default();
        let ready = if carry.get().is_empty() {
            direction.push(data_seq, payload, &mut tally)
        } else {
            // bytes of the carry that were delivered before the gate was spent are left out
            let old = (direction.next_seq().wrapping_sub(seq) as i32).max(0) as usize;
            let kept = carry.get().get(old..).unwrap_or_default();
            let joined = [kept, payload].concat();
            direction.push(data_seq.wrapping_sub(kept.len() as u32), &joined, &mut tally)
        };
        self.count_tally(&tally);
        if let Some(ready) = ready {
            self.deliver(index, side, ready, seg.ts_ns);
        }
    }

    fn keep_within_bounds(&mut self, index: u32, side: usize, ts_ns: u64) {
        loop {
            let (bytes, segments) = (self.limits.reorder_bytes, self.limits.reorder_segments);
            let candidate = self.candidates.get(index);
            let direction = &mut candidate.sides[side];
            if !candidate.open || (direction.held_bytes() <= bytes && direction.held_segments() <= segments) {
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
    fn deliver(&mut self, index: u32, side: usize, ready: Ready, ts_ns: u64) {
        let tables = self.tables.clone();
        let candidate = self.candidates.get(index);
        if ready.gap > 0 {
            self.stats.add(Counter::Gaps, 1);
            self.stats.add(Counter::GapBytes, ready.gap);
            candidate.gap_bytes += ready.gap;
            candidate.carries[side].clear();
        }
        let carry = candidate.carries[side];
        candidate.carries[side].extend(&ready.data);
        if tables.scan(carry.get(), &ready.data) {
            candidate.budget = candidate.budget.max(self.limits.session_bytes);
            let direction = self.direction(index, side);
            let (flow, events, stats) = (self.candidates.get(index).flow, &mut self.events, &self.stats);
            let candidate = self.candidates.get(index);
            for (at, literal) in tables.find_all(carry.get(), &ready.data) {
                if candidate.first_hit(literal) {
                    stats.add(Counter::Hits, 1);
                    let offset = ready.offset.wrapping_add_signed(at);
                    events.push(Event::Hit { flow, ts_ns, direction, offset, literal });
                }
            }
        }
        self.emit(index, side, ready, ts_ns);
    }

    fn emit(&mut self, index: u32, side: usize, ready: Ready, ts_ns: u64) {
        let direction = self.direction(index, side);
        let candidate = self.candidates.get(index);
        let spent = !candidate.charge(side, &ready.data);
        let (flow, base_seq) = (candidate.flow, candidate.sides[side].base_seq());
        let path = candidate.paths[side].facts;
        self.stats.add(Counter::Chunks, 1);
        self.stats.add(Counter::ChunkBytes, ready.data.len() as u64);
        self.events.push(Event::Chunk {
            flow,
            ts_ns,
            direction,
            offset: ready.offset,
            gap: ready.gap,
            data: ready.data,
            base_seq,
            ack_advances: path.ack_advances,
            acked_bytes: path.acked_bytes,
        });
        if spent {
            self.spend(index);
        }
    }

    fn spend(&mut self, index: u32) {
        self.candidates.get(index).stop();
        self.candidates.set_open(index, false);
        self.stats.add(Counter::CandidatesSpent, 1);
    }

    /// The direction of a side as events name it: 0 the originator's.
    fn direction(&mut self, index: u32, side: usize) -> u8 {
        let slot = self.candidates.get(index).slot;
        u8::from(side != self.flows.slot(slot).originator())
    }

    /// Checksum and timestamp of a header: only of a flow whose gate is open.
    fn inspect_header(&mut self, index: u32, side: usize, seg: &Segment, block: &[u8]) {
        let candidate = self.candidates.get(index);
        candidate.paths[side].see(seg);
        if let Some(tsval) = seg.tsval(block) {
            Clock::update(&mut candidate.clocks[side], seg.ts_ns, tsval);
        }
        if seg.checksum_is_wrong(block) {
            self.stats.add(Counter::BadL4Checksum, 1);
            self.candidates.get(index).bad_checksums += 1;
        }
    }

    fn count_tally(&self, tally: &Tally) {
        self.stats.add(Counter::RetransmittedBytes, tally.retransmitted);
        self.stats.add(Counter::OverlapConflicts, u64::from(tally.conflict));
        self.stats.add(Counter::OutOfWindow, u64::from(tally.out_of_window));
    }
}
