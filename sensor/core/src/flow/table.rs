//! The flow table: biflows (RFC 5103), found by an open-addressing index of 8-byte entries. Every packet of a flow touches
//! one cache line of it; what is known of its streams lies elsewhere, and the endpoints of IPv6 do. Memory grows with
//! the flows there are and never past the capacity. Knows the packet clock only as an argument.

use crate::flow::slab::Slab;
use crate::flow::slot::Direction;
pub use crate::flow::slot::{bit, Flow, Slot};
use crate::model::event::End;
use crate::wire::segment::{Segment, SYN, UDP};

/// Index entries for each flow that may be.
const SPREAD: usize = 2;

/// The table.
pub struct Flows {
    slots: Slab<Slot>,
    streams: Slab<[Direction; 2]>,
    wide: Slab<[[u8; 16]; 2]>, // endpoints of IPv6
    index: Vec<u64>,           // hash << 32 | slot + 1; 0 is empty
    mask: usize,
    pub capacity: usize,
    hand: usize,
}

impl Flows {
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, 1 << 28);
        let size = (capacity * SPREAD).next_power_of_two();
        let (slots, mut streams, wide) = (Slab::new(capacity), Slab::new(capacity + 1), Slab::new(capacity));
        streams.add(Default::default()); // of flows without any
        let (index, mask) = (vec![0; size], size - 1);
        Flows { slots, streams, wide, index, mask, capacity, hand: 0 }
    }

    pub fn len(&self) -> usize {
        self.slots.count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One more than the last slot that was ever handed out.
    pub fn end(&self) -> u32 {
        self.slots.end()
    }

    #[inline(always)]
    pub fn slot(&self, at: u32) -> &Slot {
        self.slots.get(at)
    }

    #[inline(always)]
    pub fn slot_mut(&mut self, at: u32) -> &mut Slot {
        self.slots.get_mut(at)
    }

    /// A flow with its streams.
    #[inline(always)]
    pub fn flow(&self, at: u32) -> Flow<'_> {
        let slot = self.slots.get(at);
        Flow { slot, sides: self.streams.get(slot.streams) }
    }

    /// The slots that hold a flow.
    pub fn all(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.end()).filter(|at| self.slot(*at).is_there())
    }

    /// Address and port of a side.
    pub fn endpoint(&self, at: u32, side: usize) -> End {
        let slot = self.slot(at);
        let mut address = [0; 16];
        if slot.has(bit::V6) {
            address = self.wide.get(slot.ends as u32)[side];
        } else {
            address[..4].copy_from_slice(&((slot.ends >> (32 * side)) as u32).to_ne_bytes());
        }
        End { address, v6: slot.has(bit::V6), port: (slot.ports >> (16 * side)) as u16 }
    }

    /// Remember a TCP segment's SYN, if it has one. The sequence number of its payload.
    #[inline]
    pub fn track_syn(&mut self, at: u32, side: usize, seg: &Segment) -> u32 {
        if seg.flags & SYN == 0 {
            return seg.seq;
        }
        let data_seq = seg.seq.wrapping_add(1);
        // what acknowledges the other side's SYN outranks an earlier one
        if !self.slot(at).has(bit::PAYLOAD << side) {
            let direction = &mut self.streams_mut(at)[side];
            (direction.base, direction.next) = (data_seq, data_seq);
        }
        self.slot_mut(at).set((bit::BASE | bit::SYN) << side);
        data_seq
    }

    /// Remember where a direction stands after a payload of `wire_len` bytes at `data_seq`, of which these were
    /// captured.
    #[inline]
    pub fn track(&mut self, at: u32, side: usize, data_seq: u32, wire_len: u32, payload: &[u8]) {
        let slot = self.slots.get_mut(at);
        slot.set(bit::PAYLOAD << side);
        if slot.has(bit::UDP) {
            return;
        }
        let is_first = !slot.has(bit::BASE << side);
        slot.set(bit::BASE << side);
        let direction = &mut self.streams_mut(at)[side];
        let end = data_seq.wrapping_add(wire_len);
        if is_first {
            (direction.base, direction.next) = (data_seq, data_seq);
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

    /// A flow's streams, to be written.
    #[inline]
    fn streams_mut(&mut self, at: u32) -> &mut [Direction; 2] {
        let slot = self.slots.get_mut(at);
        if slot.streams == 0 {
            slot.streams = self.streams.add(Default::default());
        }
        self.streams.get_mut(slot.streams)
    }

    /// Load the index entry that a later look-up begins with. A cache hint in plain Rust: the caller uses the value, so
    /// the load stays.
    #[inline]
    pub fn touch_index(&self, hash: u64) -> u64 {
        self.index[tag(hash) as usize & self.mask]
    }

    /// The slot + 1 that a look-up will come to, most likely; 0 if there is no such flow.
    #[inline]
    pub fn near(&self, hash: u64) -> u32 {
        let tag = tag(hash);
        let mut at = tag as usize & self.mask;
        loop {
            let entry = self.index[at];
            if entry == 0 || (entry >> 32) as u32 == tag {
                return entry as u32;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Load a slot, by its number + 1; where it has its streams, 0 for nothing.
    #[inline]
    pub fn touch_slot(&self, near: u32) -> u32 {
        near.checked_sub(1).map_or(0, |at| self.slot(at).streams)
    }

    /// Load the streams that were found there.
    #[inline]
    pub fn touch_streams(&self, streams: u32) -> u64 {
        u64::from(self.streams.get(streams)[0].next)
    }

    /// The slot of a segment's flow.
    pub fn find(&self, seg: &Segment) -> Option<u32> {
        self.find_from(seg, seg.side())
    }

    /// The same of a segment that a side has sent.
    #[inline]
    pub fn find_from(&self, seg: &Segment, side: usize) -> Option<u32> {
        if let Some(near) = seg.near.checked_sub(1) {
            if self.slot(near).is_there() && self.is_of(near, seg, side) {
                return Some(near);
            }
        }
        self.look_up(seg, side)
    }

    #[inline(never)]
    fn look_up(&self, seg: &Segment, side: usize) -> Option<u32> {
        let tag = tag(seg.hash);
        let mut at = tag as usize & self.mask;
        loop {
            let entry = self.index[at];
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == tag {
                let slot = entry as u32 - 1;
                if self.is_of(slot, seg, side) {
                    return Some(slot);
                }
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Whether a segment is of a flow.
    #[inline(always)]
    fn is_of(&self, at: u32, seg: &Segment, side: usize) -> bool {
        let slot = self.slot(at);
        if slot.bits & (bit::V6 | bit::UDP) != kind(seg) || slot.ports != ports(side, seg) {
            return false;
        }
        if seg.v6 {
            return *self.wide.get(slot.ends as u32) == addresses(side, seg);
        }
        slot.ends == ends(side, seg)
    }

    /// A fresh slot for a segment's flow, or None if the table is full. The endpoints, family, protocol and times are
    /// set.
    pub fn insert(&mut self, seg: &Segment) -> Option<u32> {
        if self.len() == self.capacity {
            return None;
        }
        let (tag, side) = (tag(seg.hash), seg.side());
        let ends = match seg.v6 {
            true => u64::from(self.wide.add(addresses(side, seg))),
            false => ends(side, seg),
        };
        let ports = ports(side, seg);
        let (first_ns, last_ns) = (seg.ts_ns, seg.ts_ns);
        let at = self.slots.add(Slot { ends, ports, bits: kind(seg), first_ns, last_ns, tag, ..Slot::default() });
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
        let slot = self.slots.get_mut(at);
        let (streams, wide) = (std::mem::take(&mut slot.streams), slot.has(bit::V6).then_some(slot.ends as u32));
        slot.tag = 0;
        if streams != 0 {
            self.streams.free(streams);
        }
        if let Some(wide) = wide {
            self.wide.free(wide);
        }
        self.slots.free(at);
    }

    /// Forget all flows at once. A fresh index costs less than emptying one: the kernel gives it, empty, as it is
    /// filled.
    pub fn clear(&mut self) {
        if self.slots.end() > 0 {
            self.slots.clear();
            self.wide.clear();
            self.streams.clear();
            self.streams.add(Default::default());
            self.index = vec![0; self.mask + 1];
            self.hand = 0;
        }
    }

    /// Which flow to evict: of the next 16 slots the longest idle, candidates only when there is nothing
    /// else.
    pub fn victim(&mut self) -> u32 {
        let count = self.slots.end() as usize;
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

/// What a segment says of its flow's family and protocol.
#[inline(always)]
fn kind(seg: &Segment) -> u32 {
    (u32::from(seg.v6) * bit::V6) | (u32::from(seg.proto == UDP) * bit::UDP)
}

/// The addresses of IPv4 of a segment's flow; its sender is of that side.
#[inline(always)]
fn ends(side: usize, seg: &Segment) -> u64 {
    let short = |address: &[u8; 16]| u64::from(u32::from_ne_bytes([address[0], address[1], address[2], address[3]]));
    (short(&seg.src) | short(&seg.dst) << 32).rotate_left(32 * side as u32)
}

/// Its ports.
#[inline(always)]
fn ports(side: usize, seg: &Segment) -> u32 {
    (u32::from(seg.sport) | u32::from(seg.dport) << 16).rotate_left(16 * side as u32)
}

/// Its addresses, of any family.
fn addresses(side: usize, seg: &Segment) -> [[u8; 16]; 2] {
    if side == 0 {
        [seg.src, seg.dst]
    } else {
        [seg.dst, seg.src]
    }
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
        assert_ne!(reply.side(), seg(1, 1000).side());
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
