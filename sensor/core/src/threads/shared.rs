//! What the threads of a core share: the queue, what can be swapped while they run, and a switch that makes one hang.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::flow::prefilter::Tables;
use crate::flow::worker::Worker;
use crate::model::limits::Limits;
use crate::model::stats::{Counter, Stats};
use crate::names::hello;
use crate::threads::queue::Queue;
use crate::wire::exclusions::Exclusions;

/// What the environment's variable says goes wrong, so that what is done about it can be tested.
const FAULT: &str = "MINEWATCH_FAULT";
/// A thread of a listening core hangs.
const HANGS: &str = "worker-hangs";
const FAULT_AFTER_TICKS: u64 = 20;

pub struct Shared {
    pub queue: Arc<Queue>,
    pub source_bytes: Arc<AtomicU64>,
    pub seed: u64, // of the flow hash
    tables: Mutex<Arc<Tables>>,
    exclusions: Mutex<Arc<Exclusions>>,
    dismissed: Vec<Mutex<Vec<u64>>>, // flows, by the worker whose they are
    dismissals: AtomicU64,
    generation: AtomicU64, // of tables and exclusions; grows with every swap
    fault: String,
}

impl Shared {
    pub fn new(tables: Arc<Tables>, limits: &Limits) -> Shared {
        Shared {
            queue: Arc::new(Queue::new(limits.queue_events, limits.queue_bytes)),
            source_bytes: Arc::default(),
            seed: std::collections::hash_map::RandomState::new().build_hasher().finish(),
            tables: Mutex::new(tables),
            exclusions: Mutex::default(),
            dismissed: (0..limits.workers).map(|_| Mutex::default()).collect(),
            dismissals: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            fault: std::env::var(FAULT).unwrap_or_default(),
        }
    }

    /// Whether this fault is asked for.
    pub fn fault_is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    pub fn replace(&self, tables: Tables) {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tables);
        self.generation.fetch_add(1, SeqCst);
    }

    pub fn exclude(&self, exclusions: Exclusions) {
        *self.exclusions.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(exclusions);
        self.generation.fetch_add(1, SeqCst);
    }

    /// No more is wanted of a flow. Numbers go round the workers (`Worker::next_number`).
    pub fn dismiss(&self, flow: u64) {
        let worker = (flow.wrapping_sub(1) % self.dismissed.len() as u64) as usize;
        self.dismissed[worker].lock().unwrap_or_else(PoisonError::into_inner).push(flow);
        self.dismissals.fetch_add(1, SeqCst);
    }

    /// Pass on to a worker what was dismissed since the last time; `seen` counts.
    pub fn pass_dismissed(&self, worker: &mut Worker, seen: &mut u64) {
        let dismissals = self.dismissals.load(Relaxed);
        if dismissals != std::mem::replace(seen, dismissals) {
            let dismissed = &self.dismissed[worker.number as usize];
            let flows = std::mem::take(&mut *dismissed.lock().unwrap_or_else(PoisonError::into_inner));
            worker.dismiss(flows);
        }
    }

    pub fn tables(&self) -> Arc<Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn exclusions(&self) -> Arc<Exclusions> {
        self.exclusions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// Publish a worker's gauges and queue its events.
    pub fn flush_events(&self, worker: &mut Worker, wait: bool) {
        worker.publish();
        let dropped = self.queue.push(&mut worker.events, wait);
        if worker.spent.opens.is_empty() {
            self.queue.take_spent(&mut worker.spent);
            hello::keep(&mut worker.spent.hellos);
        }
        worker.stats.add(Counter::EventsDropped, dropped.chunks + dropped.hits + dropped.shapes + dropped.sessions);
        worker.stats.add(Counter::ChunksDropped, dropped.chunks);
        worker.stats.add(Counter::HitsDropped, dropped.hits);
        worker.stats.add(Counter::ShapesDropped, dropped.shapes);
        worker.stats.add(Counter::SessionsDropped, dropped.sessions);
    }

    /// Where the fault switch is set, hang until all is closed.
    pub fn hang_if_faulty(&self, stats: &Stats) {
        while self.fault_is(HANGS) && stats.get(Counter::Ticks) > FAULT_AFTER_TICKS && !self.queue.is_closed() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Reports through the queue that the thread it lives in has panicked.
pub struct PanicGuard(pub Arc<Shared>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue.fail("a capture thread died");
        }
    }
}
