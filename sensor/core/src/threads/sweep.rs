//! When silent flows and old fragments are removed: candidates every second of packet time, all others every ten.
//! docs/border.md, "Flow table".

use crate::wire::fragments::Fragments;

/// A candidate that leaves is an event, and holds memory: many at once would fill the queue.
const CANDIDATES_NS: u64 = 1_000_000_000;
const ALL_NS: u64 = 10_000_000_000;

/// What is to be swept, and at which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    pub ts_ns: u64,
    pub all: bool, // else candidates only
}

/// The times of the last sweeps; the first segment of all sets them.
#[derive(Default)]
pub struct SweepClock {
    last: Option<(u64, u64)>, // of candidates, of all
}

impl SweepClock {
    /// The sweep that this segment makes due, if any. Fragments are swept here and now, before the next packet is
    /// decoded.
    #[inline]
    pub fn due(&mut self, ts_ns: u64, fragments: &mut Fragments) -> Option<Sweep> {
        let Some((candidates_ns, all_ns)) = self.last else {
            self.last = Some((ts_ns, ts_ns));
            return None;
        };
        if ts_ns >= all_ns.saturating_add(ALL_NS) {
            self.last = Some((ts_ns, ts_ns));
            fragments.sweep(ts_ns);
            return Some(Sweep { ts_ns, all: true });
        }
        if ts_ns.saturating_add(ALL_NS) < all_ns {
            self.last = Some((ts_ns, ts_ns));
        } else if ts_ns >= candidates_ns.saturating_add(CANDIDATES_NS) {
            self.last = Some((ts_ns, all_ns));
            return Some(Sweep { ts_ns, all: false });
        }
        None
    }

    /// The same by the clock, where no segment comes; before the first segment nothing is due.
    pub fn due_at(&mut self, ts_ns: u64, fragments: &mut Fragments) -> Option<Sweep> {
        self.last.and_then(|_| self.due(ts_ns, fragments))
    }

    /// Whether a packet of this time neither makes a sweep due nor moves the clock.
    #[inline]
    pub fn is_quiet(&self, ts_ns: u64) -> bool {
        self.last.is_some_and(|(candidates_ns, all_ns)| {
            ts_ns < candidates_ns.saturating_add(CANDIDATES_NS)
                && ts_ns < all_ns.saturating_add(ALL_NS)
                && ts_ns.saturating_add(ALL_NS) >= all_ns
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_swept_each_second_and_all_each_ten() {
        let (mut clock, mut fragments) = (SweepClock::default(), Fragments::new(0, 0));
        let second = 1_000_000_000;
        let due: Vec<Option<bool>> = [100, 101, 101, 103, 109, 110, 111, 125, 99]
            .map(|at| clock.due(at * second, &mut fragments).map(|sweep| sweep.all))
            .to_vec();
        let (one, all) = (Some(false), Some(true));
        assert_eq!(due, [None, one, None, one, one, all, one, all, None]);
        assert!(clock.is_quiet(99 * second) && !clock.is_quiet(100 * second) && !clock.is_quiet(80 * second));
    }
}
