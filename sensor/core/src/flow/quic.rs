//! A worker's look at QUIC: of each flow the hello in its client's first packets, and nothing more. docs/border.md,
//! "QUIC".

use crate::flow::initials::Attempt;
use crate::flow::table::bit;
use crate::flow::worker::Worker;
use crate::model::event::{EncryptedClose, Event, Reason, SessionKind};
use crate::model::hello::ClientFacts;
use crate::model::stats::Counter;
use crate::names::fingerprint::Transport;
use crate::names::hello;
use crate::names::listed::NameKind;
use crate::names::quic::{self, CryptoStream, Hello, Initial};
use crate::wire::segment::Segment;

/// Packets of one hello.
const MAX_PACKETS: u8 = 4;

impl Worker {
    /// A datagram of a flow, as long as a client's first are, before it is tracked.
    pub(super) fn look_at_quic(&mut self, at: u32, side: usize, seg: &Segment, block: &[u8]) {
        let slot = self.flows.slot(at);
        if slot.has(bit::COLLECTED) {
            if self.initials.side(at) == Some(side) {
                self.go_on_with_quic(at, seg, block);
            }
        } else if !slot.has(bit::PAYLOAD * 3) {
            self.begin_quic(at, side, seg, block);
        }
    }

    /// The flow leaves; a hello that is not whole by then is none.
    pub(super) fn forget_quic(&mut self, at: u32) {
        let gone = self.initials.take(at).is_some();
        self.flows.slot_mut(at).unset(bit::COLLECTED);
        self.stats.add(Counter::QuicUnreadable, u64::from(gone));
    }

    fn begin_quic(&mut self, at: u32, side: usize, seg: &Segment, block: &[u8]) {
        let Some(packet) = quic::find(seg.payload(block)).filter(Initial::can_begin) else { return };
        if self.overloaded {
            return self.stats.add(Counter::ThinRefused, 1);
        }
        let keys = packet.keys();
        let Some(frames) = keys.as_ref().and_then(|keys| packet.open(keys)) else {
            return self.stats.add(Counter::QuicUnreadable, 1);
        };
        self.stats.add(Counter::QuicFlows, 1);
        let attempt = Attempt { side, packets: 1, keys: keys.unwrap_or_default(), stream: CryptoStream::default() };
        self.take_frames(at, attempt, Some(&frames), seg);
    }

    fn go_on_with_quic(&mut self, at: u32, seg: &Segment, block: &[u8]) {
        let Some(packet) = quic::find(seg.payload(block)) else { return };
        let Some(mut attempt) = self.initials.take(at) else { return };
        self.flows.slot_mut(at).unset(bit::COLLECTED);
        attempt.packets += 1;
        let frames = packet.open(&attempt.keys);
        self.take_frames(at, attempt, frames.as_deref(), seg);
    }

    fn take_frames(&mut self, at: u32, mut attempt: Attempt, frames: Option<&[u8]>, seg: &Segment) {
        let fits = frames.is_none_or(|frames| attempt.stream.take(frames).is_some());
        let facts = match attempt.stream.hello() {
            Hello::Whole(body) if fits => hello::read_client(body, Transport::Quic),
            Hello::Waits if fits && attempt.packets < MAX_PACKETS => return self.wait_for_quic(at, attempt),
            _ => None,
        };
        match facts {
            Some(facts) => self.tell_quic(at, attempt.side, facts, seg),
            None => self.stats.add(Counter::QuicUnreadable, 1),
        }
    }

    fn wait_for_quic(&mut self, at: u32, attempt: Attempt) {
        self.flows.slot_mut(at).set(bit::COLLECTED);
        if let Some(oldest) = self.initials.put(at, attempt) {
            self.forget_quic(oldest);
        }
    }

    /// The three events of a hello.
    fn tell_quic(&mut self, at: u32, side: usize, facts: Box<ClientFacts>, seg: &Segment) {
        let (flow, ts_ns) = (self.next_number(), seg.ts_ns);
        let direction = (side ^ self.flows.slot(at).originator()) as u8;
        self.stats.add(Counter::Hellos, 1);
        self.stats.add(Counter::EchHellos, u64::from(facts.ech));
        self.name_server(facts.sni(), self.flows.endpoint(at, 1 - side), ts_ns);
        if self.tables.names.kind(facts.sni()) == NameKind::Ordinary {
            return self.reuse_hello(facts);
        }
        let opened = self.encrypted_open((flow, at), SessionKind::Quic, seg, false);
        self.events.push(Event::EncryptedOpen(opened));
        self.events.push(Event::ClientHello { flow, ts_ns, direction, facts });
        let (reason, records, resynchronised) = (Reason::Read, (0, 0), 0);
        self.events.push(Event::EncryptedClose(EncryptedClose { flow, ts_ns, reason, records, resynchronised }));
    }
}
