//! What a worker makes of checksums: which segments are in doubt, and what becomes of their bytes. Rules:
//! docs/border.md, "Checksums".

use crate::flow::assembler::Tally;
use crate::flow::doubt::Doubts;
use crate::flow::table::{bit, Slot};
use crate::flow::worker::Worker;
use crate::model::stats::Counter;
use crate::wire::segment::{Segment, Sum, FIN, RST, SYN, TCP};

/// A longer packet is on no wire: a card or the kernel has put it together, and its sum is of a part or of nothing.
const WIRE_BYTES: u32 = 1_500;

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
            let side = seg.side();
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
        let judged = self.is_judged(at, open, seg);
        if !open && !judged && seg.flags & SYN == 0 {
            return (Sum::Unknown, false); // nothing would come of it
        }
        let sum = seg.sum(block);
        (sum, judged && sum == Sum::Wrong)
    }

    fn is_judged(&mut self, at: u32, open: bool, seg: &Segment) -> bool {
        let (slot, side) = (self.flows.slot(at), seg.side());
        let doubts = if open { Some(&self.candidates.get(slot.candidate - 1).doubts[side]) } else { None };
        is_judged(slot, side, doubts, seg)
    }

    fn count_sum(&mut self, at: u32, open: bool, sum: Sum, seg: &Segment, block: &[u8]) {
        let wrong = sum == Sum::Wrong && seg.checksum_is_wrong(block);
        self.stats.add(Counter::BadL4Checksum, u64::from(wrong));
        if !open {
            return;
        }
        let slot = self.flows.slot(at);
        let side = seg.side();
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
        let slot = self.flows.flow(at);
        let answered = slot.packets[0] > 0 && slot.packets[1] > 0;
        let (base, waits) = (slot.sides[side].base, slot.has(bit::SYN << side) && !slot.has(bit::PAYLOAD << side));
        let candidate = self.candidates.get(slot.candidate - 1);
        let (doubts, direction) = (&mut candidate.doubts[side], &mut candidate.sides[side]);
        if !direction.running && waits {
            direction.start(base, base);
        }
        if doubts.uses(answered) || !direction.running {
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
            self.flows.track(at, side, next, data.len() as u32, &data);
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
        if !self.is_judged(at, open, seg) {
            return false;
        }
        let (sum, doubtful) = self.judge_sum(at, open, seg, block);
        if doubtful {
            self.count_sum(at, open, sum, seg, block);
        }
        doubtful
    }
}
