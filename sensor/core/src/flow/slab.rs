//! Places for many small things of a kind, in one row that is reserved as a whole and never moved: the kernel gives the
//! memory of a place when it is first used, so memory follows what there is. A place that was freed is the next to be
//! given.

/// Reserved at once, at most; past that the row moves when it grows.
const MOST_RESERVED: usize = 1 << 24;

/// The places.
pub struct Slab<T> {
    row: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Slab<T> {
    /// One for so many.
    pub fn new(capacity: usize) -> Slab<T> {
        let mut row = Vec::new();
        // without it the row moves when it grows, and nothing else changes
        let _ = row.try_reserve_exact(capacity.min(MOST_RESERVED));
        Slab { row, free: Vec::new() }
    }

    /// One more than the last place that was ever given.
    pub fn end(&self) -> u32 {
        self.row.len() as u32
    }

    /// How many are there.
    pub fn count(&self) -> usize {
        self.row.len() - self.free.len()
    }

    #[inline(always)]
    pub fn get(&self, at: u32) -> &T {
        &self.row[at as usize]
    }

    #[inline(always)]
    pub fn get_mut(&mut self, at: u32) -> &mut T {
        &mut self.row[at as usize]
    }

    /// A place for one more.
    #[inline]
    pub fn add(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.row[at as usize] = value;
            return at;
        }
        self.row.push(value);
        (self.row.len() - 1) as u32
    }

    /// A place is not needed any more.
    pub fn free(&mut self, at: u32) {
        self.free.push(at);
    }

    /// Nothing is needed any more.
    pub fn clear(&mut self) {
        self.row.clear();
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_freed_last_is_given_next_and_nothing_moves() {
        let mut slab = Slab::new(9);
        let places: Vec<u32> = (0..9_u32).map(|value| slab.add(value)).collect();
        let first: *const u32 = slab.get(0);
        assert!(places.iter().zip(0..).all(|(at, value)| *slab.get(*at) == value));
        slab.free(7);
        slab.free(5);
        assert_eq!((slab.add(1), slab.add(2), slab.count(), slab.end()), (5, 7, 9, 9));
        assert!(std::ptr::eq(first, slab.get(0)));
        assert_eq!((slab.add(3), *slab.get(6)), (9, 6));
        slab.clear();
        assert_eq!((slab.count(), slab.add(9), *slab.get(0)), (0, 0, 9));
    }
}
