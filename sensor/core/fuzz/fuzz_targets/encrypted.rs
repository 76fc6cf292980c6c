//! Encrypted sessions. An input is a row of pieces of a few connections, which are records, hellos in part, or anything;
//! whatever they say, what opens is closed, counts go up by what leaves, batches are in order, and what is read stays
//! within its bounds. Readers of hellos, certificates, DNS and QUIC get the input as it is, too.

#![no_main]

use std::collections::HashMap;
use std::sync::Arc;

use _core::flow::worker::Worker;
use _core::model::event::Event;
use _core::model::limits::Limits;
use _core::model::stats::Stats;
use _core::names::dns::{self, Message};
use _core::names::fingerprint::Transport;
use _core::names::quic::{self, CryptoStream};
use _core::names::{certificate, hello};
use _core::wire::segment::Segment;
use libfuzzer_sys::fuzz_target;
use minewatch_core_fuzz::{tables, Input};

const HEADER: usize = 20;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Bytes of one side: a record's header before them, or nothing.
fn payload(input: &mut Input) -> Vec<u8> {
    let (kind, length) = (input.byte(), usize::from(input.byte()));
    let body = input.take(length);
    let long = usize::from(input.byte()) * 4;
    match kind {
        0..=127 => [&[20 + kind % 5, 3, 3][..], &((length + long) as u16).to_be_bytes(), body, &vec![9; long]].concat(),
        128..=159 => {
            [&[22, 3, 1][..], &((length + 4) as u16).to_be_bytes(), &[kind & 3, 0, 0, length as u8], body].concat()
        }
        _ => body.to_vec(),
    }
}

fn check(events: &mut Vec<Event>, open: &mut HashMap<u64, [u32; 2]>) {
    for event in events.drain(..) {
        match event {
            Event::EncryptedOpen(opened) => assert!(open.insert(opened.flow, [0; 2]).is_none()),
            Event::EncryptedClose(closed) => assert!(open.remove(&closed.flow).is_some()),
            Event::ClientHello { flow, facts, .. } => {
                assert!(open.contains_key(&flow) && facts.sni().len() <= 255 && facts.protocols().len() <= 16);
            }
            Event::ServerHello { flow, .. } => assert!(open.contains_key(&flow)),
            Event::ServerCertificate { flow, facts, .. } => {
                assert!(open.contains_key(&flow) && facts.names.len() <= 16 && facts.subject.len() <= 1_024);
            }
            Event::Records { flow, counts, records, .. } => {
                let seen = open.get_mut(&flow).expect("records of an open session");
                assert_eq!(*seen, counts);
                assert!((1..=120).contains(&records.len()));
                assert!(records.iter().all(|record| record.ts_ns >= records[0].ts_ns));
                records.iter().for_each(|record| seen[usize::from(record.direction)] += 1);
            }
            _ => {}
        }
    }
}

fuzz_target!(|data: &[u8]| {
    hello::read_client(data, Transport::Tcp);
    hello::read_server(data);
    certificate::read(data);
    let _ = quic::find(data).and_then(|packet| packet.open(&packet.keys()?));
    let mut stream = CryptoStream::default();
    if stream.take(data).is_some() {
        stream.hello();
    }
    if let Message::Answer(facts) = dns::read(data) {
        assert!(facts.name().len() <= 253 && (1..=16).contains(&facts.addresses().len()));
    }
    let limits = Limits { flows: 64, thin_flows: 3, thin_bytes: 4_096, candidates: 2, ..Limits::default() };
    let mut worker = Worker::new(0, &limits, Arc::new(tables()), Arc::new(Stats::default()));
    let (mut input, mut ts_ns, mut open) = (Input(data), 0, HashMap::new());
    let mut next: HashMap<(u8, bool), u32> = HashMap::new();
    while !input.is_empty() {
        let switches = input.byte();
        let (port, back) = (switches & 3, switches & 4 != 0);
        ts_ns += u64::from(input.byte()).pow(3) * 10_000_000;
        let at = next.entry((port, back)).or_insert(0xffff_ff00);
        let seq = at.wrapping_add(if switches & 0xc0 == 0xc0 { input.u32() } else { 0 });
        let bytes = payload(&mut input);
        *at = seq.wrapping_add(bytes.len() as u32);
        let cut = if switches & 0x38 == 0x38 { usize::from(input.byte()) } else { 0 };
        let block = [&[0; HEADER][..], &bytes[..bytes.len().saturating_sub(cut)]].concat();
        let (a, b) = ([1; 16], [2; 16]);
        let seg = Segment {
            src: if back { b } else { a },
            dst: if back { a } else { b },
            sport: if back { 443 } else { 1_024 + u16::from(port) },
            dport: if back { 1_024 + u16::from(port) } else { 443 },
            proto: 6,
            flags: if switches & 0x3b == 0x20 { SYN } else { ACK },
            header_len: HEADER as u8,
            l4_len: block.len() as u32,
            wire_len: bytes.len() as u32,
            ip_len: bytes.len() as u32 + 40,
            ts_ns,
            seq,
            ..Segment::default()
        };
        worker.segment(&seg, &block);
        if switches & 0x18 == 0x18 {
            worker.sweep(ts_ns, true);
        }
        check(&mut worker.events, &mut open);
    }
    worker.close_all();
    check(&mut worker.events, &mut open);
    assert!(open.is_empty());
});
