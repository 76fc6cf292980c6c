//! A few pieces of the literals, such that each literal holds one of them: what holds no piece holds no literal. Vector
//! instructions look for few strings at twice the speed that they have for many.

use std::collections::{BTreeMap, BTreeSet};

/// With so many `aho_corasick::packed` still looks at 32 bytes at a time (its "slim" Teddy) without stopping often.
const MOST: usize = 40;
/// Length of a piece: as many bytes as it compares at once.
const LENGTH: usize = 4;

type Pieces = BTreeMap<Vec<u8>, BTreeSet<usize>>;

/// Few pieces, or None if few do not do.
pub fn of(literals: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let found = cover(&pieces(literals), (0..literals.len()).collect());
    (found.len() <= MOST).then_some(found)
}

/// Every piece, and which literals hold it.
fn pieces(literals: &[Vec<u8>]) -> Pieces {
    let mut pieces = Pieces::new();
    for (number, literal) in literals.iter().enumerate() {
        for piece in literal.windows(LENGTH) {
            pieces.entry(piece.to_vec()).or_default().insert(number);
        }
    }
    pieces
}

/// Pieces of which every literal holds one: again and again the one that most of the rest hold, of such the rarest.
fn cover(pieces: &Pieces, mut rest: BTreeSet<usize>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let rank =
            |(piece, holders): &(&Vec<u8>, &BTreeSet<usize>)| (holders.intersection(&rest).count(), rarity(piece));
        let Some((piece, holders)) = pieces.iter().max_by_key(rank) else { break };
        rest.retain(|number| !holders.contains(number));
        found.push(piece.clone());
    }
    found
}

/// How rare a piece is in ordinary traffic, about: text has small letters, digits and blanks, binary data rows of zeros,
/// at which a comparison stops that comes to a zero at its end.
fn rarity(piece: &[u8]) -> (usize, bool) {
    let is_rare = |byte: &&u8| !matches!(byte, 0 | b' ' | b'0'..=b'9' | b'a'..=b'z');
    (piece.iter().filter(is_rare).count(), piece.last() != Some(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(literal: &[u8], pieces: &[Vec<u8>]) -> bool {
        pieces.iter().any(|piece| literal.windows(piece.len()).any(|window| window == piece))
    }

    #[test]
    fn every_literal_holds_a_piece_and_there_are_few() {
        let verbs = ["submit", "getwork", "notify", "login", "job_id", "agent"];
        let names = ["eth_", "\"mining.", "ckb_", "X-", "pearl.", "qkc_"];
        let literals: Vec<Vec<u8>> =
            names.iter().flat_map(|name| verbs.map(|verb| format!("{name}{verb}").into_bytes())).collect();
        let pieces = of(&literals).unwrap();
        assert!(pieces.len() <= 12 && literals.iter().all(|literal| holds(literal, &pieces)), "{}", pieces.len());
    }

    #[test]
    fn where_few_do_not_do_there_are_none() {
        let literal = |number: u32| number.wrapping_mul(0x9e37_79b9).to_be_bytes().to_vec();
        assert_eq!(of(&(0..200).map(literal).collect::<Vec<_>>()), None);
        assert_eq!(of(&[]), Some(Vec::new()));
    }
}
