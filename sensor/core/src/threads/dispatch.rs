//! Where the reader's blocks go: with one worker its own thread does all the work, otherwise packets are spread over
//! the workers by the hash of their flow. The sweep is decided here, so that every worker sweeps at the same packet.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::packet::{Block, Packet};
use crate::flow::worker::Worker;
use crate::model::event::Event;
use crate::model::stats::Counter;
use crate::threads::message::{EndOfSource, Handed, Item, Share, Work};
use crate::threads::packet_decoder::{prefetch, PacketDecoder, BATCH};
use crate::threads::shared::Shared;
use crate::threads::sweep::{Sweep, SweepClock};
use crate::wire::flow_hash::flow_hash;
use crate::wire::peek::peek;
use crate::wire::segment::Segment;

/// Who works on the flows.
pub enum Workers {
    Inline(Box<Worker>),
    Threads(Threads),
}

/// Workers in threads of their own, and what they have used up, to be filled again.
pub struct Threads {
    pub inputs: Vec<Sender<Work>>,
    pub blocks: Receiver<Block>,
    pub shares: Receiver<Share>,
}

pub struct Dispatcher {
    pub shared: Arc<Shared>,
    pub decoder: PacketDecoder,
    workers: Workers,
    sweep_clock: SweepClock,
    last_ns: Option<u64>, // time of the last packet, of any source
}

fn worker_of(hash: u64, workers: usize) -> usize {
    hash as u32 as usize % workers
}

impl Dispatcher {
    pub fn new(shared: Arc<Shared>, decoder: PacketDecoder, workers: Workers) -> Dispatcher {
        Dispatcher { shared, decoder, workers, sweep_clock: SweepClock::default(), last_ns: None }
    }

    /// Whether packets are worked on in this thread, and so may lie where they are lost as soon as that is done.
    pub fn is_inline(&self) -> bool {
        matches!(self.workers, Workers::Inline(_))
    }

    /// Work on the flows of a block, here or in the workers' threads.
    pub fn dispatch(&mut self, block: &mut Block, wait: bool) {
        if self.is_inline() {
            return self.work_in_place(&block.bytes, &block.packets, wait);
        }
        if block.packets.is_empty() {
            return;
        }
        self.note(&block.packets);
        self.decoder.refresh_exclusions(&self.shared);
        if let Workers::Threads(threads) = &self.workers {
            let next = threads.blocks.try_recv().unwrap_or_default();
            let block = std::mem::replace(block, next);
            let mut shares: Vec<Share> =
                threads.inputs.iter().map(|_| threads.shares.try_recv().unwrap_or_default()).collect();
            fill(&mut shares, &mut self.decoder, &mut self.sweep_clock, &block);
            let block = Arc::new(block);
            for (input, share) in threads.inputs.iter().zip(shares) {
                let _ = input.send(Work { block: block.clone(), share, wait });
            }
        }
    }

    /// Work on packets where they lie, in this thread. Not for workers in threads of their own.
    pub fn work_in_place(&mut self, bytes: &[u8], packets: &[Packet], wait: bool) {
        self.note(packets);
        if let Workers::Inline(worker) = &mut self.workers {
            self.decoder.refresh(&self.shared, worker, wait);
            work_inline(&mut self.decoder, &mut self.sweep_clock, worker, bytes, packets);
            self.shared.flush_events(worker, wait);
        }
    }

    /// Count packets that are about to be worked on, and note the time of the last.
    fn note(&mut self, packets: &[Packet]) {
        if let Some(last) = packets.last() {
            self.last_ns = Some(last.ts_ns);
            self.decoder.stats.set(Counter::LastPacketNs, last.ts_ns);
        }
    }

    /// Give every worker the same; with an event, or at the very end (`last`), the last one to arrive passes it on.
    pub fn broadcast(&mut self, items: Vec<Item>, end: Option<Arc<EndOfSource>>, wait: bool) {
        match &mut self.workers {
            Workers::Inline(worker) => {
                for item in items {
                    match item {
                        Item::CloseAll => worker.close_all(),
                        Item::Sources(names) => worker.sources = names,
                        Item::Sweep(sweep) => worker.sweep(sweep.ts_ns, sweep.all),
                        Item::Segment(_) | Item::End(_) => {}
                    }
                }
                self.shared.flush_events(worker, wait);
                if let Some(end) = end {
                    end.arrive(&self.shared.queue);
                }
            }
            Workers::Threads(threads) => {
                for input in &threads.inputs {
                    let items = items.iter().cloned().chain(end.clone().map(Item::End)).map(|item| (0, item)).collect();
                    let share = Share { packets: Vec::new(), items };
                    let _ = input.send(Work { block: Arc::default(), share, wait });
                }
            }
        }
    }

