//! The threads and what they share: one reads (`reader`), and either does all the work itself (one worker) or hands packets to workers by the
//! hash of their flow, who are here. All of it begins and ends here.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};

use crate::capture::iface::{Figures, Interface, Options, SCHEME};
use crate::capture::{Block, Packet, Problem, Reader, NO_INTERFACE};
use crate::decode::Decoder;
use crate::event::Event;
use crate::exclusions::Exclusions;
use crate::flow::{hash_of, Flows};
use crate::fragments::Fragments;
use crate::limits::Limits;
use crate::prefilter::Tables;
use crate::queue::Queue;
use crate::reader::ReaderThread;
use crate::segment::Segment;
use crate::stats::{Counter, Stats, NAMES};
use crate::worker::Worker;

/// Packets decoded together: their table entries are touched before any is worked on, so that memory is waited for once.
pub const BATCH: usize = 32;
const BLOCKS_IN_FLIGHT: usize = 4;
/// Set to this, the environment's variable makes one thread of a listening core stand still, so that whoever watches over it can be tested.
const FAULT: (&str, &str) = ("MINEWATCH_FAULT", "worker-hangs");
const FAULT_AFTER_TICKS: u64 = 20;
/// How long closing waits for the threads.
const PATIENCE: Duration = Duration::from_millis(500);

/// What all threads share.
pub struct Shared {
    pub queue: Queue,
    pub source_bytes: Arc<AtomicU64>,
    pub seed: u64, // of the flow hash
    tables: Mutex<Arc<Tables>>,
    exclusions: Mutex<Arc<Exclusions>>,
    generation: AtomicU64,
    faulty: bool,
}

impl Shared {
    /// Where the fault switch is set, stand still until all is closed.
    pub fn fail_on_purpose(&self, stats: &Stats) {
        while self.faulty && stats.get(Counter::Ticks) > FAULT_AFTER_TICKS && !self.queue.is_closed() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What a thread decodes with.
pub struct Sieve {
    pub decoder: Decoder,
    pub stats: Arc<Stats>,
    pub seed: u64,
    exclusions: Arc<Exclusions>,
    generation: u64,
}

/// A core at work.
pub struct Engine {
    pub shared: Arc<Shared>,
    stats: Vec<Arc<Stats>>,
    interfaces: Vec<(String, Arc<Figures>)>,
    listens: Option<bool>, // to interfaces; None until something is attached
    commands: Option<Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

pub enum Command {
    Source(Box<Reader>, bool),
    Interface(Box<Interface>),
    Finish,
}

#[derive(Clone)]
pub enum Item {
    Packet(u32),           // to be decoded by the worker: its place in the block
    Segment(Box<Segment>), // decoded by the reader, because only it keeps fragments or because it decided a sweep
    Sweep(u64),
    CloseAll,
    Sources(Arc<[Arc<str>]>),
    End(Arc<EndOfSource>),
}

/// The last worker to arrive says it.
pub struct EndOfSource {
    left: AtomicUsize,
    event: Mutex<Option<Event>>,
    finish: bool,
}

/// What a worker is given at once. Without items it is only asked to show that it lives.
pub struct Parcel {
    pub block: Arc<Block>,
    pub items: Vec<Item>,
    pub wait: bool,
}

/// Tells the queue if the thread it lives in panics.
struct Obituary(Arc<Shared>);

impl Drop for Obituary {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.queue.bury("a capture thread died");
        }
    }
}

impl Engine {
    pub fn new(tables: Tables, limits: Limits) -> Engine {
        let tables = Arc::new(tables);
        let shared = Arc::new(Shared {
            queue: Queue::new(limits.queue_events),
            source_bytes: Arc::default(),
            tables: Mutex::new(tables.clone()),
            exclusions: Mutex::default(),
            generation: AtomicU64::new(0),
            faulty: std::env::var(FAULT.0).is_ok_and(|fault| fault == FAULT.1),
            seed: std::collections::hash_map::RandomState::new().build_hasher().finish(),
        });
        let (commands, orders) = unbounded();
        let mut stats = vec![Arc::new(Stats::default())];
        let mut threads = Vec::new();
        let mut seats = Vec::new();
        let (spare, spares) = bounded(BLOCKS_IN_FLIGHT);
        if limits.workers > 1 {
            for number in 0..limits.workers {
                let own = Arc::new(Stats::default());
                stats.push(own.clone());
                let worker = Worker::new(number, &limits, tables.clone(), own);
                let (parcels, incoming) = bounded(BLOCKS_IN_FLIGHT);
                seats.push(parcels);
                let (shared, spare) = (shared.clone(), spare.clone());
                threads.push(std::thread::spawn(move || work(worker, &incoming, &spare, shared)));
            }
        }
        let own = stats[0].clone();
        let inline = seats.is_empty().then(|| Worker::new(0, &limits, tables, own.clone()));
        // fragments are kept by the reader alone
        let sieve = Sieve::new(&shared, own, Fragments::new(limits.fragments, limits.fragment_bytes));
        let state = ReaderThread::new(sieve, shared.clone(), limits, seats, spares, inline);
        threads.push(std::thread::spawn(move || {
            let _obituary = Obituary(state.shared.clone());
            state.run(&orders);
        }));
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
            self.send(Command::Source(Box::new(reader), wait));
            return Ok(());
        };
        let known = self.interfaces.iter().find(|(other, _)| other == name).map(|(_, figures)| figures.clone());
        let figures = known.clone().unwrap_or_default();
        let interface = Interface::open(name, options, wait, figures.clone())?;
        self.listens = Some(true);
        if known.is_none() {
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
            // a reader that is gone has said so through the queue
            let _ = commands.send(command);
        }
    }

