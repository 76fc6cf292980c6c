//! Where a direction stands in its row of TLS records (RFC 8446 section 5.1): the next sequence number, what is left of
//! the record at hand, and the header's bytes so far. Knows lengths and no content. docs/border.md, "Encrypted sessions".

pub const HEADER: usize = 5;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;
/// 2^14 and what encryption may add (RFC 5246 section 6.2.3 has 2,048, RFC 8446 256; OpenSSL sends no more).
const MAX_LENGTH: u16 = 16_640;
/// Bytes at a payload's end by which text is told: so many random ones are text once in 7 million times.
const TAIL: usize = 16;
/// An opening: the header, and the type of the first message in it.
pub const OPENING: usize = 6;

/// Type and length of a header at the front of these bytes.
pub fn header(bytes: &[u8]) -> Option<(u8, u16)> {
    let found = bytes.get(..HEADER)?;
    let length = u16::from_be_bytes([found[3], found[4]]);
    let fits = (20..=24).contains(&found[0]) && found[1] == 3 && found[2] <= 4;
    (fits && (1..=MAX_LENGTH).contains(&length)).then_some((found[0], length))
}

/// Whether a payload, of so many bytes on the wire, begins with headers that lead from one to the next.
pub fn is_chain(payload: &[u8], wire_len: u32) -> bool {
    let modern = |bytes: &[u8]| header(bytes).filter(|_| bytes[2] == 3);
    let Some((_, length)) = modern(payload) else { return false };
    let end = HEADER + usize::from(length);
    end as u64 == u64::from(wire_len) || payload.get(end..).is_some_and(|rest| modern(rest).is_some())
}

/// Whether a payload begins as a hello does, as far as it goes; nothing does not.
pub fn is_opening(payload: &[u8]) -> bool {
    let start = &payload[..payload.len().min(OPENING)];
    let fits = |at: usize, test: fn(u8) -> bool| start.get(at).is_none_or(|byte| test(*byte));
    let length = |bytes: &[u8]| (4..=MAX_LENGTH).contains(&u16::from_be_bytes([bytes[3], bytes[4]]));
    !start.is_empty()
        && fits(0, |byte| byte == HANDSHAKE)
        && fits(1, |byte| byte == 3)
        && fits(2, |byte| byte <= 4)
        && fits(3, |byte| byte <= (MAX_LENGTH >> 8) as u8)
        && (start.len() < HEADER || length(start))
        && fits(5, |byte| byte == 1 || byte == 2)
}

/// Whether the last bytes of a payload are text: what is encrypted is none.
pub fn is_text(payload: &[u8]) -> bool {
    let tail = &payload[payload.len().saturating_sub(TAIL)..];
    tail.iter().all(|byte| matches!(byte, 9 | 10 | 13 | 32..=126)) // of what is encrypted the first two bytes decide
}

mod bit {
    pub const PLACED: u8 = 1;
    pub const ANCHORED: u8 = 2; // `next` means something
    pub const ONCE: u8 = 4; // it has been in its place before
    pub const GAP: u8 = 8; // the next record that is handed on comes after a gap
    pub const STASHED: u8 = 16; // a header was read, and not reported yet
}

/// What a walk comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    Record { kind: u8, length: u16 },
    Body(&'a [u8]), // of the record at hand
    Lost,           // a header that is none
}

/// One direction.
#[derive(Clone, Copy, Default, Debug)]
pub struct Place {
    pub next: u32,
    pub left: u16, // of the record whose header is whole
    header: [u8; HEADER],
    have: u8, // bytes of the header
    bits: u8,
}

impl Place {
    pub fn is_placed(&self) -> bool {
        self.bits & bit::PLACED != 0
    }

    pub fn is_anchored(&self) -> bool {
        self.bits & bit::ANCHORED != 0
    }

    /// The type of the record at hand.
    pub fn kind(&self) -> u8 {
        self.header[0]
    }

