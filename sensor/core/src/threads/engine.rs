//! A core at work: its threads begin and end here. One reads (`reader`); with one worker it does all the work itself,
//! with several packets go to theirs (`worker_thread`) by the hash of their flow.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded, Sender};

use crate::capture::file::Reader;
use crate::capture::interface::{Figures, Options, SCHEME};
use crate::capture::packet::Problem;
use crate::capture::ring::Interface;
use crate::flow::prefilter::Tables;
use crate::flow::timeouts::Timeouts;
use crate::flow::worker::Worker;
use crate::model::limits::Limits;
use crate::model::stats::{Counter, Stats, NAMES};
use crate::threads::dispatch::{Dispatcher, Workers};
use crate::threads::message::Command;
use crate::threads::packet_decoder::PacketDecoder;
use crate::threads::queue::Queue;
use crate::threads::shared::Shared;
use crate::threads::{reader, worker_thread};
use crate::wire::exclusions::Exclusions;
use crate::wire::fragments::Fragments;

const BLOCKS_IN_FLIGHT: usize = 4;
/// How long closing waits for the threads.
const PATIENCE: Duration = Duration::from_millis(500);

pub struct Engine {
    shared: Arc<Shared>,
    stats: Vec<Arc<Stats>>, // of the reader, then of each worker's thread
    interfaces: Vec<(String, Arc<Figures>)>,
    listens: Option<bool>, // to interfaces; None until something is attached
    commands: Option<Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    pub fn new(tables: Tables, limits: &Limits) -> Engine {
        let tables = Arc::new(tables);
        let shared = Arc::new(Shared::new(tables.clone(), limits));
        let mut stats = vec![Arc::new(Stats::default())];
        let mut threads = Vec::new();
        let workers = if limits.workers > 1 {
            start_workers(&shared, &tables, limits, &mut stats, &mut threads)
        } else {
            Workers::Inline(Box::new(Worker::new(0, limits, tables, stats[0].clone())))
        };
        // fragments are kept by the reader alone
        let fragments = Fragments::new(limits.fragments, limits.fragment_bytes);
        let decoder = PacketDecoder::new(&shared, stats[0].clone(), fragments);
        let dispatcher = Dispatcher::new(shared.clone(), decoder, workers);
        let longest_gap_ns = Timeouts::new(limits).candidate_ns;
        let (commands, incoming) = unbounded();
        threads.push(std::thread::spawn(move || reader::run(dispatcher, &incoming, longest_gap_ns)));
        Engine { shared, stats, interfaces: Vec::new(), listens: None, commands: Some(commands), threads }
    }

    /// Open a source now. A capture is read after those attached before; interfaces are all read at once.
    pub fn attach(&mut self, source: &str, wait: bool, options: &Options) -> Result<(), Problem> {
        if self.listens.is_some_and(|listens| listens != source.starts_with(SCHEME)) {
            return Err(Problem { reason: "captures and interfaces do not share a core".into(), offset: 0 });
        }
        let Some(name) = source.strip_prefix(SCHEME) else {
            let reader = Reader::open(source, self.shared.source_bytes.clone())?;
            self.listens = Some(false);
            self.send(Command::Capture(Box::new(reader), wait));
            return Ok(());
        };
        let attached = self.interfaces.iter().find(|(other, _)| other == name).map(|(_, figures)| figures.clone());
        let figures = attached.clone().unwrap_or_default();
        let interface = Interface::open(name, options, wait, figures.clone())?;
        self.listens = Some(true);
        if attached.is_none() {
            self.interfaces.push((name.to_string(), figures));
        }
        self.send(Command::Interface(Box::new(interface)));
        Ok(())
    }

    pub fn finish(&self) {
        self.send(Command::Finish);
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // a reader that is gone has reported it through the queue
            let _ = commands.send(command);
        }
    }

    pub fn replace(&self, tables: Tables) {
        self.shared.replace(tables);
    }

    /// No more of a flow is wanted, from the next block on.
    pub fn dismiss(&self, flow: u64) {
        self.shared.dismiss(flow);
    }

    /// Leave out what matches, from the next block on.
    pub fn exclude(&self, exclusions: Exclusions) {
        self.shared.exclude(exclusions);
    }

    /// The events' queue, shared so that polling does not hold a lock on the engine.
    pub fn queue(&self) -> Arc<Queue> {
        self.shared.queue.clone()
    }

    /// All counters, summed over the threads; of the ticks the fewest, so that they stop when any thread hangs.
    pub fn stats(&self) -> Vec<(&'static str, u64)> {
        let mut totals = [0_u64; NAMES.len()];
        for stats in &self.stats {
            for (total, value) in totals.iter_mut().zip(stats.snapshot()) {
                *total += value;
            }
        }
        let of_interfaces = |name: &str| {
            let figures = self.interfaces().into_iter().flat_map(|(_, figures)| figures);
            figures.filter(|(figure, _)| *figure == name).map(|(_, value)| value).sum()
        };
        totals[Counter::SourceBytes as usize] = self.shared.source_bytes.load(Relaxed);
        totals[Counter::KernelReceived as usize] = of_interfaces("received");
        totals[Counter::KernelDropped as usize] = of_interfaces("dropped");
        totals[Counter::KernelFreezes as usize] = of_interfaces("freezes");
        totals[Counter::Ticks as usize] = self.stats.iter().map(|stats| stats.get(Counter::Ticks)).min().unwrap_or(0);
        NAMES.iter().copied().zip(totals).collect()
    }

    /// The figures of each interface that was ever attached.
    pub fn interfaces(&self) -> Vec<(&str, [(&'static str, u64); 9])> {
        self.interfaces.iter().map(|(name, figures)| (name.as_str(), figures.named())).collect()
    }

    /// Stop. Threads that end soon are waited for; one that is blocked reading a silent pipe is let go, and ends with
    /// its next byte. Idempotent.
    pub fn close(&mut self) {
        self.shared.queue.close();
        self.commands = None;
        let patience = Instant::now() + PATIENCE;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        for thread in self.threads.drain(..).filter(|thread| thread.is_finished()) {
            let _ = thread.join();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// A thread for each worker.
fn start_workers(
    shared: &Arc<Shared>,
    tables: &Arc<Tables>,
    limits: &Limits,
    stats: &mut Vec<Arc<Stats>>,
    threads: &mut Vec<JoinHandle<()>>,
) -> Workers {
    let (spare, spares) = bounded(BLOCKS_IN_FLIGHT);
    let mut inputs = Vec::new();
    for number in 0..limits.workers {
        let own = Arc::new(Stats::default());
        stats.push(own.clone());
        let worker = Worker::new(number, limits, tables.clone(), own);
        let (input, incoming) = bounded(BLOCKS_IN_FLIGHT);
        inputs.push(input);
        let (shared, spare) = (shared.clone(), spare.clone());
        threads.push(std::thread::spawn(move || worker_thread::run(worker, &incoming, &spare, shared)));
    }
    Workers::Threads { inputs, spares }
}
