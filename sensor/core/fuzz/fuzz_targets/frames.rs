//! Decapsulation and fragments: every frame ends in a segment or a reason, and the table of fragments stays in bounds.
//! An input is a row of frames: link type, seconds since the one before, length, bytes.

#![no_main]

use _core::model::stats::Stats;
use _core::wire::decode::Decoder;
use _core::wire::fragments::Fragments;
use _core::wire::segment::Segment;
use libfuzzer_sys::fuzz_target;
use minewatch_core_fuzz::Input;

const LINKS: [u16; 13] = [1, 0, 108, 9, 50, 12, 101, 228, 229, 113, 276, 104, 77];
const SECOND_NS: u64 = 1_000_000_000;

fuzz_target!(|data: &[u8]| {
    let stats = Stats::default();
    let mut decoder = Decoder { fragments: Fragments::new(16, 16_384) };
    let (mut input, mut ts_ns) = (Input(data), 0);
    while !input.is_empty() {
        let link = LINKS[usize::from(input.byte()) % LINKS.len()];
        ts_ns += u64::from(input.byte()) * SECOND_NS;
        let length = usize::from(input.u16());
        let frame = input.take(length);
        let mut seg = Segment::default();
        if decoder.decode(link, frame, frame, ts_ns, &stats, &mut seg).is_ok() {
            assert!(seg.payload(frame).len() <= seg.wire_len as usize);
            assert!(seg.proto == 6 || seg.proto == 17);
        }
        decoder.fragments.sweep(ts_ns);
    }
});
