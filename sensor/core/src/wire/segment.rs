//! What decoding a frame yields: one TCP segment or UDP datagram, with where its bytes lie. Owns bytes only if they
//! were put together from fragments; otherwise it points into the block that was read.

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;

pub const MAX_VLANS: usize = 4;

/// Whether checksums are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    Unknown, // not looked at, or not all of it was captured
    Right,
    Wrong,
}

/// A decoded segment. Addresses of IPv4 are in the first four bytes, the rest zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub src: [u8; 16],
    pub dst: [u8; 16],
    pub ts_ns: u64,
    pub hash: u64,
    pub near: u32, // the slot + 1 that its flow has most likely; 0 where none is known
    pub owned: Option<Box<[u8]>>,
    pub other: Option<Box<Segment>>, // of a datagram whose fragments contradict each other: its other reading
    pub l4_start: u32,
    pub l4_len: u32,
    pub ip_len: u32,   // total length of the innermost IP packet on the wire
    pub wire_len: u32, // payload length on the wire; at least the captured one
    pub seq: u32,
    pub ack: u32,
    pub source: u16,
    pub sport: u16,
    pub dport: u16,
    pub vlans: [u16; MAX_VLANS],
    pub vlan_count: u8,
    pub header_len: u8,
    pub ttl: u8,      // of the innermost IP packet (IPv6: hop limit)
    pub mac: [u8; 6], // source of the innermost Ethernet header; zero without one
    pub proto: u8,
    pub flags: u8,
    pub v6: bool,
    pub whole: bool,  // every byte captured: the checksum can be computed
    pub bad_ip: bool, // the checksum of the innermost IPv4 header is wrong
}

impl Segment {
    /// Which side of its flow has sent it: 0 the lower of the two endpoints, 1 the higher.
    #[inline]
    pub fn side(&self) -> usize {
        if self.v6 {
            return usize::from((self.src, self.sport) > (self.dst, self.dport));
        }
        let end = |address: &[u8; 16], port: u16| {
            let [a, b, c, d, ..] = *address;
            u64::from(u32::from_be_bytes([a, b, c, d])) << 16 | u64::from(port)
        };
        usize::from(end(&self.src, self.sport) > end(&self.dst, self.dport))
    }

    /// Layer 4 header and payload as captured.
    #[inline]
    pub fn l4<'a>(&'a self, block: &'a [u8]) -> &'a [u8] {
        let bytes = self.owned.as_deref().unwrap_or(block);
        &bytes[self.l4_start as usize..(self.l4_start + self.l4_len) as usize]
    }

    /// Payload as captured.
    #[inline]
    pub fn payload<'a>(&'a self, block: &'a [u8]) -> &'a [u8] {
        &self.l4(block)[self.header_len as usize..]
    }

    /// The acknowledgement number, where it counts.
    #[inline]
    pub fn acked(&self) -> Option<u32> {
        (self.flags & ACK != 0).then_some(self.ack)
    }

    /// The TSval of the timestamps option (RFC 7323 section 3.2: kind 8, 10 bytes), if a TCP segment other than a reset
    /// carries one.
    pub fn tsval(&self, block: &[u8]) -> Option<u32> {
        if self.proto != TCP || self.flags & RST != 0 {
            return None; // what resets is often not the host that owns the clock
        }
        let mut options = self.l4(block).get(20..self.header_len as usize)?;
        loop {
            let length = match options.first()? {
                0 => return None,
                1 => 1,
                _ => usize::from(*options.get(1)?),
            };
            if options[0] == 8 && length == 10 {
                return Some(u32::from_be_bytes(options.get(2..6)?.try_into().ok()?)).filter(|_| options.len() >= 10);
            }
            if length == 0 || (length == 1 && options[0] != 1) {
                return None;
            }
            options = options.get(length..)?;
        }
    }

    /// What the checksums say of the segment as a whole.
    pub fn sum(&self, block: &[u8]) -> Sum {
        if self.bad_ip || self.checksum_is_wrong(block) {
            return Sum::Wrong;
        }
        if self.whole {
            Sum::Right
        } else {
            Sum::Unknown
        }
    }

    /// Whether the TCP or UDP checksum (RFC 1071 over the pseudo header) is wrong; false where it cannot be computed.
    pub fn checksum_is_wrong(&self, block: &[u8]) -> bool {
        let l4 = self.l4(block);
        if !self.whole || (self.proto == UDP && (l4.len() < 8 || (l4[6] == 0 && l4[7] == 0))) {
            return false;
        }
        let width = if self.v6 { 16 } else { 4 };
        let mut sum = sum_words(&self.src[..width]) + sum_words(&self.dst[..width]);
        sum += self.proto as u64 + l4.len() as u64;
        fold(sum + sum_words(l4)) != 0xffff
    }
}

/// Sum of big-endian 16-bit words, an odd last byte padded with zero, folded: the order of bytes makes no difference to
/// how words add up (RFC 1071 section 2 B), so they are taken as this machine has them, four bytes at a time.
pub fn sum_words(bytes: &[u8]) -> u64 {
    let mut fours = bytes.chunks_exact(4);
    let sum: u64 = fours.by_ref().map(|four| u64::from(u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))).sum();
    let mut last = [0; 4];
    last[..fours.remainder().len()].copy_from_slice(fours.remainder());
    u64::from(u16::from_be(fold(sum + u64::from(u32::from_ne_bytes(last))) as u16))
}

/// One's complement fold to 16 bits.
pub fn fold(mut sum: u64) -> u64 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_words_one_by_one() {
        let bytes: Vec<u8> = (0..1_500_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
        for length in (0..70).chain([1_459, 1_460, 1_499, 1_500]) {
            for bytes in [&bytes[..length], &vec![0; length], &vec![255; length]] {
                let padded = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
                assert_eq!(fold(sum_words(bytes)), fold(bytes.chunks(2).map(padded).sum()), "{length}");
            }
        }
    }
}
