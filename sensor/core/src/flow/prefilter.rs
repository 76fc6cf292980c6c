//! The gates: literals anywhere in TCP payload, openings at the first bytes of a direction. Says only whether bytes
//! deserve a second look; what they mean is decided by whoever parses them.

use aho_corasick::{packed, AhoCorasick, MatchKind, Span, StartKind};
use memchr::memmem;

use crate::flow::first_bytes::FirstBytes;
use crate::flow::marks;
use crate::wire::segment::{TCP, UDP};

/// Bytes of a direction kept for literals and openings that are cut by a segment border.
pub const CARRY: usize = 15;
pub const MAX_LITERAL: usize = CARRY + 1;
pub const MAX_LITERALS: usize = 256;
/// Bytes of a carry and a payload that are looked at together, where they are no more.
const SHORT_ROW: usize = 64;

/// The first payload of a direction: from byte `at` on, every byte within its (low, high).
#[derive(Clone, Debug)]
pub struct Opening {
    pub proto: u8,
    pub at: usize,
    pub pattern: Vec<(u8, u8)>,
    pub budget: i64,
}

impl Opening {
    /// Whether a stream that starts with `bytes` opens so.
    #[inline]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let Some(window) = bytes.get(self.at..self.at + self.pattern.len()) else { return false };
        window.iter().zip(&self.pattern).all(|(byte, (low, high))| low <= byte && byte <= high)
    }
}

/// "Is any literal there?", asked of every payload: vector instructions where the set is small enough for them, an
/// automaton otherwise. Before both it is asked whether any piece of a literal is there, where few pieces do.
struct Matcher {
    marks: Option<packed::Searcher>,
    holders: Vec<Numbers>, // the literals that hold a mark, by the mark
    whole: Whole,
}

/// Some of the literals, by their numbers.
#[derive(Clone, Copy)]
struct Numbers([u64; MAX_LITERALS / 64]);

impl Numbers {
    const NONE: Numbers = Numbers([0; MAX_LITERALS / 64]);
    const ALL: Numbers = Numbers([u64::MAX; MAX_LITERALS / 64]);

    fn add(&mut self, others: &Numbers) {
        self.0.iter_mut().zip(others.0).for_each(|(bits, more)| *bits |= more);
    }

    fn has(&self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 == 1
    }

    fn holding(mark: &[u8], literals: &[Vec<u8>]) -> Numbers {
        let mut numbers = Numbers::NONE;
        for (number, _) in literals.iter().enumerate().filter(|(_, literal)| memmem::find(literal, mark).is_some()) {
            numbers.0[number / 64] |= 1 << (number % 64);
        }
        numbers
    }
}

enum Whole {
    Nothing,
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

/// A searcher, which is to look at 32 bytes at a time if `slim`. That is no part of what the crate promises: a version
/// without it does not compile, and this then goes.
fn packed_searcher(needles: &[Vec<u8>], slim: bool) -> Option<packed::Searcher> {
    let mut config = packed::Config::new();
    config.match_kind(packed::MatchKind::LeftmostFirst).only_teddy_fat(slim.then_some(false));
    config.builder().extend(needles).build()
}

impl Matcher {
    fn new(literals: &[Vec<u8>]) -> Result<Matcher, String> {
        let pieces = marks::of(literals).filter(|pieces| !pieces.is_empty() && pieces.len() < literals.len());
        let pieces = pieces.unwrap_or_default();
        let marks = if pieces.is_empty() { None } else { packed_searcher(&pieces, true) };
        let holders = pieces.iter().map(|piece| Numbers::holding(piece, literals)).collect();
        Ok(Matcher { marks, holders, whole: Whole::new(literals)? })
    }

    /// The literals that may be in any of these, by their marks.
    fn may_be_in_any(&self, rows: [&[u8]; 2]) -> Numbers {
        let Some(marks) = &self.marks else { return Numbers::ALL };
        let mut numbers = Numbers::NONE;
        for row in rows {
            let mut span = Span::from(0..row.len());
            while let Some(found) = marks.find_in(row, span) {
                numbers.add(&self.holders[found.pattern().as_usize()]);
                span.start = found.start() + 1; // marks may overlap
            }
        }
        numbers
    }

    /// Whether so few bytes are looked at in a row of their own.
    #[inline]
    fn is_short(&self, length: usize) -> bool {
        length <= SHORT_ROW && self.marks.is_some()
    }

    #[inline]
    fn may_be_in(&self, data: &[u8]) -> bool {
        self.marks.as_ref().is_none_or(|marks| marks.find(data).is_some())
    }

    #[inline]
    fn is_in(&self, data: &[u8]) -> bool {
        self.may_be_in(data) && self.whole.is_in(data)
    }
}

impl Whole {
    fn new(literals: &[Vec<u8>]) -> Result<Whole, String> {
        if literals.is_empty() {
            return Ok(Whole::Nothing);
        }
        if let Some(searcher) = packed_searcher(literals, false) {
            return Ok(Whole::Packed(searcher));
        }
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .start_kind(StartKind::Unanchored)
            .build(literals);
        built.map(Whole::Automaton).map_err(|error| error.to_string())
    }

