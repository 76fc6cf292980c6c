//! The hash of a segment's flow: the same for both directions.

use crate::wire::segment::Segment;

/// A hash of the unordered pair of endpoints and the protocol; `seed` keeps others from choosing collisions.
#[inline]
pub fn flow_hash(seg: &Segment, seed: u64) -> u64 {
    let source = side_hash(&seg.src, seg.sport, seed);
    let destination = side_hash(&seg.dst, seg.dport, seed);
    mix(source.wrapping_add(destination) ^ (u64::from(seg.proto) << 56), source ^ destination ^ seed)
}

#[inline]
fn side_hash(address: &[u8; 16], port: u16, seed: u64) -> u64 {
    let high = u64::from_le_bytes([
        address[0], address[1], address[2], address[3], address[4], address[5], address[6], address[7],
    ]);
    let low = u64::from_le_bytes([
        address[8],
        address[9],
        address[10],
        address[11],
        address[12],
        address[13],
        address[14],
        address[15],
    ]);
    mix(
        high ^ seed ^ 0x9e37_79b9_7f4a_7c15,
        low ^ (u64::from(port) << 32) ^ seed.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03,
    )
}

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b | 1);
    (product >> 64) as u64 ^ product as u64
}
