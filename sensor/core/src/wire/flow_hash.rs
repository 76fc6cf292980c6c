//! The hash of a segment's flow: the same for both directions.

use crate::wire::segment::Segment;

/// One end of a flow, as the hash takes it: the halves of its address, and its port.
#[derive(Clone, Copy)]
pub struct HashedEnd {
    pub halves: [u64; 2],
    pub port: u16,
}

impl HashedEnd {
    /// An address of 16 bytes; one of IPv4 is in the first four of them.
    #[inline]
    pub fn new(address: &[u8; 16], port: u16) -> HashedEnd {
        let half = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&address[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        HashedEnd { halves: [half(0), half(8)], port }
    }

    /// An address of IPv4, without the twelve bytes behind it.
    #[inline]
    pub fn ipv4(address: [u8; 4], port: u16) -> HashedEnd {
        HashedEnd { halves: [u64::from(u32::from_le_bytes(address)), 0], port }
    }

    #[inline]
    fn hash(self, seed: u64) -> u64 {
        mix(
            self.halves[0] ^ seed ^ 0x9e37_79b9_7f4a_7c15,
            self.halves[1] ^ (u64::from(self.port) << 32) ^ seed.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03,
        )
    }
}

/// A hash of the unordered pair of ends and the protocol; `seed` keeps others from choosing collisions.
#[inline]
pub fn ends_hash(source: HashedEnd, destination: HashedEnd, proto: u8, seed: u64) -> u64 {
    let (source, destination) = (source.hash(seed), destination.hash(seed));
    mix(source.wrapping_add(destination) ^ (u64::from(proto) << 56), source ^ destination ^ seed)
}

/// The same of a segment.
#[inline]
pub fn flow_hash(seg: &Segment, seed: u64) -> u64 {
    ends_hash(HashedEnd::new(&seg.src, seg.sport), HashedEnd::new(&seg.dst, seg.dport), seg.proto, seed)
}

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b | 1);
    (product >> 64) as u64 ^ product as u64
}
