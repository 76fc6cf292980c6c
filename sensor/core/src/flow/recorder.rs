//! A worker's encrypted sessions: which flows are recorded, when one is judged thin, and what leaves of it. Which flow a
//! segment belongs to is decided before. docs/border.md, "Encrypted sessions".

use std::sync::Arc;

use crate::flow::hellos::Reading;
use crate::flow::place::{is_chain, is_opening, is_text, ALERT, APPLICATION_DATA, OPENING};
use crate::flow::sealed::{bit as session, Extra, Finding, Piece, Sealed, BATCH};
use crate::flow::table::{bit, Slot};
use crate::flow::worker::Worker;
use crate::model::event::{EncryptedClose, EncryptedOpen, Event, Reason, SealedRecord, SessionKind};
use crate::model::stats::Counter;
use crate::wire::segment::Segment;

const MINUTE_NS: u64 = 60_000_000_000;
/// Records of a minute; with more, a session is not thin.
const THIN_RECORDS: u8 = 120;
/// How far behind its beginning a direction's first payload may start for a hello to be hoped for.
const START_MISSING_BYTES: u32 = 16_384;
/// A record that waits: its time since the first, length, and flags, from the top.
const DELTA_SHIFT: u32 = 24;
const MAX_DELTA_NS: u64 = (1 << 40) - 1;
const LENGTH_SHIFT: u32 = 8;
const SIDE_FLAG: u64 = 1;
const ALERT_FLAG: u64 = 2;
const GAP_FLAG: u64 = 4;

/// Why a flow is recorded.
enum Admission {
    Trial(u32), // begins at that number
    Opening,    // in the middle of a direction
    Midstream,
}

impl Worker {
    /// A segment with payload of a flow. True: it is sealed, and no gate can open by it.
    #[inline]
    pub(super) fn record(&mut self, at: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) -> bool {
        let slot = self.flows.flow(at);
        if slot.has(bit::FORGOTTEN | bit::UDP) {
            return slot.has(bit::FORGOTTEN) && !is_text(seg.payload(block));
        }
        if !slot.has(bit::RECORDED) {
            let payload = seg.payload(block);
            let fresh = !slot.has(bit::PAYLOAD << side);
            // nearly every packet stops here
            let begins = payload.first().is_some_and(|kind| (20..=23).contains(kind));
            let starts_late = fresh && slot.has(bit::SYN << side) && data_seq != slot.sides[side].base;
            if !begins && !starts_late {
                return false;
            }
            let Some(admission) = self.admission(at, side, data_seq, seg.wire_len, payload) else { return false };
            if !self.admit_session(at, side, data_seq, &admission, seg) {
                return false;
            }
        }
        self.follow_session(at, side, data_seq, seg, block)
    }

    /// Pass over a segment that goes on in a record of an encrypted session, and shows nothing more. False: nothing was
    /// done.
    #[inline]
    pub(super) fn pass_body(&mut self, at: u32, side: usize, seg: &Segment, payload: &[u8]) -> bool {
        let slot = self.flows.slot(at);
        let Some(index) = slot.session().filter(|_| slot.has(bit::PAYLOAD << side)) else { return false };
        if is_text(payload) || !self.sessions.get(index).pass_body(side, seg.seq, seg.wire_len) {
            return false;
        }
        self.sessions.touch(index);
        true
    }

    /// Load the session of the flow that a segment has most likely. The caller uses the value, so the load stays.
    #[inline]
    pub fn touch_session(&self, seg: &Segment) -> u64 {
        let slot = seg.near.checked_sub(1).filter(|_| seg.wire_len > 0).map(|at| self.flows.slot(at));
        slot.and_then(Slot::session).map_or(0, |session| self.sessions.touch_first(session))
    }

