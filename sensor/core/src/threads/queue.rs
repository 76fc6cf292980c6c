//! The bounded queue between the workers and whoever polls. In replay a full queue makes workers wait, so nothing is
//! lost; live it drops the events of a flow between its Open and its Close, and counts. What was dropped shows as a gap
//! at the flow's next chunk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::event::Event;

/// Stream bytes of a flow that were dropped here.
#[derive(Default)]
struct Lost {
    pending: [u64; 2], // by direction, not yet shown by a gap
    total: u64,
}

/// Events dropped, by kind.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub chunks: u64,
    pub hits: u64,
    pub shapes: u64,
    pub sessions: u64, // of encrypted sessions
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    lost: HashMap<u64, Lost>, // of flows that are still open
    finished: bool,
    closed: bool,
    failure: Option<String>,
}

impl State {
    /// Count an event as dropped; false if it is of a kind that is kept.
    fn lose(&mut self, event: &Event, dropped: &mut Dropped) -> bool {
        match event {
            Event::Chunk { flow, direction, gap, data, .. } => {
                let lost = self.lost.entry(*flow).or_default();
                lost.pending[usize::from(*direction)] += gap + data.len() as u64;
                lost.total += data.len() as u64;
                dropped.chunks += 1;
            }
            Event::Hit { .. } => dropped.hits += 1,
            Event::Shape { .. } => dropped.shapes += 1,
            Event::ClientHello { .. }
            | Event::ServerHello { .. }
            | Event::ServerCertificate { .. }
            | Event::Records { .. } => dropped.sessions += 1,
            Event::Open(_)
            | Event::Close(_)
            | Event::EncryptedOpen(_)
            | Event::EncryptedClose(_)
            | Event::End { .. } => return false,
        }
        true
    }

    /// Show in an event what was dropped of its flow before it.
    fn show_lost(&mut self, event: &mut Event) {
        if self.lost.is_empty() {
            return;
        }
        match event {
            Event::Chunk { flow, direction, gap, .. } => {
                if let Some(lost) = self.lost.get_mut(flow) {
                    *gap += std::mem::take(&mut lost.pending[usize::from(*direction)]);
                }
            }
            Event::Close(close) => close.gap_bytes += self.lost.remove(&close.flow).map_or(0, |lost| lost.total),
            _ => {}
        }
    }
}

pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    room: Condvar,
    limit: usize,
}

impl Queue {
    pub fn new(limit: usize) -> Queue {
        Queue { state: Mutex::default(), changed: Condvar::new(), room: Condvar::new(), limit: limit.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Move a worker's events in; what was dropped (nothing when waiting). Opens, closes and End are never dropped: while
    /// the queue is full (`is_full`), workers open no further gates and record no further sessions, so the candidates
    /// and the sessions bound the number of these events.
    pub fn push(&self, events: &mut Vec<Event>, wait: bool) -> Dropped {
        let mut dropped = Dropped::default();
        if events.is_empty() {
            return dropped;
        }
        let mut state = self.lock();
        for mut event in events.drain(..) {
            while state.events.len() >= self.limit && wait && !state.closed {
                self.changed.notify_one();
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                continue;
            }
            if wait || state.events.len() < self.limit || !state.lose(&event, &mut dropped) {
                state.show_lost(&mut event);
                state.events.push_back(event);
            }
        }
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Whether the queue holds its limit or more.
    pub fn is_full(&self) -> bool {
        self.lock().events.len() >= self.limit
    }

    /// Up to `max` events, waiting at most `timeout` for the first. `Err`: a thread died.
    pub fn pop(&self, max: usize, timeout: Duration) -> Result<Vec<Event>, String> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(why) = &state.failure {
                return Err(why.clone());
            }
            if !state.events.is_empty() {
                let count = max.min(state.events.len());
                let taken = state.events.drain(..count).collect();
                self.room.notify_all();
                return Ok(taken);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.finished || state.closed || left.is_zero() {
                return Ok(Vec::new());
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything is read and closed.
    pub fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    pub fn is_finished(&self) -> bool {
        let state = self.lock();
        state.finished && state.events.is_empty()
    }

    /// Whoever polls has gone; workers need not wait any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
        self.room.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// A thread died.
    pub fn fail(&self, why: &str) {
        let mut state = self.lock();
        state.failure = Some(why.to_string());
        state.closed = true;
        drop(state);
        self.changed.notify_all();
        self.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Close, EncryptedClose, PathFacts, Reason};

    fn chunk(offset: u64, gap: u64, data: &[u8]) -> Event {
        Event::Chunk {
            flow: 7,
            ts_ns: 0,
            direction: 1,
            offset,
            gap,
            data: data.to_vec(),
            base_seq: Some(40),
            ack_advances: 0,
            acked_bytes: 0,
        }
    }

    fn close() -> Event {
        let (flow, ts_ns, first_ns, last_ns) = (7, 0, 0, 0);
        let (packets, bytes, gap_bytes, bad_checksums) = ((1, 1), (1, 1), 5, 0);
        let (clocks, paths) = ([None, None], [PathFacts::default(); 2]);
        Event::Close(Box::new(Close {
            flow,
            ts_ns,
            reason: Reason::End,
            first_ns,
            last_ns,
            packets,
            bytes,
            gap_bytes,
            bad_checksums,
            clocks,
            paths,
        }))
    }

    #[test]
    fn of_an_encrypted_session_what_opens_and_closes_is_kept() {
        let queue = Queue::new(1);
        let records = || Event::Records { flow: 7, ts_ns: 0, counts: [0; 2], records: Vec::new() };
        let close = EncryptedClose { flow: 7, ts_ns: 0, reason: Reason::Fat, records: (1, 1), resynchronised: 0 };
        let mut events = vec![records(), records(), Event::EncryptedClose(Box::new(close)), records()];
        assert_eq!(queue.push(&mut events, false), Dropped { sessions: 2, ..Dropped::default() });
        assert_eq!(queue.pop(9, Duration::ZERO).unwrap().len(), 2);
    }

    #[test]
    fn a_dropped_chunk_is_the_next_ones_gap_and_a_close_is_kept() {
        let queue = Queue::new(1);
        let hit = Event::Hit { flow: 7, ts_ns: 0, direction: 1, offset: 0, literal: 0 };
        let shape = Event::Shape { flow: 7, ts_ns: 0, direction: 0, shape: 0, score: 1.0 };
        let mut events = vec![chunk(0, 0, b"ab"), chunk(2, 3, b"cd"), hit, shape, chunk(7, 0, b"e")];
        assert_eq!(queue.push(&mut events, false), Dropped { chunks: 2, hits: 1, shapes: 1, sessions: 0 });
        assert!(queue.is_full());
        assert_eq!(queue.pop(9, Duration::ZERO).unwrap().len(), 1);
        assert_eq!(
            queue.push(&mut vec![chunk(8, 1, b"f"), close(), chunk(9, 0, b"g")], false),
            Dropped { chunks: 1, ..Dropped::default() }
        );
        match queue.pop(9, Duration::ZERO).unwrap().as_slice() {
            [Event::Chunk { gap: 7, base_seq: Some(40), .. }, Event::Close(close)] => {
                assert_eq!(close.gap_bytes, 5 + 3)
            }
            other => panic!("{other:?}"),
        }
    }
}
