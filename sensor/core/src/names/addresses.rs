//! Which domains an address answers to, as far as that was told in the hour: it is told again in the next, and of an
//! address with several domains no further one is. docs/border.md, "Ordinary names".

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::names::memo::place_of;

/// An address that answers to so many domains is shared: nobody asks for more of them.
const SHARED_BY: usize = 3;
/// Addresses of a core whose domains are remembered, in each of two generations; 64 bytes each, about.
pub const MAX_ADDRESSES: usize = 32_768;
const HOUR_NS: u64 = 3_600_000_000_000;

/// Answers that were of no concern, each in the place that its bytes lead to; and the longest. Together 1.3 MB.
const ANSWERS: usize = 8_192;
const MAX_ANSWER: usize = 128;

/// An address of 4 or 16 bytes.
pub type Address = ([u8; 16], bool);

/// What was told of an address in an hour.
#[derive(Clone, Copy, Default)]
struct Told {
    hour: u32,
    count: u32,
    domains: [u64; SHARED_BY], // hashes
}

/// Those of a worker.
pub struct NamedAddresses {
    most: usize,
    hashes: RandomState,
    newer: HashMap<Address, Told>,
    older: HashMap<Address, Told>, // until there are as many newer ones
    answers: Vec<(u32, Vec<u8>)>,  // of no concern, and the hour in which they came
}

impl NamedAddresses {
    pub fn new(most: usize) -> NamedAddresses {
        let (newer, older) = (HashMap::new(), HashMap::new());
        NamedAddresses { most: most.max(1), hashes: RandomState::new(), newer, older, answers: Vec::new() }
    }

    /// A domain as it is remembered.
    pub fn hash(&self, domain: &[u8]) -> u64 {
        self.hashes.hash_one(domain)
    }

    /// Whether this very answer came in the same hour and nothing was said of it.
    pub fn is_repeated(&self, answer: &[u8], ts_ns: u64) -> bool {
        let known = self.answers.get(place_of(answer) % ANSWERS);
        known.is_some_and(|(hour, bytes)| u64::from(*hour) == ts_ns / HOUR_NS && bytes == answer)
    }

    /// All was said of an answer's addresses, and nobody asks for its name.
    pub fn pass_over(&mut self, answer: &[u8], ts_ns: u64) {
        if answer.len() > MAX_ANSWER {
            return;
        }
        self.answers.resize_with(ANSWERS, Default::default);
        let (hour, bytes) = &mut self.answers[place_of(answer) % ANSWERS];
        *hour = (ts_ns / HOUR_NS) as u32;
        bytes.clear();
        bytes.extend_from_slice(answer);
    }

    /// Other names are asked for from now on.
    pub fn forget_answers(&mut self) {
        self.answers.clear();
    }

    /// An address answers to a domain at this time; whether that is to be told.
    pub fn is_new(&mut self, address: Address, domain: u64, ts_ns: u64) -> bool {
        let hour = (ts_ns / HOUR_NS) as u32;
        let told = match self.newer.get_mut(&address) {
            Some(told) => told,
            None => {
                let told = self.older.remove(&address).unwrap_or_default();
                if self.newer.len() >= self.most {
                    self.older = std::mem::take(&mut self.newer);
                    self.answers.clear(); // their addresses are to be among the newer ones, too
                }
                self.newer.entry(address).or_insert(told)
            }
        };
        if told.hour != hour {
            *told = Told { hour, ..Told::default() };
        }
        let count = told.count as usize;
        if count == SHARED_BY || told.domains[..count].contains(&domain) {
            return false;
        }
        told.domains[count] = domain;
        told.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_domains_of_an_address_are_told_in_an_hour_each_once() {
        let mut addresses = NamedAddresses::new(2);
        let one = ([1; 16], false);
        let all = |addresses: &mut NamedAddresses, ts_ns| {
            [7, 7, 8, 9, 10, 7].map(|domain| addresses.is_new(one, domain, ts_ns))
        };
        let first = [true, false, true, true, false, false];
        assert_eq!(all(&mut addresses, HOUR_NS), first);
        assert_eq!(all(&mut addresses, 2 * HOUR_NS - 1), [false; 6]);
        assert_eq!(all(&mut addresses, 2 * HOUR_NS), first);
        assert_eq!(all(&mut addresses, 0), first);
    }

    #[test]
    fn addresses_are_bounded_and_those_used_stay() {
        let mut addresses = NamedAddresses::new(2);
        for other in 0..100 {
            assert!(addresses.is_new(([other; 16], true), 1, 5));
            assert_eq!(addresses.is_new(([200; 16], true), 1, 5), other == 0);
            assert!(addresses.newer.len() <= 2 && addresses.older.len() <= 2);
        }
    }
}
