//! A worker's look at DNS: answers of servers in clear, and flows in which DNS is not. docs/border.md, "DNS".

use crate::flow::table::bit;
use crate::flow::worker::Worker;
use crate::model::answer::{AnswerFacts, DnsAnswer};
use crate::model::event::Event;
use crate::model::stats::Counter;
use crate::names::addresses::Address;
use crate::names::dns::{self, Message};
use crate::names::listed::{host, NameKind, MAX_NAME};
use crate::wire::segment::{Segment, UDP};

impl Worker {
    /// A segment with payload of a flow, before it is tracked.
    pub(super) fn look_up(&mut self, at: u32, seg: &Segment, block: &[u8]) {
        if seg.sport != dns::PORT {
            let opens = !self.flows.slot(at).has(bit::PAYLOAD * 3);
            return self.stats.add(Counter::DotFlows, u64::from(opens));
        }
        let payload = seg.payload(block);
        let message = if seg.proto == UDP {
            payload
        } else {
            // over TCP its length is before it; the middle of a message is none as a rule, and says nothing
            let Some((length, rest)) = payload.split_first_chunk() else { return };
            let length = usize::from(u16::from_be_bytes(*length));
            let Some(message) = rest.get(..length).filter(|message| message.len() >= dns::HEADER) else { return };
            message
        };
        match dns::read(message, std::mem::take(&mut self.answer)) {
            Message::Answer(facts) => {
                self.stats.add(Counter::DnsAnswers, 1);
                if self.is_of_no_concern(&facts, seg.ts_ns) {
                    self.answer = facts.into_spare();
                    return;
                }
                self.events.push(Event::DnsAnswer(Box::new(DnsAnswer {
                    ts_ns: seg.ts_ns,
                    client: seg.dst,
                    server: seg.src,
                    v6: seg.v6,
                    facts,
                    vlans: (seg.vlans, seg.vlan_count),
                    source: self.sources.get(usize::from(seg.source)).cloned(),
                })));
            }
            Message::Unreadable => self.stats.add(Counter::DnsUnreadable, 1),
            Message::Other => {}
        }
    }
}

impl Worker {
    /// Say what an answer's addresses are named; whether nobody asks for the name.
    fn is_of_no_concern(&mut self, facts: &AnswerFacts, ts_ns: u64) -> bool {
        if self.named.is_repeated(facts.bytes(), ts_ns) {
            return true;
        }
        let mut buffer = [0; MAX_NAME];
        let host = host(facts.name(), &mut buffer);
        if let Some(host) = host {
            self.name_addresses(host, &addresses_of(facts), ts_ns);
        }
        let names = &self.tables.names;
        let kind = host.map_or(NameKind::NoHost, |host| names.kind_of_host(host));
        let passes = names.are_some() && kind != NameKind::Listed;
        if passes && !self.overloaded {
            self.named.pass_over(facts.bytes(), ts_ns);
        }
        passes
    }
}

/// The addresses of an answer, and whether each is of IPv6.
fn addresses_of(facts: &AnswerFacts) -> Vec<Address> {
    let wide = |address: &[u8]| {
        let mut bytes = [0; 16];
        bytes[..address.len()].copy_from_slice(address);
        (bytes, address.len() == 16)
    };
    facts.addresses().into_iter().map(wide).collect()
}
