//! Bounds of everything the network feeds. The defaults are those of ARCHITECTURE.md.

const SECOND_NS: u64 = 1_000_000_000;

#[derive(Clone, Debug)]
pub struct Limits {
    pub workers: usize,
    pub flows: usize,
    pub candidates: usize,
    pub session_bytes: i64,
    pub reorder_bytes: usize,
    pub reorder_segments: usize,
    pub fragments: usize,
    pub fragment_bytes: usize,
    pub queue_events: usize,
    pub tcp_ns: u64,
    pub tcp_new_ns: u64,
    pub closed_ns: u64,
    pub udp_ns: u64,
    pub candidate_ns: u64,
    pub shortest_ns: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            workers: 1,
            flows: 1 << 20,
            candidates: 16_384,
            session_bytes: 65_536,
            reorder_bytes: 131_072,
            reorder_segments: 128,
            fragments: 4_096,
            fragment_bytes: 16 << 20,
            queue_events: 16_384,
            tcp_ns: 0,
            tcp_new_ns: 0,
            closed_ns: 0,
            udp_ns: 0,
            candidate_ns: 0,
            shortest_ns: 0,
        }
        .with_timeouts_s(600, 60, 10, 60, 1_800)
    }
}

impl Limits {
    /// Set the timeouts, given in seconds.
    pub fn with_timeouts_s(mut self, tcp: u64, tcp_new: u64, closed: u64, udp: u64, candidate: u64) -> Self {
        self.tcp_ns = tcp.saturating_mul(SECOND_NS);
        self.tcp_new_ns = tcp_new.saturating_mul(SECOND_NS);
        self.closed_ns = closed.saturating_mul(SECOND_NS);
        self.udp_ns = udp.saturating_mul(SECOND_NS);
        self.candidate_ns = candidate.saturating_mul(SECOND_NS);
        let all = [self.tcp_ns, self.tcp_new_ns, self.closed_ns, self.udp_ns, self.candidate_ns];
        self.shortest_ns = all.into_iter().min().unwrap_or(0);
        self
    }
}