    /// Whether a flow is to be recorded by this payload.
    fn admission(&self, at: u32, side: usize, data_seq: u32, wire_len: u32, payload: &[u8]) -> Option<Admission> {
        let slot = self.flows.flow(at);
        if !slot.has(bit::PAYLOAD << side) {
            let ahead = data_seq.wrapping_sub(slot.sides[side].base);
            if slot.has(bit::SYN << side) && ahead != 0 {
                return (ahead <= START_MISSING_BYTES).then_some(Admission::Trial(slot.sides[side].base));
            }
            if is_opening(payload) {
                return Some(Admission::Trial(data_seq));
            }
        } else if payload.len() >= OPENING && is_opening(payload) {
            return Some(Admission::Opening);
        }
        (is_chain(payload, wire_len) && payload[0] != 22).then_some(Admission::Midstream)
    }

    /// Record a flow whose first two flights are those of Noise, from its next segments on.
    pub(super) fn record_noise(&mut self, at: u32, seg: &Segment) {
        let slot = self.flows.flow(at);
        if !self.sessions.is_on() || slot.has(bit::RECORDED | bit::FORGOTTEN) {
            return;
        }
        let next = [slot.sides[0].next, slot.sides[1].next];
        if let Some(index) = self.add_session(at, |flow| Sealed::noise(flow, at, next)) {
            self.open_session(index, seg, false);
            while let Some(victim) = self.sessions.excess() {
                self.evict_session(victim);
            }
        }
    }

    /// A place for one more session; None if there is none to be had.
    fn add_session(&mut self, at: u32, new: impl FnOnce(u64) -> Sealed) -> Option<u32> {
        if self.overloaded {
            self.stats.add(Counter::ThinRefused, 1);
            return None;
        }
        if let Some(victim) = self.sessions.victim() {
            self.evict_session(victim);
        }
        let mut begun = new(self.next_number());
        let slot = self.flows.slot_mut(at);
        begun.bits |= if slot.originator() == 1 { session::ORIGIN_IS_B } else { 0 };
        let index = self.sessions.insert(begun);
        self.sessions.get(index).tag = slot.begin_session(index);
        Some(index)
    }

    /// Begin to record a flow of TLS; false if there is no room.
    fn admit_session(&mut self, at: u32, side: usize, data_seq: u32, admission: &Admission, seg: &Segment) -> bool {
        let begun = self.add_session(at, |flow| match admission {
            Admission::Midstream => Sealed::midstream(flow, at),
            _ => Sealed::new(flow, at),
        });
        let Some(index) = begun else { return false };
        let begun = self.sessions.get(index);
        match admission {
            Admission::Trial(seq) => begun.begin_at(side, *seq),
            Admission::Opening => begun.begin_at(side, data_seq),
            Admission::Midstream => {}
        }
        let slot = self.flows.flow(at);
        if slot.has(bit::SYN << (1 - side)) && !slot.has(bit::PAYLOAD << (1 - side)) {
            begun.begin_at(1 - side, slot.sides[1 - side].base);
        }
        if let Admission::Midstream = admission {
            self.open_session(index, seg, true);
        }
        true
    }

    fn open_session(&mut self, index: u32, seg: &Segment, midstream: bool) {
        let session = self.sessions.get(index);
        let (flow, at) = (session.flow, session.slot);
        let kind = if session.has(session::NOISE) { SessionKind::Noise } else { SessionKind::Tls };
        self.stats.add(if kind == SessionKind::Noise { Counter::NoiseFlows } else { Counter::TlsFlows }, 1);
        let opened = self.encrypted_open((flow, at), kind, seg, midstream);
        if kind == SessionKind::Tls {
            self.begin_with(index, opened);
        } else {
            self.events.push(Event::EncryptedOpen(opened));
        }
    }

    /// The event that a session of a flow (its number, the flow's slot) is followed.
    pub(super) fn encrypted_open(
        &mut self,
        (flow, at): (u64, u32),
        kind: SessionKind,
        seg: &Segment,
        midstream: bool,
    ) -> Box<EncryptedOpen> {
        let slot = self.flows.slot(at);
        let origin = slot.originator();
        let source = self.sources.get(usize::from(seg.source));
        let mut opened = self.spent.opens.pop().unwrap_or_default();
        let known = opened.source.take().filter(|known| source.is_some_and(|source| Arc::ptr_eq(source, known)));
        *opened = EncryptedOpen {
            flow,
            ts_ns: seg.ts_ns,
            kind,
            originator: self.flows.endpoint(at, origin),
            responder: self.flows.endpoint(at, 1 - origin),
            basis: slot.basis(),
            midstream,
            first_ns: slot.first_ns,
            vlans: (seg.vlans, seg.vlan_count),
            source: known.or_else(|| source.cloned()),
        };
        opened
    }

