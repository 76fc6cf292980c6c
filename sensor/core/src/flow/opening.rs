//! How a direction may begin: bytes within ranges at its start, no more of them than so many, and how the other side
//! may answer. Rules: docs/border.md, "Prefilter" and "On trial".

use memchr::memmem;

use crate::wire::segment::{TCP, UDP};

/// Bytes at a direction's start that openings and answers are told by.
pub const START: usize = 16;
/// Answers that an opening may list.
const MAX_ANSWERS: usize = 16;

/// Every byte within its (low, high).
pub type Pattern = Vec<(u8, u8)>;

fn fits(pattern: &[(u8, u8)], bytes: &[u8]) -> bool {
    bytes.len() >= pattern.len() && bytes.iter().zip(pattern).all(|(byte, (low, high))| low <= byte && byte <= high)
}

/// The first payload of a direction: from byte `at` on, every byte within its (low, high).
#[derive(Clone, Debug, Default)]
pub struct Opening {
    pub proto: u8,
    pub at: usize,
    pub pattern: Pattern,
    pub budget: i64,
    pub most: usize,           // bytes that may have come by then; 0: any
    pub answers: Vec<Pattern>, // it opens only if the other side begins with one of these
    pub unless: Vec<u8>,       // it opens only if the other side's first bytes in order do not hold this
}

impl Opening {
    /// Whether a stream that starts with `bytes`, of which there are `length`, opens so.
    #[inline]
    pub fn matches(&self, bytes: &[u8], length: usize) -> bool {
        let Some(window) = bytes.get(self.at..) else { return false };
        (self.most == 0 || length <= self.most) && fits(&self.pattern, window)
    }

    /// Whether it takes the other side's words for a gate to open.
    #[inline]
    pub fn waits(&self) -> bool {
        !self.answers.is_empty() || !self.unless.is_empty()
    }

    /// Whether the other side's first bytes are one of its answers.
    pub fn is_answered_by(&self, start: &[u8]) -> bool {
        self.answers.iter().any(|answer| fits(answer, start))
    }

    /// Whether bytes hold what it refuses.
    pub fn is_refused_by(&self, bytes: &[u8]) -> bool {
        !self.unless.is_empty() && memmem::find(bytes, &self.unless).is_some()
    }

    /// Refuses what could never match, or never wholly be at hand.
    pub fn check(&self) -> Result<(), String> {
        if self.proto != TCP && self.proto != UDP {
            return Err(format!("an opening of protocol {}, known are {TCP} (TCP) and {UDP} (UDP)", self.proto));
        }
        let (length, end) = (self.pattern.len(), self.at + self.pattern.len());
        if !(1..=START).contains(&length) || (self.proto == TCP && end > START) || end > 65_535 {
            return Err(format!("an opening of {length} bytes at {} does not fit", self.at));
        }
        if self.most > 0 && self.most < end {
            return Err(format!("an opening of {end} bytes in at most {}", self.most));
        }
        if self.waits() && self.proto != TCP {
            return Err("an opening that waits for its answer is of TCP".to_owned());
        }
        let bad = self.answers.iter().find(|answer| !(1..=START).contains(&answer.len()));
        if let Some(answer) = bad {
            return Err(format!("an answer of {} bytes, allowed are 1 to {START}", answer.len()));
        }
        if self.answers.len() > MAX_ANSWERS || self.unless.len() > 255 {
            return Err(format!("{} answers and {} bytes refused", self.answers.len(), self.unless.len()));
        }
        Ok(())
    }
}
