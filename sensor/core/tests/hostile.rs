//! Hostile bytes: whatever is fed in, nothing panics, every frame ends in a segment or a counter, and the tables stay
//! within bounds.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use _core::capture::file::Reader;
use _core::capture::interface::Options;
use _core::capture::packet::Block;
use _core::flow::opening::Opening;
use _core::flow::prefilter::Tables;
use _core::flow::worker::Worker;
use _core::model::event::Event;
use _core::model::limits::Limits;
use _core::model::stats::{Counter, Stats};
use _core::threads::engine::Engine;
use _core::wire::decode::Decoder;
use _core::wire::flow_hash::flow_hash;
use _core::wire::fragments::Fragments;
use _core::wire::plain;
use _core::wire::segment::Segment;

/// xorshift64*: enough randomness for shaking parsers, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() % n as u64) as usize
    }
}

fn tables() -> Tables {
    let json = Opening { proto: 6, pattern: vec![(0x7b, 0x7b)], budget: 64, ..Opening::default() };
    let any = Opening { proto: 17, pattern: vec![(0, 255)], budget: 64, ..Opening::default() };
    let (zero, answers) = (vec![(0, 0)], vec![vec![(1, 1)]]);
    let asks = Opening { proto: 6, pattern: zero, budget: 64, most: 17, answers, ..Opening::default() };
    let post =
        Opening { proto: 6, pattern: vec![(80, 80)], budget: 64, unless: b"ocsp".to_vec(), ..Opening::default() };
    Tables::new(vec![b"\"mining.".to_vec(), b"eth_submit".to_vec()], vec![json, any, asks, post], vec![(64, 234)])
        .unwrap()
}

/// Ethernet, VLAN, IPv4, TCP with a mining line: the seed the mutations start from.
fn frame() -> Vec<u8> {
    let payload = b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n";
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 8, 0];
    let total = (40 + payload.len()) as u16;
    frame.extend([0x45, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([
        0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1, 0x30, 0x39, 0x0d, 0x05, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18,
        1, 0, 0, 0, 0, 0,
    ]);
    frame.extend_from_slice(payload);
    frame
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len().max(1));
        match dice.below(5) {
            0 if !bytes.is_empty() => bytes[at] = dice.roll() as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.truncate(at),
            3 => bytes.insert(at.min(bytes.len()), dice.roll() as u8),
            _ if bytes.len() > 40 => {
                const TYPES: [[u8; 2]; 8] =
                    [[0x86, 0xdd], [0x88, 0x47], [0x88, 0x64], [0x65, 0x58], [8, 0], [0x88, 0xa8], [0, 50], [0x81, 0]];
                bytes[16..18].copy_from_slice(&TYPES[dice.below(TYPES.len())]);
                bytes[27] = [4, 6, 17, 41, 44, 47, 51, 137][dice.below(8)];
            }
            _ => {}
        }
    }
}

#[test]
fn every_frame_ends_in_a_segment_or_a_counter() {
    let mut dice = Dice(0x6d69_6e65_7761_7463);
    let stats = Arc::new(Stats::default());
    let mut decoder = Decoder { fragments: Fragments::new(64, 65_536) };
    let limits = Limits { flows: 64, candidates: 8, reorder_bytes: 256, reorder_segments: 4, ..Limits::default() };
    let mut worker = Worker::new(0, &limits, Arc::new(tables()), stats.clone());
    let links = [1_u16, 0, 108, 9, 50, 12, 101, 228, 229, 113, 276, 104, 77];
    for round in 0..200_000_u64 {
        let mut bytes = frame();
        if dice.below(8) == 0 {
            bytes = (0..dice.below(120)).map(|_| dice.roll() as u8).collect();
        }
        mutate(&mut dice, &mut bytes);
        let mut seg = Segment::default();
        stats.add(Counter::Packets, 1);
        let link = if dice.below(4) == 0 { links[dice.below(links.len())] } else { 1 };
        match decoder.decode(link, &bytes, &bytes, round * 1_000_000, &stats, &mut seg) {
            Ok(()) => {
                stats.add(Counter::Segments, 1);
                seg.hash = flow_hash(&seg, 1);
                assert!(seg.payload(&bytes).len() <= seg.wire_len as usize);
                worker.segment(&seg, &bytes);
            }
            Err(reason) => stats.add(reason, 1),
        }
        if round % 1_000 == 0 {
            worker.sweep(round * 1_000_000, true);
        }
        assert!(worker.flows.len() <= 64);
    }
    worker.close_all();
    assert_eq!(worker.flows.len(), 0);
    let ignored: u64 =
        (Counter::IgnoredLink as usize..=Counter::IgnoredInterface as usize).map(|at| stats.snapshot()[at]).sum();
    assert_eq!(stats.get(Counter::Packets), stats.get(Counter::Segments) + ignored);
    let opens = worker.events.iter().filter(|event| matches!(event, Event::Open(_))).count();
    let closes = worker.events.iter().filter(|event| matches!(event, Event::Close(_))).count();
    assert!(opens > 0 && opens == closes);
}