    pub fn replace(&self, tables: Tables) {
        *self.shared.tables.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tables);
        self.shared.generation.fetch_add(1, SeqCst);
    }

    /// Leave out what matches, from the next block on.
    pub fn exclude(&self, exclusions: Exclusions) {
        *self.shared.exclusions.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(exclusions);
        self.shared.generation.fetch_add(1, SeqCst);
    }

    /// All counters, summed over the threads; of the ticks the fewest, so that they stand still when any thread does.
    pub fn stats(&self) -> Vec<(&'static str, u64)> {
        let mut totals = [0_u64; NAMES.len()];
        for stats in &self.stats {
            for (total, value) in totals.iter_mut().zip(stats.snapshot()) {
                *total += value;
            }
        }
        let of_interfaces =
            |name: &str| self.interfaces().iter().flat_map(|(_, figures)| figures).filter(|one| one.0 == name).map(|one| one.1).sum();
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

    /// Stop. Threads that end soon are waited for; one that is blocked reading a silent pipe is let go, and ends with its next byte. Idempotent.
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

/// Load what the next look-ups need. The loads do not depend on each other, so the processor waits for all of them together.
pub fn touch(flows: &Flows, batch: &[Segment]) {
    let mut entries = [0_u64; BATCH];
    for (entry, seg) in entries.iter_mut().zip(batch) {
        *entry = flows.touch_index(seg.hash);
    }
    let touched = entries[..batch.len()].iter().fold(0, |sum, entry| sum ^ flows.touch_slot(*entry));
    std::hint::black_box(touched);
}

fn work(mut worker: Worker, incoming: &Receiver<Parcel>, spare: &Sender<Block>, shared: Arc<Shared>) {
    let _obituary = Obituary(shared.clone());
    let mut sieve = Sieve::new(&shared, worker.stats.clone(), Fragments::new(0, 0));
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for parcel in incoming {
        sieve.renew(&shared, &mut worker, parcel.wait);
        worker.stats.add(Counter::Ticks, 1);
        shared.fail_on_purpose(&worker.stats);
        let block = &parcel.block;
        let mut items = parcel.items.as_slice();
        while let Some(item) = items.first() {
            // packets in a row are decoded together, as the single worker does it
            let row = items.iter().take(BATCH).take_while(|item| matches!(item, Item::Packet(_))).count();
            let mut count = 0;
            for item in &items[..row] {
                if let Item::Packet(at) = item {
                    count += usize::from(sieve.decode(block, &block.packets[*at as usize], &mut batch[count]));
                }
            }
            touch(&worker.flows, &batch[..count]);
            batch[..count].iter().for_each(|seg| worker.segment(seg, &block.bytes));
            items = &items[row.max(1)..];
            match item {
                Item::Packet(_) => {}
                Item::Segment(seg) => worker.segment(seg, &block.bytes),
                Item::Sweep(ts_ns) => worker.sweep(*ts_ns),
                Item::CloseAll => worker.close_all(),
                Item::Sources(names) => worker.sources = names.clone(),
                Item::End(end) => {
                    hand_over(&shared, &mut worker, parcel.wait);
                    end.arrive(&shared);
                }
            }
        }
        hand_over(&shared, &mut worker, parcel.wait);
        if let Ok(block) = Arc::try_unwrap(parcel.block) {
            let _ = spare.try_send(block);
        }
    }
}

impl Sieve {
    fn new(shared: &Shared, stats: Arc<Stats>, fragments: Fragments) -> Sieve {
        Sieve { decoder: Decoder { fragments }, stats, seed: shared.seed, exclusions: Arc::default(), generation: 0 }
    }

    /// Decode one packet and count what became of it.
    #[inline]
    pub fn decode(&mut self, block: &Block, packet: &Packet, seg: &mut Segment) -> bool {
        let outcome = match packet.link {
            NO_INTERFACE => Err(Counter::IgnoredInterface),
            link => self.decoder.decode(link, &block.bytes, block.frame(packet), packet.ts_ns, &self.stats, seg),
        };
        let outcome = outcome.and_then(|()| if self.exclusions.matches(seg) { Err(Counter::Excluded) } else { Ok(()) });
        match outcome {
            Ok(()) => {
                self.stats.add(Counter::Segments, 1);
                seg.hash = hash_of(seg, self.seed);
                seg.source = packet.source;
                true
            }
            Err(reason) => {
                self.stats.add(reason, 1);
                false
            }
        }
    }

    /// Take over what was swapped, and whether whoever polls keeps up.
    pub fn renew(&mut self, shared: &Shared, worker: &mut Worker, wait: bool) {
        worker.pressed = !wait && shared.queue.is_full();
        if self.is_old(shared) {
            let tables = shared.tables.lock().unwrap_or_else(PoisonError::into_inner).clone();
            worker.replace(tables);
        }
    }

    /// Whether something was swapped; exclusions are taken over here.
    pub fn is_old(&mut self, shared: &Shared) -> bool {
        let now = shared.generation.load(Relaxed);
        let old = now != self.generation;
        if old {
            self.generation = now;
            self.exclusions = shared.exclusions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        }
        old
    }
}

impl EndOfSource {
    pub fn new(event: Option<Event>, finish: bool, seats: usize) -> EndOfSource {
        EndOfSource { left: AtomicUsize::new(seats), event: Mutex::new(event), finish }
    }

    fn arrive(&self, shared: &Shared) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            let event = self.event.lock().unwrap_or_else(PoisonError::into_inner).take();
            shared.queue.push(&mut event.into_iter().collect(), false);
            if self.finish {
                shared.queue.finish();
            }
        }
    }
}

/// Publish a worker's gauges and pass its events on.
pub fn hand_over(shared: &Shared, worker: &mut Worker, wait: bool) {
    worker.publish();
    let dropped = shared.queue.push(&mut worker.events, wait);
    worker.stats.add(Counter::EventsDropped, dropped.chunks + dropped.hits + dropped.shapes);
    worker.stats.add(Counter::ChunksDropped, dropped.chunks);
    worker.stats.add(Counter::HitsDropped, dropped.hits);
    worker.stats.add(Counter::ShapesDropped, dropped.shapes);
}
