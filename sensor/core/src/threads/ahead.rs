//! Captures read ahead: each is read, unpacked and cut into packets in a thread of its own, a few blocks before they are
//! asked for. Several packed captures are so unpacked side by side, and their blocks are still taken one capture after
//! another: what comes of them is the same.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{bounded, Receiver, Sender};

use crate::capture::file::Reader;
use crate::capture::packet::{Block, Problem};
use crate::threads::shared::{PanicGuard, Shared};

/// Blocks of a capture that wait: one to be worked on, one behind it, and one for what comes unevenly.
const BLOCKS_AHEAD: usize = 3;

/// A capture whose blocks are asked for one after another.
pub enum Capture {
    Here(Box<Reader>), // read by whoever asks
    Ahead(Ahead),
}

/// One that a thread reads.
pub struct Ahead {
    name: String,
    loaded: Receiver<Loaded>,
    spares: Sender<Block>,
    position: u64,
}

/// A block, what `Reader::next_block` said with it, and the position behind it.
struct Loaded {
    block: Block,
    outcome: Result<bool, Problem>,
    position: u64,
}

impl Ahead {
    /// Begin to read; `start` makes a thread.
    pub fn new(
        mut reader: Reader,
        shared: Arc<Shared>,
        start: impl FnOnce(Box<dyn FnOnce() + Send>) -> JoinHandle<()>,
    ) -> (Ahead, JoinHandle<()>) {
        let ((loads, loaded), (spares, empty)) = (bounded(BLOCKS_AHEAD), bounded(BLOCKS_AHEAD));
        let (name, position) = (reader.name.clone(), reader.position());
        let thread = start(Box::new(move || {
            let _guard = PanicGuard(shared);
            loop {
                let mut block: Block = empty.try_recv().unwrap_or_default();
                let outcome = reader.next_block(&mut block);
                let last = !matches!(outcome, Ok(true));
                if loads.send(Loaded { block, outcome, position: reader.position() }).is_err() || last {
                    return; // nobody asks any more, or there is no more
                }
            }
        }));
        (Ahead { name, loaded, spares, position }, thread)
    }
}

impl Capture {
    pub fn name(&self) -> &str {
        match self {
            Capture::Here(reader) => &reader.name,
            Capture::Ahead(ahead) => &ahead.name,
        }
    }

    /// As `Reader::next_block`; a block that was used is filled again.
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, Problem> {
        match self {
            Capture::Here(reader) => reader.next_block(block),
            Capture::Ahead(ahead) => {
                let Ok(loaded) = ahead.loaded.recv() else {
                    block.packets.clear();
                    return Ok(false); // its thread died, which the queue says
                };
                let _ = ahead.spares.try_send(std::mem::replace(block, loaded.block));
                ahead.position = loaded.position;
                loaded.outcome
            }
        }
    }

    /// Offset up to which the capture has been used.
    pub fn position(&self) -> u64 {
        match self {
            Capture::Here(reader) => reader.position(),
            Capture::Ahead(ahead) => ahead.position,
        }
    }
}
