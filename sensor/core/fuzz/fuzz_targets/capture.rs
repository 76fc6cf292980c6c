//! The readers of captures: whatever the file holds, reading ends, and every packet lies inside its block.

#![no_main]

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use _core::capture::file::Reader;
use _core::capture::packet::Block;
use libfuzzer_sys::fuzz_target;

/// Compressed input may hold far more than its own length: after so many blocks the rest is left.
const MAX_BLOCKS: usize = 64;

struct Place {
    file: File,
    path: String,
    block: Block,
}

impl Place {
    fn new() -> Place {
        let path = std::env::temp_dir().join(format!("minewatch-fuzz-{}", std::process::id()));
        let file = File::create(&path).expect("a place for the input");
        Place { file, path: path.to_string_lossy().into_owned(), block: Block::default() }
    }
}

thread_local!(static PLACE: RefCell<Place> = RefCell::new(Place::new()));

fuzz_target!(|data: &[u8]| {
    PLACE.with_borrow_mut(|place| {
        place.file.set_len(0).and_then(|()| place.file.write_all_at(data, 0)).expect("the input is written");
        let Ok(mut reader) = Reader::open(&place.path, Arc::default()) else { return };
        for turn in 0..MAX_BLOCKS {
            let more = reader.next_block(&mut place.block);
            for packet in &place.block.packets {
                assert!(packet.start as usize + packet.captured as usize <= place.block.filled);
                assert_eq!(place.block.frame(packet).len(), packet.captured as usize);
            }
            match more {
                Ok(true) => assert!(turn < MAX_BLOCKS - 1 || data.len() < 1 << 20),
                Ok(false) => break,
                Err(problem) => {
                    assert!(!problem.reason.is_empty());
                    break;
                }
            }
        }
    });
});
