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
        let mut pcap = Pcap { big, ns_per_unit, record_header, link: 0 };
        pcap.link = (pcap.u32_at(head, 20) & 0xffff) as u16;
        Some(pcap)
    }

    #[inline(always)]
    fn u32_at(&self, bytes: &[u8], at: usize) -> u32 {
        let field = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        }
    }

    pub(super) fn parse(&mut self, bytes: &[u8], packets: &mut Vec<Packet>) -> Parsed {
        let mut at = 0;
        while at + self.record_header <= bytes.len() {
            let captured = self.u32_at(bytes, at + 8) as usize;
            if captured > MAX_RECORD_BYTES {
                return Parsed { used: at, damage: Some(("record length", at)), need: 0 };
            }
            let start = at + self.record_header;
            if start + captured > bytes.len() {
                return Parsed { used: at, damage: None, need: self.record_header + captured };
            }
            let ts_ns = u64::from(self.u32_at(bytes, at)) * 1_000_000_000
                + u64::from(self.u32_at(bytes, at + 4)) * self.ns_per_unit;
            packets.push(Packet { ts_ns, start: start as u32, captured: captured as u32, link: self.link, source: 0 });
            at = start + captured;
        }
        Parsed { used: at, damage: None, need: 0 }
    }
}
