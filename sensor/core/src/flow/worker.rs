//! Segments in, events out: the flow table, the gates and the assemblers at work on one share of the flows. Knows no
//! files, threads or Python; the clock is in the segments.

use std::sync::Arc;

use crate::flow::candidate::{Candidate, Candidates, Rank};
use crate::flow::gate::{self, Gate};
use crate::flow::handshake::{self, Place, Waiting};
use crate::flow::initials::Initials;
use crate::flow::kept_back::Beginnings;
use crate::flow::prefilter::Tables;
use crate::flow::sealed::Finding;
use crate::flow::sessions::Sessions;
use crate::flow::table::{bit, Flows};
use crate::flow::timeouts::Timeouts;
use crate::model::event::{Close, Event, Reason, Spent};
use crate::model::limits::Limits;
use crate::model::stats::{Counter, Stats};
use crate::names::addresses::{NamedAddresses, MAX_ADDRESSES};
use crate::names::dns;
use crate::names::quic::MIN_DATAGRAM;
use crate::wire::segment::{Segment, Sum, FIN, RST, SYN, TCP};

/// A worker's state.
pub struct Worker {
    pub flows: Flows,
    pub stats: Arc<Stats>,
    pub events: Vec<Event>,
    pub sources: Arc<[Arc<str>]>, // names, by a segment's number
    pub overloaded: bool,         // events are polled too slowly: no further flow passes a gate
    pub(super) tables: Arc<Tables>,
    pub(super) candidates: Candidates,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub number: u64,
    opened: u64,
    waiting: Waiting,
    pub(super) sessions: Sessions,
    pub(super) beginnings: Beginnings,
    pub(super) named: NamedAddresses,
    pub(super) initials: Initials,
    pub(super) findings: Vec<Finding>, // scratch
    pub(super) answer: Vec<u8>,        // scratch
    pub(super) failed: Vec<u32>,       // slots of flows whose trial came to nothing in this segment
    pub spent: Spent,                  // to make the next events of
}

