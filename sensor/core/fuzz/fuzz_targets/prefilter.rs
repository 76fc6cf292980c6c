//! The prefilter: a literal of a stream is found however the stream is cut, where it is, and nothing else is. An input
//! is two literals, an opening, and the pieces of a stream.

#![no_main]

use _core::flow::opening::Opening;
use _core::flow::prefilter::{Carry, Tables};
use libfuzzer_sys::fuzz_target;
use minewatch_core_fuzz::Input;

fn first(literal: &[u8], stream: &[u8]) -> Option<usize> {
    stream.windows(literal.len()).position(|window| window == literal)
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut literals = Vec::new();
    for _ in 0..2 {
        let length = usize::from(input.byte() % 20);
        literals.push(input.take(length).to_vec());
    }
    let (proto, at) = (if input.byte() & 1 == 0 { 6 } else { 17 }, usize::from(input.byte() % 20));
    let pattern: Vec<(u8, u8)> = (0..input.byte() % 20).map(|_| (input.byte(), input.byte())).collect();
    let budget = i64::from(input.u16());
    let opening = Opening { proto, at, pattern, budget, most: usize::from(input.byte()), ..Opening::default() };
    let Ok(tables) = Tables::new(literals.clone(), vec![opening], Vec::new()) else { return };

    let (mut stream, mut carry, mut found) = (Vec::new(), Carry::default(), [None; 2]);
    while !input.is_empty() {
        let length = usize::from(input.byte());
        let piece = input.take(length);
        let hits = tables.find_all(carry.get(), piece);
        assert_eq!(tables.scan(carry.get(), piece), !hits.is_empty());
        for (place, literal) in hits {
            let place = stream.len() as i64 + place;
            let needle = &literals[literal];
            assert_eq!(&[&stream[..], piece].concat()[place as usize..][..needle.len()], &needle[..]);
            found[literal] = found[literal].or(Some(place as usize));
        }
        tables.opening(proto, carry.get(), piece);
        stream.extend_from_slice(piece);
        carry.extend(piece);
    }
    for (literal, found) in literals.iter().zip(found) {
        assert_eq!(found, first(literal, &stream));
    }
});