/// Ethernet with a tag or none, IPv4 or IPv6, TCP or UDP, with a right header sum, perhaps cut or padded, and perhaps
/// damaged anywhere.
fn plain_frame(dice: &mut Dice) -> Vec<u8> {
    let (proto, header) = if dice.below(2) == 0 { (6, 20 + 4 * dice.below(3)) } else { (17, 8) };
    let payload = dice.below(40);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if dice.below(3) == 0 {
        frame.extend([0x81, 0, 0x23, 7]);
    }
    let ip = frame.len() + 2;
    let v6 = dice.below(3) == 0;
    if v6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(((header + payload) as u16).to_be_bytes());
        frame.extend([proto, 61]);
        frame.extend((0..32).map(|_| dice.roll() as u8));
    } else {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend(((20 + header + payload) as u16).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 64, proto, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1]);
    }
    let body = frame.len();
    frame.extend((0..header + payload).map(|_| dice.roll() as u8));
    if proto == 6 {
        frame[body + 12] = (header as u8 / 4) << 4;
    } else {
        let ports = [443_u16, 4789, 2152, 53];
        frame[body + 2..body + 4].copy_from_slice(&ports[dice.below(4)].to_be_bytes());
        frame[body + 4..body + 6].copy_from_slice(&((8 + payload) as u16).to_be_bytes());
        if payload >= 4 && dice.below(4) == 0 {
            frame[body + 8..body + 12].copy_from_slice(&[[8, 0, 0, 0], [0x40, 2, 0, 0]][dice.below(2)]);
        }
    }
    match dice.below(8) {
        0 => frame.truncate(dice.below(frame.len())),
        1 => frame.extend(vec![0; dice.below(20)]),
        2 => frame[body + 4..body + 6].fill(0),
        3 | 4 => {
            let at = 12 + dice.below(frame.len() - 12);
            frame[at] = dice.roll() as u8;
        }
        _ => {}
    }
    if !v6 && frame.len() >= ip + 20 && dice.below(16) != 0 {
        frame[ip + 10..ip + 12].fill(0);
        let sum: u32 = frame[ip..ip + 20].chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
        let sum = (sum & 0xffff) + (sum >> 16);
        frame[ip + 10..ip + 12].copy_from_slice(&(!((sum & 0xffff) + (sum >> 16)) as u16).to_be_bytes());
    }
    frame
}

#[test]
fn what_is_decoded_in_one_go_is_the_same_as_layer_by_layer() {
    let mut dice = Dice(0x706c_6169_6e21);
    let (stats, mut plain_ones, mut others) = (Stats::default(), 0, 0);
    let mut decoder = Decoder { fragments: Fragments::new(64, 65_536) };
    let left_over =
        Segment { v6: true, vlan_count: 3, vlans: [9; 4], owned: Some(Box::new([1])), ..Segment::default() };
    for round in 0..400_000 {
        let bytes = if dice.below(8) == 0 {
            let mut bytes = frame();
            mutate(&mut dice, &mut bytes);
            bytes
        } else {
            plain_frame(&mut dice)
        };
        let block = [&[7; 5][..], &bytes].concat();
        let (mut quick, mut slow) = (left_over.clone(), left_over.clone());
        if !plain::decode(1, &block, &block[5..], round, &mut quick) {
            others += 1;
            continue;
        }
        plain_ones += 1;
        assert_eq!(decoder.peel(1, &block, &block[5..], round, &stats, &mut slow), Ok(()), "{bytes:02x?}");
        assert_eq!(quick, slow, "{bytes:02x?}");
        assert!(!plain::decode(101, &block, &block[5..], round, &mut quick));
    }
    assert_eq!(stats.get(Counter::BadIpChecksum), 0);
    assert!(plain_ones > 150_000 && others > 50_000, "{plain_ones} {others}");
}

