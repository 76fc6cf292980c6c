//! The threads: one reads and decodes, and either does all the work itself (one worker) or spreads segments over workers by the hash of
//! their flow. The sweep is decided by the reader, so that every worker does it at the same packet.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};

use crate::capture::{Block, Packet, Problem, Reader, NO_INTERFACE};
use crate::decode::Decoder;
use crate::event::Event;
use crate::flow::{hash_of, Flows};
use crate::fragments::Fragments;
use crate::limits::Limits;
use crate::peek::peek;
use crate::prefilter::Tables;
use crate::queue::Queue;
use crate::segment::Segment;
use crate::stats::{Counter, Stats, NAMES};
use crate::worker::Worker;

const SWEEP_NS: u64 = 10_000_000_000;
/// Packets decoded together: their table entries are touched before any is worked on, so that memory is waited for once.
const BATCH: usize = 32;
const BLOCKS_IN_FLIGHT: usize = 4;
/// How long closing waits for the threads.
const PATIENCE: Duration = Duration::from_millis(500);

/// What all threads share.
pub struct Shared {
    pub queue: Queue,
    pub source_bytes: Arc<AtomicU64>,
    tables: Mutex<Arc<Tables>>,
    generation: AtomicU64,
    seed: u64, // of the flow hash
}

/// A core at work.
pub struct Engine {
    pub shared: Arc<Shared>,
    stats: Vec<Arc<Stats>>,
    commands: Option<Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

enum Command {
    Source(Box<Reader>, bool),
    Finish,
}

enum Item {
    Packet(u32),           // to be decoded by the worker: its place in the block
    Segment(Box<Segment>), // decoded by the reader, because only it keeps fragments or because it decided a sweep
    Sweep(u64),
    CloseAll,
    Source(Arc<str>),
    End(Arc<EndOfSource>),
}

/// The last worker to arrive says it.
struct EndOfSource {
    left: AtomicUsize,
    event: Mutex<Option<Event>>,
    finish: bool,
}

/// Fragments are kept by the reader alone; a worker's decoder never meets any.
fn plain_decoder() -> Decoder {
    Decoder { fragments: Fragments::new(0, 0) }
}

struct Parcel {
    block: Arc<Block>,
    items: Vec<Item>,
    wait: bool,
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
            generation: AtomicU64::new(0),
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
        let state = ReaderThread {
            decoder: Decoder { fragments: Fragments::new(limits.fragments, limits.fragment_bytes) },
            stats: own,
            shared: shared.clone(),
            limits,
            seats,
            spares,
            inline,
            generation: 0,
            last_sweep: None,
            last_ns: None,
        };
        threads.push(std::thread::spawn(move || state.run(&orders)));
        Engine { shared, stats, commands: Some(commands), threads }
    }

