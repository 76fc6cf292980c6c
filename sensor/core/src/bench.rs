//! Each step of the core alone, over a capture held in memory: what a packet costs where.

use std::sync::Arc;
use std::time::Instant;

use crate::capture::file::Reader;
use crate::capture::packet::Block;
use crate::flow::prefilter::Tables;
use crate::flow::table::Flows;
use crate::flow::worker::Worker;
use crate::model::limits::Limits;
use crate::model::stats::Stats;
use crate::wire::decode::Decoder;
use crate::wire::flow_hash::flow_hash;
use crate::wire::fragments::Fragments;
use crate::wire::segment::Segment;

pub const STEPS: [&str; 5] = ["walk", "decode", "flow", "scan", "all"];

/// (packets, bytes, seconds) of one step over the whole capture. Steps add up: "flow" decodes too, "all" does
/// everything.
pub fn run(source: &str, step: &str, tables: Tables, limits: &Limits) -> Result<(u64, u64, f64), String> {
    if !STEPS.contains(&step) {
        return Err(format!("unknown step {step:?}, there are {}", STEPS.join(", ")));
    }
    let blocks = read(source)?;
    let stats = Arc::new(Stats::default());
    let mut decoder = Decoder { fragments: Fragments::new(limits.fragments, limits.fragment_bytes) };
    let mut flows = Flows::new(limits.flows);
    let tables = Arc::new(tables);
    let mut worker = Worker::new(0, limits, tables.clone(), stats.clone());
    let (mut packets, mut bytes, mut sum) = (0_u64, 0_u64, 0_u64);
    let mut seg = Segment::default();
    let began = Instant::now();
    for block in &blocks {
        for packet in &block.packets {
            packets += 1;
            bytes += u64::from(packet.captured);
            if step == "walk" {
                sum ^= packet.ts_ns ^ u64::from(block.frame(packet).first().copied().unwrap_or(0));
                continue;
            }
            if decoder.decode(packet.link, &block.bytes, block.frame(packet), packet.ts_ns, &stats, &mut seg).is_err() {
                continue;
            }
            seg.hash = flow_hash(&seg, 1);
            match step {
                "decode" => sum ^= seg.hash,
                "flow" => {
                    if flows.find(&seg).is_none() {
                        if flows.len() == flows.capacity {
                            let victim = flows.victim();
                            flows.remove(victim);
                        }
                        flows.insert(&seg);
                    }
                }
                "scan" => sum ^= u64::from(tables.scan(&[], seg.payload(&block.bytes))),
                _ => worker.segment(&seg, &block.bytes),
            }
        }
        worker.events.clear();
    }
    let seconds = began.elapsed().as_secs_f64();
    std::hint::black_box(sum);
    Ok((packets, bytes, seconds))
}

/// A whole capture in memory.
fn read(source: &str) -> Result<Vec<Block>, String> {
    let mut reader = Reader::open(source, Arc::default()).map_err(|problem| problem.reason)?;
    let mut blocks = Vec::new();
    loop {
        let mut block = Block::default();
        let more = reader.next_block(&mut block).map_err(|problem| problem.reason)?;
        blocks.push(block);
        if !more {
            return Ok(blocks);
        }
    }
}
