//! Packets and the blocks they lie in: each block is one buffer and the packets whole in it. Nothing is copied per
//! packet.

/// No sane capture holds a larger packet; a longer length is damage.
pub const MAX_RECORD_BYTES: usize = 16 << 20;
/// Link type of a packet whose interface was never described.
pub const NO_INTERFACE: u16 = u16::MAX;

/// A packet within a block.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub ts_ns: u64,
    pub start: u32,
    pub captured: u32,
    pub link: u16,
    pub source: u16, // which of the sources read at the same time; 0 in a file
}

impl Packet {
    /// Its bytes, of those of its block.
    #[inline]
    pub fn of<'a>(&self, block: &'a [u8]) -> &'a [u8] {
        &block[self.start as usize..(self.start + self.captured) as usize]
    }
}

/// What was read at once.
#[derive(Default)]
pub struct Block {
    pub bytes: Vec<u8>,
    pub filled: usize,
    pub packets: Vec<Packet>,
}

impl Block {
    /// Copy packets of another block to the end of this one.
    pub fn append(&mut self, bytes: &[u8], packets: &[Packet]) {
        for packet in packets {
            let start = self.bytes.len() as u32;
            self.bytes.extend_from_slice(packet.of(bytes));
            self.packets.push(Packet { start, ..*packet });
        }
    }

    #[inline]
    pub fn frame(&self, packet: &Packet) -> &[u8] {
        packet.of(&self.bytes)
    }
}

/// Why reading stopped or never began, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub reason: String,
    pub offset: u64,
}

/// Damage found while parsing a block: the reason and the position in the block.
pub(crate) type Damage = (&'static str, usize);

/// How far a format's parser came: the bytes it used, and the damage that stops it for good.
pub(crate) struct Parsed {
    pub used: usize,
    pub damage: Option<Damage>,
    pub need: usize, // bytes the record at `used` needs, if known to be more than there are
}
