//! When silent flows and old fragments are removed: every ten seconds of packet time. docs/border.md, "Flow table".

use crate::wire::fragments::Fragments;

const SWEEP_NS: u64 = 10_000_000_000;

/// The time of the last sweep; the first segment of all sets it.
#[derive(Default)]
pub struct SweepClock {
    last_ns: Option<u64>,
}

impl SweepClock {
    /// The time to sweep at, if this segment makes it due. Fragments are swept here and now, before the next packet is
    /// decoded.
    #[inline]
    pub fn due(&mut self, ts_ns: u64, fragments: &mut Fragments) -> Option<u64> {
        let Some(last_ns) = self.last_ns else {
            self.last_ns = Some(ts_ns);
            return None;
        };
        if ts_ns >= last_ns.saturating_add(SWEEP_NS) {
            self.last_ns = Some(ts_ns);
            fragments.sweep(ts_ns);
            return Some(ts_ns);
        }
        if ts_ns.saturating_add(SWEEP_NS) < last_ns {
            self.last_ns = Some(ts_ns);
        }
        None
    }

    /// The same by the clock, where no segment comes; before the first segment nothing is due.
    pub fn due_at(&mut self, ts_ns: u64, fragments: &mut Fragments) -> Option<u64> {
        self.last_ns.and_then(|_| self.due(ts_ns, fragments))
    }

    /// Whether a packet of this time neither makes a sweep due nor moves the clock.
    #[inline]
    pub fn is_quiet(&self, ts_ns: u64) -> bool {
        self.last_ns.is_some_and(|last_ns| ts_ns.abs_diff(last_ns) < SWEEP_NS)
    }
}
