//! The gates: literals anywhere in TCP payload, openings at the first bytes of a direction. Says only whether bytes
//! deserve a second look; what they mean is decided by whoever parses them.

use std::sync::Arc;

use crate::flow::first_bytes::FirstBytes;
use crate::flow::literals::Literals;
use crate::flow::opening::Opening;
use crate::names::listed::ListedNames;
use crate::wire::segment::TCP;

/// Bytes of a direction kept for literals and openings that are cut by a segment border.
pub const CARRY: usize = 15;
pub const MAX_LITERAL: usize = CARRY + 1;
pub const MAX_LITERALS: usize = 256;

/// What to look for; swapped as a whole.
pub struct Tables {
    pub literals: Vec<Vec<u8>>,
    openings: [Vec<Arc<Opening>>; 2], // of TCP, of others
    pub flights: Vec<(u32, u32)>,     // sizes of a first flight and of its answer
    pub names: ListedNames,           // that are asked for
    search: Literals,
    tcp_first: FirstBytes, // with which some TCP opening can begin
}

impl Tables {
    /// Refuses what the carry could not keep whole.
    pub fn new(literals: Vec<Vec<u8>>, openings: Vec<Opening>, flights: Vec<(u32, u32)>) -> Result<Tables, String> {
        if let Some((first, answer)) = flights.iter().find(|(first, answer)| *first == 0 || *answer == 0) {
            return Err(format!("flights of {first} and {answer} bytes: both must hold something"));
        }
        if literals.len() > MAX_LITERALS {
            return Err(format!("{} literals, at most {MAX_LITERALS}", literals.len()));
        }
        if let Some(bad) = literals.iter().find(|l| !(4..=MAX_LITERAL).contains(&l.len())) {
            return Err(format!("a literal has {} bytes, allowed are 4 to {MAX_LITERAL}", bad.len()));
        }
        let mut tcp_first = FirstBytes::default();
        for opening in &openings {
            opening.check()?;
            if opening.proto == TCP {
                tcp_first.add(if opening.at == 0 { &opening.pattern } else { &[] });
            }
        }
        let search = Literals::new(literals.clone())?;
        let (tcp, others) = openings.into_iter().map(Arc::new).partition(|opening| opening.proto == TCP);
        let openings = [tcp, others];
        Ok(Tables { literals, openings, flights, names: ListedNames::default(), search, tcp_first })
    }

    /// The same tables with these names.
    pub fn with_names(self, suffixes: Option<Vec<Vec<u8>>>) -> Tables {
        Tables { names: ListedNames::new(suffixes), ..self }
    }

    /// Whether any literal is in `data`, or ends in it having begun in the carry.
    #[inline]
    pub fn scan(&self, carry: &[u8], data: &[u8]) -> bool {
        if let Some(is_there) = self.search.is_in_few(carry, data) {
            return is_there;
        }
        if !carry.is_empty() {
            let (joined, length) = join(carry, data);
            // a literal wholly inside the carry was seen before
            if self.search.is_in(&joined[..length], carry.len()) {
                return true;
            }
        }
        data.len() >= 4 && self.search.is_in(data, 0)
    }

    /// Every literal's first occurrence in carry + data that ends inside data: (position relative to data's start,
    /// literal), in order.
    pub fn find_all(&self, carry: &[u8], data: &[u8]) -> Vec<(i64, usize)> {
        let (joined, length) = join(carry, data);
        let across = self.search.first_of_each(&joined[..length], carry.len());
        let inside = self.search.first_of_each(data, 0);
        let is_new = |(literal, _): &&(usize, usize)| !across.iter().any(|(other, _)| other == literal);
        let mut found: Vec<(i64, usize)> =
            inside.iter().filter(is_new).map(|(literal, at)| (*at as i64, *literal)).collect();
        found.extend(across.iter().map(|(literal, at)| (*at as i64 - carry.len() as i64, *literal)));
        found.sort_unstable();
        found
    }