fn pcapng(dice: &mut Dice) -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len().next_multiple_of(4)) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend_from_slice(body);
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend(length.to_le_bytes());
    };
    block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    block(1, &[1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    for _ in 0..1 + dice.below(4) {
        let data = frame();
        let mut body = vec![0; 12];
        body.extend((data.len() as u32).to_le_bytes());
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(data);
        block(6, &body);
    }
    file
}

#[test]
fn damaged_captures_end_with_a_reason() {
    let mut dice = Dice(7);
    let path = std::env::temp_dir().join(format!("minewatch-hostile-{}", std::process::id()));
    for _ in 0..3_000 {
        let mut bytes = pcapng(&mut dice);
        mutate(&mut dice, &mut bytes);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(&bytes)).unwrap();
        let Ok(mut reader) = Reader::open(&path.to_string_lossy(), Arc::default()) else { continue };
        let mut block = Block::default();
        for turn in 0.. {
            assert!(turn < 10, "reading does not come to an end");
            match reader.next_block(&mut block) {
                Ok(true) => {}
                Ok(false) => break,
                Err(problem) => {
                    assert!(problem.offset <= bytes.len() as u64, "{problem:?}");
                    break;
                }
            }
        }
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn one_worker_or_three_give_the_same_events() {
    let path = std::env::temp_dir().join(format!("minewatch-workers-{}", std::process::id()));
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for n in 0..500_u32 {
        let mut data = frame();
        data[38..40].copy_from_slice(&(20_000 + (n % 50) as u16).to_be_bytes());
        data[42..46].copy_from_slice(&(1 + (n / 50) * 48).to_be_bytes());
        file.extend((n * 3).to_le_bytes());
        file.extend([0; 4]);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
    }
    std::fs::write(&path, file).unwrap();
    let events = |workers| {
        let mut engine = Engine::new(tables(), &Limits { workers, ..Limits::default() });
        engine.attach(&path.to_string_lossy(), true, &Options::default()).unwrap();
        engine.finish();
        let mut chunks = Vec::new();
        while !engine.queue().is_finished() {
            for event in engine.queue().pop(64, Duration::from_millis(50)).unwrap() {
                if let Event::Chunk { ts_ns, direction, offset, gap, data, base_seq, .. } = event {
                    chunks.push((ts_ns, direction, offset, gap, data, base_seq));
                }
            }
        }
        engine.close();
        chunks.sort();
        chunks
    };
    let chunks = events(1);
    assert!(chunks.len() >= 50);
    assert_eq!(chunks, events(3));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_full_queue_drops_and_counts_where_it_may_not_wait() {
    let path = std::env::temp_dir().join(format!("minewatch-full-{}", std::process::id()));
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for n in 0..200_u16 {
        let mut data = frame();
        data[38..40].copy_from_slice(&(20_000 + n).to_be_bytes());
        file.extend([0; 8]);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
    }
    std::fs::write(&path, file).unwrap();
    let mut engine = Engine::new(tables(), &Limits { queue_events: 8, ..Limits::default() });
    engine.attach(&path.to_string_lossy(), false, &Options::default()).unwrap();
    let dropped =
        || engine.stats().into_iter().find(|(name, _)| *name == "events_dropped").map_or(0, |(_, count)| count);
    for _ in 0..500 {
        if dropped() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(dropped() > 0);
    std::fs::remove_file(&path).unwrap();
}
