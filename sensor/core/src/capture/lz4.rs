//! Frames of LZ4 one after another (LZ4 Frame Format 1.6.4). They are cut into units here, a header, a block or an end
//! mark, and a unit is decoded when it is whole: so a cut frame is told from one that ends.

use std::io::{self, BufRead, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

const MAGIC: u32 = 0x184d_2204;
/// Skippable frames have one of sixteen magics.
const SKIPPABLE: u32 = 0x184d_2a50;
const BLOCK_CHECKSUM: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;

pub struct Lz4<R> {
    raw: R,
    frame: FrameDecoder<Cursor<Vec<u8>>>,
    inside: Option<(u8, usize)>, // the flags of the frame, and its largest block
    damaged: bool,
}

impl<R: BufRead> Lz4<R> {
    pub fn new(raw: R) -> Lz4<R> {
        Lz4 { raw, frame: FrameDecoder::new(Cursor::default()), inside: None, damaged: false }
    }

    /// The next unit, empty for a skippable frame; none at the clean end.
    fn unit(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((flags, largest)) = self.inside else {
            if self.raw.fill_buf()?.is_empty() {
                return Ok(None);
            }
            return self.header().map(Some);
        };
        let mut unit = Vec::new();
        let size = self.word(&mut unit)?;
        if size == 0 {
            self.inside = None;
            self.take(&mut unit, if flags & CONTENT_CHECKSUM == 0 { 0 } else { 4 })?;
            return Ok(Some(unit));
        }
        let length = (size & 0x7fff_ffff) as usize;
        if length > largest {
            return Err(damage());
        }
        self.take(&mut unit, length + if flags & BLOCK_CHECKSUM == 0 { 0 } else { 4 })?;
        Ok(Some(unit))
    }

    fn header(&mut self) -> io::Result<Vec<u8>> {
        let mut unit = Vec::new();
        let magic = self.word(&mut unit)?;
        if magic & !0xf == SKIPPABLE {
            let length = u64::from(self.word(&mut unit)?);
            let skipped = io::copy(&mut self.raw.by_ref().take(length), &mut io::sink())?;
            return if skipped < length { Err(damage()) } else { Ok(Vec::new()) };
        }
        if magic != MAGIC {
            return Err(damage());
        }
        self.take(&mut unit, 2)?;
        let (flags, code) = (unit[4], unit[5] >> 4 & 7);
        if flags >> 6 != 1 || flags & DICTIONARY != 0 || code < 4 {
            return Err(damage());
        }
        self.take(&mut unit, if flags & CONTENT_SIZE == 0 { 1 } else { 9 })?;
        self.inside = Some((flags, 1 << (8 + 2 * code)));
        Ok(unit)
    }

    fn word(&mut self, unit: &mut Vec<u8>) -> io::Result<u32> {
        let at = unit.len();
        self.take(unit, 4)?;
        Ok(u32::from_le_bytes([unit[at], unit[at + 1], unit[at + 2], unit[at + 3]]))
    }

    /// Append the next `count` bytes of the file.
    fn take(&mut self, unit: &mut Vec<u8>, count: usize) -> io::Result<()> {
        let taken = self.raw.by_ref().take(count as u64).read_to_end(unit)?;
        if taken < count {
            return Err(damage());
        }
        Ok(())
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.frame.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            match self.unit()? {
                Some(unit) => *self.frame.get_mut() = Cursor::new(unit),
                None => return Ok(0),
            }
        }
    }
}

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.damaged {
            return Err(damage());
        }
        let outcome = self.next(buffer);
        self.damaged = outcome.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        outcome
    }
}

fn damage() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
