//! The times that a capture covers: from its first packet to its last, anew wherever the clock leaps.

use crate::capture::packet::{Packet, NO_INTERFACE};

/// A clock that was set, or captures that were put together: packets further apart than this are of another stretch.
pub const LEAP_NS: u64 = 86_400_000_000_000;
/// Stretches kept of one capture; what leaps more often is added to the last.
pub const MAX_STRETCHES: usize = 64;

/// First and last time of each stretch, in the order of the packets.
#[derive(Default)]
pub struct Stretches {
    spans: Vec<(u64, u64)>,
    latest_ns: u64,
}

impl Stretches {
    pub fn see(&mut self, packets: &[Packet]) {
        for packet in packets.iter().filter(|packet| packet.link != NO_INTERFACE) {
            self.put(packet.ts_ns);
        }
    }

    #[inline]
    fn put(&mut self, ts_ns: u64) {
        let leaps = ts_ns.abs_diff(self.latest_ns) > LEAP_NS;
        self.latest_ns = ts_ns;
        let room = self.spans.len() < MAX_STRETCHES;
        match self.spans.last_mut() {
            Some(span) if !(leaps && room) => *span = (span.0.min(ts_ns), span.1.max(ts_ns)),
            _ => self.spans.push((ts_ns, ts_ns)),
        }
    }

    pub fn into_spans(self) -> Vec<(u64, u64)> {
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(times: &[u64]) -> Vec<(u64, u64)> {
        let mut stretches = Stretches::default();
        times.iter().for_each(|ts_ns| stretches.put(*ts_ns));
        stretches.into_spans()
    }

    #[test]
    fn a_leap_begins_another_stretch_and_disorder_does_not() {
        let day = LEAP_NS;
        assert_eq!(spans(&[]), vec![]);
        assert_eq!(spans(&[5, 3, day]), vec![(3, day)]);
        assert_eq!(spans(&[day, 3 * day, day + 1]), vec![(day, day), (3 * day, 3 * day), (day + 1, day + 1)]);
    }

    #[test]
    fn what_leaps_without_end_is_bounded() {
        let times: Vec<u64> = (0..1_000).map(|at| (at % 2) * 2 * LEAP_NS + at).collect();
        assert_eq!(spans(&times).len(), MAX_STRETCHES);
    }
}