    /// The first opening in table order that a stream beginning with carry + data matches wholly.
    #[inline]
    pub fn opening(&self, proto: u8, carry: &[u8], data: &[u8]) -> Option<&Arc<Opening>> {
        if carry.is_empty() {
            return self.opening_of(proto, data, data.len());
        }
        let (joined, length) = join(carry, data);
        self.opening_of(proto, &joined[..length], carry.len() + data.len())
    }

    /// The same of a stream of `length` bytes that begins with `bytes`.
    #[inline]
    pub fn opening_of(&self, proto: u8, bytes: &[u8], length: usize) -> Option<&Arc<Opening>> {
        if proto == TCP && !self.tcp_first.allow(bytes) {
            return None;
        }
        self.openings[usize::from(proto != TCP)].iter().find(|opening| opening.matches(bytes, length))
    }
}

/// The carry and the first bytes of the data in a row: enough for any literal that begins in the carry.
#[inline]
fn join(carry: &[u8], data: &[u8]) -> ([u8; 2 * CARRY + 1], usize) {
    let mut joined = [0; 2 * CARRY + 1];
    let head = data.len().min(CARRY + 1);
    joined[..carry.len()].copy_from_slice(carry);
    joined[carry.len()..carry.len() + head].copy_from_slice(&data[..head]);
    (joined, carry.len() + head)
}

/// The last bytes of a stream, for the next segment.
#[derive(Clone, Copy, Default, Debug)]
pub struct Carry {
    length: u8,
    bytes: [u8; CARRY],
}

impl Carry {
    #[inline]
    pub fn get(&self) -> &[u8] {
        &self.bytes[..self.length as usize]
    }

    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// The stream went on with `data`.
    #[inline]
    pub fn extend(&mut self, data: &[u8]) {
        if data.len() >= CARRY {
            self.bytes.copy_from_slice(&data[data.len() - CARRY..]);
            self.length = CARRY as u8;
            return;
        }
        let keep = (self.length as usize).min(CARRY - data.len());
        self.bytes.copy_within(self.length as usize - keep..self.length as usize, 0);
        self.bytes[keep..keep + data.len()].copy_from_slice(data);
        self.length = (keep + data.len()) as u8;
    }

    /// The stream went on with `data` after a jump.
    #[inline]
    pub fn restart(&mut self, data: &[u8]) {
        self.clear();
        self.extend(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Tables {
        let pattern = vec![(0, 5), (0, 255), (4, 4)];
        let opening = Opening { proto: 6, pattern, budget: 10, ..Opening::default() };
        Tables::new(vec![b"\"mining.".to_vec(), b"eth_submit".to_vec()], vec![opening], Vec::new()).unwrap()
    }

    fn hits(carry: &[u8], data: &[u8]) -> Vec<(i64, usize)> {
        tables().find_all(carry, data)
    }

    #[test]
    fn a_literal_cut_anywhere_is_found_once_whole() {
        let stream = b"{\"method\":\"mining.subscribe\"}";
        for cut in 0..stream.len() {
            let mut carry = Carry::default();
            carry.extend(&stream[..cut]);
            let before = tables().scan(&[], &stream[..cut]);
            let now = tables().scan(carry.get(), &stream[cut..]);
            assert!(before || now, "cut at {cut}");
            if !before {
                assert_eq!(hits(carry.get(), &stream[cut..]), vec![(10 - cut as i64, 0)]);
            }
        }
    }

    #[test]
    fn a_literal_wholly_in_the_carry_is_not_found_again() {
        assert!(hits(b"xx\"mining.", b"subscribe").is_empty());
    }

    #[test]
    fn byte_by_byte_carry_is_the_last_fifteen() {
        let stream: Vec<u8> = (0..40).collect();
        let mut carry = Carry::default();
        for byte in &stream {
            carry.extend(&[*byte]);
        }
        assert_eq!(carry.get(), &stream[25..]);
    }

    #[test]
    fn openings_need_all_their_bytes() {
        assert!(tables().opening(6, &[], &[1, 9]).is_none());
        assert!(tables().opening(6, &[1, 9], &[4]).is_some());
        assert!(tables().opening(6, &[], &[6, 9, 4]).is_none());
        assert!(tables().opening(17, &[], &[1, 9, 4]).is_none());
    }
}
