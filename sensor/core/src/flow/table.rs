//! The flow table: biflows (RFC 5103) in slots of two cache lines, dense in one slab, found by an open-addressing index
//! of 8-byte entries. Memory grows with the flows there are and never past the capacity. Knows the packet clock only as
//! an argument.

use crate::flow::prefilter::Carry;
use crate::model::event::{Basis, End};
use crate::wire::segment::{Segment, ACK, SYN, TCP, UDP};

/// Bits of `Slot::bits`. Those of a direction come in pairs: shift by the direction.
pub mod bit {
    pub const V6: u32 = 1;
    pub const UDP: u32 = 1 << 1;
    pub const ORIGIN_IS_B: u32 = 1 << 2;
    pub const BASIS_SYN: u32 = 1 << 3;
    pub const BASIS_PORT: u32 = 1 << 4;
    pub const RST: u32 = 1 << 5;
    pub const SYN: u32 = 1 << 6; // and 7
    pub const FIN: u32 = 1 << 8; // and 9
    pub const COLLECTED: u32 = FIN; // of UDP: a hello of QUIC is not whole yet
    pub const BASE: u32 = 1 << 10; // and 11: base and next are known
    pub const PAYLOAD: u32 = 1 << 12; // and 13
    pub const OPENED: u32 = 1 << 14; // a gate has opened once
    pub const PENDING: u32 = 1 << 15; // a SYN that is not the flow's own waits for its answer
    pub const RIGHT: u32 = 1 << 16; // and 17: the direction's SYN had a right checksum
    pub const RECORDED: u32 = 1 << 18; // an encrypted session is followed
    pub const FORGOTTEN: u32 = 1 << 19; // its encrypted session is not thin, and not looked at again
}

/// Bytes of a side are counted up to 2^38: six bits for each side above 32, at the top of `Slot::bits`.
const HIGH_SHIFT: usize = 20;
const HIGH_WIDTH: usize = 6;
const HIGH_MOST: u32 = 63;

/// A slot's state of one direction.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Direction {
    pub base: u32,
    pub next: u32,
    pub packets: u32,
    bytes_low: u32,
    pub carry: Carry,
}

/// A flow. `a` is the lower of the two endpoints, so that both directions meet in one key.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Slot {
    a: [u8; 16],
    b: [u8; 16],
    a_port: u16,
    b_port: u16,
    pub bits: u32, // above the flags: what the sides' bytes have past 32 bits
    pub first_ns: u64,
    pub last_ns: u64,
    pub candidate: u32, // index + 1 into the candidates, 0 for none; of a free slot the next free one
    tag: u32, // of its hash, not 0; while a session is recorded, the session's place + 1, and the session keeps the tag
    pub sides: [Direction; 2], // sent by a, sent by b
}

const _: () = assert!(std::mem::size_of::<Slot>() == 128);

impl Slot {
    #[inline]
    pub fn has(&self, bits: u32) -> bool {
        self.bits & bits != 0
    }

    #[inline]
    pub fn set(&mut self, bits: u32) {
        self.bits |= bits;
    }

    #[inline]
    pub fn unset(&mut self, bits: u32) {
        self.bits &= !bits;
    }

    /// Whether it is a flow, and not free.
    #[inline]
    pub fn is_there(&self) -> bool {
        self.tag != 0
    }

    /// Whether anything beside the slot is held of the flow: its events, a SYN that waits, a hello that is not whole.
    #[inline]
    pub fn holds_more(&self) -> bool {
        self.candidate != 0
            || self.has(bit::RECORDED | bit::PENDING)
            || (self.has(bit::UDP) && self.has(bit::COLLECTED))
    }

    /// The place of the encrypted session that is recorded.
    #[inline]
    pub fn session(&self) -> Option<u32> {
        self.has(bit::RECORDED).then(|| self.tag - 1)
    }

    /// An encrypted session is recorded from now on; it keeps what this gives.
    pub fn begin_session(&mut self, session: u32) -> u32 {
        self.set(bit::RECORDED);
        std::mem::replace(&mut self.tag, session + 1)
    }

    /// It is recorded no more.
    pub fn end_session(&mut self, tag: u32) {
        self.unset(bit::RECORDED);
        self.tag = tag;
    }

    /// Which direction a packet of this flow goes: 0 sent by a, 1 sent by b.
    #[inline]
    pub fn side_of(&self, seg: &Segment) -> usize {
        usize::from(seg.src != self.a || seg.sport != self.a_port)
    }

