//! A core at work: its threads begin and end here, and begin when it is known what is read. One reads (`reader`); with
//! one worker it does all the work itself, with several packets go to theirs (`worker_thread`) by the hash of their
//! flow, and captures are read ahead. Of interfaces each worker reads a queue of its own, where the kernel spreads packets.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded, Sender};

use crate::capture::file::Reader;
use crate::capture::interface::{Figures, NamedFigures, Options, Unopened, SCHEME};
use crate::capture::packet::Problem;
use crate::capture::ring::Interface;
use crate::flow::prefilter::Tables;
use crate::flow::timeouts::Timeouts;
use crate::flow::worker::Worker;
use crate::model::limits::Limits;
use crate::model::stats::{Counter, Stats, NAMES};
use crate::threads::ahead::{Ahead, Capture};
use crate::threads::dispatch::{Dispatcher, Threads, Workers};
use crate::threads::message::{Command, EndOfSource};
use crate::threads::packet_decoder::PacketDecoder;
use crate::threads::queue::Queue;
use crate::threads::shared::Shared;
use crate::threads::worker_thread::Spares;
use crate::threads::{reader, worker_thread};
use crate::wire::exclusions::Exclusions;
use crate::wire::fragments::Fragments;

/// As the environment's fault, no packets are spread by the kernel, so that the one reader can be tested.
const NO_FANOUT: &str = "no-fanout";
const BLOCKS_IN_FLIGHT: usize = 4;
/// How long closing waits for the threads.
const PATIENCE: Duration = Duration::from_millis(500);

pub struct Engine {
    shared: Arc<Shared>,
    limits: Limits,
    stats: Vec<Arc<Stats>>, // of each thread
    interfaces: Vec<(String, Vec<Arc<Figures>>)>,
    listens: Option<bool>,         // to interfaces; None until something is attached
    readers: Vec<Sender<Command>>, // one; or one for each queue of the interfaces
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    pub fn new(tables: Tables, limits: &Limits) -> Engine {
        Engine {
            shared: Arc::new(Shared::new(Arc::new(tables), limits)),
            limits: limits.clone(),
            stats: Vec::new(),
            interfaces: Vec::new(),
            listens: None,
            readers: Vec::new(),
            threads: Vec::new(),
        }
    }

    /// Open a source now. A capture is read after those attached before; interfaces are all read at once.
    pub fn attach(&mut self, source: &str, wait: bool, options: &Options) -> Result<(), Problem> {
        if self.listens.is_some_and(|listens| listens != source.starts_with(SCHEME)) {
            return Err(Problem { reason: "captures and interfaces do not share a core".into(), offset: 0 });
        }
        if let Some(name) = source.strip_prefix(SCHEME) {
            return self.listen(name, wait, options);
        }
        let reader = Reader::open(source, self.shared.source_bytes.clone())?;
        self.listens = Some(false);
        self.start_reader();
        let capture = self.capture(reader);
        self.send(0, Command::Capture(capture, wait));
        Ok(())
    }

    /// A capture to be read; where there are workers, ahead, in a thread of its own.
    fn capture(&mut self, reader: Reader) -> Capture {
        if self.limits.workers == 1 {
            return Capture::Here(Box::new(reader));
        }
        self.threads.retain(|thread| !thread.is_finished());
        let (ahead, loading) = Ahead::new(reader, self.shared.clone(), |work| thread("ahead", work));
        self.threads.push(loading);
        Capture::Ahead(ahead)
    }

    /// Listen to an interface: with a queue for each worker, which reads it itself; where the kernel does not spread
    /// packets, one thread reads and spreads them.
    fn listen(&mut self, name: &str, wait: bool, options: &Options) -> Result<(), Problem> {
        let place = self.interfaces.iter().position(|(other, _)| other == name);
        let queues = if self.readers.is_empty() { self.limits.workers } else { self.readers.len() };
        let figures = match place {
            Some(place) => self.interfaces[place].1.clone(),
            None => (0..queues).map(|_| Arc::default()).collect(),
        };
        let opened = match queues {
            1 => Interface::open(name, options, wait, figures[0].clone()).map(|one| vec![one]),
            _ if self.shared.fault_is(NO_FANOUT) => {
                Interface::open(name, options, wait, figures[0].clone()).map(|one| vec![one])
            }
            _ => match Interface::open_queues(name, options, wait, &figures, self.shared.seed as u32) {
                Ok(queues) => Ok(queues),
                Err(Unopened::Problem(problem)) => Err(problem),
                Err(Unopened::NoFanout(_)) if self.readers.is_empty() => {
                    Interface::open(name, options, wait, figures[0].clone()).map(|one| vec![one])
                }
                Err(Unopened::NoFanout(reason)) => {
                    Err(Problem { reason: format!("its packets cannot be spread: {reason}"), offset: 0 })
                }
            },
        }?;
        self.listens = Some(true);
        if opened.len() > 1 {
            self.start_queues();
        } else {
            self.start_reader();
        }
        if place.is_none() {
            self.interfaces.push((name.to_string(), figures[..opened.len()].to_vec()));
        }
        for (reader, interface) in opened.into_iter().enumerate() {
            self.send(reader, Command::Interface(Box::new(interface)));
        }
        Ok(())
    }

