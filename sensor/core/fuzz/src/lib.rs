//! What the fuzz targets share: a fixed set of tables, and inputs read piece by piece.

use _core::flow::opening::Opening;
use _core::flow::prefilter::Tables;

/// Literals, openings and flights such as the signatures have.
pub fn tables() -> Tables {
    let json = Opening { proto: 6, pattern: vec![(0x7b, 0x7b)], budget: 4_096, ..Opening::default() };
    let any = Opening { proto: 17, pattern: vec![(0, 255)], budget: 64, ..Opening::default() };
    let (zero, answers) = (vec![(0, 0)], vec![vec![(1, 1)]]);
    let asks = Opening { proto: 6, pattern: zero, budget: 256, most: 17, answers, ..Opening::default() };
    let post =
        Opening { proto: 6, pattern: vec![(80, 80)], budget: 256, unless: b"ocsp".to_vec(), ..Opening::default() };
    let literals = [&b"\"mining."[..], b"eth_submit", b"\"job_id\"", b"keepalived"];
    Tables::new(literals.map(<[u8]>::to_vec).to_vec(), vec![json, any, asks, post], vec![(64, 234)]).unwrap()
}

/// An input that is used up from its front; behind its end there are zeros.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    /// The next so many bytes, or what there is.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
