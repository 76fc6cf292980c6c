//! A worker's gates on trial: what they tell is kept back, then told at once or dropped. Rules: docs/border.md, "On
//! trial".

use crate::flow::candidate::Rank;
use crate::flow::table::bit;
use crate::flow::trial::Verdict;
use crate::flow::worker::Worker;
use crate::model::event::Event;
use crate::model::stats::Counter;

impl Worker {
    /// An event of a candidate, for Python or, while it is on trial, for later.
    pub(super) fn let_go(&mut self, index: u32, event: Event) {
        match &mut self.candidates.get(index).trial {
            Some(trial) => trial.keep(event),
            None => {
                self.count_event(&event);
                self.events.push(event);
            }
        }
    }

    fn count_event(&self, event: &Event) {
        match event {
            Event::Open(_) => self.stats.add(Counter::CandidatesOpened, 1),
            Event::Chunk { data, .. } => {
                self.stats.add(Counter::Chunks, 1);
                self.stats.add(Counter::ChunkBytes, data.len() as u64);
            }
            Event::Hit { .. } => self.stats.add(Counter::Hits, 1),
            _ => {}
        }
    }

    /// A gap was passed over: counted when it is told.
    pub(super) fn note_gap(&mut self, index: u32, gap: u64) {
        let candidate = self.candidates.get(index);
        candidate.gap_bytes += gap;
        match &mut candidate.trial {
            Some(trial) => trial.gaps += 1,
            None => {
                self.stats.add(Counter::Gaps, 1);
                self.stats.add(Counter::GapBytes, gap);
            }
        }
    }

    /// Bytes of a candidate are in order: do they decide its trial?
    #[inline]
    pub(super) fn look(&mut self, index: u32, direction: u8, offset: u64, data: &[u8]) {
        let candidate = self.candidates.get(index);
        let Some(trial) = &mut candidate.trial else { return };
        match trial.look(usize::from(direction), offset, data, &self.tables) {
            Verdict::Undecided => {}
            Verdict::Proven(budget) => {
                candidate.budget = candidate.budget.max(budget);
                self.prove(index);
            }
            Verdict::Failed => self.fail(index),
        }
    }

    /// The gate is open: all that was kept back is told.
    pub(super) fn prove(&mut self, index: u32) {
        let candidate = self.candidates.get(index);
        let gap_bytes = candidate.gap_bytes;
        let Some(trial) = candidate.trial.take() else { return };
        self.stats.add(Counter::Gaps, trial.gaps);
        self.stats.add(Counter::GapBytes, gap_bytes);
        for event in trial.events {
            self.let_go(index, event);
        }
    }

    /// It came to nothing: the flow is no candidate, and never was. That is cleared up when the segment is done.
    pub(super) fn fail(&mut self, index: u32) {
        let candidate = self.candidates.get(index);
        candidate.stop();
        self.failed.push(candidate.slot);
        self.candidates.weigh(index);
        self.candidates.set_rank(index, Rank::Spent);
        self.stats.add(Counter::TrialsFailed, 1);
    }

    /// No more comes of a candidate (it `is_over`), or no more of it is looked at: is it still on trial?
    pub(super) fn end_trial(&mut self, index: u32, is_over: bool) {
        if !self.candidates.is_open(index) {
            return;
        }
        match &self.candidates.get(index).trial {
            Some(trial) if trial.holds(is_over) => self.prove(index),
            Some(_) => self.fail(index),
            None => {}
        }
    }

    /// Flows whose trial failed are as if nothing had opened.
    #[inline]
    pub(super) fn dismiss_failed(&mut self) {
        while let Some(at) = self.failed.pop() {
            let Some(index) = self.flows.slot(at).candidate.checked_sub(1) else { continue };
            if self.candidates.slot(index) != at || !self.candidates.has_failed(index) {
                continue;
            }
            self.candidates.remove(index);
            let slot = self.flows.slot_mut(at);
            slot.candidate = 0;
            slot.unset(bit::OPENED);
        }
    }
}
