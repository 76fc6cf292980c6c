//! How long bytes are waited for that the other side has acknowledged and the capture has not shown: two ports of a tap
//! show an acknowledgement before what it is of. Rules: docs/border.md, "Assembler".

/// Packets of the flow, and packet time, after which such bytes are given up.
const PACKETS: u8 = 16;
const NS: u64 = 10_000_000_000;

/// A direction is behind what was acknowledged of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub ack: u32,   // the highest number acknowledged
    pub first: u32, // the one that is waited for, since then
    since_ns: u64,
    packets: u8, // of the flow
}

impl Patience {
    pub fn new(ack: u32, ts_ns: u64) -> Patience {
        Patience { ack, first: ack, since_ns: ts_ns, packets: 0 }
    }

    /// Another packet of the flow has come; whether it was the last to be waited for.
    pub fn is_over(&mut self, ts_ns: u64) -> bool {
        self.packets += 1;
        self.packets >= PACKETS || ts_ns.saturating_sub(self.since_ns) >= NS
    }

    /// The first has come: a port that lags behind all the time is waited for anew.
    pub fn renew(&mut self, ts_ns: u64) {
        *self = Patience::new(self.ack, ts_ns);
    }

    /// More was acknowledged.
    pub fn extend(&mut self, ack: u32) {
        if ack.wrapping_sub(self.ack) as i32 > 0 {
            self.ack = ack;
        }
    }
}
