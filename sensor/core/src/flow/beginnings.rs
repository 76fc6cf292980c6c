//! Beginnings of encrypted sessions that are kept back: most sessions are to servers whose names nobody asks for, and
//! end within a minute. What names of addresses are told is decided here, too. docs/border.md, "Ordinary names".

use crate::flow::kept_back::{BEGINNING, MAX_SPARE};
use crate::flow::sealed::bit as session;
use crate::flow::worker::Worker;
use crate::model::answer::AnswerFacts;
use crate::model::event::{EncryptedOpen, End, Event};
use crate::model::hello::ClientFacts;
use crate::names::addresses::Address;
use crate::names::dns::SEALED_PORT;
use crate::names::hello;
use crate::names::listed::{domain, host, NameKind, MAX_NAME};

impl Worker {
    /// A session of TLS begins: it waits for its name or its end, unless any name is asked for.
    pub(super) fn begin_with(&mut self, index: u32, opened: Box<EncryptedOpen>) {
        let sealed_dns = [opened.originator.port, opened.responder.port].contains(&SEALED_PORT);
        if !self.tables.names.are_some() || sealed_dns {
            return self.events.push(Event::EncryptedOpen(opened));
        }
        let mut events = self.beginnings.spare.pop().unwrap_or_else(|| Vec::with_capacity(BEGINNING));
        events.push(Event::EncryptedOpen(opened));
        self.beginnings.kept.insert(index, events);
        self.sessions.get(index).bits |= session::KEPT;
    }

    /// An event of a session's beginning: it is kept back with what was before it, or all is told.
    pub(super) fn go_on_with(&mut self, index: u32, event: Event) {
        if self.sessions.get(index).has(session::KEPT) {
            let is_listed = match &event {
                Event::ClientHello { facts, .. } => self.tables.names.kind(facts.sni()) == NameKind::Listed,
                Event::ServerCertificate { facts, .. } => facts.names.iter().any(|name| self.is_listed(name)),
                _ => false,
            };
            if !is_listed {
                return self.beginnings.kept.entry(index).or_default().push(event);
            }
            self.tell_beginning(index);
        }
        self.events.push(event);
    }

    /// Tell what was kept back of a session: it is followed on.
    pub(super) fn tell_beginning(&mut self, index: u32) {
        if !self.sessions.get(index).has(session::KEPT) {
            return;
        }
        self.sessions.get(index).bits &= !session::KEPT;
        if let Some(mut events) = self.beginnings.kept.remove(&index) {
            self.events.append(&mut events);
            self.beginnings.give_back(events);
        }
    }

    /// A session that was kept back ends, with its flow's last packet: nothing is told of it if a host was named; else
    /// that it was there.
    pub(super) fn drop_beginning(&mut self, index: u32, ts_ns: u64) {
        let Some(mut events) = self.beginnings.kept.remove(&index) else { return };
        let (mut opened, mut client, mut has_name) = (None, None, false);
        for event in events.drain(..) {
            match event {
                Event::EncryptedOpen(open) => opened = Some(open),
                Event::ClientHello { direction, facts, .. } => {
                    client = Some(direction);
                    has_name = self.tables.names.kind(facts.sni()) != NameKind::NoHost;
                    self.reuse_hello(facts);
                }
                _ => {}
            }
        }
        self.beginnings.give_back(events);
        let Some(opened) = opened else { return };
        if !has_name {
            self.events.push(Event::NamelessSession { ts_ns, client, opened });
        } else if self.spent.opens.len() < MAX_SPARE {
            self.spent.opens.push(opened);
        }
    }

    pub(super) fn reuse_hello(&mut self, facts: Box<ClientFacts>) {
        self.spent.hellos.push(facts);
        hello::keep(&mut self.spent.hellos);
    }

    fn is_listed(&self, name: &[u8]) -> bool {
        self.tables.names.kind(name.strip_prefix(b"*.").unwrap_or(name)) == NameKind::Listed
    }

    /// A client sent a name to an address.
    pub(super) fn name_server(&mut self, sent: &[u8], server: End, ts_ns: u64) {
        let mut buffer = [0; MAX_NAME];
        if let Some(name) = host(sent, &mut buffer) {
            self.name_addresses(name, &[(server.address, server.v6)], ts_ns);
        }
    }

    /// Tell of these addresses that they answer to a host's name, as far as that is not known.
    pub(super) fn name_addresses(&mut self, name: &[u8], addresses: &[Address], ts_ns: u64) {
        if self.overloaded {
            return; // it might be dropped, and is not told again within the hour
        }
        let domain = self.named.hash(domain(name));
        let mut facts: Option<Box<AnswerFacts>> = None;
        for (address, v6) in addresses {
            if self.named.is_new((*address, *v6), domain, ts_ns) {
                let facts = facts.get_or_insert_with(|| Box::new(AnswerFacts::new(name.to_vec())));
                facts.add(&address[..if *v6 { 16 } else { 4 }]);
            }
        }
        if let Some(facts) = facts {
            self.events.push(Event::AddressNamed { ts_ns, facts });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::flow::prefilter::Tables;
    use crate::model::limits::Limits;
    use crate::model::stats::Stats;

    #[test]
    fn while_events_are_polled_too_slowly_no_name_is_told_or_taken_for_told() {
        let tables = Arc::new(Tables::new(Vec::new(), Vec::new(), Vec::new()).unwrap());
        let mut worker = Worker::new(0, &Limits::default(), tables, Arc::new(Stats::default()));
        let named = |worker: &mut Worker, overloaded: bool| {
            worker.overloaded = overloaded;
            worker.name_addresses(b"www.example.org", &[([1; 16], true)], 1);
            std::mem::take(&mut worker.events).len()
        };
        assert_eq!([true, false, false].map(|overloaded| named(&mut worker, overloaded)), [0, 1, 0]);
    }
}
