//! Where the reader's blocks go: with one worker its own thread does all the work, otherwise packets are spread over
//! the workers by the hash of their flow. The sweep is decided here, so that every worker sweeps at the same packet.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::packet::Block;
use crate::flow::worker::Worker;
use crate::model::event::Event;
use crate::model::stats::Counter;
use crate::threads::message::{EndOfSource, Item, Work};
use crate::threads::packet_decoder::{prefetch, PacketDecoder, BATCH};
use crate::threads::shared::Shared;
use crate::threads::sweep::{Sweep, SweepClock};
use crate::wire::peek::peek;
use crate::wire::segment::Segment;

/// Who works on the flows.
pub enum Workers {
    Inline(Box<Worker>),
    Threads {
        inputs: Vec<Sender<Work>>,
        spares: Receiver<Block>, // used up by the workers, to be filled again
    },
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

    /// Work on the flows of a block, here or in the workers' threads.
    pub fn dispatch(&mut self, block: &mut Block, wait: bool) {
        if let Some(last) = block.packets.last() {
            self.last_ns = Some(last.ts_ns);
            self.decoder.stats.set(Counter::LastPacketNs, last.ts_ns);
        }
        match &mut self.workers {
            Workers::Inline(worker) => {
                self.decoder.refresh(&self.shared, worker, wait);
                work_inline(&mut self.decoder, &mut self.sweep_clock, worker, block);
                self.shared.flush_events(worker, wait);
            }
            Workers::Threads { inputs, spares } => {
                if block.packets.is_empty() {
                    return;
                }
                self.decoder.refresh_exclusions(&self.shared);
                let next = spares.try_recv().unwrap_or_default();
                let block = std::mem::replace(block, next);
                let shares = shares(&mut self.decoder, &mut self.sweep_clock, inputs.len(), self.shared.seed, &block);
                let block = Arc::new(block);
                for (input, items) in inputs.iter().zip(shares) {
                    let _ = input.send(Work { block: block.clone(), items, wait });
                }
            }
        }
    }

    /// Give every worker the same; with an event, or at the very end (`last`), the last one to arrive passes it on.
    pub fn broadcast(&mut self, items: Vec<Item>, end: Option<Event>, wait: bool, last: bool) {
        match &mut self.workers {
            Workers::Inline(worker) => {
                for item in items {
                    match item {
                        Item::CloseAll => worker.close_all(),
                        Item::Sources(names) => worker.sources = names,
                        Item::Sweep(sweep) => worker.sweep(sweep.ts_ns, sweep.all),
                        Item::Packet(_) | Item::Segment(_) | Item::End(_) => {}
                    }
                }
                worker.events.extend(end);
                self.shared.flush_events(worker, wait);
                if last {
                    self.shared.queue.finish();
                }
            }
            Workers::Threads { inputs, .. } => {
                let end = (end.is_some() || last).then(|| Arc::new(EndOfSource::new(end, last, inputs.len())));
                for input in inputs {
                    let mut items = items.clone();
                    items.extend(end.clone().map(Item::End));
                    let _ = input.send(Work { block: Arc::default(), items, wait });
                }
            }
        }
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

fn work_inline(decoder: &mut PacketDecoder, sweep_clock: &mut SweepClock, worker: &mut Worker, block: &Block) {
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for packets in block.packets.chunks(BATCH) {
        let mut count = 0;
        let mut sweeps = [None; BATCH];
        for packet in packets {
            decoder.stats.add(Counter::Packets, 1);
            decoder.stats.add(Counter::Bytes, u64::from(packet.captured));
            let seg = &mut batch[count];
            if decoder.decode(block, packet, seg) {
                sweeps[count] = sweep_clock.due(seg.ts_ns, decoder.fragments());
                count += 1;
            }
        }
        decoder.publish_evicted();
        prefetch(worker, &mut batch[..count]);
        for (seg, sweep) in batch[..count].iter().zip(sweeps) {
            if let Some(sweep) = sweep {
                worker.sweep(sweep.ts_ns, sweep.all);
            }
            worker.segment(seg, &block.bytes);
        }
    }
}

/// A block shared out by flow, for each worker its items. The worker decodes, unless only the reader can judge the
/// packet.
fn shares(
    decoder: &mut PacketDecoder,
    sweep_clock: &mut SweepClock,
    workers: usize,
    seed: u64,
    block: &Block,
) -> Vec<Vec<Item>> {
    let mut shares: Vec<Vec<Item>> = (0..workers).map(|_| Vec::with_capacity(block.packets.len())).collect();
    let mut seg = Segment::default();
    for (at, packet) in block.packets.iter().enumerate() {
        decoder.stats.add(Counter::Packets, 1);
        decoder.stats.add(Counter::Bytes, u64::from(packet.captured));
        let quiet = sweep_clock.is_quiet(packet.ts_ns);
        let peeked = if quiet { peek(packet.link, block.frame(packet), seed) } else { None };
        if let Some(hash) = peeked {
            shares[worker_of(hash, workers)].push(Item::Packet(at as u32));
            continue;
        }
        if !decoder.decode(block, packet, &mut seg) {
            decoder.publish_evicted();
            continue;
        }
        if let Some(sweep) = sweep_clock.due(seg.ts_ns, decoder.fragments()) {
            shares.iter_mut().for_each(|share| share.push(Item::Sweep(sweep)));
        }
        shares[worker_of(seg.hash, workers)].push(Item::Segment(Box::new(std::mem::take(&mut seg))));
    }
    shares
}