impl Worker {
    pub fn new(number: usize, limits: &Limits, tables: Arc<Tables>, stats: Arc<Stats>) -> Worker {
        let mut limits = limits.clone();
        limits.flows = (limits.flows / limits.workers).max(1);
        limits.candidates = (limits.candidates / limits.workers).max(1);
        limits.held_bytes /= limits.workers;
        limits.thin_flows = limits.thin_flows.div_ceil(limits.workers);
        limits.thin_bytes /= limits.workers;
        Worker {
            flows: Flows::new(limits.flows),
            stats,
            events: Vec::new(),
            sources: Arc::from([]),
            overloaded: false,
            tables,
            candidates: Candidates::new(),
            sessions: Sessions::new(limits.thin_flows, limits.thin_bytes),
            beginnings: Beginnings::default(),
            named: NamedAddresses::new(MAX_ADDRESSES / limits.workers),
            initials: Initials::default(),
            findings: Vec::new(),
            answer: Vec::new(),
            failed: Vec::new(),
            spent: Spent::default(),
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
        self.named.forget_answers();
        self.candidates.for_each(Candidate::forget_hits);
    }

    /// Work on a segment of this worker's share; its other reading is like another packet behind it.
    #[inline]
    pub fn segment(&mut self, seg: &Segment, block: &[u8]) {
        self.take(seg, block);
        if let Some(other) = &seg.other {
            self.take(other, block);
        }
    }

    #[inline]
    fn take(&mut self, seg: &Segment, block: &[u8]) {
        let side = seg.side();
        let at = match self.flows.find_from(seg, side) {
            Some(at) if self.take_quietly(at, side, seg, block) => return,
            Some(at) => match self.place(at, seg, block) {
                Some(at) => at,
                None => return,
            },
            None => self.create(seg),
        };
        let (sum, doubtful) = self.sum(at, seg, block);
        if doubtful {
            self.segment_in_doubt(at, seg, block);
            return;
        }
        let (side, data_seq) = self.admit(at, seg, true);
        if sum == Sum::Right && seg.flags & SYN != 0 && seg.proto == TCP {
            self.flows.slot_mut(at).set(bit::RIGHT << side);
        }
        let listens = seg.wire_len > 0 && self.sessions.is_on();
        if listens && dns::concerns(seg.sport, seg.dport) {
            self.look_up(at, seg, block);
        }
        if listens && seg.proto != TCP && seg.wire_len >= MIN_DATAGRAM {
            self.look_at_quic(at, side, seg, block);
        }
        let sealed = listens && self.record(at, side, data_seq, seg, block);
        let candidate = self.flows.slot(at).candidate;
        let payload = seg.payload(block);
        if candidate != 0 && self.candidates.is_open(candidate - 1) {
            self.follow(at, candidate - 1, side, data_seq, seg, block);
        } else if !payload.is_empty() && (!sealed || candidate != 0) && !self.is_dismissed(at) {
            if let Some(gate) = self.find_gate(at, side, data_seq, payload) {
                self.open(at, &gate, data_seq, seg, block);
            }
        }
        self.dismiss_failed();
        if seg.wire_len > 0 {
            self.flows.track(at, side, data_seq, seg.wire_len, payload);
            if gate::flights(&self.flows.flow(at), &self.tables, side).is_some() {
                self.see_flights(at, side, seg, block);
            }
        }
    }

    /// After a payload was tracked: the first two flights may have sizes of the tables.
    pub(super) fn see_flights(&mut self, at: u32, side: usize, seg: &Segment, block: &[u8]) {
        if let Some(shape) = gate::flights(&self.flows.flow(at), &self.tables, side) {
            self.shape(at, 1 - side, shape, seg, block);
            self.record_noise(at, seg);
        }
    }

    /// Work on a segment that its receiver throws away, if its checksum is as it was sent. What it acknowledges or ends
    /// does not count; of its payload a gate may open, as the sums may be wrong for want of computing them.
    fn segment_in_doubt(&mut self, at: u32, seg: &Segment, block: &[u8]) {
        if seg.wire_len == 0 {
            return;
        }
        let (side, data_seq) = self.admit(at, seg, false);
        if self.is_dismissed(at) {
            return;
        }
        let (candidate, payload) = (self.flows.slot(at).candidate, seg.payload(block));
        if candidate != 0 && self.candidates.is_open(candidate - 1) {
            self.follow_in_doubt(at, candidate - 1, side, data_seq, seg, block);
        } else if let Some(gate) = self.find_gate(at, side, data_seq, payload).filter(|gate| !gate.start_missing) {
            self.open_in_doubt(at, &gate, data_seq, seg, block);
        }
        self.dismiss_failed();
    }

    /// The flow that a segment of a known flow's ports belongs to; None: it belongs nowhere, or not yet.
    #[inline]
    fn place(&mut self, at: u32, seg: &Segment, block: &[u8]) -> Option<u32> {
        if self.is_idle(at, seg.ts_ns) {
            self.leave(at, Reason::Idle);
            return Some(self.create(seg));
        }
        if seg.proto != TCP || (seg.flags & SYN == 0 && !self.flows.slot(at).has(bit::PENDING)) {
            return Some(at);
        }
        if self.is_false_syn(at, seg, block) {
            return None;
        }
        match handshake::place(&self.flows.flow(at), seg, self.waiting.get(at)) {
            Place::Own => Some(at),
            Place::Stray => {
                self.stats.add(Counter::StrayHandshakes, 1);
                None
            }
            Place::Waits => {
                self.wait(at, seg, block);
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
    fn wait(&mut self, at: u32, seg: &Segment, block: &[u8]) {
        if self.waiting.get(at).is_some_and(|before| before.seq == seg.seq && before.src == seg.src) {
            return;
        }
        self.stats.add(Counter::StrayHandshakes, u64::from(self.waiting.remove(at).is_some()));
        self.flows.slot_mut(at).set(bit::PENDING);
        let right = seg.sum(block) == Sum::Right;
        if let Some(given_up) = self.waiting.insert(at, seg, right) {
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
        let (side, _) = self.admit(at, first, true);
        self.flows.slot_mut(at).set(if first.whole { bit::RIGHT << side } else { 0 });
        at
    }

    /// Take in what every segment of a flow changes; and its end, if it `may_end` it. Its side, and the sequence number
    /// of its payload.
    #[inline]
    fn admit(&mut self, at: u32, seg: &Segment, may_end: bool) -> (usize, u32) {
        let (slot, side) = (self.flows.slot_mut(at), seg.side());
        slot.last_ns = slot.last_ns.max(seg.ts_ns);
        slot.count(side, seg.ip_len);
        if seg.proto != TCP {
            return (side, seg.seq);
        }
        let data_seq = self.flows.track_syn(at, side, seg);
        if may_end && seg.flags & (FIN | RST) != 0 {
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
        let slot = &self.flows.flow(at);
        let fin = seg.flags & FIN != 0;
        let reset = seg.flags & RST != 0;
        let fin_fits = fin && handshake::fin_fits(slot, side, data_seq);
        let reset_fits = reset && handshake::reset_fits(slot, side, seg, followed, acked);
        let ends = if fin_fits { bit::FIN << side } else { 0 } | if reset_fits { bit::RST } else { 0 };
        self.flows.slot_mut(at).set(ends);
        self.stats.add(Counter::StrayEndings, u64::from((fin, reset) != (fin_fits, reset_fits)));
    }

    /// The gate that a payload opens, if it may.
    #[inline]
    fn find_gate(&self, at: u32, side: usize, data_seq: u32, payload: &[u8]) -> Option<Gate> {
        let (slot, session_bytes) = (self.flows.flow(at), self.limits.session_bytes);
        let gate = gate::find(&slot, &self.tables, session_bytes, side, (data_seq, payload))?;
        if self.overloaded && slot.candidate == 0 {
            self.stats.add(Counter::CandidatesRefused, 1);
            return None;
        }
        if !gate.literal && !self.has_room(at) {
            self.stats.add(Counter::CandidatesRefused, 1);
            return gate::literal(&slot, &self.tables, session_bytes, side, (data_seq, payload));
        }
        Some(gate)
    }

    /// Every flow past its timeout leaves, or, unless it is of `all`, every candidate.
    pub fn sweep(&mut self, ts_ns: u64, all: bool) {
        if !all {
            let gone = self.candidates.slots().filter(|at| self.is_idle(*at, ts_ns)).collect();
            return self.leave_all(gone, Reason::Idle);
        }
        let (mut gone, mut silent) = (Vec::new(), 0);
        for at in 0..self.flows.end() {
            if !self.flows.slot(at).is_there() || !self.is_idle(at, ts_ns) {
                continue;
            }
            if self.flows.slot(at).holds_more() {
                gone.push(at);
            } else {
                self.flows.remove(at);
                silent += 1;
            }
        }
        self.stats.add(Counter::FlowsExpired, silent);
        self.leave_all(gone, Reason::Idle);
        self.sweep_sessions(ts_ns);
    }

    /// Every flow leaves.
    pub fn close_all(&mut self) {
        let telling = self.flows.all().filter(|at| self.flows.slot(*at).holds_more()).collect();
        self.leave_all(telling, Reason::End);
        self.failed.clear(); // trials that ended with their flows: those slots are gone
        self.flows.clear();
    }

    /// Publish the gauges.
    pub fn publish(&self) {
        self.stats.set(Counter::Flows, self.flows.len() as u64);
        self.stats.set(Counter::Candidates, self.candidates.open_count() as u64);
        self.stats.set(Counter::ThinFlows, self.sessions.len() as u64);
    }

    /// The number of the next flow that has events: of a candidate, or of an encrypted session.
    pub(super) fn next_number(&mut self) -> u64 {
        self.opened += 1;
        (self.opened - 1) * self.limits.workers as u64 + self.number + 1
    }

    /// Flows that hold more than their slots leave, in their order: only theirs matters, the others have no events.
    fn leave_all(&mut self, mut gone: Vec<u32>, reason: Reason) {
        gone.sort_by_cached_key(|&at| {
            let slot = self.flows.slot(at);
            let candidate = slot.candidate.checked_sub(1).map_or(0, |candidate| self.candidates.get(candidate).flow);
            let session = slot.session();
            (slot.first_ns, candidate, session.map_or(0, |session| self.sessions.get(session).flow))
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
        let rank = if slot.candidate == 0 { Rank::Spent } else { self.candidates.rank(slot.candidate - 1) };
        self.timeouts.of(slot, rank)
    }

    pub(super) fn leave(&mut self, at: u32, reason: Reason) {
        let slot = *self.flows.slot(at);
        let ended = slot.has(bit::RST).then_some(Reason::Rst).or(slot.closed().then_some(Reason::Fin));
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
        if slot.has(bit::RECORDED) {
            self.leave_session(at, ended.unwrap_or(reason));
        }
        if slot.has(bit::UDP) && slot.has(bit::COLLECTED) {
            self.forget_quic(at);
        }
        if slot.candidate != 0 {
            let index = slot.candidate - 1;
            let origin = slot.originator();
            for side in [origin, 1 - origin] {
                while self.candidates.is_open(index) {
                    let Some(ready) = self.candidates.get(index).sides[side].give_up_hole() else { break };
                    self.deliver(index, side, ready, slot.last_ns);
                }
            }
            self.end_trial(index, true);
            let gone = self.candidates.remove(index);
            self.flows.slot_mut(at).candidate = 0;
            let closed = Close {
                flow: gone.flow,
                ts_ns: slot.last_ns,
                reason: ended.unwrap_or(reason),
                first_ns: slot.first_ns,
                last_ns: slot.last_ns,
                packets: (slot.packets[origin], slot.packets[1 - origin]),
                bytes: (slot.bytes(origin), slot.bytes(1 - origin)),
                gap_bytes: gone.gap_bytes,
                bad_checksums: gone.bad_checksums,
                clocks: [gone.clocks[origin], gone.clocks[1 - origin]],
                paths: [gone.paths[origin].facts, gone.paths[1 - origin].facts],
            };
            if gone.trial.is_none() {
                self.events.push(Event::Close(Box::new(closed)));
            }
        }
        self.flows.remove(at);
    }
}
