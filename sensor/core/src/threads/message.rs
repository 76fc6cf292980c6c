//! What passes between the threads: commands to the reader, work to the workers.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::packet::Block;
use crate::capture::ring::Interface;
use crate::model::event::Event;
use crate::threads::ahead::Capture;
use crate::threads::queue::Queue;
use crate::threads::sweep::Sweep;
use crate::wire::segment::Segment;

/// To the reader.
pub enum Command {
    Capture(Capture, bool), // the flag: a full queue makes reading wait
    Interface(Box<Interface>),
    Finish(Arc<EndOfSource>), // the end of all
}

/// To a worker: its share of a block. Without anything in it, it is only asked to show that it lives.
pub struct Work {
    pub block: Arc<Block>,
    pub share: Share,
    pub wait: bool,
}

/// A packet that its worker decodes: its place in the block, and the hash of its flow.
#[derive(Clone, Copy)]
pub struct Handed {
    pub hash: u64,
    pub at: u32,
}

/// What a worker does with a block: its packets in their order, and each item when so many of them are done. The bytes
/// stay where they were read: nothing of them is copied, whatever flow they are of.
#[derive(Default)]
pub struct Share {
    pub packets: Vec<Handed>,
    pub items: Vec<(usize, Item)>,
}

impl Share {
    /// Empty, with its room.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.items.clear();
    }

    /// Behind all packets so far.
    pub fn push(&mut self, item: Item) {
        self.items.push((self.packets.len(), item));
    }
}

#[derive(Clone)]
pub enum Item {
    Segment(Box<Segment>), // decoded by the reader, because only it keeps fragments or because it decided a sweep
    Sweep(Sweep),
    CloseAll,
    Sources(Arc<[Arc<str>]>),
    End(Arc<EndOfSource>),
}

/// Given to every worker at the end of a source; the last one to arrive here queues the event.
pub struct EndOfSource {
    left: AtomicUsize,
    event: Mutex<Option<Event>>,
    finish: bool,
}

impl EndOfSource {
    pub fn new(event: Option<Event>, finish: bool, workers: usize) -> EndOfSource {
        EndOfSource { left: AtomicUsize::new(workers), event: Mutex::new(event), finish }
    }

    pub fn arrive(&self, queue: &Queue) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            let event = self.event.lock().unwrap_or_else(PoisonError::into_inner).take();
            queue.push(&mut event.into_iter().collect(), false);
            if self.finish {
                queue.finish();
            }
        }
    }
}
