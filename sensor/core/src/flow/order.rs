//! The two directions of a candidate beside each other: requests come before their answers, and what the other side has
//! acknowledged is waited for, for a while.

use crate::flow::assembler::{is_reached, Ack};
use crate::flow::patience::Patience;
use crate::flow::table::bit;
use crate::flow::worker::Worker;
use crate::wire::segment::{Segment, ACK};

impl Worker {
    /// A segment of `side` acknowledges what the other side has sent. Where that was not seen yet, it is waited for.
    pub(super) fn note_acknowledgement(&mut self, at: u32, index: u32, side: usize, seg: &Segment) {
        if seg.flags & ACK == 0 || !self.candidates.is_open(index) {
            return;
        }
        let other = 1 - side;
        let (slot, candidate) = (self.flows.flow(at), self.candidates.get(index));
        let direction = &mut candidate.sides[other];
        let base = slot.sides[other].base;
        let waits_for_start = slot.has(bit::SYN << other) && !slot.has(bit::PAYLOAD << other);
        if !direction.running && waits_for_start && !is_reached(Some(seg.ack), Some(base)) {
            direction.start(base, base);
        }
        if is_reached(Some(seg.ack), candidate.reached(other, slot.has(bit::FIN << other))) {
            return;
        }
        if !candidate.doubts[other].right_data {
            self.use_aside(at, index, other, seg.ack, seg.ts_ns);
        }
        if !self.candidates.is_open(index) || is_reached(Some(seg.ack), self.reached(at, index, other)) {
            return;
        }
        let candidate = self.candidates.get(index);
        match &mut candidate.behind[other] {
            _ if candidate.cut[other] => self.give_up_acknowledged(index, other, seg.ack, seg.ts_ns),
            Some(patience) => patience.extend(seg.ack),
            behind => *behind = Some(Patience::new(seg.ack, seg.ts_ns)),
        }
    }

    /// Of both sides, the originator's first: whether what is waited for will come any more.
    pub(super) fn lose_patience(&mut self, at: u32, index: u32, ts_ns: u64) {
        let origin = self.flows.slot(at).originator();
        for side in [origin, 1 - origin] {
            let behind = &mut self.candidates.get(index).behind[side];
            let Some(patience) = behind else { continue };
            if patience.is_over(ts_ns) {
                let ack = patience.ack;
                *behind = None;
                self.use_aside(at, index, side, ack, ts_ns);
                self.give_up_acknowledged(index, side, ack, ts_ns);
                self.settle(at, index, ts_ns);
            }
        }
    }

    fn give_up_acknowledged(&mut self, index: u32, side: usize, ack: u32, ts_ns: u64) {
        while self.candidates.is_open(index) {
            let Some(ready) = self.candidates.get(index).sides[side].acknowledged(ack) else { break };
            self.deliver(index, side, ready, ts_ns);
        }
        if self.candidates.is_open(index) {
            self.candidates.get(index).forgiven[side] = Some(ack);
        }
    }

    /// What waited for the other side goes out where that has come; and of a side that has come nothing is waited for.
    pub(super) fn settle(&mut self, at: u32, index: u32, ts_ns: u64) {
        let origin = self.flows.slot(at).originator();
        let mut moved = true;
        while std::mem::take(&mut moved) {
            for side in [origin, 1 - origin] {
                if !self.candidates.is_open(index) {
                    return;
                }
                let reached = self.reached(at, index, 1 - side);
                let candidate = self.candidates.get(index);
                let behind = &mut candidate.behind[1 - side];
                behind.take_if(|patience| is_reached(Some(patience.ack), reached));
                if let Some(patience) = behind.as_mut().filter(|patience| is_reached(Some(patience.first), reached)) {
                    patience.renew(ts_ns);
                }
                if let Some(ready) = candidate.sides[side].take_next(reached) {
                    self.deliver(index, side, ready, ts_ns);
                    moved = true;
                }
            }
        }
    }

    /// Up to where a side is seen.
    pub(super) fn reached(&mut self, at: u32, index: u32, side: usize) -> Ack {
        let fin = self.flows.slot(at).has(bit::FIN << side);
        self.candidates.get(index).reached(side, fin)
    }
}
