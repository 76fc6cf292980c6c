//! Segments with wrong checksums, in directions whose checksums are otherwise right. Their receiver throws them away,
//! so their bytes are set aside; but where it acknowledges what nothing else brought, the card computes the sums of its
//! sender after the capture, and the bytes are used. Rules: docs/border.md, "Checksums".

use std::collections::VecDeque;

use crate::flow::assembler::Tally;
use crate::flow::holdings::SEGMENT_BYTES;
use crate::flow::table::{bit, Slot};
use crate::flow::worker::Worker;
use crate::model::stats::Counter;
use crate::wire::segment::{Segment, Sum, FIN, RST, SYN, TCP};

/// A longer packet is on no wire: a card or the kernel has put it together, and its sum is of a part or of nothing.
const WIRE_BYTES: u32 = 1_500;
/// Segments set aside of a direction, and their bytes; past that the oldest is given up.
const SEGMENTS: usize = 32;
const BYTES: usize = 32_768;

/// What is known of the checksums of a direction whose gate is open.
#[derive(Default)]
pub struct Doubts {
    pub right: bool,      // some were right
    pub right_data: bool, // some of segments with payload
    lax: bool,            // what was set aside had to be used, and no payload had a right one
    aside: VecDeque<(u32, Box<[u8]>)>,
    bytes: usize,
}

impl Doubts {
    fn note(&mut self, sum: Sum, seg: &Segment) {
        if sum == Sum::Right && seg.proto == TCP {
            self.right = true;
            self.right_data |= seg.wire_len > 0;
        }
    }

    /// Set a segment's payload aside.
    fn push(&mut self, seq: u32, data: &[u8], next: u32) {
        self.aside.retain(|(seq, data)| is_ahead(end(*seq, data), next));
        self.aside.push_back((seq, data.into()));
        self.bytes = self.aside.iter().map(|(_, data)| data.len()).sum();
        while self.aside.len() > SEGMENTS || self.bytes > BYTES {
            self.bytes -= self.aside.pop_front().map_or(0, |(_, data)| data.len());
        }
    }

    /// What goes on at `next` of the first one set aside that `ack` covers.
    fn take(&mut self, next: u32, ack: u32) -> Option<Vec<u8>> {
        let fits = |(seq, data): &(u32, Box<[u8]>)| {
            !is_ahead(*seq, next) && is_ahead(end(*seq, data), next) && !is_ahead(end(*seq, data), ack)
        };
        let at = self.aside.iter().position(fits)?;
        let (seq, data) = self.aside.remove(at)?;
        self.bytes -= data.len();
        Some(data[next.wrapping_sub(seq) as usize..].to_vec())
    }

    /// What is set aside, with what each segment costs besides.
    pub fn held_bytes(&self) -> usize {
        self.bytes + SEGMENT_BYTES * self.aside.len()
    }

    /// Everything set aside is forgotten.
    pub fn stop(&mut self) {
        self.aside.clear();
        self.bytes = 0;
    }
}

fn end(seq: u32, data: &[u8]) -> u32 {
    seq.wrapping_add(data.len() as u32)
}

fn is_ahead(seq: u32, of: u32) -> bool {
    seq.wrapping_sub(of) as i32 > 0
}

/// Whether the direction of a segment has shown a right checksum, so that a wrong one says something.
fn is_judged(slot: &Slot, side: usize, doubts: Option<&Doubts>, seg: &Segment) -> bool {
    let right = slot.has(bit::RIGHT << side) || doubts.is_some_and(|doubts| doubts.right);
    seg.proto == TCP && right && seg.ip_len <= WIRE_BYTES
}

impl Worker {
    /// What the checksums say, where it is asked: of flows whose gate is open, of what begins or ends a connection, and
    /// of the first payload of a direction whose SYN had a right one. And whether the segment is doubtful.
    #[inline]
    pub(super) fn sum(&mut self, at: u32, seg: &Segment, block: &[u8]) -> (Sum, bool) {
        let slot = self.flows.slot(at);
        let open = slot.candidate != 0 && self.candidates.is_open(slot.candidate - 1);
        let marked = seg.proto == TCP && seg.flags & (SYN | FIN | RST) != 0;
        if !open && !marked {
            let side = slot.side_of(seg);
            if seg.wire_len == 0 || !slot.has(bit::RIGHT << side) || slot.has(bit::PAYLOAD << side) {
                return (Sum::Unknown, false);
            }
        }
        self.look_at_sum(at, open, seg, block)
    }

