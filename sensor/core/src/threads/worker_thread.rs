//! The thread of a worker, where there are several: it decodes the packets that the reader gave it, and works on their
//! flows.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use crate::capture::packet::Block;
use crate::flow::worker::Worker;
use crate::model::stats::Counter;
use crate::threads::message::{Item, Work};
use crate::threads::packet_decoder::{prefetch, PacketDecoder, BATCH};
use crate::threads::shared::{PanicGuard, Shared};
use crate::wire::fragments::Fragments;
use crate::wire::segment::Segment;

/// Work until the reader is gone; used blocks go back through `spare`.
pub fn run(mut worker: Worker, incoming: &Receiver<Work>, spare: &Sender<Block>, shared: Arc<Shared>) {
    let _guard = PanicGuard(shared.clone());
    let mut decoder = PacketDecoder::new(&shared, worker.stats.clone(), Fragments::new(0, 0));
    let mut batch: [Segment; BATCH] = std::array::from_fn(|_| Segment::default());
    for work in incoming {
        decoder.refresh(&shared, &mut worker, work.wait);
        worker.stats.add(Counter::Ticks, 1);
        shared.hang_if_faulty(&worker.stats);
        let block = &work.block;
        let mut items = work.items.as_slice();
        while let Some(item) = items.first() {
            // packets in a row are decoded together, as the single worker does it
            let row = items.iter().take(BATCH).take_while(|item| matches!(item, Item::Packet(_))).count();
            let mut count = 0;
            for item in &items[..row] {
                if let Item::Packet(at) = item {
                    count += usize::from(decoder.decode(block, &block.packets[*at as usize], &mut batch[count]));
                }
            }
            prefetch(&worker, &mut batch[..count]);
            batch[..count].iter().for_each(|seg| worker.segment(seg, &block.bytes));
            items = &items[row.max(1)..];
            match item {
                Item::Packet(_) => {}
                Item::Segment(seg) => worker.segment(seg, &block.bytes),
                Item::Sweep(sweep) => worker.sweep(sweep.ts_ns, sweep.all),
                Item::CloseAll => worker.close_all(),
                Item::Sources(names) => worker.sources = names.clone(),
                Item::End(end) => {
                    shared.flush_events(&mut worker, work.wait);
                    end.arrive(&shared.queue);
                }
            }
        }
        shared.flush_events(&mut worker, work.wait);
        if let Ok(block) = Arc::try_unwrap(work.block) {
            let _ = spare.try_send(block);
        }
    }
}
