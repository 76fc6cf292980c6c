//! What nearly every segment is: of a flow that is there and no candidate, it opens, ends and begins nothing. All of it
//! is done here on the flow's slot and streams alone; a segment of which anything more is to be asked is left to the
//! worker's steps, which would do the same with it.

use crate::flow::gate;
use crate::flow::place::is_text;
use crate::flow::table::{bit, Flow};
use crate::flow::worker::Worker;
use crate::names::dns;
use crate::names::quic::MIN_DATAGRAM;
use crate::wire::segment::{Segment, Sum, FIN, RST, SYN, TCP};

impl Worker {
    /// Work on a segment of a flow if it is quiet; false: nothing was done.
    #[inline]
    pub(super) fn take_quietly(&mut self, at: u32, side: usize, seg: &Segment, block: &[u8]) -> bool {
        let slot = self.flows.slot(at);
        let idle_ns = seg.ts_ns.saturating_sub(slot.last_ns);
        let is_marked = seg.flags & (SYN | FIN | RST) != 0;
        let has_more = slot.candidate != 0 || slot.has(bit::PENDING);
        if is_marked || has_more || idle_ns > self.timeouts.shortest_ns {
            return false;
        }
        if seg.wire_len == 0 {
            self.flows.slot_mut(at).note(side, seg);
            return true;
        }
        if slot.has(bit::RECORDED) {
            return self.take_sealed_quietly(at, side, seg, block);
        }
        let slot = &self.flows.flow(at);
        let payload = seg.payload(block);
        let listens = self.sessions.is_on();
        if payload.is_empty()
            || (listens && concerns_names(slot, seg))
            || !is_plain(slot, side, seg, (block, payload), listens)
        {
            return false;
        }
        let is_sealed = listens && slot.has(bit::FORGOTTEN) && !is_text(payload);
        if !is_sealed && gate::find(slot, &self.tables, self.limits.session_bytes, side, (seg.seq, payload)).is_some() {
            return false;
        }
        self.flows.slot_mut(at).note(side, seg);
        self.flows.track(at, side, seg.seq, seg.wire_len, payload);
        if gate::flights(&self.flows.flow(at), &self.tables, side).is_some() {
            self.see_flights(at, side, seg, block);
        }
        true
    }

    /// The same of a segment in the middle of a record of an encrypted session: its bytes are not looked at.
    fn take_sealed_quietly(&mut self, at: u32, side: usize, seg: &Segment, block: &[u8]) -> bool {
        let payload = seg.payload(block);
        if payload.is_empty() || dns::concerns(seg.sport, seg.dport) || !self.pass_body(at, side, seg, payload) {
            return false;
        }
        self.flows.slot_mut(at).note(side, seg);
        self.flows.track(at, side, seg.seq, seg.wire_len, payload);
        if gate::flights(&self.flows.flow(at), &self.tables, side).is_some() {
            self.see_flights(at, side, seg, block);
        }
        true
    }
}

/// Whether DNS or QUIC is to be looked for in a payload.
#[inline(always)]
fn concerns_names(slot: &Flow<'_>, seg: &Segment) -> bool {
    let may_be_quic = seg.proto != TCP && seg.wire_len >= MIN_DATAGRAM;
    dns::concerns(seg.sport, seg.dport) || (may_be_quic && (slot.has(bit::COLLECTED) || !slot.has(bit::PAYLOAD * 3)))
}

/// Whether a payload is in no doubt (docs/border.md, "Checksums"), and begins no encrypted session.
#[inline(always)]
fn is_plain(slot: &Flow<'_>, side: usize, seg: &Segment, (block, payload): (&[u8], &[u8]), listens: bool) -> bool {
    let is_first = !slot.has(bit::PAYLOAD << side);
    if is_first && slot.has(bit::RIGHT << side) && seg.sum(block) == Sum::Wrong {
        return false;
    }
    if !listens || slot.has(bit::FORGOTTEN | bit::UDP) {
        return true;
    }
    let begins_record = payload.first().is_some_and(|kind| (20..=23).contains(kind));
    let starts_late = is_first && slot.has(bit::SYN << side) && seg.seq != slot.sides[side].base;
    !begins_record && !starts_late
}
