//! A layer of a frame while it is peeled, and reading its fields. What each layer holds is `decode`'s and `tunnel`'s.

use crate::model::stats::Counter;

/// Why a frame gave no segment: the counter that says so.
pub type Ignored = Counter;

/// What comes next in a frame.
#[derive(Clone, Copy, Debug)]
pub enum Layer<'a> {
    Ethernet(&'a [u8]),
    EtherType(u16, &'a [u8]),
    Ppp(&'a [u8]),
    Mpls(&'a [u8]),
    Ip(&'a [u8]), // the version is in its first nibble
    Ipv4(&'a [u8]),
    Ipv6(&'a [u8]),
    Proto(u8, &'a [u8]),
}

#[inline(always)]
pub fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[inline(always)]
pub fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// What follows the first `n` bytes. `Err`: the frame was cut before.
#[inline(always)]
pub fn after(bytes: &[u8], n: usize) -> Result<&[u8], Ignored> {
    bytes.get(n..).ok_or(Counter::IgnoredCut)
}
