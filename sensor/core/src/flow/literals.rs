//! Where literals are in a row of bytes: asked of every payload. Vector instructions look for a few pieces that all
//! literals together have (`marks`), and what is around a piece that was found is compared; where few pieces do not do,
//! they look for the literals themselves, or an automaton does.

use aho_corasick::{packed, AhoCorasick, MatchKind, Span, StartKind};
use memchr::memmem;

use crate::flow::marks;

/// Bytes of a carry and a payload that are looked at in a row of their own, where they are no more: long enough for
/// vector instructions.
const SHORT_ROW: usize = 64;
/// What stands behind them there; in hardly any literal.
const PADDING: u8 = 0xff;

/// All literals, to be looked for.
pub struct Literals {
    literals: Vec<Vec<u8>>,
    search: Search,
    finders: Vec<memmem::Finder<'static>>,
}

enum Search {
    Nothing,
    Marks(Marks),
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

struct Marks {
    searcher: packed::Searcher,
    places: Vec<Vec<(usize, usize)>>, // by the mark: the literals that hold it, and where
}

/// A searcher, which is to look at 32 bytes at a time if `slim`. That is no part of what the crate promises: a version
/// without it does not compile, and this then goes.
fn packed_searcher(needles: &[Vec<u8>], slim: bool) -> Option<packed::Searcher> {
    let mut config = packed::Config::new();
    config.match_kind(packed::MatchKind::LeftmostFirst).only_teddy_fat(slim.then_some(false));
    config.builder().extend(needles).build()
}

impl Marks {
    fn new(literals: &[Vec<u8>]) -> Option<Marks> {
        let pieces = marks::of(literals).filter(|pieces| pieces.len() < literals.len())?;
        let places_of = |piece: &Vec<u8>| {
            let holders = literals.iter().enumerate().flat_map(|(number, literal)| {
                let at = (0..literal.len()).filter(|at| literal[*at..].starts_with(piece));
                at.map(move |at| (number, at)).collect::<Vec<_>>()
            });
            holders.collect()
        };
        Some(Marks { searcher: packed_searcher(&pieces, true)?, places: pieces.iter().map(places_of).collect() })
    }

    /// Give every literal in the first `length` bytes of a row, and where it begins, until that is enough.
    #[inline]
    fn each(&self, literals: &[Vec<u8>], row: &[u8], length: usize, mut is_enough: impl FnMut(usize, usize) -> bool) {
        let mut span = Span::from(0..row.len());
        while let Some(found) = self.searcher.find_in(row, span) {
            for (number, at) in &self.places[found.pattern().as_usize()] {
                let Some(begin) = found.start().checked_sub(*at) else { continue };
                if row[begin..length.max(begin)].starts_with(&literals[*number]) && is_enough(*number, begin) {
                    return;
                }
            }
            span.start = found.start() + 1; // marks may overlap
        }
    }
}

impl Literals {
    pub fn new(literals: Vec<Vec<u8>>) -> Result<Literals, String> {
        let search = match Marks::new(&literals) {
            _ if literals.is_empty() => Search::Nothing,
            Some(marks) => Search::Marks(marks),
            None => match packed_searcher(&literals, false) {
                Some(searcher) => Search::Packed(searcher),
                None => Search::Automaton(automaton(&literals)?),
            },
        };
        let finders = literals.iter().map(|literal| memmem::Finder::new(literal).into_owned()).collect();
        Ok(Literals { literals, search, finders })
    }

    /// Whether any literal is in a carry and a few bytes of data behind it, and ends in these. None: they are not few.
    #[inline]
    pub fn is_in_few(&self, carry: &[u8], data: &[u8]) -> Option<bool> {
        let Search::Marks(marks) = &self.search else { return None };
        let length = carry.len() + data.len();
        if length > SHORT_ROW {
            return None;
        }
        let mut row = [PADDING; SHORT_ROW];
        row[..carry.len()].copy_from_slice(carry);
        row[carry.len()..length].copy_from_slice(data);
        Some(self.is_marked(marks, &row, length, carry.len()))
    }

