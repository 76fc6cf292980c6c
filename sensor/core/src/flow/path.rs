//! What the headers of a direction tell of its sender besides payload: acknowledgement numbers that move, and whether
//! its packets come the same way. Rules: docs/border.md, "Path".

use crate::model::event::PathFacts;
use crate::wire::segment::{Segment, ACK, RST, TCP};

/// An acknowledgement further ahead is no part of this stream (RFC 7323 section 2.3: the largest window).
const WINDOW: i32 = 1 << 30;

/// A direction's facts so far, and what the next packet is compared with.
#[derive(Clone, Copy, Default)]
pub struct PathTrack {
    pub facts: PathFacts,
    ack: Option<u32>,
    way: Option<(u8, [u8; 6])>,
}

impl PathTrack {
    /// Take in a packet of the direction.
    pub fn see(&mut self, seg: &Segment) {
        let (ttl, mac) = *self.way.get_or_insert((seg.ttl, seg.mac));
        self.facts.ttl_changes += u32::from(ttl != seg.ttl);
        self.facts.mac_changes += u32::from(mac != seg.mac);
        self.way = Some((seg.ttl, seg.mac));
        if seg.proto != TCP || seg.flags & (ACK | RST) != ACK {
            return;
        }
        let ahead = seg.ack.wrapping_sub(*self.ack.get_or_insert(seg.ack)) as i32;
        if (1..=WINDOW).contains(&ahead) {
            self.facts.ack_advances += 1;
            self.facts.acked_bytes += ahead as u64;
            self.ack = Some(seg.ack);
        }
    }

    /// The highest acknowledgement number seen.
    pub fn acknowledged(&self) -> Option<u32> {
        self.ack
    }
}
