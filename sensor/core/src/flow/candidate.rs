//! Flows that passed a gate: their assemblers, budgets and order of use. Bounded; the two lists (open gates, spent
//! gates) are kept in order of last use inside the slab itself, so that finding the longest idle costs nothing.

use crate::flow::assembler::{Ack, Assembler};
use crate::flow::doubt::Doubts;
use crate::flow::holdings::{Holding, Holdings, SEGMENT_BYTES};
use crate::flow::path::PathTrack;
use crate::flow::patience::Patience;
use crate::flow::prefilter::{Carry, MAX_LITERALS};
use crate::flow::trial::Trial;
use crate::model::event::Clock;

const NONE: u32 = u32::MAX;
/// Of a line so many bytes are charged in full, and of those after them one in so many.
const FULL_PRICE_LINE_BYTES: u64 = 8_192;
const LONG_LINE_DISCOUNT: u64 = 64;

/// How sure it is that somebody talks there: the list that a candidate is in.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub enum Rank {
    #[default]
    Spent,
    Single,   // one packet, and nobody has answered it
    OneSided, // several, of one side
    Answered,
}

/// A candidate; arrays are by side of the slot (a, b).
#[derive(Default)]
pub struct Candidate {
    pub flow: u64,
    pub slot: u32,
    pub rank: Rank,
    pub budget: i64,
    pub sides: [Assembler; 2],
    pub carries: [Carry; 2],
    pub udp_offsets: [u64; 2],
    pub gap_bytes: u64,
    pub bad_checksums: u64,
    pub clocks: [Option<Clock>; 2],
    pub doubts: [Doubts; 2],
    pub paths: [PathTrack; 2],
    pub holding: Holding,
    pub behind: [Option<Patience>; 2], // the side has sent what was acknowledged, but it was not seen yet
    pub forgiven: [Ack; 2],            // up to here nothing of the side is waited for any more
    pub cut: [bool; 2],                // snaplen cuts the side's segments: what is missing does not come
    pub trial: Option<Box<Trial>>,     // its gate is not quite open; once it is shut: that came to nothing
    pub dismissed: bool,               // whoever polls has given it up
    line_bytes: [u64; 2],              // delivered since the last LF, or since the gate opened
    hits: [u64; MAX_LITERALS / 64],
    before: u32,
    after: u32,
}

impl Candidate {
    /// A flow whose gate has just opened.
    pub fn new(flow: u64, slot: u32, rank: Rank) -> Candidate {
        Candidate { flow, slot, rank, ..Candidate::default() }
    }

    /// Mark a literal as found; true the first time.
    pub fn first_hit(&mut self, literal: usize) -> bool {
        let (bits, mask) = (&mut self.hits[literal / 64], 1 << (literal % 64));
        let first = *bits & mask == 0;
        *bits |= mask;
        first
    }

    /// Whether a literal was found in it.
    pub fn has_hits(&self) -> bool {
        self.hits != [0; MAX_LITERALS / 64]
    }

