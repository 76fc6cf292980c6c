//! Snoop files (RFC 1761): the format that the test of the recipes adds.

use crate::capture::packet::{Packet, Parsed, MAX_RECORD_BYTES};

pub const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;
/// The test's files are of Ethernet, which is 4 in their header.
const ETHERNET: u16 = 1;

pub fn is_magic(head: &[u8]) -> bool {
    head.starts_with(b"snoop\0\0\0\0\0\0\x02")
}

pub struct Snoop;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Snoop {
    pub(super) fn parse(&mut self, bytes: &[u8], packets: &mut Vec<Packet>) -> Parsed {
        let mut at = 0;
        while at + RECORD_HEADER <= bytes.len() {
            let captured = u32_at(bytes, at + 4) as usize;
            let record = u32_at(bytes, at + 8) as usize;
            if record < RECORD_HEADER + captured || record > MAX_RECORD_BYTES {
                return Parsed { used: at, damage: Some(("record length", at)), need: 0 };
            }
            if at + record > bytes.len() {
                return Parsed { used: at, damage: None, need: record };
            }
            let ts_ns = u64::from(u32_at(bytes, at + 16)) * 1_000_000_000 + u64::from(u32_at(bytes, at + 20)) * 1_000;
            let start = (at + RECORD_HEADER) as u32;
            packets.push(Packet { ts_ns, start, captured: captured as u32, link: ETHERNET, source: 0 });
            at += record;
        }
        Parsed { used: at, damage: None, need: 0 }
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::file::Reader;
    use crate::capture::packet::Block;

    #[test]
    fn a_snoop_file_is_read_as_a_capture() {
        let mut data = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
        for word in [4u32, 4, 28, 0, 1_700_000_000, 5] {
            data.extend(word.to_be_bytes());
        }
        data.extend(b"abcd");
        let path = std::env::temp_dir().join(format!("minewatch-{}.snoop", std::process::id()));
        std::fs::write(&path, data).unwrap();
        let mut reader = Reader::open(path.to_str().unwrap(), Default::default()).unwrap();
        let mut block = Block::default();
        let more = reader.next_block(&mut block);
        std::fs::remove_file(path).unwrap();
        assert_eq!(more, Ok(false));
        assert_eq!(block.packets.len(), 1);
        assert_eq!(block.packets[0].ts_ns, 1_700_000_000_000_005_000);
        assert_eq!(block.frame(&block.packets[0]), b"abcd");
    }
}