    fn follow_session(&mut self, at: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) -> bool {
        let Some(index) = self.flows.slot(at).session() else { return false };
        let fresh = !self.flows.slot(at).has(bit::PAYLOAD << side);
        let session = self.sessions.get(index);
        if fresh {
            session.begin_at(side, data_seq);
        }
        let payload = seg.payload(block);
        if session.pass_body(side, data_seq, seg.wire_len) {
            self.sessions.touch(index);
            return !is_text(payload);
        }
        let room = self.sessions.room();
        let mut found = std::mem::take(&mut self.findings);
        let session = self.sessions.get(index);
        session.take(
            side,
            Piece { seq: data_seq, wire_len: seg.wire_len, payload, ts_ns: seg.ts_ns },
            room,
            &mut found,
        );
        let goes_on = self.report(index, seg.ts_ns, &mut found, Some(seg));
        self.findings = found;
        if !goes_on {
            return self.flows.slot(at).has(bit::FORGOTTEN) && !is_text(payload);
        }
        let sealed = self.sessions.get(index).is_tls() && !is_text(payload);
        self.sessions.touch(index);
        if !self.sessions.get(index).is_settled() {
            self.sessions.weigh(index);
        }
        while let Some(victim) = self.sessions.excess() {
            self.evict_session(victim);
        }
        sealed
    }

    /// Act on what was found; false if the session is followed no more.
    fn report(&mut self, index: u32, ts_ns: u64, found: &mut Vec<Finding>, seg: Option<&Segment>) -> bool {
        let mut at = 0;
        while at < found.len() {
            let goes_on = match &mut found[at] {
                Finding::Opened => {
                    if let Some(seg) = seg {
                        self.open_session(index, seg, false);
                    }
                    true
                }
                Finding::Withdrawn => {
                    let session = self.sessions.remove(index);
                    self.flows.slot_mut(session.slot).end_session(session.tag);
                    false
                }
                Finding::Resynchronised => {
                    self.stats.add(Counter::Resynchronised, 1);
                    self.sessions.get(index).resynchronised += 1;
                    true
                }
                Finding::Read { side, reading } => {
                    let (side, reading) = (*side, std::mem::replace(reading, Reading::Lost));
                    self.hand_on(index, side, reading, ts_ns);
                    true
                }
                &mut Finding::Record { side, kind, length, gap, ts_ns } => {
                    self.take_record(index, side, (kind, length, gap), ts_ns, found)
                }
            };
            if !goes_on {
                found.clear();
                return false;
            }
            at += 1;
        }
        found.clear();
        true
    }

    fn hand_on(&mut self, index: u32, side: usize, reading: Reading, ts_ns: u64) {
        let session = self.sessions.get(index);
        let (flow, slot) = (session.flow, session.slot);
        let direction = (side ^ self.flows.slot(slot).originator()) as u8;
        let (counter, event) = match reading {
            Reading::Client(facts) => {
                self.stats.add(Counter::EchHellos, u64::from(facts.ech));
                self.name_server(facts.sni(), self.flows.endpoint(slot, 1 - side), ts_ns);
                (Counter::Hellos, Event::ClientHello { flow, ts_ns, direction, facts })
            }
            Reading::Server(facts) => (Counter::ServerHellos, Event::ServerHello { flow, ts_ns, direction, facts }),
            Reading::Certificate(facts) => {
                (Counter::Certificates, Event::ServerCertificate { flow, ts_ns, direction, facts })
            }
            Reading::Lost => return self.stats.add(Counter::HellosLost, 1),
        };
        self.stats.add(counter, 1);
        self.go_on_with(index, event);
    }