    #[inline]
    fn is_in(&self, data: &[u8]) -> bool {
        match self {
            Whole::Nothing => false,
            Whole::Packed(searcher) => searcher.find(data).is_some(),
            Whole::Automaton(automaton) => automaton.is_match(data),
        }
    }
}

/// What to look for; swapped as a whole.
pub struct Tables {
    pub literals: Vec<Vec<u8>>,
    pub openings: Vec<Opening>,
    pub flights: Vec<(u32, u32)>, // sizes of a first flight and of its answer
    any: Matcher,
    finders: Vec<memmem::Finder<'static>>,
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
            if opening.proto != TCP && opening.proto != UDP {
                return Err(format!("an opening of protocol {}, known are {TCP} (TCP) and {UDP} (UDP)", opening.proto));
            }
            let (length, end) = (opening.pattern.len(), opening.at + opening.pattern.len());
            if !(1..=16).contains(&length) || (opening.proto == TCP && end > MAX_LITERAL) || end > 65_535 {
                return Err(format!("an opening of {length} bytes at {} does not fit", opening.at));
            }
            if opening.proto == TCP {
                tcp_first.add(if opening.at == 0 { &opening.pattern } else { &[] });
            }
        }
        let any = Matcher::new(&literals)?;
        let finders = literals.iter().map(|l| memmem::Finder::new(l).into_owned()).collect();
        Ok(Tables { literals, openings, flights, any, finders, tcp_first })
    }

    /// Whether any literal is in `data`, or ends in it having begun in the carry.
    #[inline]
    pub fn scan(&self, carry: &[u8], data: &[u8]) -> bool {
        if self.any.is_short(carry.len() + data.len()) {
            // one look at both, in a row long enough for vector instructions; behind them stands
            // what no text holds
            let mut row = [0xff; SHORT_ROW];
            row[..carry.len()].copy_from_slice(carry);
            row[carry.len()..carry.len() + data.len()].copy_from_slice(data);
            if !self.any.may_be_in(&row) {
                return false;
            }
        }
        if !carry.is_empty() {
            let (joined, length) = join(carry, data);
            // a literal wholly inside the carry was seen before, so a match here is looked at exactly
            if self.any.is_in(&joined[..length]) && self.ends_in_data(&joined[..length], carry.len()) {
                return true;
            }
        }
        data.len() >= 4 && self.any.is_in(data)
    }

    fn ends_in_data(&self, joined: &[u8], carried: usize) -> bool {
        self.finders.iter().any(|finder| finder.find_iter(joined).any(|at| at + finder.needle().len() > carried))
    }

    /// Every literal's first occurrence in carry + data that ends inside data: (position relative to data's start,
    /// literal), in order.
    pub fn find_all(&self, carry: &[u8], data: &[u8]) -> Vec<(i64, usize)> {
        let (joined, length) = join(carry, data);
        let held = self.any.may_be_in_any([&joined[..length], data]);
        let mut found = Vec::new();
        for (index, finder) in self.finders.iter().enumerate().filter(|(index, _)| held.has(*index)) {
            let across = finder.find_iter(&joined[..length]).find(|at| at + finder.needle().len() > carry.len());
            if let Some(at) = across {
                found.push((at as i64 - carry.len() as i64, index));
            } else if let Some(at) = finder.find(data) {
                found.push((at as i64, index));
            }
        }
        found.sort_unstable();
        found
    }

    /// The first opening in table order that a stream beginning with carry + data matches wholly.
    #[inline]
    pub fn opening(&self, proto: u8, carry: &[u8], data: &[u8]) -> Option<&Opening> {
        if carry.is_empty() {
            if proto == TCP && !self.tcp_first.allow(data) {
                return None;
            }
            return self.openings.iter().find(|o| o.proto == proto && o.matches(data));
        }
        let (joined, length) = join(carry, data);
        if proto == TCP && !self.tcp_first.allow(&joined[..length]) {
            return None;
        }
        self.openings.iter().find(|o| o.proto == proto && o.matches(&joined[..length]))
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
        let opening = Opening { proto: 6, at: 0, pattern: vec![(0, 5), (0, 255), (4, 4)], budget: 10 };
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
    fn what_is_found_by_marks_is_what_there_is() {
        let texts =
            ["eth_submitWork", "\"mining.submit\"", "getwork_submit", "xeth_subm", "submit_eth_sub", "\0\0\0\u{81}e"];
        let literals: Vec<Vec<u8>> =
            ["eth_submit", "\"mining.", "ckb_submit", "_submit", "getwork", "submitWo", "work_s"]
                .map(|text| text.as_bytes().to_vec())
                .into();
        let tables = Tables::new(literals.clone(), Vec::new(), Vec::new()).unwrap();
        assert!(tables.any.marks.is_some());
        for (first, second) in texts.iter().flat_map(|first| texts.map(|second| (first, second))) {
            for padding in [0, 3, 70] {
                let stream = [first.as_bytes(), &vec![b'.'; padding], second.as_bytes()].concat();
                for cut in 0..=stream.len() {
                    let (carry, data) = (&stream[cut.saturating_sub(CARRY)..cut], &stream[cut..]);
                    let ends_in_data = |literal: &[u8]| {
                        let whole = [carry, data].concat();
                        let found = whole.windows(literal.len()).position(|window| window == literal);
                        memmem::find_iter(&whole, literal).any(|at| at + literal.len() > carry.len()) && found.is_some()
                    };
                    let there: Vec<usize> = (0..literals.len()).filter(|at| ends_in_data(&literals[*at])).collect();
                    let mut found: Vec<usize> = tables.find_all(carry, data).iter().map(|(_, index)| *index).collect();
                    found.sort_unstable();
                    assert_eq!((tables.scan(carry, data), found), (!there.is_empty(), there), "{stream:?} {cut}");
                }
            }
        }
    }

    #[test]
    fn openings_need_all_their_bytes() {
        assert!(tables().opening(6, &[], &[1, 9]).is_none());
        assert!(tables().opening(6, &[1, 9], &[4]).is_some());
        assert!(tables().opening(6, &[], &[6, 9, 4]).is_none());
        assert!(tables().opening(17, &[], &[1, 9, 4]).is_none());
    }
}
