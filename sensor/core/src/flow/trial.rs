//! A gate that is not quite open: its flow is a candidate, but what it would tell is kept back until its first bytes, a
//! literal or the other side's answer say that it is one. Rules: docs/border.md, "On trial".

use std::sync::Arc;

use crate::flow::holdings::SEGMENT_BYTES;
use crate::flow::opening::{Opening, START};
use crate::flow::prefilter::Tables;
use crate::model::event::Event;
use crate::wire::segment::TCP;

/// The first bytes of a direction, as far as they came in order.
#[derive(Default)]
struct Start {
    bytes: [u8; START],
    origin: u64, // their offset: past that of the base where what came first was never seen
    length: u64, // from there on, so far
    broken: bool,
}

impl Start {
    fn get(&self) -> &[u8] {
        &self.bytes[..(self.length as usize).min(START)]
    }

    /// Whether nothing that comes could tell more.
    fn is_whole(&self) -> bool {
        self.broken || self.length >= START as u64
    }

    /// Take bytes at an offset; whether they tell more.
    fn extend(&mut self, offset: u64, data: &[u8]) -> bool {
        if self.length == 0 {
            self.origin = offset;
        }
        let end = self.origin + self.length;
        if self.is_whole() || offset < end {
            return false; // other readings of what came are of no interest
        }
        self.broken = offset > end;
        if !self.broken {
            let at = self.length as usize;
            let taken = data.len().min(START - at);
            self.bytes[at..at + taken].copy_from_slice(&data[..taken]);
            self.length += data.len() as u64;
        }
        !self.broken
    }
}

/// What the bytes so far say.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Undecided,
    Proven(i64), // with at least this budget
    Failed,
}

/// What is known of a flow on trial, and what it would tell.
#[derive(Default)]
pub struct Trial {
    pub events: Vec<Event>,
    pub gaps: u64,
    bytes: usize,
    starts: [Start; 2],
    spoke: [bool; 2], // some bytes of the side were in order
    refused: [bool; 2],
    asked: Option<(usize, Arc<Opening>)>, // the side that opened so, and waits for its answer
}

impl Trial {
    /// Keep an event back.
    pub fn keep(&mut self, event: Event) {
        if let Event::Chunk { data, .. } = &event {
            self.bytes += data.len() + SEGMENT_BYTES;
        }
        self.events.push(event);
    }

    /// What is kept back, with what each piece costs besides.
    pub fn held_bytes(&self) -> usize {
        self.bytes
    }

    /// Forget what was kept: it came to nothing.
    pub fn drop_events(&mut self) {
        self.events = Vec::new();
        self.bytes = 0;
    }

    /// Bytes of a direction (0 the originator's) are in order from this offset on.
    pub fn look(&mut self, side: usize, offset: u64, data: &[u8], tables: &Tables) -> Verdict {
        self.spoke[side] = true;
        if self.starts[side].extend(offset, data) {
            let start = &self.starts[side];
            if let Some(opening) = tables.opening_of(TCP, start.get(), start.length as usize) {
                if !opening.waits() {
                    return Verdict::Proven(opening.budget);
                }
                if self.asked.is_none() {
                    self.ask(side, opening.clone());
                }
            }
        }
        self.verdict(side, data)
    }

    /// A side opened so: what the other has said by now may have held what is refused.
    fn ask(&mut self, side: usize, opening: Arc<Opening>) {
        self.refused[1 - side] = self.events.iter().any(|event| match event {
            Event::Chunk { direction, data, .. } => usize::from(*direction) != side && opening.is_refused_by(data),
            _ => false,
        });
        self.asked = Some((side, opening));
    }

    fn verdict(&mut self, side: usize, data: &[u8]) -> Verdict {
        let Some((asker, opening)) = &self.asked else {
            return if self.starts.iter().all(Start::is_whole) { Verdict::Failed } else { Verdict::Undecided };
        };
        let answerer = 1 - asker;
        if side == answerer {
            self.refused[side] |= opening.is_refused_by(data);
        }
        let start = &self.starts[answerer];
        if !self.spoke[answerer] {
            Verdict::Undecided
        } else if self.refused[answerer] {
            Verdict::Failed
        } else if opening.answers.is_empty() || opening.is_answered_by(start.get()) {
            Verdict::Proven(0)
        } else if start.is_whole() {
            Verdict::Failed
        } else {
            Verdict::Undecided
        }
    }

    /// Whether it counts as proven where nothing more is looked at: it has asked, and nothing that the other side has
    /// said speaks against it. Where the flow `is_over` it need not have been answered.
    pub fn holds(&self, is_over: bool) -> bool {
        let Some((asker, opening)) = &self.asked else { return false };
        let silent = is_over && !self.spoke[1 - asker];
        (opening.answers.is_empty() || silent) && !self.refused[1 - asker]
    }
}