    /// Decide by the flow's first segment who began it: the sender of a SYN or the receiver of a SYN with ACK; else, if
    /// exactly one port is below 1024, the other side; else the sender.
    pub fn set_originator(&mut self, seg: &Segment) {
        let sender = self.side_of(seg);
        let syn = if seg.proto == TCP { seg.flags & (SYN | ACK) } else { 0 };
        let (originator, basis) = match (syn, seg.sport < 1024, seg.dport < 1024) {
            (SYN, _, _) => (sender, bit::BASIS_SYN),
            (both, _, _) if both == SYN | ACK => (1 - sender, bit::BASIS_SYN),
            (_, true, false) => (1 - sender, bit::BASIS_PORT),
            (_, false, true) => (sender, bit::BASIS_PORT),
            _ => (sender, 0),
        };
        self.set(basis | if originator == 1 { bit::ORIGIN_IS_B } else { 0 });
    }

    pub fn basis(&self) -> Basis {
        match (self.has(bit::BASIS_SYN), self.has(bit::BASIS_PORT)) {
            (true, _) => Basis::Syn,
            (_, true) => Basis::Port,
            _ => Basis::FirstSeen,
        }
    }

    /// The side that is the originator's.
    #[inline]
    pub fn originator(&self) -> usize {
        usize::from(self.has(bit::ORIGIN_IS_B))
    }

    #[inline]
    pub fn count(&mut self, side: usize, ip_bytes: u32) {
        let direction = &mut self.sides[side];
        direction.packets = direction.packets.saturating_add(1);
        let (low, carried) = direction.bytes_low.overflowing_add(ip_bytes);
        direction.bytes_low = low;
        if carried && self.bytes_high(side) < HIGH_MOST {
            self.bits += 1 << (HIGH_SHIFT + HIGH_WIDTH * side);
        }
    }

    /// Remember a TCP segment's SYN, if it has one. The sequence number of its payload.
    #[inline]
    pub fn track_syn(&mut self, side: usize, seg: &Segment) -> u32 {
        if seg.flags & SYN == 0 {
            return seg.seq;
        }
        let data_seq = seg.seq.wrapping_add(1);
        // what acknowledges the other side's SYN outranks an earlier one
        if !self.has(bit::PAYLOAD << side) {
            self.sides[side].base = data_seq;
            self.sides[side].next = data_seq;
        }
        self.set((bit::BASE | bit::SYN) << side);
        data_seq
    }

    /// Remember where a direction stands after a payload of `wire_len` bytes at `data_seq`, of which these were
    /// captured.
    #[inline]
    pub fn track(&mut self, side: usize, data_seq: u32, wire_len: u32, payload: &[u8]) {
        self.set(bit::PAYLOAD << side);
        if self.has(bit::UDP) {
            return;
        }
        let direction = &mut self.sides[side];
        let end = data_seq.wrapping_add(wire_len);
        if self.bits & (bit::BASE << side) == 0 {
            self.bits |= bit::BASE << side;
            direction.base = data_seq;
            direction.next = data_seq;
        }
        let ahead = data_seq.wrapping_sub(direction.next) as i32;
        if ahead == 0 {
            direction.carry.extend(payload);
        } else if ahead > 0 || (end.wrapping_sub(direction.next) as i32) > 0 {
            direction.carry.restart(payload);
        } else {
            return;
        }
        direction.next = end;
        if payload.len() < wire_len as usize {
            direction.carry.clear();
        }
    }

    pub fn bytes(&self, side: usize) -> u64 {
        u64::from(self.bytes_high(side)) << 32 | u64::from(self.sides[side].bytes_low)
    }

    #[inline]
    fn bytes_high(&self, side: usize) -> u32 {
        self.bits >> (HIGH_SHIFT + HIGH_WIDTH * side) & HIGH_MOST
    }

    /// Address (4 or 16 bytes) and port of a side.
    pub fn endpoint(&self, side: usize) -> (Vec<u8>, u16) {
        let (address, port) = if side == 0 { (&self.a, self.a_port) } else { (&self.b, self.b_port) };
        (address[..if self.has(bit::V6) { 16 } else { 4 }].to_vec(), port)
    }

    /// The same without an allocation.
    pub fn end(&self, side: usize) -> End {
        let (address, port) = if side == 0 { (self.a, self.a_port) } else { (self.b, self.b_port) };
        End { address, v6: self.has(bit::V6), port }
    }

