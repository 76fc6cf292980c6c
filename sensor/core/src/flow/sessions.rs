//! The encrypted sessions that are followed: a slab beside the flow table, two lists (those not judged yet by age, those
//! judged by last use), and what they hold together.

use std::collections::BTreeSet;

use crate::flow::sealed::{bit, Extra, Sealed};

const NONE: u32 = u32::MAX;
/// Sessions are allocated this many at a time and never move.
const CHUNK: usize = 1024;
/// Over the bound, the sessions that are not judged yet make room among themselves if they are more than a share of it.
const YOUNG_SHARE: usize = 4;

#[derive(Clone, Copy)]
struct List {
    oldest: u32,
    newest: u32,
    length: usize,
}

/// The slab.
pub struct Sessions {
    chunks: Vec<Box<[Sealed]>>,
    used: usize,
    free: Vec<u32>,
    lists: [List; 2],       // not judged, judged
    holders: BTreeSet<u32>, // those that hold segments behind holes
    held_bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Sessions {
    pub fn new(most: usize, most_bytes: usize) -> Sessions {
        let empty = List { oldest: NONE, newest: NONE, length: 0 };
        let (chunks, free) = (Vec::new(), Vec::new());
        let (lists, holders) = ([empty; 2], BTreeSet::new());
        Sessions { chunks, used: 0, free, lists, holders, held_bytes: 0, most, most_bytes }
    }

    pub fn is_on(&self) -> bool {
        self.most > 0
    }

    pub fn len(&self) -> usize {
        self.lists[0].length + self.lists[1].length
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Load what nearly every segment asks for of a session.
    #[inline]
    pub fn touch_first(&self, at: u32) -> u64 {
        self.look(at).touch()
    }

    pub fn get(&mut self, at: u32) -> &mut Sealed {
        &mut self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    fn look(&self, at: u32) -> &Sealed {
        &self.chunks[at as usize / CHUNK][at as usize % CHUNK]
    }

    /// Who leaves for one more, if somebody has to.
    pub fn victim(&self) -> Option<u32> {
        let [young, judged] = self.lists;
        if self.len() < self.most {
            None
        } else if judged.length == 0 || young.length > self.most / YOUNG_SHARE {
            Some(young.oldest)
        } else {
            Some(judged.oldest)
        }
    }

    /// Who leaves where more is held than may be.
    pub fn excess(&self) -> Option<u32> {
        Some(self.lists[0].oldest).filter(|at| self.held_bytes > self.most_bytes && *at != NONE)
    }

    /// Bytes that may still be held.
    pub fn room(&self) -> usize {
        self.most_bytes.saturating_sub(self.held_bytes)
    }

    pub fn insert(&mut self, session: Sealed) -> u32 {
        let at = self.free.pop().unwrap_or_else(|| {
            if self.used == self.chunks.len() * CHUNK {
                self.chunks.push((0..CHUNK).map(|_| Sealed::default()).collect());
            }
            self.used += 1;
            (self.used - 1) as u32
        });
        *self.get(at) = session;
        self.link(at);
        self.weigh(at);
        at
    }

    pub fn remove(&mut self, at: u32) -> Sealed {
        self.unlink(at);
        let mut session = std::mem::take(self.get(at));
        Extra::give_back(session.extra.take());
        if session.has(bit::HOLDS) {
            self.holders.remove(&at);
        }
        self.held_bytes -= session.weight as usize;
        self.free.push(at);
        session
    }

    /// After a change: what it holds now.
    pub fn weigh(&mut self, at: u32) {
        let session = self.get(at);
        session.shrink();
        let (before, now) = (session.weight as usize, session.weigh());
        session.weight = now as u32;
        let holds = session.holds();
        if holds != session.has(bit::HOLDS) {
            session.bits ^= bit::HOLDS;
            if holds {
                self.holders.insert(at);
            } else {
                self.holders.remove(&at);
            }
        }
        self.held_bytes = self.held_bytes - before + now;
    }

    /// A judged one was used just now.
    pub fn touch(&mut self, at: u32) {
        if self.look(at).has(bit::JUDGED) && self.lists[1].newest != at {
            self.unlink(at);
            self.link(at);
        }
    }

    /// It is judged.
    pub fn promote(&mut self, at: u32) {
        self.unlink(at);
        self.get(at).bits |= bit::JUDGED;
        self.link(at);
    }

    /// The judged sessions for which `is_due` and all that hold segments, in order of their numbers.
    pub fn due(&self, is_due: impl Fn(&Sealed) -> bool) -> Vec<u32> {
        let some = |at: u32| Some(at).filter(|at| *at != NONE);
        let judged = std::iter::successors(some(self.lists[1].oldest), |at| some(self.look(*at).after));
        let waiting = judged.filter(|at| !self.look(*at).has(bit::HOLDS) && is_due(self.look(*at)));
        let mut found: Vec<u32> = waiting.chain(self.holders.iter().copied()).collect();
        found.sort_unstable_by_key(|at| self.look(*at).flow);
        found
    }

    fn list(&self, at: u32) -> usize {
        usize::from(self.look(at).has(bit::JUDGED))
    }

    fn link(&mut self, at: u32) {
        let number = self.list(at);
        let list = &mut self.lists[number];
        let newest = std::mem::replace(&mut list.newest, at);
        list.length += 1;
        if newest == NONE {
            list.oldest = at;
        } else {
            self.get(newest).after = at;
        }
        (self.get(at).before, self.get(at).after) = (newest, NONE);
    }

    fn unlink(&mut self, at: u32) {
        let (before, after, number) = (self.look(at).before, self.look(at).after, self.list(at));
        match before {
            NONE => self.lists[number].oldest = after,
            _ => self.get(before).after = after,
        }
        match after {
            NONE => self.lists[number].newest = before,
            _ => self.get(after).before = before,
        }
        self.lists[number].length -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_young_make_room_among_themselves_past_their_share() {
        let mut all = Sessions::new(8, 1 << 20);
        let add = |all: &mut Sessions, flow: u64| all.insert(Sealed::midstream(flow, flow as u32));
        let ids: Vec<u32> = (1..=8).map(|flow| add(&mut all, flow)).collect();
        assert_eq!(all.victim(), Some(ids[0]));
        ids[2..].iter().for_each(|at| all.promote(*at));
        assert_eq!(all.victim(), Some(ids[2]));
        all.touch(ids[2]);
        assert_eq!(all.victim(), Some(ids[3]));
        assert_eq!((all.remove(ids[3]).flow, all.victim()), (4, None));
    }

    #[test]
    fn what_is_held_is_bounded_by_the_oldest_that_is_not_judged() {
        let mut all = Sessions::new(8, 300);
        let first = all.insert(Sealed::midstream(1, 1));
        assert_eq!((all.excess(), all.room()), (None, 44));
        let second = all.insert(Sealed::midstream(2, 2));
        assert_eq!(all.excess(), Some(first));
        all.promote(first);
        all.weigh(first);
        assert_eq!((all.excess(), all.get(first).weight, all.get(second).weight), (None, 0, 256));
    }

    #[test]
    fn two_hundred_thousand_judged_sessions_take_256_bytes_each_with_their_index() {
        let mut all = Sessions::new(200_000, 1 << 20);
        for flow in 1..=200_000 {
            let at = all.insert(Sealed::midstream(flow, flow as u32));
            all.promote(at);
            all.weigh(at);
        }
        let slab = all.chunks.len() * CHUNK * std::mem::size_of::<Sealed>();
        let index = std::mem::size_of::<u32>() * all.free.capacity();
        assert!(all.due(|session| session.waiting > 0).is_empty());
        assert!(slab + index <= 200_000 * 256, "{slab} {index}");
        assert_eq!(all.room(), 1 << 20);
    }
}