    /// Open a source now; it is read after those attached before.
    pub fn attach(&self, source: &str, wait: bool) -> Result<(), Problem> {
        let reader = Reader::open(source, self.shared.source_bytes.clone())?;
        self.send(Command::Source(Box::new(reader), wait));
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

    /// All counters, summed over the threads.
    pub fn stats(&self) -> Vec<(&'static str, u64)> {
        let mut totals = [0_u64; NAMES.len()];
        for stats in &self.stats {
            for (total, value) in totals.iter_mut().zip(stats.snapshot()) {
                *total += value;
            }
        }
        totals[Counter::SourceBytes as usize] = self.shared.source_bytes.load(Relaxed);
        NAMES.iter().copied().zip(totals).collect()
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
fn touch(flows: &Flows, batch: &[Segment]) {
    let mut entries = [0_u64; BATCH];
    for (entry, seg) in entries.iter_mut().zip(batch) {
        *entry = flows.touch_index(seg.hash);
    }
    let touched = entries[..batch.len()].iter().fold(0, |sum, entry| sum ^ flows.touch_slot(*entry));
    std::hint::black_box(touched);
}

fn work(mut worker: Worker, incoming: &Receiver<Parcel>, spare: &Sender<Block>, shared: Arc<Shared>) {
    let _obituary = Obituary(shared.clone());
    let mut generation = 0;
    let mut decoder = plain_decoder();
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for parcel in incoming {
        renew(&shared, &mut generation, &mut worker);
        let block = &parcel.block;
        let mut items = parcel.items.as_slice();
        while let Some(item) = items.first() {
            // packets in a row are decoded together, as the single worker does it
            let row = items.iter().take(BATCH).take_while(|item| matches!(item, Item::Packet(_))).count();
            let mut count = 0;
            for item in &items[..row] {
                if let Item::Packet(at) = item {
                    count += usize::from(decode(
                        &mut decoder,
                        block,
                        &block.packets[*at as usize],
                        &worker.stats,
                        shared.seed,
                        &mut batch[count],
                    ));
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
                Item::Source(name) => worker.source = name.clone(),
                Item::End(end) => {
                    worker.publish();
                    hand_over(&shared, &mut worker.events, &worker.stats, parcel.wait);
                    end.arrive(&shared);
                }
            }
        }
        worker.publish();
        hand_over(&shared, &mut worker.events, &worker.stats, parcel.wait);
        if let Ok(block) = Arc::try_unwrap(parcel.block) {
            let _ = spare.try_send(block);
        }
    }
}

/// Decode one packet and count what became of it.
#[inline]
fn decode(decoder: &mut Decoder, block: &Block, packet: &Packet, stats: &Stats, seed: u64, seg: &mut Segment) -> bool {
    let outcome = match packet.link {
        NO_INTERFACE => Err(Counter::IgnoredInterface),
        link => decoder.decode(link, &block.bytes, block.frame(packet), packet.ts_ns, stats, seg),
    };
    match outcome {
        Ok(()) => {
            stats.add(Counter::Segments, 1);
            seg.hash = hash_of(seg, seed);
            true
        }
        Err(reason) => {
            stats.add(reason, 1);
            false
        }
    }
}

impl EndOfSource {
    fn arrive(&self, shared: &Shared) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            let event = self.event.lock().unwrap_or_else(PoisonError::into_inner).take();
            shared.queue.push(&mut event.into_iter().collect(), true);
            if self.finish {
                shared.queue.finish();
            }
        }
    }
}

fn seat_of(hash: u64, seats: usize) -> usize {
    hash as u32 as usize % seats
}

fn hand_over(shared: &Shared, events: &mut Vec<Event>, stats: &Stats, wait: bool) {
    let dropped = shared.queue.push(events, wait);
    stats.add(Counter::EventsDropped, dropped);
}

fn renew(shared: &Shared, generation: &mut u64, worker: &mut Worker) {
    let now = shared.generation.load(Relaxed);
    if now != *generation {
        *generation = now;
        worker.replace(shared.tables.lock().unwrap_or_else(PoisonError::into_inner).clone());
    }
}

struct ReaderThread {
    decoder: Decoder,
    stats: Arc<Stats>,
    shared: Arc<Shared>,
    limits: Limits,
    seats: Vec<Sender<Parcel>>,
    spares: Receiver<Block>, // used up by the workers, to be filled again
    inline: Option<Worker>,
    generation: u64,
    last_sweep: Option<u64>,
    last_ns: Option<u64>, // time of the last packet, of any source
}

impl ReaderThread {
    fn run(mut self, orders: &Receiver<Command>) {
        let _obituary = Obituary(self.shared.clone());
        for order in orders {
            match order {
                Command::Source(reader, wait) => self.source(*reader, wait),
                Command::Finish => {
                    self.everyone(vec![Item::CloseAll], None, true, true);
                    return;
                }
            }
            if self.shared.queue.is_closed() {
                return;
            }
        }
    }

    fn source(&mut self, mut reader: Reader, wait: bool) {
        let name: Arc<str> = Arc::from(reader.name.as_str());
        let mut first_items = vec![Item::Source(name.clone())];
        let mut packets = 0;
        let mut block = Block::default();
        let outcome = loop {
            let outcome = reader.next_block(&mut block);
            if let Some(first) = block.packets.first().filter(|_| packets == 0) {
                first_items.splice(0..0, self.between_sources(first.ts_ns));
            }
            packets += block.packets.len() as u64;
            if !first_items.is_empty() && !block.packets.is_empty() {
                self.everyone(std::mem::take(&mut first_items), None, wait, false);
            }
            self.block(&mut block, wait);
            match outcome {
                Ok(true) if !self.shared.queue.is_closed() => {}
                Ok(_) => break (None, reader.position()),
                Err(problem) => break (Some(problem.reason), problem.offset),
            }
        };
        let event = Event::End { source: name, packets, error: outcome.0, offset: outcome.1 };
        self.everyone(Vec::new(), Some(event), wait, false);
    }

    /// A source that does not continue in time closes every flow first.
    fn between_sources(&mut self, first_ns: u64) -> Option<Item> {
        let last_ns = self.last_ns?;
        if first_ns >= last_ns && first_ns - last_ns <= self.limits.candidate_ns {
            return None;
        }
        self.decoder.fragments.clear();
        self.last_sweep = None;
        Some(Item::CloseAll)
    }

    /// Tell every worker the same; with an event, or at the very end (`last`), the last one to arrive passes it on.
    fn everyone(&mut self, items: Vec<Item>, end: Option<Event>, wait: bool, last: bool) {
        if let Some(worker) = &mut self.inline {
            for item in items {
                match item {
                    Item::CloseAll => worker.close_all(),
                    Item::Source(name) => worker.source = name,
                    _ => {}
                }
            }
            worker.events.extend(end);
            worker.publish();
            hand_over(&self.shared, &mut worker.events, &worker.stats, wait);
            if last {
                self.shared.queue.finish();
            }
            return;
        }
        let meeting = (end.is_some() || last)
            .then(|| Arc::new(EndOfSource { left: AtomicUsize::new(self.seats.len()), event: Mutex::new(end), finish: last }));
        for seat in &self.seats {
            let mut items: Vec<Item> = items
                .iter()
                .map(|item| match item {
                    Item::Source(name) => Item::Source(name.clone()),
                    _ => Item::CloseAll,
                })
                .collect();
            items.extend(meeting.clone().map(Item::End));
            let _ = seat.send(Parcel { block: Arc::default(), items, wait });
        }
    }

    fn block(&mut self, block: &mut Block, wait: bool) {
        if let Some(last) = block.packets.last() {
            self.last_ns = Some(last.ts_ns);
            self.stats.set(Counter::LastPacketNs, last.ts_ns);
        }
        if let Some(mut worker) = self.inline.take() {
            renew(&self.shared, &mut self.generation, &mut worker);
            self.work_inline(&mut worker, block);
            worker.publish();
            hand_over(&self.shared, &mut worker.events, &worker.stats, wait);
            self.inline = Some(worker);
        } else if !block.packets.is_empty() {
            let next = self.spares.try_recv().unwrap_or_default();
            self.spread(std::mem::replace(block, next), wait);
        }
    }

    fn work_inline(&mut self, worker: &mut Worker, block: &Block) {
        let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
        for packets in block.packets.chunks(BATCH) {
            let mut count = 0;
            let mut sweeps = [None; BATCH];
            for packet in packets {
                self.stats.add(Counter::Packets, 1);
                self.stats.add(Counter::Bytes, u64::from(packet.captured));
                let seg = &mut batch[count];
                if decode(&mut self.decoder, block, packet, &self.stats, self.shared.seed, seg) {
                    let ts_ns = seg.ts_ns;
                    sweeps[count] = self.sweep_due(ts_ns);
                    count += 1;
                }
            }
            self.stats.set(Counter::FragmentsEvicted, self.decoder.fragments.evicted);
            touch(&worker.flows, &batch[..count]);
            for (seg, sweep) in batch[..count].iter().zip(sweeps) {
                if let Some(ts_ns) = sweep {
                    worker.sweep(ts_ns);
                }
                worker.segment(seg, &block.bytes);
            }
        }
    }

    /// Share a block out by flow. The worker decodes, unless the packet is one that only the reader can judge.
    fn spread(&mut self, block: Block, wait: bool) {
        let mut shares: Vec<Vec<Item>> = self.seats.iter().map(|_| Vec::with_capacity(block.packets.len())).collect();
        let mut seg = Segment::default();
        for (at, packet) in block.packets.iter().enumerate() {
            self.stats.add(Counter::Packets, 1);
            self.stats.add(Counter::Bytes, u64::from(packet.captured));
            let quiet = self.last_sweep.is_some_and(|last| packet.ts_ns.abs_diff(last) < SWEEP_NS);
            let peeked = if quiet { peek(packet.link, block.frame(packet), self.shared.seed) } else { None };
            if let Some(hash) = peeked {
                let seat = seat_of(hash, shares.len());
                shares[seat].push(Item::Packet(at as u32));
                continue;
            }
            if !decode(&mut self.decoder, &block, packet, &self.stats, self.shared.seed, &mut seg) {
                self.stats.set(Counter::FragmentsEvicted, self.decoder.fragments.evicted);
                continue;
            }
            if let Some(ts_ns) = self.sweep_due(seg.ts_ns) {
                shares.iter_mut().for_each(|share| share.push(Item::Sweep(ts_ns)));
            }
            let seat = seat_of(seg.hash, shares.len());
            shares[seat].push(Item::Segment(Box::new(std::mem::take(&mut seg))));
        }
        let block = Arc::new(block);
        for (seat, items) in self.seats.iter().zip(shares) {
            let _ = seat.send(Parcel { block: block.clone(), items, wait });
        }
    }

    /// The time to sweep at, if this segment is what makes it due. Fragments are swept here and now, before the next packet is decoded.
    #[inline]
    fn sweep_due(&mut self, ts_ns: u64) -> Option<u64> {
        let Some(last) = self.last_sweep else {
            self.last_sweep = Some(ts_ns);
            return None;
        };
        if ts_ns >= last.saturating_add(SWEEP_NS) {
            self.last_sweep = Some(ts_ns);
            self.decoder.fragments.sweep(ts_ns);
            return Some(ts_ns);
        }
        if ts_ns.saturating_add(SWEEP_NS) < last {
            self.last_sweep = Some(ts_ns);
        }
        None
    }
}
