//! Counters: one array of atomics per thread, written only by its owner, summed by whoever asks.
//! A plain load and store is enough (one writer), so counting costs what an ordinary addition costs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($variant:ident => $name:literal),* $(,)?) => {
        /// Everything that is counted; `NAMES` are the names in docs/border.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Counter { $($variant),* }
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

counters! {
    Packets => "packets",
    Bytes => "bytes",
    Segments => "segments",
    IgnoredLink => "ignored_link",
    IgnoredEthertype => "ignored_ethertype",
    IgnoredPpp => "ignored_ppp",
    IgnoredDepth => "ignored_depth",
    IgnoredCut => "ignored_cut",
    IgnoredGre => "ignored_gre",
    IgnoredIp => "ignored_ip",
    IgnoredIpProtocol => "ignored_ip_protocol",
    IgnoredFragment => "ignored_fragment",
    IgnoredFragmentHeld => "ignored_fragment_held",
    IgnoredUdp => "ignored_udp",
    IgnoredTcp => "ignored_tcp",
    IgnoredInterface => "ignored_interface",
    Excluded => "excluded",
    BadIpChecksum => "bad_ip_checksum",
    BadL4Checksum => "bad_l4_checksum",
    FragmentsEvicted => "fragments_evicted",
    Flows => "flows",
    FlowsOpened => "flows_opened",
    FlowsExpired => "flows_expired",
    FlowsEvicted => "flows_evicted",
    FlowsReused => "flows_reused",
    StrayHandshakes => "stray_handshakes",
    StrayEndings => "stray_endings",
    Candidates => "candidates",
    CandidatesOpened => "candidates_opened",
    CandidatesSpent => "candidates_spent",
    CandidatesDismissed => "candidates_dismissed",
    CandidatesRefused => "candidates_refused",
    UnprovenEvicted => "unproven_evicted",
    TrialsFailed => "trials_failed",
    TlsFlows => "tls_flows",
    NoiseFlows => "noise_flows",
    Hellos => "hellos",
    EchHellos => "ech_hellos",
    HellosLost => "hellos_lost",
    ServerHellos => "server_hellos",
    Certificates => "certificates",
    ThinFlows => "thin_flows",
    ThinAdmitted => "thin_admitted",
    ThinFat => "thin_fat",
    ThinEvicted => "thin_evicted",
    ThinRefused => "thin_refused",
    Records => "records",
    Resynchronised => "resynchronised",
    DnsAnswers => "dns_answers",
    DnsUnreadable => "dns_unreadable",
    DotFlows => "dot_flows",
    QuicFlows => "quic_flows",
    QuicUnreadable => "quic_unreadable",
    Chunks => "chunks",
    ChunkBytes => "chunk_bytes",
    Hits => "hits",
    Shapes => "shapes",
    Gaps => "gaps",
    GapBytes => "gap_bytes",
    RetransmittedBytes => "retransmitted_bytes",
    HeldGivenUp => "held_given_up",
    OverlapConflicts => "overlap_conflicts",
    OutOfWindow => "out_of_window",
    EventsDropped => "events_dropped",
    ChunksDropped => "chunks_dropped",
    HitsDropped => "hits_dropped",
    ShapesDropped => "shapes_dropped",
    SessionsDropped => "sessions_dropped",
    KernelReceived => "kernel_received",
    KernelDropped => "kernel_dropped",
    KernelFreezes => "kernel_freezes",
    Ticks => "ticks",
    SourceBytes => "source_bytes",
    LastPacketNs => "last_packet_ns",
}

/// A thread's counters.
pub struct Stats([AtomicU64; NAMES.len()]);

impl Default for Stats {
    fn default() -> Self {
        Stats(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Stats {
    /// Add to a counter. Only the owning thread may call this.
    #[inline(always)]
    pub fn add(&self, counter: Counter, amount: u64) {
        let cell = &self.0[counter as usize];
        cell.store(cell.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// Set a gauge. Only the owning thread may call this.
    #[inline(always)]
    pub fn set(&self, counter: Counter, value: u64) {
        self.0[counter as usize].store(value, Relaxed);
    }

    /// The value of a counter.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Relaxed)
    }

    /// All values, in the order of `NAMES`.
    pub fn snapshot(&self) -> [u64; NAMES.len()] {
        std::array::from_fn(|i| self.0[i].load(Relaxed))
    }
}