    fn look_at_sum(&mut self, at: u32, open: bool, seg: &Segment, block: &[u8]) -> (Sum, bool) {
        let (sum, doubtful) = self.judge_sum(at, open, seg, block);
        if open || doubtful {
            self.count_sum(at, open, sum, seg, block);
        }
        (sum, doubtful)
    }

    fn judge_sum(&mut self, at: u32, open: bool, seg: &Segment, block: &[u8]) -> (Sum, bool) {
        let sum = seg.sum(block);
        let slot = self.flows.slot(at);
        let (side, index) = (slot.side_of(seg), slot.candidate.wrapping_sub(1));
        let doubts = if open { Some(&self.candidates.get(index).doubts[side]) } else { None };
        (sum, sum == Sum::Wrong && is_judged(self.flows.slot(at), side, doubts, seg))
    }

    fn count_sum(&mut self, at: u32, open: bool, sum: Sum, seg: &Segment, block: &[u8]) {
        let wrong = sum == Sum::Wrong && seg.checksum_is_wrong(block);
        self.stats.add(Counter::BadL4Checksum, u64::from(wrong));
        if !open {
            return;
        }
        let slot = self.flows.slot(at);
        let side = slot.side_of(seg);
        let candidate = self.candidates.get(slot.candidate - 1);
        candidate.bad_checksums += u64::from(wrong);
        candidate.doubts[side].note(sum, seg);
    }

    /// The segment that opens a gate counts as one of its flow; `in_doubt` it is counted already.
    pub(super) fn note_sum(&mut self, index: u32, side: usize, seg: &Segment, block: &[u8], in_doubt: bool) {
        let wrong = seg.checksum_is_wrong(block);
        self.stats.add(Counter::BadL4Checksum, u64::from(wrong && !in_doubt));
        let candidate = self.candidates.get(index);
        candidate.bad_checksums += u64::from(wrong);
        candidate.doubts[side].note(seg.sum(block), seg);
    }

    /// Set the payload of a doubtful segment aside; false: it is to be used like any other.
    pub(super) fn set_aside(&mut self, at: u32, side: usize, data_seq: u32, seg: &Segment, block: &[u8]) -> bool {
        let slot = self.flows.slot(at);
        let answered = slot.sides[0].packets > 0 && slot.sides[1].packets > 0;
        let (base, waits) = (slot.sides[side].base, slot.has(bit::SYN << side) && !slot.has(bit::PAYLOAD << side));
        let candidate = self.candidates.get(slot.candidate - 1);
        let (doubts, direction) = (&mut candidate.doubts[side], &mut candidate.sides[side]);
        if !direction.running && waits {
            direction.start(base, base);
        }
        if (doubts.lax && !doubts.right_data) || (!answered && !doubts.right_data) || !direction.running {
            return false;
        }
        if answered {
            doubts.push(data_seq, seg.payload(block), direction.next_seq());
        }
        true
    }

    /// A side acknowledges up to `ack` what no right segment of the other has brought: what was set aside of it is
    /// used.
    pub(super) fn use_aside(&mut self, at: u32, index: u32, side: usize, ack: u32, ts_ns: u64) {
        while self.candidates.is_open(index) {
            let candidate = self.candidates.get(index);
            let next = candidate.sides[side].next_seq();
            let Some(data) = candidate.doubts[side].take(next, ack) else { return };
            candidate.doubts[side].lax = true;
            let mut tally = Tally::default();
            let ready = candidate.sides[side].push(next, &data, None, None, &mut tally);
            self.count_tally(&tally);
            self.flows.slot_mut(at).track(side, next, data.len() as u32, &data);
            if let Some(ready) = ready {
                self.deliver(index, side, ready, ts_ns);
            }
        }
    }

    /// Whether a SYN is one that its receiver throws away.
    pub(super) fn is_false_syn(&mut self, at: u32, seg: &Segment, block: &[u8]) -> bool {
        if seg.flags & SYN == 0 {
            return false;
        }
        let slot = self.flows.slot(at);
        let open = slot.candidate != 0 && self.candidates.is_open(slot.candidate - 1);
        let (sum, doubtful) = self.judge_sum(at, open, seg, block);
        if doubtful {
            self.count_sum(at, open, sum, seg, block);
        }
        doubtful
    }
}
