//! How an interface is listened to, and its figures: what does not depend on the system. `ring` takes the packets,
//! under Linux.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub const SCHEME: &str = "iface:";
/// The error of an End: the interface is gone, and one of the same name would have to be attached anew.
pub const DELETED: &str = "interface deleted";
/// A block that is not full is handed over when the kernel's timer finds it unchanged: after this time, at most twice
/// as long.
pub const RETIRE_MS: u32 = 20;

/// One classic BPF instruction: code, jump if true, jump if false, operand.
pub type Instruction = (u16, u8, u8, u32);

/// How an interface is listened to.
#[derive(Clone, Debug)]
pub struct Options {
    pub promiscuous: bool,
    pub ring_bytes: usize,
    pub snaplen: u32, // 0: whole packets
    pub filter: Vec<Instruction>,
}

impl Default for Options {
    fn default() -> Self {
        Options { promiscuous: true, ring_bytes: 64 << 20, snaplen: 0, filter: Vec::new() }
    }
}

/// Figures of an interface, over all times it was attached.
#[derive(Default)]
pub struct Figures {
    pub packets: AtomicU64, // copied out of the ring
    pub bytes: AtomicU64,
    pub received: AtomicU64, // by the kernel's account: handed over and dropped
    pub dropped: AtomicU64,
    pub freezes: AtomicU64,
    pub downs: AtomicU64,
    pub up: AtomicU64,              // 1 while packets can come
    pub last_packet_ns: AtomicU64,  // time of the newest packet that was passed on
    pub last_handled_ns: AtomicU64, // our clock when it had been; the difference is the lag
}

impl Figures {
    pub fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("packets", self.packets.load(Relaxed)),
            ("bytes", self.bytes.load(Relaxed)),
            ("received", self.received.load(Relaxed)),
            ("dropped", self.dropped.load(Relaxed)),
            ("freezes", self.freezes.load(Relaxed)),
            ("downs", self.downs.load(Relaxed)),
            ("up", self.up.load(Relaxed)),
            ("last_packet_ns", self.last_packet_ns.load(Relaxed)),
            ("last_handled_ns", self.last_handled_ns.load(Relaxed)),
        ]
    }
}
