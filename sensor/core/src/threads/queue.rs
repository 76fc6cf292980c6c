//! The bounded queue between the workers and whoever polls. In replay a full queue makes workers wait, so nothing is
//! lost. Live a full one lets in no new flow, and has a reserve for those that were let in before; past that it drops
//! the events of a flow between its Open and its Close, and counts. What was dropped shows as a gap at the flow's next
//! chunk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::event::{Event, Spent};

/// Events of encrypted sessions wait for company before whoever polls is woken: one part in so many of a full queue, or
/// the end of its patience.
const COMPANY_SHARE: usize = 8;
/// Live, so many times what makes the queue full may wait before anything is dropped.
const RESERVE: usize = 4;

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
    pub sessions: u64, // of encrypted sessions, and answers of DNS
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    spent: Spent,
    bytes: usize,             // of streams, in these
    lost: HashMap<u64, Lost>, // of flows that are still open
    finished: bool,
    closed: bool,
    failure: Option<String>,
}

impl State {
    /// Whether so many times what makes the queue full waits.
    fn holds(&self, times: usize, limits: (usize, usize)) -> bool {
        self.events.len() >= times * limits.0 || self.bytes >= times * limits.1
    }

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
            | Event::Records { .. }
            | Event::NamelessSession { .. }
            | Event::DnsAnswer(_)
            | Event::AddressNamed { .. } => dropped.sessions += 1,
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
    limits: (usize, usize), // events and stream bytes of a full queue
}

impl Queue {
    /// A queue that is full with so many events, or bytes of streams.
    pub fn new(events: usize, bytes: usize) -> Queue {
        let limits = (events.max(1), bytes.max(1));
        Queue { state: Mutex::default(), changed: Condvar::new(), room: Condvar::new(), limits }
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
        let mut urgent = false;
        for mut event in events.drain(..) {
            urgent |= !event.is_of_session();
            while wait && state.holds(1, self.limits) && !state.closed {
                self.changed.notify_one();
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                continue;
            }
            if wait || !state.holds(RESERVE, self.limits) || !state.lose(&event, &mut dropped) {
                state.show_lost(&mut event);
                state.bytes += event.stream_bytes();
                state.events.push_back(event);
            }
        }
        let wakes = urgent || COMPANY_SHARE * state.events.len() >= self.limits.0;
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        dropped
    }

    /// What whoever polls has done with goes back to the workers, who make the next of it.
    pub fn give_back(&self, spent: &mut Spent) {
        if spent.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.spent.is_empty() {
            std::mem::swap(&mut state.spent, spent);
        }
        drop(state);
        spent.clear();
    }

    /// What was given back.
    pub fn take_spent(&self, to: &mut Spent) {
        std::mem::swap(&mut self.lock().spent, to);
    }

    /// Whether the queue holds its limit or more.
    pub fn is_full(&self) -> bool {
        self.lock().holds(1, self.limits)
    }

    /// Up to `max` events, waiting at most `timeout` for the first. `Err`: a thread died.
    pub fn pop(&self, max: usize, timeout: Duration) -> Result<Vec<Event>, String> {
        let mut taken = Vec::new();
        self.pop_into(max, timeout, &mut taken).map(|()| taken)
    }

    /// The same, behind what is there already.
    pub fn pop_into(&self, max: usize, timeout: Duration, to: &mut Vec<Event>) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(why) = &state.failure {
                return Err(why.clone());
            }
            if !state.events.is_empty() {
                let count = max.min(state.events.len());
                let before = to.len();
                to.extend(state.events.drain(..count));
                state.bytes -= to[before..].iter().map(Event::stream_bytes).sum::<usize>();
                self.room.notify_all();
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.finished || state.closed || left.is_zero() {
                return Ok(());
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

    fn close(flow: u64) -> Event {
        let (ts_ns, first_ns, last_ns) = (0, 0, 0);
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
        let queue = Queue::new(1, 1 << 20);
        let records = || Event::Records { flow: 7, ts_ns: 0, counts: [0; 2], records: Vec::new() };
        let close = EncryptedClose { flow: 7, ts_ns: 0, reason: Reason::Fat, records: (1, 1), resynchronised: 0 };
        queue.push(&mut (0..4).map(|_| records()).collect(), false);
        let mut events = vec![records(), Event::EncryptedClose(close), records()];
        assert_eq!(queue.push(&mut events, false), Dropped { sessions: 2, ..Dropped::default() });
        assert_eq!(queue.pop(9, Duration::ZERO).unwrap().len(), 5);
    }

    #[test]
    fn a_dropped_chunk_is_the_next_ones_gap_and_a_close_is_kept() {
        let queue = Queue::new(1, 1 << 20);
        let hit = Event::Hit { flow: 7, ts_ns: 0, direction: 1, offset: 0, literal: 0 };
        let shape = Event::Shape { flow: 7, ts_ns: 0, direction: 0, shape: 0, score: 1.0 };
        let mut events = vec![close(1), close(2), close(3), chunk(0, 0, b"ab")];
        events.extend([chunk(2, 3, b"cd"), hit, shape, chunk(7, 0, b"e")]);
        assert_eq!(queue.push(&mut events, false), Dropped { chunks: 2, hits: 1, shapes: 1, sessions: 0 });
        assert!(queue.is_full());
        assert_eq!(queue.pop(9, Duration::ZERO).unwrap().len(), 4);
        queue.push(&mut vec![close(4), close(5), close(6)], false);
        assert_eq!(
            queue.push(&mut vec![chunk(8, 1, b"f"), close(7), chunk(9, 0, b"g")], false),
            Dropped { chunks: 1, ..Dropped::default() }
        );
        match &queue.pop(9, Duration::ZERO).unwrap()[3..] {
            [Event::Chunk { gap: 7, base_seq: Some(40), .. }, Event::Close(close)] => {
                assert_eq!(close.gap_bytes, 5 + 3)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_full_by_bytes_too_and_has_a_reserve_for_what_was_let_in() {
        let queue = Queue::new(100, 8);
        let mut at = 0;
        let mut push = |data: &[u8]| {
            at += data.len() as u64;
            queue.push(&mut vec![chunk(at, 0, data)], false).chunks
        };
        assert_eq!((push(&[0; 7]), queue.is_full()), (0, false));
        assert_eq!((push(&[0; 8]), queue.is_full()), (0, true));
        assert_eq!((push(&[0; 17]), push(&[0; 1])), (0, 1));
        assert_eq!((queue.pop(9, Duration::ZERO).unwrap().len(), queue.is_full()), (3, false));
    }
}