    /// Take what these bytes of a side cost from the budget; false if it is spent.
    pub fn charge(&mut self, side: usize, data: &[u8]) -> bool {
        let line_bytes = &mut self.line_bytes[side];
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', data).map(|at| at + 1).chain([data.len()]) {
            let before = line_price(*line_bytes);
            *line_bytes += (end - begin) as u64;
            self.budget -= (line_price(*line_bytes) - before) as i64;
            if end > begin && data[end - 1] == b'\n' {
                *line_bytes = 0;
            }
            begin = end;
        }
        self.budget > 0
    }

    /// What is held of both directions, and set aside.
    fn held_bytes(&self) -> usize {
        let held = self
            .sides
            .iter()
            .map(|side| side.held_bytes() + side.waiting_bytes() + SEGMENT_BYTES * side.held_segments());
        let kept = self.trial.as_ref().map_or(0, |trial| trial.held_bytes());
        kept + held.sum::<usize>() + self.doubts.iter().map(Doubts::held_bytes).sum::<usize>()
    }

    /// Up to where a side is seen, or nothing more is waited for; its FIN takes a number.
    pub fn reached(&self, side: usize, fin: bool) -> Ack {
        let next = self.sides[side].next_seq();
        let forgiven = self.forgiven[side].filter(|ack| ack.wrapping_sub(next) as i32 > 0);
        self.sides[side].running.then(|| forgiven.unwrap_or(next.wrapping_add(u32::from(fin))))
    }

    /// The gate is shut: assembly begins anew when a literal opens it.
    pub fn stop(&mut self) {
        self.sides.iter_mut().for_each(|direction| direction.stop());
        self.line_bytes = [0; 2];
        self.doubts.iter_mut().for_each(Doubts::stop);
        self.behind = [None; 2];
        self.forgiven = [None; 2];
        self.trial.iter_mut().for_each(|trial| trial.drop_events());
    }

    /// The tables were swapped: literals have new numbers.
    pub fn forget_hits(&mut self) {
        self.hits = [0; MAX_LITERALS / 64];
    }
}

fn line_price(line_bytes: u64) -> u64 {
    let over = line_bytes.saturating_sub(FULL_PRICE_LINE_BYTES);
    line_bytes - over + over / LONG_LINE_DISCOUNT
}

#[derive(Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    length: usize,
}

/// The slab.
pub struct Candidates {
    slab: Vec<Candidate>,
    free: Vec<u32>,
    lists: [List; 4], // by rank
    holdings: Holdings,
}

impl Candidates {
    pub fn new() -> Self {
        let empty = List { oldest: NONE, newest: NONE, length: 0 };
        Candidates { slab: Vec::new(), free: Vec::new(), lists: [empty; 4], holdings: Holdings::default() }
    }

    pub fn count(&self, rank: Rank) -> usize {
        self.lists[rank as usize].length
    }

    /// Those whose gate is open.
    pub fn open_count(&self) -> usize {
        self.count(Rank::Single) + self.proven_count()
    }

    /// Those of more than one packet.
    pub fn proven_count(&self) -> usize {
        self.count(Rank::OneSided) + self.count(Rank::Answered)
    }

