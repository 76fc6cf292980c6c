//! What all candidates of a worker hold together, and who gives up first: of those that hold the most, by powers of
//! two, the one that has done so the longest. Knows numbers alone. Rules: docs/border.md, "Assembler".

use std::collections::VecDeque;

/// What a held segment costs besides its bytes: its place, its allocation.
pub const SEGMENT_BYTES: usize = 64;
const CLASSES: usize = usize::BITS as usize + 1;

/// What a candidate holds, and since when it is in the class of that.
#[derive(Clone, Copy, Default, Debug)]
pub struct Holding {
    bytes: usize,
    serial: u64,
}

fn class_of(bytes: usize) -> usize {
    (usize::BITS - bytes.leading_zeros()) as usize
}

/// The candidates by class.
pub struct Holdings {
    classes: Vec<VecDeque<(u32, u64)>>, // by the time they came; a pair whose serial is gone is stale
    pairs: usize,
    total: usize,
    serial: u64,
}

impl Default for Holdings {
    fn default() -> Self {
        Holdings { classes: vec![VecDeque::new(); CLASSES], pairs: 0, total: 0, serial: 0 }
    }
}

impl Holdings {
    pub fn total(&self) -> usize {
        self.total
    }

    /// A candidate holds so much now.
    pub fn weigh(&mut self, at: u32, holding: &mut Holding, bytes: usize) {
        self.total = self.total - holding.bytes + bytes;
        let moved = class_of(holding.bytes) != class_of(bytes);
        holding.bytes = bytes;
        if !moved {
            return;
        }
        self.serial += 1;
        holding.serial = self.serial;
        if bytes > 0 {
            self.classes[class_of(bytes)].push_back((at, self.serial));
            self.pairs += 1;
        }
    }

    /// Who gives up next; `serial` tells the current serial of a candidate.
    pub fn victim(&mut self, serial: impl Fn(u32) -> u64) -> Option<u32> {
        for class in self.classes.iter_mut().rev() {
            while let Some(&(at, since)) = class.front() {
                if serial(at) == since {
                    return Some(at);
                }
                class.pop_front();
                self.pairs -= 1;
            }
        }
        None
    }

    /// Whether stale pairs pile up.
    pub fn is_stale(&self, candidates: usize) -> bool {
        self.pairs > 4 * candidates + 1_024
    }

    /// Drop the stale pairs.
    pub fn tidy(&mut self, serial: impl Fn(u32) -> u64) {
        self.classes.iter_mut().for_each(|class| class.retain(|(at, since)| serial(*at) == *since));
        self.pairs = self.classes.iter().map(VecDeque::len).sum();
    }
}

impl Holding {
    pub fn serial(&self) -> u64 {
        self.serial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_greedy_go_first_and_of_those_the_oldest() {
        let mut holdings = Holdings::default();
        let mut held = [Holding::default(); 4];
        for (at, bytes) in [(0, 100), (1, 5_000), (2, 4_200), (3, 0)] {
            holdings.weigh(at, &mut held[at as usize], bytes);
        }
        assert_eq!(holdings.total(), 9_300);
        let victim = |holdings: &mut Holdings, held: &[Holding; 4]| holdings.victim(|at| held[at as usize].serial());
        assert_eq!(victim(&mut holdings, &held), Some(1));
        holdings.weigh(1, &mut held[1], 0);
        assert_eq!(victim(&mut holdings, &held), Some(2));
        holdings.weigh(2, &mut held[2], 1);
        assert_eq!(victim(&mut holdings, &held), Some(0));
        holdings.tidy(|at| held[at as usize].serial());
        assert_eq!((holdings.pairs, holdings.total()), (2, 101));
    }
}
