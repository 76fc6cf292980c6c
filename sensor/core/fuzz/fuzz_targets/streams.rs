//! Flow table, gates and reassembly. An input is a row of segments of a few connections; whatever they say, the chunks
//! of a direction never overlap or run back, a gap is exactly the bytes before a chunk, and what opened is closed. Only
//! another reading of the same bytes runs back, and stays within them.

#![no_main]

use std::collections::HashMap;
use std::sync::Arc;

use _core::flow::worker::Worker;
use _core::model::event::Event;
use _core::model::limits::Limits;
use _core::model::stats::Stats;
use _core::wire::decode::Decoder;
use _core::wire::flow_hash::flow_hash;
use _core::wire::fragments::Fragments;
use _core::wire::segment::Segment;
use libfuzzer_sys::fuzz_target;
use minewatch_core_fuzz::{tables, Input};

const RAW_IPV4: u16 = 228;
const FLOWS: usize = 4;
const START: u32 = 0xffff_f000; // sequence numbers turn soon

/// The next packet of an input: two switches, time in units of 10 ms, sequence and acknowledgement from START, payload.
fn packet(input: &mut Input) -> (Vec<u8>, u64) {
    let (switches, flags) = (input.byte(), input.byte());
    let wait_ns = u64::from(input.byte()).pow(2) * 10_000_000;
    let far = switches & 0x40 != 0;
    let place = |value: u16| START.wrapping_add(u32::from(value) << if far { 16 } else { 0 });
    let (seq, ack) = (place(input.u16()), place(input.u16()));
    let length = usize::from(input.byte()) << (switches >> 7 << 2);
    let payload = input.take(length);
    let (from_a, port) = (switches & 1 == 0, 40_000 + u16::from(switches >> 1 & 7));
    let (a, b) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let proto = if switches & 0x30 == 0x30 { 17 } else { 6 };
    let header = if proto == 6 { 20 } else { 8 };
    let mut made = vec![0x45, 0];
    made.extend(((20 + header + payload.len()) as u16).to_be_bytes());
    made.extend([0, 0, 0, 0, 64, proto, 0, 0]);
    made.extend(if from_a { [a, b] } else { [b, a] }.concat());
    let ports = if from_a { [port, 3333] } else { [3333, port] };
    made.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    if proto == 6 {
        made.extend(seq.to_be_bytes());
        made.extend(ack.to_be_bytes());
        made.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    } else {
        made.extend(((8 + payload.len()) as u16).to_be_bytes());
        made.extend([0, 0]);
    }
    made.extend_from_slice(payload);
    (made, wait_ns)
}

/// Where each direction of a flow has come to; `None` before its first chunk.
fn check(events: &[Event], open: &mut HashMap<u64, [Option<u64>; 2]>) {
    for event in events {
        match event {
            Event::Open(opened) => assert!(open.insert(opened.flow, [None; 2]).is_none()),
            Event::Close(closed) => assert!(open.remove(&closed.flow).is_some()),
            Event::Chunk { flow, direction, offset, gap, data, .. } => {
                let end = &mut open.get_mut(flow).expect("a chunk of an open flow")[*direction as usize];
                let reaches = offset + data.len() as u64;
                match *end {
                    Some(end) if *offset < end => {
                        assert!(*gap == 1 && reaches <= end, "another reading past what was told");
                        continue;
                    }
                    Some(end) => assert_eq!(end + gap, *offset, "a chunk that does not follow"),
                    None => {}
                }
                *end = Some(reaches);
            }
            _ => {}
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let stats = Arc::new(Stats::default());
    let mut decoder = Decoder { fragments: Fragments::new(4, 4_096) };
    let limits = Limits {
        flows: FLOWS,
        candidates: 2,
        session_bytes: 2_048,
        reorder_bytes: 1_024,
        reorder_segments: 8,
        ..Limits::default()
    };
    let mut worker = Worker::new(0, &limits, Arc::new(tables()), stats.clone());
    let (mut input, mut ts_ns, mut open) = (Input(data), 0, HashMap::new());
    while !input.is_empty() {
        let (frame, wait_ns) = packet(&mut input);
        ts_ns += wait_ns;
        let mut seg = Segment::default();
        if decoder.decode(RAW_IPV4, &frame, &frame, ts_ns, &stats, &mut seg).is_ok() {
            seg.hash = flow_hash(&seg, 1);
            worker.segment(&seg, &frame);
        }
        if wait_ns > 100_000_000_000 {
            worker.sweep(ts_ns, true);
        }
        assert!(worker.flows.len() <= FLOWS);
        check(&worker.events, &mut open);
        worker.events.clear();
    }
    worker.close_all();
    check(&worker.events, &mut open);
    assert!(open.is_empty() && worker.flows.len() == 0);
});