    /// A record; false: the session has too many of them.
    fn take_record(
        &mut self,
        index: u32,
        side: usize,
        (kind, length, gap): (u8, u16, bool),
        ts_ns: u64,
        found: &mut Vec<Finding>,
    ) -> bool {
        self.stats.add(Counter::Records, 1);
        let session = self.sessions.get(index);
        session.records[side] = session.records[side].saturating_add(1);
        if !session.has(session::BEGUN) {
            session.bits |= session::BEGUN;
            (session.first_ns, session.minute_ns) = (ts_ns, ts_ns);
        }
        if ts_ns >= session.minute_ns.saturating_add(MINUTE_NS) {
            (session.minute_ns, session.minute_records) = (ts_ns, 0);
        }
        session.minute_records += 1;
        if session.minute_records > THIN_RECORDS {
            self.stats.add(Counter::ThinFat, 1);
            let slot = session.slot;
            self.flows.slot_mut(slot).set(bit::FORGOTTEN);
            self.end_session(index, Reason::Fat);
            return false;
        }
        self.judge_if_due(index, ts_ns, found);
        if kind == APPLICATION_DATA || kind == ALERT {
            self.keep_record(index, side, (kind, length, gap), ts_ns);
        }
        true
    }

    /// The session's first minute is over: it is thin.
    fn judge_if_due(&mut self, index: u32, ts_ns: u64, found: &mut Vec<Finding>) {
        let session = self.sessions.get(index);
        if session.has(session::JUDGED) || ts_ns < session.first_ns.saturating_add(MINUTE_NS) {
            return;
        }
        session.stop_collecting(found);
        self.stats.add(Counter::ThinAdmitted, 1);
        self.sessions.promote(index);
        let session = self.sessions.get(index);
        let mut records = session.batch[..usize::from(std::mem::take(&mut session.waiting))].to_vec();
        records.extend(session.extra.as_mut().into_iter().flat_map(|extra| extra.records.drain(..)));
        self.hand_on_records(index, &records, ts_ns);
    }

    fn keep_record(&mut self, index: u32, side: usize, (kind, length, gap): (u8, u16, bool), ts_ns: u64) {
        let session = self.sessions.get(index);
        if session.waiting == 0 {
            session.base_ns = ts_ns;
        }
        let delta_ns = ts_ns.saturating_sub(session.base_ns).min(MAX_DELTA_NS);
        let flags = if side == 1 { SIDE_FLAG } else { 0 }
            | if kind == ALERT { ALERT_FLAG } else { 0 }
            | if gap { GAP_FLAG } else { 0 };
        let packed = delta_ns << DELTA_SHIFT | u64::from(length) << LENGTH_SHIFT | flags;
        if usize::from(session.waiting) == BATCH {
            session.extra.get_or_insert_with(Extra::lend).records.push(packed); // only before it is judged
            return;
        }
        session.batch[usize::from(session.waiting)] = packed;
        session.waiting += 1;
        if session.has(session::JUDGED) && usize::from(session.waiting) == BATCH {
            self.flush_session(index, ts_ns);
        }
    }

    fn flush_session(&mut self, index: u32, ts_ns: u64) {
        let session = self.sessions.get(index);
        let (batch, waiting) = (session.batch, usize::from(std::mem::take(&mut session.waiting)));
        self.hand_on_records(index, &batch[..waiting], ts_ns);
    }

    fn hand_on_records(&mut self, index: u32, packed: &[u64], ts_ns: u64) {
        if packed.is_empty() {
            return;
        }
        self.tell_beginning(index);
        let session = self.sessions.get(index);
        let origin = self.flows.slot(session.slot).originator();
        let (counts, base_ns) = (session.counts, session.base_ns);
        let unpack = |packed: &u64| {
            let direction = usize::from(packed & SIDE_FLAG != 0) ^ origin;
            session.counts[direction] = session.counts[direction].wrapping_add(1);
            SealedRecord {
                ts_ns: base_ns + (packed >> DELTA_SHIFT),
                direction: direction as u8,
                content_type: if packed & ALERT_FLAG != 0 { ALERT } else { APPLICATION_DATA },
                length: (packed >> LENGTH_SHIFT) as u16,
                gap: packed & GAP_FLAG != 0,
            }
        };
        let records: Vec<SealedRecord> = packed.iter().map(unpack).collect();
        self.events.push(Event::Records { flow: session.flow, ts_ns, counts, records });
    }

