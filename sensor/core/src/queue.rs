//! The bounded queue between the workers and whoever polls. In replay a full queue makes workers wait, so nothing is lost; live it drops
//! and counts.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Event;

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    finished: bool,
    closed: bool,
    dead: Option<String>,
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

    /// Move a worker's events in; the number dropped (always 0 when waiting).
    pub fn push(&self, events: &mut Vec<Event>, wait: bool) -> u64 {
        if events.is_empty() {
            return 0;
        }
        let mut dropped = 0;
        let mut state = self.lock();
        for event in events.drain(..) {
            while state.events.len() >= self.limit && wait && !state.closed {
                self.changed.notify_one();
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                continue;
            }
            if state.events.len() >= self.limit && !wait {
                dropped += 1;
            } else {
                state.events.push_back(event);
            }
        }
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Up to `max` events, waiting at most `timeout` for the first. `Err`: a thread died.
    pub fn pop(&self, max: usize, timeout: Duration) -> Result<Vec<Event>, String> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(why) = &state.dead {
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
    pub fn bury(&self, why: &str) {
        let mut state = self.lock();
        state.dead = Some(why.to_string());
        state.closed = true;
        drop(state);
        self.changed.notify_all();
        self.room.notify_all();
    }
}
