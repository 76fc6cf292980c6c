//! Bytes read from the front; what is not there is None.

/// What is left to read.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next so many bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A big-endian number of so many bytes, at most 4.
    #[inline]
    pub fn number(&mut self, width: usize) -> Option<usize> {
        Some(self.take(width)?.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    }

    #[inline]
    pub fn u16(&mut self) -> Option<u16> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*taken))
    }

    /// A vector of RFC 8446 section 3.4: its length in so many bytes, then that many bytes.
    #[inline]
    pub fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = if width == 2 { self.u16()?.into() } else { self.number(width)? };
        self.take(length)
    }

    /// The same where it has to be all that is left.
    #[inline]
    pub fn last_vector(mut self, width: usize) -> Option<&'a [u8]> {
        self.vector(width).filter(|_| self.is_empty())
    }
}

/// The bytes, if they are numbers of two bytes.
pub fn numbers(bytes: &[u8]) -> Option<&[u8]> {
    Some(bytes).filter(|bytes| bytes.len() % 2 == 0)
}

/// RFC 8701: 0x0a0a, 0x1a1a .. 0xfafa.
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// Numbers of two bytes, GREASE left out.
pub fn pairs(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).filter(|value| !is_grease(*value))
}