    /// Report the end of a source once every worker here is done with it.
    pub fn report_end(&mut self, event: Event, wait: bool) {
        let parts = match &self.workers {
            Workers::Inline(_) => 1,
            Workers::Threads(threads) => threads.inputs.len(),
        };
        self.broadcast(Vec::new(), Some(Arc::new(EndOfSource::new(Some(event), false, parts))), wait);
    }

    /// Before a source whose first packet is of `first_ns`: unless it goes on within `longest_gap_ns`, every flow has
    /// to be closed.
    pub fn between_sources(&mut self, first_ns: u64, longest_gap_ns: u64) -> Option<Item> {
        let last_ns = self.last_ns?;
        if first_ns >= last_ns && first_ns - last_ns <= longest_gap_ns {
            return None;
        }
        self.decoder.fragments().clear();
        self.sweep_clock = SweepClock::default();
        Some(Item::CloseAll)
    }

    /// What to sweep by the clock, where no segment makes it due.
    pub fn sweep_due_at(&mut self, ts_ns: u64) -> Option<Sweep> {
        self.sweep_clock.due_at(ts_ns, self.decoder.fragments())
    }
}

/// Count packets that are about to be decoded or handed over.
fn count(decoder: &PacketDecoder, packets: &[Packet]) {
    decoder.stats.add(Counter::Packets, packets.len() as u64);
    decoder.stats.add(Counter::Bytes, packets.iter().map(|packet| u64::from(packet.captured)).sum());
}

fn work_inline(
    decoder: &mut PacketDecoder,
    sweep_clock: &mut SweepClock,
    worker: &mut Worker,
    bytes: &[u8],
    packets: &[Packet],
) {
    let seed = decoder.seed;
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for packets in packets.chunks(BATCH) {
        let mut filled = 0;
        let mut sweeps = [None; BATCH];
        count(decoder, packets);
        for packet in packets {
            let seg = &mut batch[filled];
            if decoder.decode(bytes, packet, seg, |seg| flow_hash(seg, seed)) {
                sweeps[filled] = sweep_clock.due(seg.ts_ns, decoder.fragments());
                filled += 1;
            }
        }
        decoder.publish_evicted();
        prefetch(worker, &mut batch[..filled]);
        for (seg, sweep) in batch[..filled].iter().zip(sweeps) {
            if let Some(sweep) = sweep {
                worker.sweep(sweep.ts_ns, sweep.all);
            }
            worker.segment(seg, bytes);
        }
    }
}

/// Share a block out by flow. The worker decodes, unless only the reader can judge the packet.
fn fill(shares: &mut [Share], decoder: &mut PacketDecoder, sweep_clock: &mut SweepClock, block: &Block) {
    let (seed, workers) = (decoder.seed, shares.len());
    let mut seg = Segment::default();
    count(decoder, &block.packets);
    for (at, packet) in block.packets.iter().enumerate() {
        let quiet = sweep_clock.is_quiet(packet.ts_ns);
        let peeked = if quiet { peek(packet.link, block.frame(packet), seed) } else { None };
        if let Some(hash) = peeked {
            shares[worker_of(hash, workers)].packets.push(Handed { hash, at: at as u32 });
            continue;
        }
        if !decoder.decode(&block.bytes, packet, &mut seg, |seg| flow_hash(seg, seed)) {
            decoder.publish_evicted();
            continue;
        }
        if let Some(sweep) = sweep_clock.due(seg.ts_ns, decoder.fragments()) {
            shares.iter_mut().for_each(|share| share.push(Item::Sweep(sweep)));
        }
        shares[worker_of(seg.hash, workers)].push(Item::Segment(Box::new(std::mem::take(&mut seg))));
    }
}