    /// The slots of all.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.lists.iter().flat_map(move |list| {
            let there_is = |at: &u32| *at != NONE;
            let first = Some(list.oldest).filter(there_is);
            let all = std::iter::successors(first, move |at| Some(self.slab[*at as usize].after).filter(there_is));
            all.map(|at| self.slot(at))
        })
    }

    /// The slot of a candidate's flow.
    pub fn slot(&self, at: u32) -> u32 {
        self.slab[at as usize].slot
    }

    #[inline]
    pub fn rank(&self, at: u32) -> Rank {
        self.slab[at as usize].rank
    }

    #[inline]
    pub fn get(&mut self, at: u32) -> &mut Candidate {
        &mut self.slab[at as usize]
    }

    #[inline]
    pub fn is_open(&self, at: u32) -> bool {
        self.rank(at) != Rank::Spent
    }

    /// Whether it was on trial to the end.
    pub fn has_failed(&self, at: u32) -> bool {
        !self.is_open(at) && self.slab[at as usize].trial.is_some()
    }

    pub fn insert(&mut self, candidate: Candidate) -> u32 {
        let at = match self.free.pop() {
            Some(at) => {
                self.slab[at as usize] = candidate;
                at
            }
            None => {
                self.slab.push(candidate);
                (self.slab.len() - 1) as u32
            }
        };
        self.link(at);
        at
    }

    pub fn remove(&mut self, at: u32) -> Candidate {
        self.slab[at as usize].stop();
        self.weigh(at);
        self.unlink(at);
        self.free.push(at);
        std::mem::take(&mut self.slab[at as usize])
    }

    /// The candidate was used just now.
    #[inline]
    pub fn touch(&mut self, at: u32) {
        if self.lists[self.rank(at) as usize].newest != at {
            self.unlink(at);
            self.link(at);
        }
    }

    /// Move between the lists.
    pub fn set_rank(&mut self, at: u32, rank: Rank) {
        self.unlink(at);
        self.slab[at as usize].rank = rank;
        self.link(at);
    }

    /// The candidate of a list that was used longest ago.
    pub fn oldest(&self, rank: Rank) -> Option<u32> {
        Some(self.lists[rank as usize].oldest).filter(|at| *at != NONE)
    }

    /// After a change: what all candidates hold together.
    #[inline]
    pub fn weigh(&mut self, at: u32) -> usize {
        let candidate = &mut self.slab[at as usize];
        let bytes = candidate.held_bytes();
        self.holdings.weigh(at, &mut candidate.holding, bytes);
        if self.holdings.is_stale(self.slab.len()) {
            self.holdings.tidy(|at| self.slab[at as usize].holding.serial());
        }
        self.holdings.total()
    }

    /// Who gives up first what it holds.
    pub fn greediest(&mut self) -> Option<u32> {
        self.holdings.victim(|at| self.slab[at as usize].holding.serial())
    }

    /// Every candidate there is.
    pub fn for_each(&mut self, mut each: impl FnMut(&mut Candidate)) {
        self.slab.iter_mut().for_each(&mut each);
    }

    fn link(&mut self, at: u32) {
        let rank = self.rank(at);
        let list = &mut self.lists[rank as usize];
        let newest = list.newest;
        list.newest = at;
        list.length += 1;
        if newest == NONE {
            list.oldest = at;
        } else {
            self.slab[newest as usize].after = at;
        }
        let candidate = &mut self.slab[at as usize];
        candidate.before = newest;
        candidate.after = NONE;
    }

    fn unlink(&mut self, at: u32) {
        let (before, after, rank) = {
            let candidate = &self.slab[at as usize];
            (candidate.before, candidate.after, candidate.rank as usize)
        };
        match before {
            NONE => self.lists[rank].oldest = after,
            _ => self.slab[before as usize].after = after,
        }
        match after {
            NONE => self.lists[rank].newest = before,
            _ => self.slab[after as usize].before = before,
        }
        self.lists[rank].length -= 1;
    }
}

impl Default for Candidates {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_follows_use() {
        let mut all = Candidates::new();
        let ids: Vec<u32> = (0..3).map(|flow| all.insert(Candidate::new(flow, 0, Rank::Answered))).collect();
        all.touch(ids[0]);
        assert_eq!(all.oldest(Rank::Answered), Some(ids[1]));
        all.set_rank(ids[1], Rank::Spent);
        assert_eq!((all.oldest(Rank::Answered), all.oldest(Rank::Spent)), (Some(ids[2]), Some(ids[1])));
        assert_eq!(all.remove(ids[2]).flow, 2);
        assert_eq!((all.oldest(Rank::Answered), all.open_count(), all.count(Rank::Spent)), (Some(ids[0]), 1, 1));
        all.remove(ids[0]);
        assert_eq!(all.oldest(Rank::Answered), None);
    }

    #[test]
    fn a_line_costs_the_same_however_it_is_cut() {
        let lines = [vec![b'x'; 9_000], b"\n".to_vec(), vec![b'y'; 20_000], b"\nz\n\n".to_vec()].concat();
        let price = |size: usize| {
            let mut candidate = Candidate { budget: 1 << 40, ..Candidate::default() };
            lines.chunks(size).for_each(|piece| assert!(candidate.charge(1, piece)));
            (1 << 40) - candidate.budget
        };
        let whole = 8_192 + (9_001 - 8_192) / 64 + 8_192 + (20_001 - 8_192) / 64 + 3;
        assert!([1, 7, 1_460, 8_192, 1 << 20].into_iter().all(|size| price(size) == whole));
    }

    #[test]
    fn a_hit_is_first_once() {
        let mut candidate = Candidate::default();
        assert!(candidate.first_hit(200) && !candidate.first_hit(200) && candidate.first_hit(8));
    }
}
