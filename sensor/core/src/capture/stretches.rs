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
        let mut times = packets.iter().filter(|packet| packet.link != NO_INTERFACE).map(|packet| packet.ts_ns);
        let mut latest_ns = self.latest_ns;
        let mut begin = || times.next().inspect(|ts_ns| latest_ns = *ts_ns).map(|ts_ns| (ts_ns, ts_ns));
        let Some(mut span) = self.spans.pop().or_else(&mut begin) else { return };
        for ts_ns in times {
            if ts_ns.abs_diff(latest_ns) > LEAP_NS && self.spans.len() + 1 < MAX_STRETCHES {
                self.spans.push(span);
                span = (ts_ns, ts_ns);
            }
            span = (span.0.min(ts_ns), span.1.max(ts_ns));
            latest_ns = ts_ns;
        }
        self.latest_ns = latest_ns;
        self.spans.push(span);
    }

    pub fn into_spans(self) -> Vec<(u64, u64)> {
        self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(times: &[u64]) -> Vec<(u64, u64)> {
        let packet = |ts_ns: &u64| Packet { ts_ns: *ts_ns, start: 0, captured: 0, link: 1, source: 0 };
        let packets: Vec<Packet> = times.iter().map(packet).collect();
        let in_rows_of = |size: usize| {
            let mut stretches = Stretches::default();
            packets.chunks(size).for_each(|row| stretches.see(row));
            stretches.into_spans()
        };
        assert!((1..4).all(|size| in_rows_of(size) == in_rows_of(1_000)));
        in_rows_of(2)
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
