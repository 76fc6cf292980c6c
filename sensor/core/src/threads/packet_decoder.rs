//! Packets to segments for one thread: decoded, excluded or not, counted, and with the hash of their flow.

use std::sync::Arc;

use crate::capture::packet::{Packet, NO_INTERFACE};
use crate::flow::worker::Worker;
use crate::model::stats::{Counter, Stats};
use crate::threads::shared::Shared;
use crate::wire::decode::Decoder;
use crate::wire::exclusions::Exclusions;
use crate::wire::fragments::Fragments;
use crate::wire::segment::Segment;

/// Packets decoded together: their table entries are loaded before any is worked on, so that memory is waited for once.
pub const BATCH: usize = 32;

pub struct PacketDecoder {
    decoder: Decoder,
    pub stats: Arc<Stats>,
    pub seed: u64,
    exclusions: Arc<Exclusions>,
    generation: u64,
    dismissals: u64, // passed on
}

impl PacketDecoder {
    pub fn new(shared: &Shared, stats: Arc<Stats>, fragments: Fragments) -> PacketDecoder {
        let decoder = Decoder { fragments };
        PacketDecoder { decoder, stats, seed: shared.seed, exclusions: Arc::default(), generation: 0, dismissals: 0 }
    }

    #[inline]
    pub fn fragments(&mut self) -> &mut Fragments {
        &mut self.decoder.fragments
    }

    /// Publish the figures of the fragments.
    #[inline]
    pub fn publish_evicted(&mut self) {
        self.stats.set(Counter::FragmentsEvicted, self.decoder.fragments.evicted);
        self.stats.add(Counter::OverlapConflicts, std::mem::take(&mut self.decoder.fragments.conflicts));
    }

    /// Decode a packet of a block and count what became of it; its flow's hash is what `hash` says.
    #[inline]
    pub fn decode(
        &mut self,
        block: &[u8],
        packet: &Packet,
        seg: &mut Segment,
        hash: impl FnOnce(&Segment) -> u64,
    ) -> bool {
        let outcome = match packet.link {
            NO_INTERFACE => Err(Counter::IgnoredInterface),
            link => self.decoder.decode(link, block, packet.of(block), packet.ts_ns, &self.stats, seg),
        };
        let outcome = outcome.and_then(|()| if self.exclusions.matches(seg) { Err(Counter::Excluded) } else { Ok(()) });
        match outcome {
            Ok(()) => {
                self.stats.add(Counter::Segments, 1);
                seg.hash = hash(seg);
                seg.source = packet.source;
                if let Some(other) = &mut seg.other {
                    (other.hash, other.source) = (seg.hash, seg.source);
                }
                true
            }
            Err(reason) => {
                self.stats.add(reason, 1);
                false
            }
        }
    }

    /// Take over what was swapped, and whether events are polled too slowly.
    pub fn refresh(&mut self, shared: &Shared, worker: &mut Worker, wait: bool) {
        worker.overloaded = !wait && shared.queue.is_full();
        shared.pass_dismissed(worker, &mut self.dismissals);
        if self.refresh_exclusions(shared) {
            worker.replace(shared.tables());
        }
    }

    /// Take over the exclusions. Whether anything was swapped.
    pub fn refresh_exclusions(&mut self, shared: &Shared) -> bool {
        let generation = shared.generation();
        let swapped = generation != self.generation;
        if swapped {
            self.generation = generation;
            self.exclusions = shared.exclusions();
        }
        swapped
    }
}

/// Load what the next look-ups need: where each begins in the index, the slot that it comes to, the flow's streams. The
/// loads of a kind do not depend on each other, so the processor waits for all of them together.
pub fn prefetch(worker: &Worker, batch: &mut [Segment]) {
    let flows = &worker.flows;
    let begun = batch.iter().fold(0, |sum, seg| sum ^ flows.touch_index(seg.hash));
    batch.iter_mut().for_each(|seg| seg.near = flows.near(seg.hash));
    let mut streams = [0_u32; BATCH];
    for (place, seg) in streams.iter_mut().zip(batch.iter()) {
        *place = flows.touch_slot(seg.near);
    }
    let touched = streams[..batch.len()].iter().fold(begun, |sum, place| sum ^ flows.touch_streams(*place));
    let sessions = batch.iter().fold(touched, |sum, seg| sum ^ worker.touch_session(seg));
    std::hint::black_box(sessions);
}
