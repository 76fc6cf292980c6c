//! The block format (IETF opsawg pcapng): sections, each with its own byte order and interfaces. Blocks that carry no
//! packets are skipped.

use crate::capture::packet::{Packet, Parsed, MAX_RECORD_BYTES, NO_INTERFACE};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const MAX_BLOCK_BYTES: usize = MAX_RECORD_BYTES + (64 << 10);
/// Interfaces of one section: a file may hold nothing but their descriptions.
const MAX_INTERFACES: usize = 65_536;
const MAX_TS_NS: i128 = i64::MAX as i128;

pub fn is_magic(head: &[u8]) -> bool {
    head.starts_with(&SECTION.to_be_bytes())
}

#[derive(Clone, Copy)]
struct Interface {
    link: u16,
    snaplen: u32,
    units_per_second: u128,
    offset_ns: i128,
}

/// The state of the section being read.
#[derive(Default)]
pub struct Pcapng {
    big: bool,
    interfaces: Vec<Interface>,
    last_ts_ns: u64,
}

impl Pcapng {
    #[inline(always)]
    fn u32_at(&self, bytes: &[u8], at: usize) -> u32 {
        let field = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        }
    }

    #[inline(always)]
    fn u16_at(&self, bytes: &[u8], at: usize) -> u16 {
        let field = [bytes[at], bytes[at + 1]];
        if self.big {
            u16::from_be_bytes(field)
        } else {
            u16::from_le_bytes(field)
        }
    }

    pub(super) fn parse(&mut self, bytes: &[u8], packets: &mut Vec<Packet>) -> Parsed {
        let mut at = 0;
        while at + 12 <= bytes.len() {
            let block = &bytes[at..];
            let stop = |reason| Parsed { used: at, damage: Some((reason, at)), need: 0 };
            let is_section = is_magic(block);
            if is_section {
                match &block[8..12] {
                    [0x1a, 0x2b, 0x3c, 0x4d] => self.big = true,
                    [0x4d, 0x3c, 0x2b, 0x1a] => self.big = false,
                    _ => return stop("section header"),
                }
                self.interfaces.clear();
            }
            let length = self.u32_at(block, 4) as usize;
            if length < 12 || length % 4 != 0 || length > MAX_BLOCK_BYTES || (is_section && length < 28) {
                return stop("block length");
            }
            if length > block.len() {
                return Parsed { used: at, damage: None, need: length };
            }
            if self.u32_at(block, length - 4) as usize != length {
                return stop("block length");
            }
            let body = &block[8..length - 4];
            if let Err(reason) = self.block(self.u32_at(block, 0), body, at + 8, packets) {
                return stop(reason);
            }
            at += length;
        }
        Parsed { used: at, damage: None, need: 0 }
    }

    fn block(&mut self, kind: u32, body: &[u8], start: usize, packets: &mut Vec<Packet>) -> Result<(), &'static str> {
        let (interface, units, captured, data) = match kind {
            INTERFACE => {
                if body.len() < 8 {
                    return Err("block length");
                }
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Err("too many interfaces");
                }
                let interface = self.describe(body);
                self.interfaces.push(interface);
                return Ok(());
            }
            ENHANCED_PACKET | OLD_PACKET => {
                if body.len() < 20 {
                    return Err("block length");
                }
                let number = if kind == ENHANCED_PACKET {
                    self.u32_at(body, 0) as usize
                } else {
                    usize::from(self.u16_at(body, 0))
                };
                let units = u64::from(self.u32_at(body, 4)) << 32 | u64::from(self.u32_at(body, 8));
                (self.interfaces.get(number).copied(), Some(units), self.u32_at(body, 12) as usize, 20)
            }
            SIMPLE_PACKET => {
                if body.len() < 4 {
                    return Err("block length");
                }
                let interface = self.interfaces.first().copied();
                let limit = interface.map_or(0, |i| i.snaplen as usize);
                let original = self.u32_at(body, 0) as usize;
                let captured = original.min(if limit == 0 { usize::MAX } else { limit }).min(body.len() - 4);
                (interface, None, captured, 4)
            }
            _ => return Ok(()),
        };
        if captured > MAX_RECORD_BYTES || captured > body.len() - data {
            return Err("record length");
        }
        if let (Some(units), Some(interface)) = (units, interface) {
            let ns = (u128::from(units) * 1_000_000_000 / interface.units_per_second).min(MAX_TS_NS as u128) as i128;
            self.last_ts_ns = (ns + interface.offset_ns).clamp(0, MAX_TS_NS) as u64;
        }
        let link = interface.map_or(NO_INTERFACE, |i| i.link);
        packets.push(Packet {
            ts_ns: self.last_ts_ns,
            start: (start + data) as u32,
            captured: captured as u32,
            link,
            source: 0,
        });
        Ok(())
    }

    fn describe(&self, body: &[u8]) -> Interface {
        let mut interface = Interface {
            link: self.u16_at(body, 0),
            snaplen: self.u32_at(body, 4),
            units_per_second: 1_000_000,
            offset_ns: 0,
        };
        let mut options = &body[8..];
        while options.len() >= 4 {
            let (code, length) = (self.u16_at(options, 0), usize::from(self.u16_at(options, 2)));
            let Some(value) = options.get(4..4 + length) else { break };
            match (code, length) {
                (0, _) => break,
                (9, 1) => interface.units_per_second = units_per_second(value[0]),
                (14, 8) => {
                    let (first, second) = (u64::from(self.u32_at(value, 0)), u64::from(self.u32_at(value, 4)));
                    let seconds = if self.big { first << 32 | second } else { second << 32 | first };
                    interface.offset_ns = i128::from(seconds as i64) * 1_000_000_000;
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        interface
    }
}

/// `if_tsresol`: a negative power of ten, or of two if the high bit is set.
fn units_per_second(resolution: u8) -> u128 {
    let power = u32::from(resolution & 0x7f);
    if resolution & 0x80 != 0 {
        1_u128.checked_shl(power).filter(|units| *units > 0).unwrap_or(u128::MAX)
    } else {
        10_u128.checked_pow(power).unwrap_or(u128::MAX)
    }
}
