//! Segments with wrong checksums, in directions whose checksums are otherwise right. Their receiver throws them away,
//! so their bytes are set aside; but where it acknowledges what nothing else brought, the card computes the sums of its
//! sender after the capture, and the bytes are used. Rules: docs/border.md, "Checksums".

use std::collections::VecDeque;

use crate::flow::holdings::SEGMENT_BYTES;
use crate::wire::segment::{Segment, Sum, TCP};

/// Segments set aside of a direction, and their bytes; past that the oldest is given up.
const SEGMENTS: usize = 32;
const BYTES: usize = 32_768;

/// What is known of the checksums of a direction whose gate is open.
#[derive(Default)]
pub struct Doubts {
    pub right: bool,      // some were right
    pub right_data: bool, // some of segments with payload
    pub lax: bool,        // what was set aside had to be used, and no payload had a right one
    aside: VecDeque<(u32, Box<[u8]>)>,
    bytes: usize,
}

impl Doubts {
    /// Whether a doubtful segment is used like any other.
    pub fn uses(&self, answered: bool) -> bool {
        !self.right_data && (self.lax || !answered)
    }

    pub fn note(&mut self, sum: Sum, seg: &Segment) {
        if sum == Sum::Right && seg.proto == TCP {
            self.right = true;
            self.right_data |= seg.wire_len > 0;
        }
    }

    /// Set a segment's payload aside.
    pub fn push(&mut self, seq: u32, data: &[u8], next: u32) {
        self.aside.retain(|(seq, data)| is_ahead(end(*seq, data), next));
        self.aside.push_back((seq, data.into()));
        self.bytes = self.aside.iter().map(|(_, data)| data.len()).sum();
        while self.aside.len() > SEGMENTS || self.bytes > BYTES {
            self.bytes -= self.aside.pop_front().map_or(0, |(_, data)| data.len());
        }
    }

    /// What goes on at `next` of the first one set aside that `ack` covers.
    pub fn take(&mut self, next: u32, ack: u32) -> Option<Vec<u8>> {
        let fits = |(seq, data): &(u32, Box<[u8]>)| {
            !is_ahead(*seq, next) && is_ahead(end(*seq, data), next) && !is_ahead(end(*seq, data), ack)
        };
        let at = self.aside.iter().position(fits)?;
        let (seq, data) = self.aside.remove(at)?;
        self.bytes -= data.len();
        Some(data[next.wrapping_sub(seq) as usize..].to_vec())
    }

    /// What is set aside, with what each segment costs besides.
    pub fn held_bytes(&self) -> usize {
        self.bytes + SEGMENT_BYTES * self.aside.len()
    }

    /// Everything set aside is forgotten.
    pub fn stop(&mut self) {
        self.aside.clear();
        self.bytes = 0;
    }
}

fn end(seq: u32, data: &[u8]) -> u32 {
    seq.wrapping_add(data.len() as u32)
}

fn is_ahead(seq: u32, of: u32) -> bool {
    seq.wrapping_sub(of) as i32 > 0
}