    /// The end of all sources.
    pub fn finish(&mut self) {
        self.start_reader();
        let end = Arc::new(EndOfSource::new(None, true, self.limits.workers));
        for reader in 0..self.readers.len() {
            self.send(reader, Command::Finish(end.clone()));
        }
    }

    /// One reader, which does all the work if there is one worker; unless there are readers.
    fn start_reader(&mut self) {
        if !self.readers.is_empty() {
            return;
        }
        let stats = self.new_stats();
        let workers = if self.limits.workers > 1 {
            Workers::Threads(self.start_workers())
        } else {
            Workers::Inline(Box::new(Worker::new(0, &self.limits, self.shared.tables(), stats.clone())))
        };
        // fragments are kept by the reader alone
        self.start("reader", stats, workers, Fragments::new(self.limits.fragments, self.limits.fragment_bytes));
    }

    /// A reader for each worker, which does its work; unless there are readers.
    fn start_queues(&mut self) {
        if !self.readers.is_empty() {
            return;
        }
        let workers = self.limits.workers;
        for number in 0..workers {
            let stats = self.new_stats();
            let worker = Worker::new(number, &self.limits, self.shared.tables(), stats.clone());
            let entries = (self.limits.fragments / workers).max(1);
            let fragments = Fragments::new(entries, self.limits.fragment_bytes / workers);
            self.start(&format!("queue-{number}"), stats, Workers::Inline(Box::new(worker)), fragments);
        }
    }

    fn new_stats(&mut self) -> Arc<Stats> {
        let stats = Arc::new(Stats::default());
        self.stats.push(stats.clone());
        stats
    }

    fn start(&mut self, name: &str, stats: Arc<Stats>, workers: Workers, fragments: Fragments) {
        let decoder = PacketDecoder::new(&self.shared, stats, fragments);
        let dispatcher = Dispatcher::new(self.shared.clone(), decoder, workers);
        let longest_gap_ns = Timeouts::new(&self.limits).candidate_ns;
        let (commands, incoming) = unbounded();
        self.readers.push(commands);
        self.threads.push(thread(name, move || reader::run(dispatcher, &incoming, longest_gap_ns)));
    }

    /// A thread for each worker.
    fn start_workers(&mut self) -> Threads {
        let in_flight = BLOCKS_IN_FLIGHT * self.limits.workers;
        let ((spare_block, blocks), (spare_share, shares)) = (bounded(2 * BLOCKS_IN_FLIGHT), bounded(in_flight));
        let spares = Spares { blocks: spare_block, shares: spare_share };
        let mut inputs = Vec::new();
        for number in 0..self.limits.workers {
            let stats = self.new_stats();
            let worker = Worker::new(number, &self.limits, self.shared.tables(), stats);
            let (input, incoming) = bounded(BLOCKS_IN_FLIGHT);
            inputs.push(input);
            let (shared, spares) = (self.shared.clone(), spares.clone());
            let work = move || worker_thread::run(worker, &incoming, &spares, shared);
            self.threads.push(thread(&format!("worker-{number}"), work));
        }
        Threads { inputs, blocks, shares }
    }

    fn send(&self, reader: usize, command: Command) {
        if let Some(reader) = self.readers.get(reader) {
            // a reader that is gone has reported it through the queue
            let _ = reader.send(command);
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
        let last = self.stats.iter().map(|stats| stats.get(Counter::LastPacketNs)).max();
        totals[Counter::LastPacketNs as usize] = last.unwrap_or(0);
        totals[Counter::Ticks as usize] = self.stats.iter().map(|stats| stats.get(Counter::Ticks)).min().unwrap_or(0);
        NAMES.iter().copied().zip(totals).collect()
    }

    /// The figures of each interface that was ever attached.
    pub fn interfaces(&self) -> Vec<(&str, NamedFigures)> {
        self.interfaces.iter().map(|(name, queues)| (name.as_str(), Figures::named(queues))).collect()
    }

    /// Stop. Threads that end soon are waited for; one that is blocked reading a silent pipe is let go, and ends with
    /// its next byte. Idempotent.
    pub fn close(&mut self) {
        self.shared.queue.close();
        self.readers.clear();
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

/// A thread with a name, by which its share of the processors is seen.
fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    // a thread that cannot be started is as fatal with a name as without
    #[allow(clippy::expect_used)]
    std::thread::Builder::new().name(name.into()).spawn(work).expect("a thread starts")
}
