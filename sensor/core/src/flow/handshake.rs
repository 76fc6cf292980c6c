//! Whether a SYN, a FIN or a reset is what it says: one packet of a sender who sees nothing of a connection must not
//! end it. Rules: docs/border.md, "Flow table".

use std::collections::{HashMap, VecDeque};

use crate::flow::table::{bit, Flow};
use crate::wire::segment::{Segment, ACK, RST, SYN};

/// SYNs that wait for their answer; past that the oldest is given up.
const WAITING_MOST: usize = 4_096;
/// The largest window without scaling (RFC 9293 section 3.1): how far a FIN, or a reset of a flow that nobody follows,
/// may be from where its direction stands.
const NEAR: i64 = 65_535;

/// What a segment is to the flow of its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Own,
    Stray,   // of no connection that is known
    Waits,   // a SYN of another connection: its answer decides
    Answers, // proves the SYN that waits: the flow is over
    Begins,  // the flow is closed already, and this is the next
}

/// The place of a segment with SYN, or of any where a SYN waits.
pub fn place(slot: &Flow<'_>, seg: &Segment, waiting: Option<&Segment>) -> Place {
    let side = seg.side();
    if waiting.is_some_and(|first| answers(slot, first, seg, side)) {
        return Place::Answers;
    }
    if seg.flags & SYN == 0 {
        return Place::Own;
    }
    if seg.flags & RST != 0 {
        return Place::Stray;
    }
    let other = 1 - side;
    let has_base = slot.has(bit::BASE << side);
    let again = has_base && slot.sides[side].base == seg.seq.wrapping_add(1);
    if again && (slot.has(bit::SYN << side) || !slot.closed()) {
        return Place::Own;
    }
    if slot.closed() {
        return Place::Begins;
    }
    if seg.flags & ACK != 0 {
        let proven = slot.has(bit::SYN << other) && slot.sides[other].base == seg.ack;
        let fits = if proven { !slot.has(bit::PAYLOAD << side) } else { !slot.has(bit::SYN << other) && !has_base };
        return if fits { Place::Own } else { Place::Stray };
    }
    if slot.packets[side] == 0 || (!has_base && slot.has(bit::SYN << other)) {
        return Place::Own;
    }
    Place::Waits
}

/// Whether a segment shows that the connection of `first`, a SYN, was taken up: the other side's SYN acknowledges it,
/// or, of a flow of which one side alone is seen, its sender goes on from it.
fn answers(slot: &Flow<'_>, first: &Segment, seg: &Segment, side: usize) -> bool {
    let from = first.side();
    let after = first.seq.wrapping_add(1);
    let is_after = |seq: u32| seq == after || seq == after.wrapping_add(first.wire_len);
    match seg.flags & (SYN | ACK | RST) {
        both if both == SYN | ACK => side != from && is_after(seg.ack),
        ACK => side == from && is_after(seg.seq) && slot.packets[1 - from] == 0,
        _ => false,
    }
}

/// Whether a FIN is near where its direction stands.
pub fn fin_fits(slot: &Flow<'_>, side: usize, data_seq: u32) -> bool {
    !slot.has(bit::BASE << side) || is_near(data_seq, slot.sides[side].next)
}

/// Whether a reset is at the number that its receiver expects (RFC 5961 section 3.2): what its sender has sent, or,
/// where the capture lost some of it, what the receiver has acknowledged. Of a flow that nobody follows, near it.
pub fn reset_fits(slot: &Flow<'_>, side: usize, seg: &Segment, followed: bool, acked: Option<u32>) -> bool {
    let at = |seq: u32, next: u32| seq.wrapping_sub(next) <= 1 || (!followed && is_near(seq, next));
    if slot.has(bit::BASE << side) {
        return at(seg.seq, slot.sides[side].next) || (followed && acked == Some(seg.seq));
    }
    if seg.flags & ACK != 0 && slot.has(bit::BASE << (1 - side)) {
        return at(seg.ack, slot.sides[1 - side].next);
    }
    !followed || acked.is_none_or(|ack| ack == seg.seq)
}

fn is_near(seq: u32, next: u32) -> bool {
    i64::from(seq.wrapping_sub(next) as i32).abs() <= NEAR
}

/// The SYNs that wait for their answer, by the slot of the flow whose ports they have; at most one of each.
#[derive(Default)]
pub struct Waiting {
    entries: HashMap<u32, (u64, Segment)>,
    order: VecDeque<(u32, u64)>, // by age; a pair whose serial is gone is stale
    serial: u64,
}

impl Waiting {
    pub fn get(&self, at: u32) -> Option<&Segment> {
        self.entries.get(&at).map(|(_, seg)| seg)
    }

    /// Take a SYN, its header alone, which is `whole` if its checksum is `right`. The slot whose SYN was given up for
    /// want of room, if there is one.
    pub fn insert(&mut self, at: u32, seg: &Segment, right: bool) -> Option<u32> {
        self.serial += 1;
        let header = Segment { owned: None, l4_len: u32::from(seg.header_len), whole: right, ..seg.clone() };
        self.entries.insert(at, (self.serial, header));
        self.order.push_back((at, self.serial));
        let entries = &mut self.entries;
        let is_live = |entries: &HashMap<u32, (u64, Segment)>, (at, serial): (u32, u64)| {
            entries.get(&at).is_some_and(|(current, _)| *current == serial)
        };
        if self.order.len() > 2 * WAITING_MOST {
            self.order.retain(|pair| is_live(entries, *pair));
        }
        while entries.len() > WAITING_MOST {
            let pair = self.order.pop_front()?;
            if is_live(entries, pair) {
                entries.remove(&pair.0);
                return Some(pair.0);
            }
        }
        None
    }

    pub fn remove(&mut self, at: u32) -> Option<Segment> {
        self.entries.remove(&at).map(|(_, seg)| seg)
    }
}