    pub fn proto(&self) -> u8 {
        if self.has(bit::UDP) {
            UDP
        } else {
            TCP
        }
    }

    /// FIN in both directions, or RST.
    #[inline]
    pub fn closed(&self) -> bool {
        self.has(bit::RST) || self.bits & (bit::FIN * 3) == bit::FIN * 3
    }

    fn is_of(&self, seg: &Segment) -> bool {
        let same = self.has(bit::V6) == seg.v6 && self.has(bit::UDP) == (seg.proto == UDP);
        let forth = seg.sport == self.a_port && seg.dport == self.b_port && seg.src == self.a && seg.dst == self.b;
        same && (forth
            || (seg.dport == self.a_port && seg.sport == self.b_port && seg.dst == self.a && seg.src == self.b))
    }
}

/// Slots are allocated this many at a time and never move: memory follows the flows there are, without a copy when it
/// grows.
const CHUNK: usize = 4096;

/// The table.
pub struct Flows {
    chunks: Vec<Box<[Slot]>>,
    used: usize, // slots handed out so far
    free: u32,   // the slot + 1 that was freed last; each has the one before it
    count: usize,
    index: Vec<u64>, // hash << 32 | slot + 1; 0 is empty
    mask: usize,
    pub capacity: usize,
    hand: usize,
}

