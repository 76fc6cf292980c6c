//! The thread of a worker, where there are several: it decodes the packets that the reader gave it, and works on their
//! flows.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::packet::Block;
use crate::flow::worker::Worker;
use crate::model::stats::Counter;
use crate::threads::message::{Handed, Item, Share, Work};
use crate::threads::packet_decoder::{prefetch, PacketDecoder, BATCH};
use crate::threads::shared::{PanicGuard, Shared};
use crate::wire::fragments::Fragments;
use crate::wire::segment::Segment;

/// What is used up goes back to the reader.
#[derive(Clone)]
pub struct Spares {
    pub blocks: Sender<Block>,
    pub shares: Sender<Share>,
}

/// Work until the reader is gone.
pub fn run(mut worker: Worker, incoming: &Receiver<Work>, spares: &Spares, shared: Arc<Shared>) {
    let _guard = PanicGuard(shared.clone());
    let mut decoder = PacketDecoder::new(&shared, worker.stats.clone(), Fragments::new(0, 0));
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for Work { block, mut share, wait } in incoming {
        decoder.refresh(&shared, &mut worker, wait);
        worker.stats.add(Counter::Ticks, 1);
        shared.hang_if_faulty(&worker.stats);
        let mut done = 0;
        for (until, item) in share.items.drain(..) {
            follow(&mut decoder, &mut worker, &block, &share.packets[done..until], &mut batch);
            done = until;
            match item {
                Item::Segment(seg) => worker.segment(&seg, &block.bytes),
                Item::Sweep(sweep) => worker.sweep(sweep.ts_ns, sweep.all),
                Item::CloseAll => worker.close_all(),
                Item::Sources(names) => worker.sources = names,
                Item::End(end) => {
                    shared.flush_events(&mut worker, wait);
                    end.arrive(&shared.queue);
                }
            }
        }
        follow(&mut decoder, &mut worker, &block, &share.packets[done..], &mut batch);
        shared.flush_events(&mut worker, wait);
        share.clear();
        let _ = spares.shares.try_send(share);
        if let Ok(block) = Arc::try_unwrap(block) {
            let _ = spares.blocks.try_send(block);
        }
    }
}

/// Decode packets together and work on them, as the single worker does it.
fn follow(
    decoder: &mut PacketDecoder,
    worker: &mut Worker,
    block: &Block,
    packets: &[Handed],
    batch: &mut [Segment; BATCH],
) {
    for packets in packets.chunks(BATCH) {
        touch(block, packets);
        let mut count = 0;
        for Handed { hash, at } in packets {
            let packet = &block.packets[*at as usize];
            count += usize::from(decoder.decode(&block.bytes, packet, &mut batch[count], |_| *hash));
        }
        prefetch(worker, &mut batch[..count]);
        batch[..count].iter().for_each(|seg| worker.segment(seg, &block.bytes));
    }
}

/// Load the beginnings of frames all together: another processor has read them, and each would be waited for.
fn touch(block: &Block, packets: &[Handed]) {
    let first = |handed: &Handed| block.frame(&block.packets[handed.at as usize]).first().copied().unwrap_or(0);
    std::hint::black_box(packets.iter().fold(0, |sum, handed| sum ^ first(handed)));
}
