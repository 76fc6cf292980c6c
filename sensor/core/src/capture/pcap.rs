//! The classic capture format: a 24-byte file header, then records of 16 (or, in the modified format, 24) header bytes
//! and data.

use crate::capture::packet::{Packet, Parsed, MAX_RECORD_BYTES};

pub const FILE_HEADER: usize = 24;

/// What the file header states.
#[derive(Debug)]
pub struct Pcap {
    big: bool,
    ns_per_unit: u64,
    record_header: usize,
    link: u16,
}

impl Pcap {
    /// None if these are not the first bytes of such a file.
    pub fn from_header(head: &[u8]) -> Option<Pcap> {
        let head: &[u8; FILE_HEADER] = head.get(..FILE_HEADER)?.try_into().ok()?;
        let magic = [head[0], head[1], head[2], head[3]];
        let (big, value) = match magic[0] {
            0xa1 => (true, u32::from_be_bytes(magic)),
            _ => (false, u32::from_le_bytes(magic)),
        };
        let (ns_per_unit, record_header) = match value {
            0xa1b2_c3d4 => (1_000, 16),
            0xa1b2_3c4d => (1, 16),
            0xa1b2_cd34 => (1_000, 24),
            _ => return None,
        };
        let link = [head[20], head[21], head[22], head[23]];
        let link = (if big { u32::from_be_bytes(link) } else { u32::from_le_bytes(link) } & 0xffff) as u16;
        Some(Pcap { big, ns_per_unit, record_header, link })
    }

    pub(super) fn parse(&mut self, bytes: &[u8], packets: &mut Vec<Packet>) -> Parsed {
        if self.big {
            self.parse_as(bytes, packets, u32::from_be_bytes)
        } else {
            self.parse_as(bytes, packets, u32::from_le_bytes)
        }
    }

    #[inline(always)]
    fn parse_as(&self, bytes: &[u8], packets: &mut Vec<Packet>, u32_of: impl Fn([u8; 4]) -> u32) -> Parsed {
        let mut at = 0;
        while let Some(head) = bytes.get(at..at + self.record_header).and_then(<[u8]>::first_chunk::<16>) {
            let field = |at: usize| u32_of([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let captured = field(8) as usize;
            if captured > MAX_RECORD_BYTES {
                return Parsed { used: at, damage: Some(("record length", at)), need: 0 };
            }
            let start = at + self.record_header;
            if start + captured > bytes.len() {
                return Parsed { used: at, damage: None, need: self.record_header + captured };
            }
            let ts_ns = u64::from(field(0)) * 1_000_000_000 + u64::from(field(4)) * self.ns_per_unit;
            packets.push(Packet { ts_ns, start: start as u32, captured: captured as u32, link: self.link, source: 0 });
            at = start + captured;
        }
        Parsed { used: at, damage: None, need: 0 }
    }
}