    /// Stand at the front of a record; true if it is not the first place there was.
    pub fn put(&mut self, seq: u32) -> bool {
        let again = self.bits & bit::ONCE != 0;
        self.bits |= bit::PLACED | bit::ANCHORED | bit::ONCE | if again { bit::GAP } else { 0 };
        (self.next, self.left, self.have) = (seq, 0, 0);
        again
    }

    /// Nothing is known but how far the direction came.
    pub fn lose(&mut self, end: u32) {
        self.bits = self.bits & !(bit::PLACED | bit::STASHED) | bit::ANCHORED;
        (self.next, self.left, self.have) = (end, 0, 0);
    }

    /// Whether the next record comes after a gap; asked once.
    pub fn take_gap(&mut self) -> bool {
        let gap = self.bits & bit::GAP != 0;
        self.bits &= !bit::GAP;
        gap
    }

    /// Keep a header back until the first byte behind it is there.
    pub fn stash(&mut self) {
        self.bits |= bit::STASHED;
    }

    pub fn unstash(&mut self) -> bool {
        let stashed = self.bits & bit::STASHED != 0;
        self.bits &= !bit::STASHED;
        stashed
    }

    /// Pass over bytes of the record at hand.
    pub fn pass(&mut self, bytes: u16) {
        self.left -= bytes;
        if self.left == 0 {
            self.have = 0;
        }
    }

    /// Walk on; None: all bytes are used up.
    pub fn step<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Step<'a>> {
        if self.left > 0 {
            let (body, rest) = bytes.split_at(bytes.len().min(usize::from(self.left)));
            *bytes = rest;
            return (!body.is_empty()).then(|| {
                self.pass(body.len() as u16);
                Step::Body(body)
            });
        }
        let have = usize::from(self.have);
        let (taken, rest) = bytes.split_at(bytes.len().min(HEADER - have));
        self.header[have..have + taken.len()].copy_from_slice(taken);
        self.have += taken.len() as u8;
        *bytes = rest;
        if usize::from(self.have) < HEADER {
            return None;
        }
        let Some((kind, length)) = header(&self.header) else { return Some(Step::Lost) };
        self.left = length;
        Some(Step::Record { kind, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lengths: &[u16]) -> Vec<u8> {
        let record = |length: &u16| [&[23, 3, 3][..], &length.to_be_bytes(), &vec![7; usize::from(*length)]].concat();
        lengths.iter().flat_map(record).collect()
    }

    #[test]
    fn the_lengths_are_the_same_however_the_bytes_are_cut() {
        let (lengths, bytes) = ([1, 20, 300, 7], records(&[1, 20, 300, 7]));
        for size in 1..bytes.len() {
            let mut place = Place::default();
            let mut found = Vec::new();
            for mut piece in bytes.chunks(size) {
                while let Some(step) = place.step(&mut piece) {
                    if let Step::Record { length, .. } = step {
                        found.push(length);
                    }
                }
            }
            assert_eq!(found, lengths);
        }
    }

    #[test]
    fn a_chain_is_two_headers_or_a_record_that_ends_with_the_segment() {
        let two = records(&[20, 9]);
        assert!(is_chain(&two, two.len() as u32) && is_chain(&two[..30], 39) && is_chain(&two[..25], 25));
        assert!(!is_chain(&two[..25], 30) && !is_chain(&two[..4], 4) && !is_chain(&[0; 50], 50));
    }

    #[test]
    fn text_is_told_by_the_last_sixteen_bytes() {
        assert!(is_text(b"{\"id\":1}\n") && is_text(&[&[0xe7; 9][..], b"\tmining.notify\r\n"].concat()));
        assert!(!is_text(&[&[0xe7; 9][..], b"mining.notify\r\n"].concat()) && !is_text(b"0123456789abcde\x7f"));
    }

    #[test]
    fn an_opening_is_told_as_far_as_it_goes() {
        let hello = [22, 3, 1, 2, 0, 1, 0];
        assert!((1..7).all(|length| is_opening(&hello[..length])) && !is_opening(&[]));
        for (at, byte) in [(0, 23), (1, 2), (2, 5), (3, 0x42), (5, 3)] {
            let mut other = hello;
            other[at] = byte;
            assert!(!is_opening(&other), "{at}");
        }
    }
}
