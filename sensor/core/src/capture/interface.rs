//! How an interface is listened to, and its figures: what does not depend on the system. `ring` takes the packets,
//! under Linux.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::Arc;

use crate::capture::packet::Problem;

pub const SCHEME: &str = "iface:";
/// The error of an End: the interface is gone, and one of the same name would have to be attached anew.
pub const DELETED: &str = "interface deleted";
/// A block that is not full is handed over when the kernel's timer finds it unchanged: after this time, at most twice
/// as long.
pub const RETIRE_MS: u32 = 20;

/// What the kernel fills before it hands it over; no packet can be longer.
pub const RING_BLOCK: usize = 1 << 20;

/// One classic BPF instruction: code, jump if true, jump if false, operand.
pub type Instruction = (u16, u8, u8, u32);

/// How an interface is listened to.
#[derive(Clone, Debug)]
pub struct Options {
    pub promiscuous: bool,
    pub ring_bytes: usize, // of all its queues together
    pub snaplen: u32,      // 0: whole packets
    pub filter: Vec<Instruction>,
    pub cpus: Vec<usize>, // processors that its threads are bound to, in turn; none: the system's choice
}

impl Default for Options {
    fn default() -> Self {
        Options { promiscuous: true, ring_bytes: 64 << 20, snaplen: 0, filter: Vec::new(), cpus: Vec::new() }
    }
}

/// Why an interface is not listened to with several queues.
#[derive(Debug)]
pub enum Unopened {
    Problem(Problem),
    NoFanout(String), // the kernel does not spread its packets
}

/// The queues of an interface that are still to end; the last to leave says how many packets there were.
pub struct Leaving {
    left: AtomicUsize,
    packets: AtomicU64,
}

impl Leaving {
    pub fn new(queues: usize) -> Leaving {
        Leaving { left: AtomicUsize::new(queues), packets: AtomicU64::new(0) }
    }

    /// One queue leaves that had so many packets. Of the last to leave, the packets of all.
    pub fn leave(&self, packets: u64) -> Option<u64> {
        let before = self.packets.fetch_add(packets, SeqCst);
        (self.left.fetch_sub(1, SeqCst) == 1).then_some(before + packets)
    }
}

/// Figures of an interface, or of one queue of it, over all times it was attached.
#[derive(Default)]
pub struct Figures {
    pub packets: AtomicU64, // taken out of the ring
    pub bytes: AtomicU64,
    pub received: AtomicU64, // by the kernel's account: handed over and dropped
    pub dropped: AtomicU64,
    pub freezes: AtomicU64,
    pub downs: AtomicU64,
    pub up: AtomicU64,              // 1 while packets can come
    pub last_packet_ns: AtomicU64,  // time of the newest packet that was passed on
    pub last_handled_ns: AtomicU64, // our clock when it had been; the difference is the lag
    pub ring_bytes: AtomicU64,      // what the kernel was given
    pub pinned: AtomicU64,          // 1 while its thread is bound to a processor
}

/// The figures of an interface by their names.
pub type NamedFigures = [(&'static str, u64); 12];

impl Figures {
    /// All packets up to one of this time had been handled then.
    pub fn note_handled(&self, ts_ns: u64, handled_ns: u64) {
        self.last_packet_ns.store(ts_ns, Relaxed);
        self.last_handled_ns.store(handled_ns, Relaxed);
    }

    /// Those of all its queues: counts are added up, it is up if one queue is, and the lag is that of the queue that is
    /// behind most.
    pub fn named(queues: &[Arc<Figures>]) -> NamedFigures {
        let sum = |figure: fn(&Figures) -> &AtomicU64| queues.iter().map(|one| figure(one).load(Relaxed)).sum();
        let most =
            |figure: fn(&Figures) -> &AtomicU64| queues.iter().map(|one| figure(one).load(Relaxed)).max().unwrap_or(0);
        let times = queues.iter().map(|one| (one.last_packet_ns.load(Relaxed), one.last_handled_ns.load(Relaxed)));
        let (packet_ns, handled_ns) = times
            .max_by_key(|(packet_ns, handled_ns)| (handled_ns.saturating_sub(*packet_ns), *packet_ns))
            .unwrap_or_default();
        [
            ("packets", sum(|one| &one.packets)),
            ("bytes", sum(|one| &one.bytes)),
            ("received", sum(|one| &one.received)),
            ("dropped", sum(|one| &one.dropped)),
            ("freezes", sum(|one| &one.freezes)),
            ("downs", most(|one| &one.downs)),
            ("up", most(|one| &one.up)),
            ("last_packet_ns", packet_ns),
            ("last_handled_ns", handled_ns),
            ("queues", queues.len() as u64),
            ("ring_bytes", sum(|one| &one.ring_bytes)),
            ("pinned", sum(|one| &one.pinned)),
        ]
    }
}
