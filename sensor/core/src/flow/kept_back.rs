//! Events that are kept back of sessions' beginnings. Bounded by the sessions; each counts there what it takes.

use std::collections::HashMap;

use crate::model::event::Event;

/// Vectors and boxes kept for the next beginnings.
pub const MAX_SPARE: usize = 256;
/// Events of most beginnings, at most.
pub const BEGINNING: usize = 4;

/// Those of a worker, by their sessions' places.
#[derive(Default)]
pub struct Beginnings {
    pub kept: HashMap<u32, Vec<Event>>,
    pub spare: Vec<Vec<Event>>,
}

impl Beginnings {
    /// Use a vector again for another beginning.
    pub fn give_back(&mut self, mut events: Vec<Event>) {
        events.clear();
        if self.spare.len() < MAX_SPARE {
            self.spare.push(events);
        }
    }
}
