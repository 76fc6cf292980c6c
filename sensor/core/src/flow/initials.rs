//! QUIC hellos of which something is missing, by the slots of their flows. Bounded; the oldest is given up first.

use std::collections::{BTreeMap, HashMap};

use crate::names::quic::{CryptoStream, Keys};

/// Hellos that wait for their next packet.
const MAX_WAITING: usize = 1_024;

/// A hello of which something is missing.
pub struct Attempt {
    pub side: usize,
    pub packets: u8,
    pub keys: Keys,
    pub stream: CryptoStream,
}

/// Those of a worker.
#[derive(Default)]
pub struct Initials {
    waiting: HashMap<u32, (u64, Attempt)>,
    by_age: BTreeMap<u64, u32>,
    serial: u64,
}

impl Initials {
    /// Whose packets a flow's hello waits for.
    pub fn side(&self, at: u32) -> Option<usize> {
        self.waiting.get(&at).map(|(_, attempt)| attempt.side)
    }

    pub fn take(&mut self, at: u32) -> Option<Attempt> {
        let (serial, attempt) = self.waiting.remove(&at)?;
        self.by_age.remove(&serial);
        Some(attempt)
    }

    /// Keep one that waits; the slot of the oldest if there is no room.
    pub fn put(&mut self, at: u32, attempt: Attempt) -> Option<u32> {
        self.serial += 1;
        self.by_age.insert(self.serial, at);
        self.waiting.insert(at, (self.serial, attempt));
        let oldest = self.by_age.values().next().copied();
        oldest.filter(|_| self.waiting.len() > MAX_WAITING)
    }
}
