//! How long a silent flow stays.

use crate::flow::candidate::Rank;
use crate::flow::table::{bit, Slot};
use crate::model::limits::Limits;

/// The timeouts among the limits, in nanoseconds.
pub struct Timeouts {
    tcp_ns: u64,
    tcp_new_ns: u64,
    closed_ns: u64,
    udp_ns: u64,
    pub candidate_ns: u64,
    single_ns: u64,
    pub shortest_ns: u64,
}

const SECOND_NS: u64 = 1_000_000_000;
/// How long a candidate of a single TCP packet waits for another.
const SINGLE_S: u64 = 10;

impl Timeouts {
    pub fn new(limits: &Limits) -> Timeouts {
        let ns = |seconds: u64| seconds.saturating_mul(SECOND_NS);
        let mut timeouts = Timeouts {
            tcp_ns: ns(limits.tcp_timeout_s),
            tcp_new_ns: ns(limits.tcp_new_timeout_s),
            closed_ns: ns(limits.closed_timeout_s),
            udp_ns: ns(limits.udp_timeout_s),
            candidate_ns: ns(limits.candidate_timeout_s),
            single_ns: ns(limits.candidate_timeout_s.min(SINGLE_S)),
            shortest_ns: 0,
        };
        let Timeouts { tcp_ns, tcp_new_ns, closed_ns, udp_ns, single_ns, .. } = timeouts;
        timeouts.shortest_ns = tcp_ns.min(tcp_new_ns).min(closed_ns).min(udp_ns).min(single_ns);
        timeouts
    }

    /// The timeout of a flow, by its rank as a candidate.
    pub fn of(&self, slot: &Slot, rank: Rank) -> u64 {
        if slot.has(bit::UDP) {
            return self.udp_ns;
        }
        if slot.closed() {
            return self.closed_ns;
        }
        match rank {
            Rank::Spent => {}
            Rank::Single => return self.single_ns,
            Rank::OneSided | Rank::Answered => return self.candidate_ns,
        }
        if slot.packets[0] == 0 || slot.packets[1] == 0 {
            return self.tcp_new_ns;
        }
        self.tcp_ns
    }
}
