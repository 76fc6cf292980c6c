//! A flow's entry in the table: one cache line that every packet of it touches, and apart from it what is known of its
//! two streams, where there is any. Knows no other flow.

use std::ops::Deref;

use crate::flow::prefilter::Carry;
use crate::model::event::Basis;
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

/// What is known of one direction's stream.
#[derive(Clone, Copy, Default)]
pub struct Direction {
    pub base: u32,
    pub next: u32,
    pub carry: Carry,
}

/// A flow: what every packet of it touches, in one cache line. The rest is elsewhere, and only of flows that need it.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Slot {
    pub(super) ends: u64, // addresses of the lower endpoint and, above it, the higher; of IPv6 the place of a pair
    pub(super) ports: u32, // likewise
    pub bits: u32,        // above the flags: what the sides' bytes have past 32 bits
    pub first_ns: u64,
    pub last_ns: u64,
    pub candidate: u32,    // index + 1 into the candidates, 0 for none
    pub(super) tag: u32, // of its hash, not 0; while a session is recorded, its place + 1, and the session keeps the tag
    pub packets: [u32; 2], // sent by the lower endpoint, by the higher
    pub(super) bytes_low: [u32; 2],
    pub(super) streams: u32, // place of what is known of the directions' streams; 0 for nothing
}

const _: () = assert!(std::mem::size_of::<Slot>() == 64);

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

    /// Decide by the flow's first segment who began it: the sender of a SYN or the receiver of a SYN with ACK; else, if
    /// exactly one port is below 1024, the other side; else the sender.
    pub fn set_originator(&mut self, seg: &Segment) {
        let sender = seg.side();
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

    /// What every segment of a flow changes.
    #[inline(always)]
    pub fn note(&mut self, side: usize, seg: &Segment) {
        self.last_ns = self.last_ns.max(seg.ts_ns);
        self.count(side, seg.ip_len);
    }

    #[inline]
    pub fn count(&mut self, side: usize, ip_bytes: u32) {
        self.packets[side] = self.packets[side].saturating_add(1);
        let (low, carried) = self.bytes_low[side].overflowing_add(ip_bytes);
        self.bytes_low[side] = low;
        if carried && self.bytes_high(side) < HIGH_MOST {
            self.bits += 1 << (HIGH_SHIFT + HIGH_WIDTH * side);
        }
    }

    pub fn bytes(&self, side: usize) -> u64 {
        u64::from(self.bytes_high(side)) << 32 | u64::from(self.bytes_low[side])
    }

    #[inline]
    fn bytes_high(&self, side: usize) -> u32 {
        self.bits >> (HIGH_SHIFT + HIGH_WIDTH * side) & HIGH_MOST
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
}

/// A flow as those see it who ask for its streams.
#[derive(Clone, Copy)]
pub struct Flow<'a> {
    pub(super) slot: &'a Slot,
    pub sides: &'a [Direction; 2],
}

impl Deref for Flow<'_> {
    type Target = Slot;

    #[inline(always)]
    fn deref(&self) -> &Slot {
        self.slot
    }
}
