//! Flows that whoever polls has given up: no more of their bytes is handed on. docs/border.md, "Dismissed".

use crate::flow::worker::Worker;
use crate::model::stats::Counter;

impl Worker {
    /// Shut the gates of these flows, by their numbers, for good; what is no candidate is passed over.
    /// A flood may bring thousands of them at once, to thousands of candidates.
    pub fn dismiss(&mut self, mut flows: Vec<u64>) {
        flows.sort_unstable();
        let mut slots = Vec::new();
        self.candidates.for_each(|candidate| {
            if candidate.flow != 0 && !candidate.dismissed && flows.binary_search(&candidate.flow).is_ok() {
                candidate.dismissed = true;
                slots.push(candidate.slot);
            }
        });
        self.stats.add(Counter::CandidatesDismissed, slots.len() as u64);
        for slot in slots {
            let index = self.flows.slot(slot).candidate - 1;
            if self.candidates.is_open(index) {
                self.spend(index);
            }
        }
    }

    /// Whether a flow was dismissed.
    #[inline]
    pub(super) fn is_dismissed(&mut self, at: u32) -> bool {
        let candidate = self.flows.slot(at).candidate;
        candidate != 0 && self.candidates.get(candidate - 1).dismissed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::flow::prefilter::Tables;
    use crate::flow::worker::Worker;
    use crate::model::event::Event;
    use crate::model::limits::Limits;
    use crate::model::stats::{Counter, Stats};
    use crate::wire::segment::Segment;

    const LINE: &[u8] = b"{\"method\":\"mining.subscribe\"}\n";

    fn chunks(worker: &mut Worker, seq: u32) -> usize {
        let block = [&[0; 20][..], LINE].concat();
        let seg = Segment {
            src: [1; 16],
            dst: [2; 16],
            proto: 6,
            header_len: 20,
            l4_len: block.len() as u32,
            wire_len: LINE.len() as u32,
            seq,
            ..Segment::default()
        };
        worker.segment(&seg, &block);
        let events = std::mem::take(&mut worker.events);
        events.iter().filter(|event| matches!(event, Event::Chunk { .. })).count()
    }

    #[test]
    fn of_a_dismissed_flow_nothing_comes_but_its_end() {
        let stats = Arc::new(Stats::default());
        let tables = Arc::new(Tables::new(vec![b"\"mining.".to_vec()], Vec::new(), Vec::new()).unwrap());
        let mut worker = Worker::new(0, &Limits::default(), tables, stats.clone());
        assert_eq!(chunks(&mut worker, 1), 1);
        worker.dismiss(vec![7, 0]);
        assert_eq!(chunks(&mut worker, 31), 1);
        worker.dismiss(vec![1, 1]);
        worker.dismiss(vec![1]);
        assert_eq!((chunks(&mut worker, 61), stats.get(Counter::CandidatesDismissed)), (0, 1));
        worker.close_all();
        assert!(matches!(worker.events[..], [Event::Close(_)]));
    }
}