impl Flows {
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, 1 << 28);
        let size = (capacity * 2).next_power_of_two();
        let (chunks, index) = (Vec::new(), vec![0; size]);
        Flows { chunks, used: 0, free: 0, count: 0, index, mask: size - 1, capacity, hand: 0 }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// One more than the last slot that was ever handed out.
    pub fn end(&self) -> u32 {
        self.used as u32
    }

    #[inline(always)]
    pub fn slot(&self, at: u32) -> &Slot {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    #[inline(always)]
    pub fn slot_mut(&mut self, at: u32) -> &mut Slot {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    /// The slots that hold a flow.
    pub fn all(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.end()).filter(|at| self.slot(*at).is_there())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Load the index entry that a later look-up begins with. A cache hint in plain Rust: the caller uses the value, so
    /// the load stays.
    #[inline]
    pub fn touch_index(&self, hash: u64) -> u64 {
        self.index[tag(hash) as usize & self.mask]
    }

    /// The index entry that a look-up will come to, most likely; 0 if there is no such flow.
    #[inline]
    pub fn entry_of(&self, hash: u64) -> u64 {
        let tag = tag(hash);
        let mut at = tag as usize & self.mask;
        loop {
            let entry = self.index[at];
            if entry == 0 || (entry >> 32) as u32 == tag {
                return entry;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Load the slot that an index entry leads to.
    #[inline]
    pub fn touch_slot(&self, entry: u64) -> u64 {
        match (entry as u32).checked_sub(1) {
            Some(at) => self.slot(at).last_ns ^ u64::from(self.slot(at).sides[0].next),
            None => 0,
        }
    }

    /// The slot of a segment's flow.
    #[inline]
    pub fn find(&self, seg: &Segment) -> Option<u32> {
        let tag = tag(seg.hash);
        let mut at = tag as usize & self.mask;
        loop {
            let entry = self.index[at];
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == tag {
                let slot = entry as u32 - 1;
                if self.slot(slot).is_of(seg) {
                    return Some(slot);
                }
            }
            at = (at + 1) & self.mask;
        }
    }

    /// A fresh slot for a segment's flow, or None if the table is full. The endpoints, family, protocol and times are
    /// set.
    pub fn insert(&mut self, seg: &Segment) -> Option<u32> {
        let at = match self.free.checked_sub(1) {
            Some(at) => {
                self.free = self.slot(at).candidate;
                at
            }
            None if self.used < self.capacity => {
                if self.used == self.chunks.len() * CHUNK {
                    self.chunks.push(vec![Slot::default(); CHUNK].into_boxed_slice());
                }
                self.used += 1;
                (self.used - 1) as u32
            }
            None => return None,
        };
        let tag = tag(seg.hash);
        let forth = (seg.src, seg.sport) <= (seg.dst, seg.dport);
        let mut slot = Slot { first_ns: seg.ts_ns, last_ns: seg.ts_ns, tag, ..Slot::default() };
        (slot.a, slot.a_port, slot.b, slot.b_port) =
            if forth { (seg.src, seg.sport, seg.dst, seg.dport) } else { (seg.dst, seg.dport, seg.src, seg.sport) };
        slot.bits = if seg.v6 { bit::V6 } else { 0 } | if seg.proto == UDP { bit::UDP } else { 0 };
        *self.slot_mut(at) = slot;
        self.count += 1;
        let mut place = tag as usize & self.mask;
        while self.index[place] != 0 {
            place = (place + 1) & self.mask;
        }
        self.index[place] = u64::from(tag) << 32 | u64::from(at + 1);
        Some(at)
    }

    /// Free a slot. The index entries behind it move up, so that no tombstones pile up.
    pub fn remove(&mut self, at: u32) {
        let tag = self.slot(at).tag;
        let wanted = u64::from(tag) << 32 | u64::from(at + 1);
        let mut hole = tag as usize & self.mask;
        while self.index[hole] != wanted {
            hole = (hole + 1) & self.mask;
        }
        let mut next = (hole + 1) & self.mask;
        while self.index[next] != 0 {
            let home = (self.index[next] >> 32) as usize & self.mask;
            if (next.wrapping_sub(home) & self.mask) >= (next.wrapping_sub(hole) & self.mask) {
                self.index[hole] = self.index[next];
                hole = next;
            }
            next = (next + 1) & self.mask;
        }
        self.index[hole] = 0;
        let free = std::mem::replace(&mut self.free, at + 1);
        let slot = self.slot_mut(at);
        (slot.tag, slot.candidate) = (0, free);
        self.count -= 1;
    }

    /// Forget all flows at once. A fresh index costs less than emptying one: the kernel gives it, empty, as it is
    /// filled.
    pub fn clear(&mut self) {
        if self.used > 0 {
            (self.used, self.free, self.count, self.hand) = (0, 0, 0, 0);
            self.index = vec![0; self.mask + 1];
        }
    }

    /// Which flow to evict: of the next 16 slots the longest idle, candidates only when there is nothing
    /// else.
    pub fn victim(&mut self) -> u32 {
        let count = self.used;
        let look = count.min(16);
        let best = (0..look)
            .map(|step| (self.hand + step) % count)
            .min_by_key(|&at| (self.slot(at as u32).candidate != 0, self.slot(at as u32).last_ns))
            .unwrap_or(0);
        self.hand = (self.hand + look) % count;
        best as u32
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    ((hash >> 32) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::flow_hash::flow_hash;

    fn seg(client: u32, port: u16) -> Segment {
        let mut seg = Segment { sport: port, dport: 443, proto: 6, ..Segment::default() };
        seg.src[..4].copy_from_slice(&client.to_be_bytes());
        seg.dst[..4].copy_from_slice(&[192, 0, 2, 1]);
        seg.hash = flow_hash(&seg, 7);
        seg
    }

    fn back(of: &Segment) -> Segment {
        Segment { src: of.dst, dst: of.src, sport: of.dport, dport: of.sport, ..of.clone() }
    }

    #[test]
    fn both_directions_meet() {
        let mut flows = Flows::new(8);
        let at = flows.insert(&seg(1, 1000)).unwrap();
        assert_eq!(flows.find(&seg(1, 1000)), Some(at));
        let reply = back(&seg(1, 1000));
        assert_eq!(flow_hash(&reply, 7), reply.hash);
        assert_eq!(flows.find(&reply), Some(at));
        assert_ne!(flows.slot(at).side_of(&reply), flows.slot(at).side_of(&seg(1, 1000)));
        assert_eq!(flows.find(&seg(1, 1001)), None);
    }

    #[test]
    fn every_flow_is_found_until_removed() {
        let mut flows = Flows::new(4096);
        let mut slots = Vec::new();
        for n in 0..4096u32 {
            slots.push(flows.insert(&seg(n, (n * 7) as u16)).unwrap());
        }
        assert!(flows.insert(&seg(9999, 1)).is_none());
        for n in (0..4096u32).step_by(3) {
            flows.remove(slots[n as usize]);
        }
        for n in 0..4096u32 {
            let expected = (n % 3 != 0).then(|| slots[n as usize]);
            assert_eq!(flows.find(&seg(n, (n * 7) as u16)), expected);
        }
        assert_eq!(flows.len(), 4096 - 1366);
    }

    #[test]
    fn bytes_carry_past_32_bits() {
        let mut slot = Slot::default();
        slot.count(1, u32::MAX);
        slot.count(1, 2);
        assert_eq!((slot.bytes(0), slot.bytes(1)), (0, (1 << 32) + 1));
    }
}