    /// Empty the sessions whose time has come.
    pub(super) fn sweep_sessions(&mut self, ts_ns: u64) {
        let waits = |session: &Sealed| {
            session.has(session::JUDGED) && session.waiting > 0 && ts_ns >= session.base_ns.saturating_add(MINUTE_NS)
        };
        let due = self.sessions.due(waits);
        let mut found = std::mem::take(&mut self.findings);
        for index in due {
            self.sessions.get(index).close_late(ts_ns, &mut found);
            if self.report(index, ts_ns, &mut found, None) {
                if waits(self.sessions.get(index)) {
                    self.flush_session(index, ts_ns);
                }
                self.sessions.weigh(index);
            }
        }
        self.findings = found;
    }

    /// The flow leaves.
    pub(super) fn leave_session(&mut self, at: u32, reason: Reason) {
        let slot = self.flows.slot(at);
        let last_ns = slot.last_ns;
        let Some(index) = slot.session() else { return };
        let mut found = std::mem::take(&mut self.findings);
        self.sessions.get(index).close_all(&mut found);
        if self.report(index, last_ns, &mut found, None) {
            self.end_session(index, reason);
        }
        self.findings = found;
    }

    fn evict_session(&mut self, index: u32) {
        self.stats.add(Counter::ThinEvicted, 1);
        self.end_session(index, Reason::Evicted);
    }

    /// A session is followed no more; what waits of it leaves.
    fn end_session(&mut self, index: u32, reason: Reason) {
        let session = self.sessions.get(index);
        let judged = session.has(session::JUDGED);
        let slot = *self.flows.slot(session.slot);
        if judged {
            self.flush_session(index, slot.last_ns);
        }
        let session = self.sessions.remove(index);
        self.flows.slot_mut(session.slot).end_session(session.tag);
        if session.has(session::TRIAL) {
            return;
        }
        if session.has(session::KEPT) {
            return self.drop_beginning(index, slot.last_ns);
        }
        let origin = slot.originator();
        self.events.push(Event::EncryptedClose(EncryptedClose {
            flow: session.flow,
            ts_ns: slot.last_ns,
            reason,
            records: (session.records[origin], session.records[1 - origin]),
            resynchronised: session.resynchronised,
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flow::prefilter::Tables;
    use crate::model::limits::Limits;
    use crate::model::stats::Stats;

    /// A segment of one byte of a hello, and the block that it lies in.
    fn segment(sport: u16) -> (Segment, Vec<u8>) {
        let l4 = [vec![0; 20], vec![22, 3, 1, 0, 99, 1]].concat();
        let seg = Segment {
            src: [1; 16],
            dst: [2; 16],
            sport,
            dport: 443,
            proto: 6,
            header_len: 20,
            l4_len: l4.len() as u32,
            wire_len: 6,
            seq: 1,
            ..Segment::default()
        };
        (seg, l4)
    }

    #[test]
    fn while_events_are_polled_too_slowly_no_session_is_admitted() {
        let stats = Arc::new(Stats::default());
        let tables = Arc::new(Tables::new(Vec::new(), Vec::new(), Vec::new()).unwrap());
        let limits = Limits { thin_flows: 8, ..Limits::default() };
        let mut worker = Worker::new(0, &limits, tables, stats.clone());
        let (seg, block) = segment(1);
        worker.overloaded = true;
        worker.segment(&seg, &block);
        assert_eq!((stats.get(Counter::ThinRefused), worker.events.len()), (1, 0));
        worker.overloaded = false;
        let (seg, block) = segment(2);
        worker.segment(&seg, &block);
        assert_eq!((stats.get(Counter::ThinRefused), stats.get(Counter::TlsFlows)), (1, 1));
    }
}