    /// Whether any literal is in a row, and ends behind its first `carried` bytes.
    #[inline]
    pub fn is_in(&self, row: &[u8], carried: usize) -> bool {
        match &self.search {
            Search::Nothing => false,
            Search::Marks(marks) => self.is_marked(marks, row, row.len(), carried),
            Search::Packed(searcher) => searcher.find(row).is_some() && self.ends_behind(row, carried),
            Search::Automaton(automaton) => automaton.is_match(row) && self.ends_behind(row, carried),
        }
    }

    fn is_marked(&self, marks: &Marks, row: &[u8], length: usize, carried: usize) -> bool {
        let mut is_there = false;
        marks.each(&self.literals, row, length, |number, begin| {
            is_there = begin + self.literals[number].len() > carried;
            is_there
        });
        is_there
    }

    fn ends_behind(&self, row: &[u8], carried: usize) -> bool {
        carried == 0 || !self.first_of_each(row, carried).is_empty()
    }

    /// Every literal's first place in a row that ends behind its first `carried` bytes: (literal, where it begins).
    pub fn first_of_each(&self, row: &[u8], carried: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        if let Search::Marks(marks) = &self.search {
            marks.each(&self.literals, row, row.len(), |number, begin| {
                let fits = begin + self.literals[number].len() > carried;
                match found.iter_mut().find(|(other, _)| *other == number) {
                    Some((_, first)) if fits => *first = begin.min(*first),
                    None if fits => found.push((number, begin)),
                    _ => {}
                }
                false
            });
            return found;
        }
        for (number, finder) in self.finders.iter().enumerate() {
            let from = (carried + 1).saturating_sub(finder.needle().len());
            if let Some(at) = row.get(from..).and_then(|rest| finder.find(rest)) {
                found.push((number, from + at));
            }
        }
        found
    }
}

fn automaton(literals: &[Vec<u8>]) -> Result<AhoCorasick, String> {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostFirst).start_kind(StartKind::Unanchored);
    builder.build(literals).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: [&str; 7] = ["eth_submit", "\"mining.", "ckb_submit", "_submit", "getwork", "submitWo", "aaaaaaaa"];
    const TEXTS: [&str; 7] = [
        "eth_submitWork",
        "\"mining.submit\"",
        "getwork_submit",
        "xeth_subm",
        "submit_eth_sub",
        "aaaaaaaaaaa",
        "\u{ff}",
    ];

    /// Where a literal first ends behind so many bytes, looked for at every place.
    fn first(row: &[u8], literal: &str, carried: usize) -> Option<usize> {
        (0..row.len()).find(|at| row[*at..].starts_with(literal.as_bytes()) && at + literal.len() > carried)
    }

    #[test]
    fn what_is_found_is_what_there_is_however_it_is_looked_for() {
        let named = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
        let by_marks = Literals::new(named(&SHARED)).unwrap();
        let alone = Literals::new(named(&["getwork", "\"mining."])).unwrap();
        assert!(matches!(by_marks.search, Search::Marks(_)) && matches!(alone.search, Search::Packed(_)));
        for (literals, names) in [(&by_marks, &SHARED[..]), (&alone, &["getwork", "\"mining."][..])] {
            for (one, other) in TEXTS.iter().flat_map(|one| TEXTS.map(|other| (one, other))) {
                let row = [one.as_bytes(), &b"."[..one.len() % 2], other.as_bytes()].concat();
                for carried in 0..=row.len().min(15) {
                    let there: Vec<(usize, usize)> = names
                        .iter()
                        .enumerate()
                        .filter_map(|(number, name)| first(&row, name, carried).map(|at| (number, at)))
                        .collect();
                    let mut found = literals.first_of_each(&row, carried);
                    found.sort_unstable();
                    assert_eq!(found, there, "{one} {other} {carried}");
                    assert_eq!(literals.is_in(&row, carried), !there.is_empty());
                    let few = literals.is_in_few(&row[..carried], &row[carried..]);
                    assert!(few.is_none_or(|few| few != there.is_empty()));
                }
            }
        }
    }
}
