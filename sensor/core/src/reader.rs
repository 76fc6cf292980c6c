//! The thread that reads: captures one after another (here) or interfaces all at once (`live`). It either does all the work itself, or spreads
//! packets over the workers by the hash of their flow. It decides the sweep, so that every worker does it at the same packet.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::{Block, Reader};
use crate::engine::{hand_over, touch, Command, EndOfSource, Item, Parcel, Shared, Sieve, BATCH};
use crate::event::Event;
use crate::limits::Limits;
use crate::live::Live;
use crate::peek::peek;
use crate::segment::Segment;
use crate::stats::Counter;
use crate::worker::Worker;

const SWEEP_NS: u64 = 10_000_000_000;

pub struct ReaderThread {
    pub shared: Arc<Shared>,
    pub sieve: Sieve,
    pub live: Live,
    limits: Limits,
    seats: Vec<Sender<Parcel>>,
    spares: Receiver<Block>, // used up by the workers, to be filled again
    inline: Option<Worker>,
    last_sweep: Option<u64>,
    last_ns: Option<u64>, // time of the last packet, of any source
}

fn seat_of(hash: u64, seats: usize) -> usize {
    hash as u32 as usize % seats
}

impl ReaderThread {
    pub fn new(
        sieve: Sieve,
        shared: Arc<Shared>,
        limits: Limits,
        seats: Vec<Sender<Parcel>>,
        spares: Receiver<Block>,
        inline: Option<Worker>,
    ) -> ReaderThread {
        let live = Live::default();
        ReaderThread { shared, sieve, live, limits, seats, spares, inline, last_sweep: None, last_ns: None }
    }

    /// Follow orders until the last, and read interfaces in between.
    pub fn run(mut self, orders: &Receiver<Command>) {
        loop {
            let order =
                if self.live.is_idle() { orders.recv().map_err(|_| false) } else { orders.try_recv().map_err(|gone| gone.is_empty()) };
            match order {
                Ok(Command::Source(reader, wait)) => self.source(*reader, wait),
                Ok(Command::Interface(interface)) => self.join(*interface),
                Ok(Command::Finish) => {
                    self.end_live();
                    self.everyone(vec![Item::CloseAll], None, true, true);
                    return;
                }
                Err(true) => self.round(),
                Err(false) => return,
            }
            if self.shared.queue.is_closed() {
                return;
            }
        }
    }

    fn source(&mut self, mut reader: Reader, wait: bool) {
        let name: Arc<str> = Arc::from(reader.name.as_str());
        let mut first_items = vec![Item::Sources(Arc::from([name.clone()]))];
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
        self.sieve.decoder.fragments.clear();
        self.last_sweep = None;
        Some(Item::CloseAll)
    }

    /// Tell every worker the same; with an event, or at the very end (`last`), the last one to arrive passes it on.
    pub fn everyone(&mut self, items: Vec<Item>, end: Option<Event>, wait: bool, last: bool) {
        if let Some(worker) = &mut self.inline {
            for item in items {
                match item {
                    Item::CloseAll => worker.close_all(),
                    Item::Sources(names) => worker.sources = names,
                    Item::Sweep(ts_ns) => worker.sweep(ts_ns),
                    Item::Packet(_) | Item::Segment(_) | Item::End(_) => {}
                }
            }
            worker.events.extend(end);
            hand_over(&self.shared, worker, wait);
            if last {
                self.shared.queue.finish();
            }
            return;
        }
        let meeting = (end.is_some() || last).then(|| Arc::new(EndOfSource::new(end, last, self.seats.len())));
        for seat in &self.seats {
            let mut items = items.clone();
            items.extend(meeting.clone().map(Item::End));
            let _ = seat.send(Parcel { block: Arc::default(), items, wait });
        }
    }

    pub fn block(&mut self, block: &mut Block, wait: bool) {
        if let Some(last) = block.packets.last() {
            self.last_ns = Some(last.ts_ns);
            self.sieve.stats.set(Counter::LastPacketNs, last.ts_ns);
        }
        if let Some(mut worker) = self.inline.take() {
            self.sieve.renew(&self.shared, &mut worker, wait);
            self.work_inline(&mut worker, block);
            hand_over(&self.shared, &mut worker, wait);
            self.inline = Some(worker);
        } else if !block.packets.is_empty() {
            self.sieve.is_old(&self.shared);
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
                self.sieve.stats.add(Counter::Packets, 1);
                self.sieve.stats.add(Counter::Bytes, u64::from(packet.captured));
                let seg = &mut batch[count];
                if self.sieve.decode(block, packet, seg) {
                    let ts_ns = seg.ts_ns;
                    sweeps[count] = self.sweep_due(ts_ns);
                    count += 1;
                }
            }
            self.sieve.stats.set(Counter::FragmentsEvicted, self.sieve.decoder.fragments.evicted);
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
            self.sieve.stats.add(Counter::Packets, 1);
            self.sieve.stats.add(Counter::Bytes, u64::from(packet.captured));
            let quiet = self.last_sweep.is_some_and(|last| packet.ts_ns.abs_diff(last) < SWEEP_NS);
            let peeked = if quiet { peek(packet.link, block.frame(packet), self.shared.seed) } else { None };
            if let Some(hash) = peeked {
                let seat = seat_of(hash, shares.len());
                shares[seat].push(Item::Packet(at as u32));
                continue;
            }
            if !self.sieve.decode(&block, packet, &mut seg) {
                self.sieve.stats.set(Counter::FragmentsEvicted, self.sieve.decoder.fragments.evicted);
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

    /// The same by the clock, where no segment comes to say it.
    pub fn sweep_due_at(&mut self, ts_ns: u64) -> Option<u64> {
        self.last_sweep.and_then(|_| self.sweep_due(ts_ns))
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
            self.sieve.decoder.fragments.sweep(ts_ns);
            return Some(ts_ns);
        }
        if ts_ns.saturating_add(SWEEP_NS) < last {
            self.last_sweep = Some(ts_ns);
        }
        None
    }
}
