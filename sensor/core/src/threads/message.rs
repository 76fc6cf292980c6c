//! What passes between the threads: commands to the reader, work to the workers.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::file::Reader;
use crate::capture::packet::Block;
use crate::capture::ring::Interface;
use crate::model::event::Event;
use crate::threads::queue::Queue;
use crate::threads::sweep::Sweep;
use crate::wire::segment::Segment;

/// To the reader.
pub enum Command {
    Capture(Box<Reader>, bool), // the flag: a full queue makes reading wait
    Interface(Box<Interface>),
    Finish,
}

/// To a worker: packets of a block, and what to do between them. Without items it is only asked to show that it lives.
pub struct Work {
    pub block: Arc<Block>,
    pub items: Vec<Item>,
    pub wait: bool,
}

#[derive(Clone)]
pub enum Item {
    Packet(u32),           // to be decoded by the worker: its place in the block
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
